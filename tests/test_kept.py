"""The migration uses Copier's own renderings, and renders only if it must."""

import os
from pathlib import Path

import pytest

from conftest import run
from copier_pyo3.generate.kept import place
from small import CARGO, CODE, NEW, Template, commit, copier_pyo3, plain_update, replace

# The folders in which the hook keeps renderings.
KEEP = "\n        keep(Path.cwd())\n"
# Makes the migration fail if it renders.
SPOILED = 'def render(*_: object) -> None:\n    raise RuntimeError("rendered again")\n'


@pytest.fixture(scope="module", params=[True, False], ids=["kept", "rendered again"])
def releases(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Template:
    """A template that must not be rendered again, or one whose first version keeps no renderings, like older versions."""
    made = Template(tmp_path_factory.mktemp("kept") / "template")
    hook = made.folder / "hooks/copier_pyo3/generate/render.py"
    if request.param:
        hook.write_text(SPOILED, encoding="utf-8")
        made.release("v1.0.0", {})
    else:
        run_py = made.folder / "hooks/run.py"
        replace(run_py, KEEP, "")
        made.release("v1.0.0", {})
        replace(run_py, "import keep\n", f"import keep\n{KEEP}")
    made.release("v1.1.0", {**NEW, CODE: "// One.\n\n// Two, new.\n", ".gitignore": "*.so\n*.log\n"})
    return made


@pytest.mark.parametrize("plain", [True, False], ids=["copier update", "copier-pyo3 update"])
def test_an_update_gives_the_same(releases: Template, tmp_path: Path, plain: bool) -> None:
    fresh = releases.make(tmp_path / "fresh" / "sample", "v1.1.0")
    project = releases.make(tmp_path / "sample")
    replace(project / CODE, "// One.", "// One, ours.")
    commit(project)
    if plain:
        plain_update(project, "v1.1.0")
    else:
        done = copier_pyo3("update", project, "--vcs-ref", "v1.1.0")
        assert done.returncode == 0, done.stdout + done.stderr
    assert (project / CODE).read_text("utf-8") == "// One, ours.\n\n// Two, new.\n"
    replace(project / CODE, "// One, ours.", "// One.")
    for name in run(["git", "ls-files"], cwd=fresh).stdout.split():
        assert (project / name).read_bytes() == (fresh / name).read_bytes(), name
    assert '"0.30.1"' in (project / CARGO).read_text("utf-8")
    assert not place(os.getpid()).exists()


def test_what_another_one_has_put_there_is_not_taken(tmp_path: Path) -> None:
    """It is not changed either. The name of the folder can be guessed."""
    made = Template(tmp_path / "template")
    made.release("v1.0.0", {})
    made.release("v1.1.0", NEW)
    project = made.make(tmp_path / "sample")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "theirs").touch()
    place(os.getpid()).symlink_to(elsewhere)
    try:
        plain_update(project, "v1.1.0")
        assert place(os.getpid()).is_symlink()
    finally:
        place(os.getpid()).unlink()
    assert [path.name for path in elsewhere.iterdir()] == ["theirs"]
    assert '"0.30.1"' in (project / CARGO).read_text("utf-8")
