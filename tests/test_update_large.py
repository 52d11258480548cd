"""In a large project, `copier-pyo3 update` checks out only the files that it reads, with the same result."""

import shutil
from pathlib import Path

import pytest

from conftest import run
from copier_pyo3.project import work_tree_beside
from copier_pyo3.project.repository import Repository
from small import CARGO, CODE, NEW, Template, commit, copier_pyo3, plain_update, replace, write

INIT, DOC, OLD = "python/sample/__init__.py", "docs/guide/index.md", "tools/old.py"
NESTED = {DOC: "# Guide\n\nWords.\n\nMore words.\n", OLD: "print('what the template drops')\nprint('again')\n"}


@pytest.fixture(scope="module", params=[True, False], ids=["with the migration", "without"])
def releases(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Template:
    made = Template(tmp_path_factory.mktemp("large") / "template", migrations=request.param)
    made.release("v1.0.0", NESTED)
    changed = {
        DOC: NESTED[DOC].replace("More", "Many more"),
        INIT: "from ._core import *  # all\n",
        "data/both.txt": "theirs\n",
    }
    made.release("v1.1.0", {**NEW, **changed})
    return made


@pytest.fixture
def project(releases: Template, tmp_path: Path) -> Path:
    """A large project with edits in nested files, a file moved to a new folder, and a file that both sides add."""
    project = releases.make(tmp_path / "sample")
    for number in range(work_tree_beside.SMALL_COUNT):
        write(project / f"data/{number // 100}/{number}.txt", f"{number}\n")
    write(project / "data/large.bin", b"\0" * 2_000_000)
    write(project / "data/both.txt", "theirs\n")
    replace(project / DOC, "# Guide", "# Our guide")
    replace(project / CODE, "// One.", "// One, ours.")
    (project / "data/old.py").write_bytes((project / OLD).read_bytes())
    (project / OLD).unlink()
    write(project / "crate/Cargo.toml", '[package]\nname = "mine"\n')
    commit(project)
    return project


def state(project: Path) -> dict[str, bytes]:
    files = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.relative_to(project).parts)
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in files}


def test_both_commands_come_to_the_same(releases: Template, project: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(project, tmp_path / "other" / "sample"))
    plain_update(other, "v1.1.0")
    done = copier_pyo3("update", project, "--vcs-ref", "v1.1.0")
    assert done.returncode == 0, done.stdout + done.stderr
    mine, theirs = state(project), state(other)
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if mine[name] != theirs[name]] == []
    assert mine[DOC] == b"# Our guide\n\nWords.\n\nMany more words.\n"
    assert b"# all" in mine[INIT]
    status = [run(["git", "status", "--porcelain"], cwd=folder).stdout for folder in (project, other)]
    assert status[0] == status[1]
    assert "  data/both.txt\n" not in done.stdout
    assert run(["git", "worktree", "list"], cwd=project).stdout.count("\n") == 1


def test_only_what_is_read_is_checked_out(project: Path, tmp_path: Path) -> None:
    run(["git", "config", "--unset", "user.name"], cwd=project, check=False)
    aside = work_tree_beside.add(Repository(project), tmp_path / "aside")
    names = {path for path in state(aside.project) if path != ".git"}
    assert {CARGO, CODE, "crate/Cargo.toml", ".gitignore", ".copier-answers.yml"} <= names
    assert not {name for name in names if name.startswith(("data/", "docs/"))}
    assert aside.changes() == []


def test_in_a_folder_of_a_large_repository(releases: Template, project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / ".git")
    shutil.copytree(project, tmp_path / "mono/python/sample")
    write(tmp_path / "mono/.gitattributes", "*.rs text\n")
    write(tmp_path / "mono/other/code.rs", "// Not ours.\n")
    run(["git", "init", "--quiet"], cwd=tmp_path / "mono")
    commit(tmp_path / "mono")
    aside = work_tree_beside.add(Repository(tmp_path / "mono/python/sample"), tmp_path / "aside")
    assert (tmp_path / "aside/.gitattributes").is_file()
    assert not (tmp_path / "aside/other").exists()
    assert (aside.project / CODE).is_file()
    run(["git", "worktree", "remove", "--force", tmp_path / "aside"], cwd=tmp_path / "mono")
    done = copier_pyo3("update", tmp_path / "mono/python/sample", "--vcs-ref", "v1.1.0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Many more" in (tmp_path / "mono/python/sample" / DOC).read_text("utf-8")
    assert (tmp_path / "mono/other/code.rs").is_file()
    assert len(run(["git", "status", "--porcelain"], cwd=tmp_path / "mono").stdout.splitlines()) < 12
