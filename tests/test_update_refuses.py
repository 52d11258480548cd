"""Errors of updates are one sentence with paths and what to do. The project is unchanged."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT, run
from small import CARGO, CLI, NEW, Template, commit, copier_pyo3, replace, write


@pytest.fixture
def template(tmp_path: Path) -> Template:
    made = Template(tmp_path / "template")
    made.release("v1.0.0", {})
    made.release("v1.1.0", {**NEW, "docs/index.md": "# Documentation\n", "notes": "Notes.\n"})
    return made


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Path:
    return template.make(tmp_path / "sample")


def state(project: Path) -> dict[str, bytes]:
    files = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.relative_to(project).parts)
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in files}


def check_refused(project: Path, *words: str, verb: str = "update") -> None:
    """Check for an error in one sentence with these words, and that the project is unchanged."""
    before = state(project)
    done = copier_pyo3(verb, project)
    assert done.returncode == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""
    assert state(project) == before
    assert not (project / ".git/copier-pyo3").exists()


def test_the_old_commit_of_the_template_is_gone(template: Template, project: Path) -> None:
    """After a force push, the template no longer has the commit that created the project."""
    answers = project / ".copier-answers.yml"
    replace(answers, "_commit: v1.0.0", "_commit: v1.0.0-2-g0123456")
    commit(project)
    said = ("no longer has v1.0.0-2-g0123456", str(template.folder), "nearest existing version", "_commit")
    check_refused(project, *said)
    write(project / f"{CARGO}.rej", "")
    check_refused(project, *said, verb="resolve")
    (project / f"{CARGO}.rej").unlink()
    replace(answers, "v1.0.0-2-g0123456", "v1.0.0")
    commit(project)
    assert copier_pyo3("update", project).returncode == 0


def test_a_version_that_the_template_does_not_have(template: Template, project: Path) -> None:
    done = copier_pyo3("update", project, "--vcs-ref", "v9")
    assert done.returncode == 1
    assert f"the template {template.folder} has no version v9: choose one of its tags" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("ignored", [False, True], ids=["committed", "ignored by git"])
def test_a_folder_of_the_template_where_the_user_has_a_file(project: Path, ignored: bool) -> None:
    write(project / "docs", "mine\n")
    if ignored:
        replace(project / ".gitignore", "", "/docs\n")
    commit(project)
    check_refused(project, "the template has a file docs/index.md, and you have a file docs: move yours")


@pytest.mark.parametrize("ignored", [False, True], ids=["committed", "ignored by git"])
def test_a_file_of_the_template_where_the_user_has_a_folder(project: Path, ignored: bool) -> None:
    write(project / "notes/one.md", "mine\n")
    if ignored:
        replace(project / ".gitignore", "", "/notes/\n")
    commit(project)
    if ignored:
        done = copier_pyo3("update", project)
        assert done.returncode == 0
        assert "notes: kept your file, which git ignores" in done.stdout
        assert (project / "notes/one.md").read_text("utf-8") == "mine\n"
    else:
        check_refused(project, "the template has a file notes, and you have a file notes/one.md: move your folder")


def test_a_file_name_that_is_not_utf_8_is_named(project: Path) -> None:
    Path(os.fsdecode(os.fsencode(project) + b"/caf\xe9.txt")).write_text("mine", encoding="utf-8")
    commit(project)
    check_refused(project, r"the file name caf\xe9.txt is not UTF-8", "rename the file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_what_was_done_is_said_if_the_output_cannot_be_written(project: Path) -> None:
    done = run(["sh", "-c", '"$@" > /dev/full', "sh", *CLI, "update", project], cwd=ROOT, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "copier-pyo3: updated from v1.0.0 to v1.1.0, but the output could not be written (No space left on device).\n"
    )


def test_a_repository_with_sha_256(template: Template, tmp_path: Path) -> None:
    project = tmp_path / "sample"
    project.mkdir()
    run(["git", "init", "--quiet", "--object-format=sha256"], cwd=project)
    template.make(project)
    assert copier_pyo3("update", project).returncode == 0
    assert "docs/index.md" in state(project)


def test_a_new_file_that_git_ignores_is_told(project: Path, tmp_path: Path) -> None:
    """By the user's own list: without this, `git add .` would leave it out silently."""
    (tmp_path / "ignore").write_text("notes\n", encoding="utf-8")
    run(["git", "config", "core.excludesFile", tmp_path / "ignore"], cwd=project)
    done = copier_pyo3("update", project)
    assert done.returncode == 0, done.stderr
    assert "notes: git ignores this new file: run `git add --force notes`" in done.stdout
    assert (project / "notes").is_file()


# --- a disk that becomes full ----------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB, if the system allows mounting one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=4m", "copier-pyo3", str(folder)]
    if not mount or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    run(["umount", "--lazy", folder], cwd=ROOT)


@pytest.mark.parametrize("free", [0, 16, 64])
def test_a_disk_that_fills(project: Path, small_disk: Path, free: int) -> None:
    """With different free space, it becomes full at different steps."""
    full = Path(shutil.copytree(project, small_disk / "sample"))
    before = state(full)
    with (small_disk / "filler").open("wb") as filler:
        room = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        filler.write(b"x" * (room - free * 1024))
    done = run([*CLI, "update", full], cwd=ROOT, check=False)
    (small_disk / "filler").unlink()
    assert done.returncode == 1, done.stdout
    print(done.stderr)
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    assert "The project is unchanged" in done.stderr.splitlines()[-1]
    assert state(full) == before
    assert copier_pyo3("update", full).returncode == 0
