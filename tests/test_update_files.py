"""Line endings, permissions, and links, with both commands."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import run
from small import ANSWERS, CARGO, NEW, PYPROJECT, Template, commit, copier_pyo3, plain_update, replace, write

Update = Callable[[Path], str]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Template:
    made = Template(tmp_path_factory.mktemp("files") / "template")
    made.release("v1.0.0", {"OLD.md": "What was: text of its own.\n", "MOVES.md": "# Moves\n\nMuch text.\n\nMore.\n"})
    new = {"NEW.md": "# New\n\nText.\n", "run.sh": "#!/bin/sh\n", "MOVED.md": "# Moves\n\nMuch text.\n\nMore.\n"}
    made.release("v1.1.0", {**NEW, **new, "README.md": "# Sample\n\nOther text.\n"})
    return made


@pytest.fixture
def project(releases: Template, tmp_path: Path) -> Path:
    return releases.make(tmp_path / "sample")


@pytest.fixture(params=["copier update", "copier-pyo3 update"])
def update(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Update:
    """Updates to v1.1.0. Returns the output."""

    def plain(project: Path) -> str:
        plain_update(project, "v1.1.0")
        return capfd.readouterr().err

    def verb(project: Path) -> str:
        done = copier_pyo3("update", project, "--vcs-ref", "v1.1.0")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return plain if request.param == "copier update" else verb


# --- line endings ----------------------------------------------------------------------------------------


def to_crlf(project: Path) -> None:
    for name in run(["git", "ls-files"], cwd=project).stdout.split():
        write(project / name, (project / name).read_bytes().replace(b"\n", b"\r\n"))


def bare_lf(project: Path) -> set[str]:
    """Files with a line that ends with LF only."""
    paths = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.relative_to(project).parts)
    return {path.relative_to(project).as_posix() for path in paths if re.search(rb"(?<!\r)\n", path.read_bytes())}


def test_a_project_with_crlf_is_not_edited_by_that(project: Path, update: Update) -> None:
    """It gets every change of the template, including deletions and moves; new files have CRLF; nothing is reported."""
    run(["git", "config", "core.autocrlf", "false"], cwd=project)
    to_crlf(project)
    commit(project)
    said = update(project)
    assert "your edits" not in said
    assert not (project / "OLD.md").exists()
    assert not (project / "MOVES.md").exists()
    assert (project / "README.md").read_bytes() == b"# Sample\r\n\r\nOther text.\r\n"
    assert (project / "MOVED.md").read_bytes().startswith(b"# Moves\r\n")
    assert (project / "NEW.md").read_bytes() == b"# New\r\n\r\nText.\r\n"
    assert bare_lf(project) == set()
    assert b'"0.30.1"' in (project / CARGO).read_bytes()


def test_attributes_decide_before_the_others_do(project: Path, update: Update) -> None:
    run(["git", "config", "core.autocrlf", "false"], cwd=project)
    write(project / ".gitattributes", "*.sh text eol=lf\n")
    to_crlf(project)
    commit(project)
    update(project)
    assert bare_lf(project) == {"run.sh", ".gitattributes"}


def test_one_file_with_crlf_makes_no_project_of_it(project: Path, update: Update) -> None:
    run(["git", "config", "core.autocrlf", "false"], cwd=project)
    write(project / PYPROJECT, (project / PYPROJECT).read_bytes().replace(b"\n", b"\r\n"))
    commit(project)
    update(project)
    assert (project / "NEW.md").read_bytes() == b"# New\n\nText.\n"
    assert b"\r\n" in (project / PYPROJECT).read_bytes()
    assert b"\r\n" not in (project / ANSWERS).read_bytes()


# --- permissions and links -------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_stay(project: Path, update: Update) -> None:
    """The permissions of a read-only file, which plain Copier cannot write, and of a private file are kept."""
    modes = {CARGO: 0o444, PYPROJECT: 0o600, "README.md": 0o400, "src/lib.rs": 0o440}
    for name, mode in modes.items():
        (project / name).chmod(mode)
    update(project)
    assert b'"0.30.1"' in (project / CARGO).read_bytes()
    assert {name: (project / name).stat().st_mode & 0o777 for name in modes} == modes
    assert not list((project / ".git").glob("copier-pyo3-*"))


def test_a_link_that_the_user_made_of_a_file_stays(project: Path, update: Update) -> None:
    write(project / "docs/README.md", "# Mine\n")
    (project / "README.md").unlink()
    (project / "README.md").symlink_to("docs/README.md")
    commit(project)
    said = update(project)
    assert (project / "README.md").readlink() == Path("docs/README.md")
    assert (project / "docs/README.md").read_text("utf-8") == "# Mine\n"
    assert "README.md: kept your symbolic link; the template changed the file" in said


def test_what_the_user_deleted_or_edited_is_told_in_plain_words(project: Path, update: Update) -> None:
    (project / "README.md").unlink()
    replace(project / "OLD.md", "text", "our text")
    commit(project)
    said = update(project)
    assert not (project / "README.md").exists()
    assert "README.md: kept deleted; the template changed it" in said
    assert "OLD.md: kept with your edits; the template no longer has it" in said
