"""Wheels have the license texts of the crates in them, and can be built again: the same bytes from another folder."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from conftest import run as quiet
from ship import commit, edit, render, run

NUMPY = {"features": ["numpy"], "sample": "minimal"}
LICENSES = "THIRD-PARTY-LICENSES.txt"


@pytest.fixture(autouse=True)
def really_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The crates of registries are compiled for each build, too: it is the compiler that must give the same bytes."""
    monkeypatch.delenv("RUSTC_WRAPPER", raising=False)


def make(folder: Path, **answers: Any) -> Path:
    """A project whose release builds are quick: without optimizations, more of the builder's paths are left."""
    project = render(folder, project_name="sample-ext", **answers)
    edit(project / "Cargo.toml", 'lto = "fat"\ncodegen-units = 1\n', 'opt-level = 0\nlto = "off"\n')
    commit(project, "build: quick")
    return project


def texts(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"sample_ext-0.1.0.dist-info/licenses/{LICENSES}").decode("utf-8")


@pytest.mark.parametrize(
    "answers", [NUMPY, {"build_backend": "setuptools-rust", "sample": "minimal"}], ids=["maturin", "setuptools-rust"]
)
def test_two_folders_give_the_same_bytes_with_the_texts(answers: dict[str, Any], tmp_path: Path) -> None:
    project = make(tmp_path / "project", **answers)
    run(project, "nox", "--session", "reproducible")
    clones = project / ".nox/reproducible/tmp"
    one, other = (
        {path.name: path for path in (clones / name / "dist").glob("sample*")} for name in ("one", "the/other")
    )
    assert len(one) == 2
    for name, path in one.items():
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(other[name].read_bytes()).digest(), name
    (wheel,) = (path for name, path in one.items() if name.endswith(".whl"))
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            assert str(tmp_path).encode() not in content, name
            assert str(Path.home() / ".cargo").encode() not in content, name
    assert "\npyo3 v0.30.1 (MIT OR Apache-2.0)\n" in texts(wheel)
    assert "Copyright (c) 2023-present PyO3 Project and Contributors" in texts(wheel)
    assert ("\nnumpy v0.30.0 (BSD-2-Clause)\n" in texts(wheel)) == ("features" in answers)
    assert ("Redistributions in binary form must reproduce" in texts(wheel)) == ("features" in answers)
    assert "pyo3-macros" not in texts(wheel)  # not linked
    assert run(project, "git", "status", "--porcelain").stdout == ""


def test_a_path_in_the_module_is_found(tmp_path: Path) -> None:
    project = make(tmp_path / "project", sample="minimal")
    with (project / "src/lib.rs").open("a", encoding="utf-8") as file:
        file.write('\n#[used]\nstatic HERE: &str = env!("CARGO_MANIFEST_DIR");\n')
    commit(project, "feat: where it was built")
    done = run(project, "nox", "--session", "reproducible", check=False)
    assert done.returncode == 1
    assert "the two builds differ: sample_ext-0.1.0-cp310-abi3-" in done.stdout


def test_a_crate_without_a_text_is_refused(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    quiet(["cargo", "new", "--quiet", "--lib", bare], cwd=tmp_path)
    quiet(["git", "add", "--all"], cwd=bare)
    quiet(["git", "commit", "--quiet", "--message=bare"], cwd=bare)
    project = render(tmp_path / "project", project_name="sample-ext")
    edit(project / "Cargo.toml", "[dependencies]\n", f'[dependencies]\nbare = {{ git = "{bare.as_uri()}" }}\n')
    run(project, "cargo", "update", "--quiet", "--workspace")
    for session in ("plan", "sdist", "wheels"):
        done = run(project, "nox", "--session", session, check=False)
        assert done.returncode == 1
        assert "the crate bare v0.1.0 has no license text: write it to licenses/bare.txt" in done.stdout
        assert "Traceback" not in done.stdout
        assert not (project / LICENSES).exists()
    (project / "licenses").mkdir()
    (project / "licenses/bare.txt").write_text("Do what you like.\n", encoding="utf-8")
    run(project, "nox", "--session", "plan")
    assert "bare v0.1.0 (None)\n\nDo what you like.\n" in (project / LICENSES).read_text("utf-8")
