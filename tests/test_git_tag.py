"""Versions from git tags: the version in Cargo, the wheel, and the module, with and without git."""

import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from ship import commit, edit, render, run


def built(project: Path, out: Path, kind: str) -> Path:
    run(project, "uv", "build", f"--{kind}", "--out-dir", str(out))
    (made,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


def version_in(wheel: Path) -> str:
    """The version in the metadata, which must be the one in the file name."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    (version,) = (line.removeprefix("Version: ") for line in lines if line.startswith("Version: "))
    assert wheel.name.split("-")[1] == version
    return version


def says(wheel: Path, folder: Path) -> str:
    """`__version__` of the installed module."""
    run(folder, "uv", "venv", "--quiet", "--clear", "venv")
    run(folder, "uv", "pip", "install", "--quiet", "--python", "venv", str(wheel))
    return run(folder, "venv/bin/python", "-c", "import tagged; print(tagged.__version__)").stdout.strip()


@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
def test_tag_distance_dirt_and_sdist(backend: str, tmp_path: Path) -> None:
    project = render(tmp_path / "project", project_name="tagged", build_backend=backend, version_source="git-tag")
    manifests = [(project / name).read_bytes() for name in ("Cargo.toml", "Cargo.lock")]

    assert version_in(built(project, tmp_path / "untagged", "wheel")).startswith("0.0.0.dev1+g")

    run(project, "git", "tag", "v1.2.3")
    exact = built(project, tmp_path / "exact", "wheel")
    assert version_in(exact) == "1.2.3"
    assert says(exact, tmp_path) == "1.2.3"

    sdist = built(project, tmp_path / "exact", "sdist")
    assert sdist.name == "tagged-1.2.3.tar.gz"
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    from_sdist = built(tmp_path / "unpacked/tagged-1.2.3", tmp_path / "from-sdist", "wheel")
    assert version_in(from_sdist) == "1.2.3"
    assert says(from_sdist, tmp_path) == "1.2.3"

    commit(project, "feat: more")
    commit(project, "feat: still more")
    assert version_in(built(project, tmp_path / "after", "wheel")).startswith("1.2.4.dev2+g")

    edit(project / "README.md", "# tagged", "# Tagged")
    dirty = version_in(built(project, tmp_path / "dirty", "wheel"))
    assert dirty.startswith("1.2.4.dev2+g")
    assert dirty.endswith(".dirty")
    run(project, "git", "checkout", "--quiet", "README.md")

    run(project, "git", "tag", "v2.0.0-rc.1")
    assert version_in(built(project, tmp_path / "rc", "wheel")) == "2.0.0rc1"
    commit(project, "fix: one thing")
    assert version_in(built(project, tmp_path / "after-rc", "wheel")).startswith("2.0.0rc1+1.g")

    assert [(project / name).read_bytes() for name in ("Cargo.toml", "Cargo.lock")] == manifests
    assert run(project, "git", "status", "--porcelain").stdout == ""


def test_line_ends_of_windows_and_tags_that_are_no_versions(tmp_path: Path) -> None:
    project = render(tmp_path / "project", project_name="tagged", version_source="git-tag")
    manifests = {name: (project / name).read_bytes().replace(b"\n", b"\r\n") for name in ("Cargo.toml", "Cargo.lock")}
    for name, content in manifests.items():
        (project / name).write_bytes(content)
    commit(project, "build: as a checkout on Windows has them")
    run(project, "git", "tag", "v1.2.3")
    commit(project, "fix: one thing")
    run(project, "git", "tag", "v2")
    tree = run(project, sys.executable, "version_from_git.py", "cargo", "tree", "--locked", "--depth=0").stdout
    assert tree.startswith("tagged v1.2.4-dev.1+g")
    assert {name: (project / name).read_bytes() for name in manifests} == manifests


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = render(tmp_path_factory.mktemp("tagged") / "project", project_name="tagged", version_source="git-tag")
    run(project, "git", "tag", "v1.0.0")
    return project


@pytest.fixture
def project(rendered: Path, tmp_path: Path) -> Path:
    run(tmp_path, "git", "clone", "--quiet", str(rendered), "tagged")
    return tmp_path / "tagged"


def version(project: Path, **env: str) -> str:
    """The version, or the error."""
    code = "import version_from_git as v; print(v.version())"
    return run(project, sys.executable, "-c", code, check=False, **env).stdout.strip()


def archive(project: Path, folder: Path, commit: str = "HEAD") -> Path:
    """An archive of a commit, unpacked in a repository of somebody else, at v7.7.7."""
    folder.mkdir()
    run(folder, "git", "init", "--quiet")
    commit_and_tag(folder, "v7.7.7")
    run(project, "git", "archive", "--prefix=tagged/", f"--output={folder}/it.tar", commit)
    run(folder, "tar", "-xf", "it.tar")
    return folder / "tagged"


def commit_and_tag(folder: Path, tag: str) -> None:
    commit(folder, "feat: one thing")
    run(folder, "git", "tag", tag)


def without_git(tmp_path: Path) -> str:
    """A PATH without git."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cargo", "rustc"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def test_an_archive_in_another_repository(project: Path, tmp_path: Path) -> None:
    """setuptools-scm #353: it has the version of the archived commit, not that of the other repository."""
    assert version(archive(project, tmp_path / "at-tag")) == "1.0.0"
    shutil.copytree(tmp_path / "at-tag/.git", tmp_path / "at-tag/tagged/.git")  # unpacked at its top
    assert version(tmp_path / "at-tag/tagged") == "1.0.0"
    commit(project, "fix: one thing")
    later = archive(project, tmp_path / "later")
    assert version(later).startswith("1.0.1-dev.1+g")
    assert version(later, PATH=without_git(tmp_path)).startswith("1.0.1-dev.1+g")
    wheel = built(archive(project, tmp_path / "to-build"), tmp_path / "out", "wheel")
    assert version_in(wheel).startswith("1.0.1.dev1+g")
    assert says(wheel, tmp_path).startswith("1.0.1-dev.1+g")


def test_no_repository_and_no_archive_of_a_tag(project: Path, tmp_path: Path) -> None:
    """A copy of the files has no version, unless the environment sets it."""
    shutil.rmtree(project / ".git")
    said = version(project)
    assert "cannot find the version" in said
    assert "VERSION_FOR_TAGGED=1.2.0" in said
    assert "Traceback" not in said
    assert version(project, VERSION_FOR_TAGGED="2.0.0-rc.1") == "2.0.0-rc.1"
    assert "VERSION_FOR_TAGGED=2.0rc1 is not a version" in version(project, VERSION_FOR_TAGGED="2.0rc1")
    run(tmp_path, "git", "init", "--quiet")
    assert "cannot find the version" in version(project)
    commit_and_tag(tmp_path, "v7.7.7")  # tracks the project's files: a monorepo
    assert 'set TAG in version_from_git.py to "tagged-v"' in version(project)


def test_a_repository_without_commits(project: Path) -> None:
    """As the README begins: git init, and the first build."""
    shutil.rmtree(project / ".git")
    run(project, "git", "init", "--quiet")
    assert version(project) == "0.0.0-dev.0"


def test_a_failing_git_is_told_in_its_own_words(project: Path, tmp_path: Path) -> None:
    """setuptools-scm #784, #1235: dubious ownership silently gave another version."""
    assert "git is not installed" in version(project, PATH=without_git(tmp_path))
    (project / ".git/HEAD").write_text("nonsense", encoding="utf-8")
    said = version(project)
    assert "git rev-parse failed: fatal: " in said
    assert "Traceback" not in said


def test_dubious_ownership(project: Path, tmp_path: Path) -> None:
    said = version(project, GIT_TEST_ASSUME_DIFFERENT_OWNER="1", HOME=str(tmp_path))
    assert "fatal: detected dubious ownership" in said
    assert "git config --global --add safe.directory" in said
    done = run(
        project, "uv", "build", "--wheel", check=False, GIT_TEST_ASSUME_DIFFERENT_OWNER="1", GIT_CONFIG_GLOBAL=""
    )
    assert done.returncode != 0
    assert "dubious ownership" in done.stdout


def test_a_shallow_clone(project: Path, tmp_path: Path) -> None:
    commit(project, "fix: before the tag")
    run(project, "git", "tag", "--force", "v1.0.0")
    commit(project, "fix: one thing")
    run(tmp_path, "git", "clone", "--quiet", "--depth=1", f"file://{project}", "shallow")
    assert "shallow: run `git fetch --unshallow --tags`" in version(tmp_path / "shallow")
    run(tmp_path / "shallow", "git", "fetch", "--quiet", "--unshallow", "--tags")
    assert version(tmp_path / "shallow").startswith("1.0.1-dev.1+g")
    run(tmp_path, "git", "clone", "--quiet", "--depth=2", "--branch=main", f"file://{project}", "two")
    run(tmp_path / "two", "git", "fetch", "--quiet", "--depth=2", "origin", "tag", "v1.0.0")
    warned = version(tmp_path / "two")
    assert "warning: the version may count too few commits" in warned
    assert warned.splitlines()[-1].startswith("1.0.1-dev.1+g")
    run(tmp_path, "git", "clone", "--quiet", "--depth=1", "--branch=v1.0.0", f"file://{project}", "at-tag")
    assert version(tmp_path / "at-tag") == "1.0.0"


def test_a_subfolder_has_tags_with_its_name(project: Path, tmp_path: Path) -> None:
    """setuptools-scm #131: a monorepo has tags of other packages."""
    monorepo = tmp_path / "monorepo"
    monorepo.mkdir()
    run(monorepo, "git", "init", "--quiet")
    commit_and_tag(monorepo, "v7.7.7")
    shutil.rmtree(project / ".git")
    project = project.rename(monorepo / "tagged")
    commit_and_tag(monorepo, "other-v8.0.0")
    assert 'set TAG in version_from_git.py to "tagged-v"' in version(project)
    edit(project / "version_from_git.py", 'TAG = "v"', 'TAG = "tagged-v"')
    edit(project / "version_from_git.py", "match=v", "match=tagged-v")
    commit(monorepo, "build: tags with a name")
    assert version(project).startswith("0.0.0-dev.3+g")
    assert "cannot find the version" in version(archive(monorepo, tmp_path / "untagged") / "tagged")
    run(monorepo, "git", "tag", "tagged-v1.2.0")
    assert version(project) == "1.2.0"
    assert version(archive(monorepo, tmp_path / "at-tag") / "tagged") == "1.2.0"
    (monorepo / "elsewhere.txt").write_text("x", encoding="utf-8")
    commit(monorepo, "feat: of another package")
    (monorepo / "elsewhere.txt").write_text("y", encoding="utf-8")  # of another package: this one is not dirty
    assert re.fullmatch(r"1\.2\.1-dev\.1\+g[0-9a-f]+", version(project))
    assert version_in(built(project, tmp_path / "out", "wheel")).startswith("1.2.1.dev1+g")
    assert built(project, tmp_path / "out", "sdist").name.startswith("tagged-1.2.1.dev1+g")
    assert run(monorepo, "git", "status", "--porcelain").stdout == " M elsewhere.txt\n"


def test_tags_of_one_commit_and_tags_that_cargo_cannot_read(project: Path) -> None:
    for tag in ("v1.1.0-rc.1", "v1.1.0", "v1.0.1"):
        run(project, "git", "tag", tag)
    assert version(project) == "1.1.0"
    commit_and_tag(project, "v1.2.0.1")
    assert "the last tag is not v1.2.0, v1.2.0-rc.1, or the like: v1.2.0.1" in version(project)


def test_variables_of_git_hooks_do_not_matter(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run(other, "git", "init", "--quiet")
    commit_and_tag(other, "v7.7.7")
    assert version(project, GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other)) == "1.0.0"
