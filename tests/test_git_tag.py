"""Versions from git tags: the version in Cargo, the wheel, and the module, with and without git."""

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
