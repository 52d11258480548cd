"""`resolve` after updates: with .rej files, and after two updates that were committed one after the other."""

import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from conftest import run
from small import CARGO, NEW, NEWER, PYPROJECT, Template, commit, copier_pyo3, plain_update, replace

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def without_migration(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A template without the migration, with only Copier's merge."""
    template = Template(tmp_path_factory.mktemp("without") / "template", migrations=False)
    for tag, files in {"v1.0.0": {}, "v1.2.0": NEW, "v1.3.0": NEWER}.items():
        template.release(tag, files)
    return template


@pytest.fixture
def project(without_migration: Template, tmp_path: Path) -> Path:
    """A project with edits where the template changes the manifests."""
    project = without_migration.make(tmp_path / "sample")
    replace(project / CARGO, '["abi3"]', '["abi3", "multiple-pymethods"]')
    replace(project / PYPROJECT, '<2"]', '<2", "numpy"]')
    commit(project)
    return project


def check_both(project: Path, version: str = "v1.2.0") -> None:
    """Check for both the template's and the user's changes, no conflicts, and a second run without changes."""
    pyo3 = toml(project / CARGO)["dependencies"]["pyo3"]
    assert pyo3 == {"version": "0.30.1", "features": ["abi3", "multiple-pymethods"]}
    assert ("opt-level" in toml(project / CARGO)["profile"]["release"]) == (version == "v1.3.0")
    assert toml(project / PYPROJECT)["build-system"]["requires"] == ["maturin>=1.16,<2", "numpy"]
    assert not list(project.glob("*.rej"))
    assert not run(["git", "ls-files", "--unmerged"], cwd=project).stdout
    assert "Nothing left" in copier_pyo3("resolve", project).stdout


@pytest.mark.parametrize("how", ["in the work tree", "ignored by git", "committed by a bot"])
def test_rejected_changes(project: Path, how: str) -> None:
    if how == "ignored by git":
        (project / ".git/info/exclude").write_text("*.rej\n", encoding="utf-8")
    plain_update(project, "v1.2.0", conflict="rej")
    assert sorted(path.name for path in project.glob("*.rej")) == [f"{CARGO}.rej", f"{PYPROJECT}.rej"]
    if how == "committed by a bot":
        commit(project)
        replace(project / "README.md", "Text", "More text")
        commit(project)
    done = copier_pyo3("resolve", project)
    assert done.returncode == 0, done.stdout + done.stderr
    check_both(project)


def test_what_was_edited_beside_a_rej_is_left(project: Path) -> None:
    plain_update(project, "v1.2.0", conflict="rej")
    replace(project / CARGO, "", "# half done\n")
    done = copier_pyo3("resolve", project)
    assert done.returncode == 1
    assert "Cargo.toml: edited since the update: apply Cargo.toml.rej by hand" in done.stdout
    assert "# half done" in (project / CARGO).read_text("utf-8")
    assert [path.name for path in project.glob("*.rej")] == [f"{CARGO}.rej"]
    assert toml(project / PYPROJECT)["build-system"]["requires"] == ["maturin>=1.16,<2", "numpy"]


def test_a_rej_of_the_users_own_is_left_alone(project: Path) -> None:
    (project / "notes.rej").write_text("mine\n", encoding="utf-8")
    commit(project)
    plain_update(project, "v1.2.0", conflict="rej")
    assert copier_pyo3("resolve", project).returncode == 0
    assert (project / "notes.rej").read_text("utf-8") == "mine\n"
    (project / "notes.rej").unlink()
    check_both(project)


@pytest.mark.parametrize("committed", [False, True], ids=["the second in the work tree", "both committed"])
@pytest.mark.parametrize("conflict", ["inline", "rej"])
def test_two_updates_one_on_the_other(project: Path, conflict: Literal["inline", "rej"], committed: bool) -> None:
    """It merges once, from the last commit without conflicts, with that commit's answers."""
    for version in ("v1.2.0", "v1.3.0"):
        plain_update(project, version, conflict=conflict)
        if version == "v1.2.0" or committed:
            commit(project)
    done = copier_pyo3("resolve", project)
    assert done.returncode == 0, done.stdout + done.stderr
    check_both(project, "v1.3.0")


def test_what_was_edited_between_two_updates_is_left(project: Path) -> None:
    plain_update(project, "v1.2.0")
    commit(project)
    replace(project / CARGO, "", "# half done\n")
    commit(project)
    plain_update(project, "v1.3.0")
    commit(project)
    done = copier_pyo3("resolve", project)
    assert done.returncode == 1
    assert "Cargo.toml: edited since the update" in done.stdout
    assert "# half done" in (project / CARGO).read_text("utf-8")
    assert toml(project / PYPROJECT)["build-system"]["requires"] == ["maturin>=1.16,<2", "numpy"]
