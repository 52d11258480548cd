"""`nox -s wheels` builds for other processors with zig, checks each wheel, and says what it leaves out."""

import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ship import commit, drop_missing_pythons, path, render, run

TARGETS = {
    "linux-x86_64": ("x86_64-unknown-linux-gnu", "manylinux2014_x86_64.manylinux_2_17_x86_64", 62),
    "linux-aarch64": ("aarch64-unknown-linux-gnu", "manylinux2014_aarch64.manylinux_2_17_aarch64", 183),
    "musl-x86_64": ("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64", 62),
    "linux-armv7": ("armv7-unknown-linux-gnueabihf", "manylinux2014_armv7l.manylinux_2_17_armv7l", 40),
    "linux-ppc64le": ("powerpc64le-unknown-linux-gnu", "manylinux_2_28_ppc64le", 21),
    "linux-s390x": ("s390x-unknown-linux-gnu", "manylinux2014_s390x.manylinux_2_17_s390x", 22),
}


def make(folder: Path, platforms: list[str], **answers: Any) -> Path:
    project = render(folder, project_name="sample-ext", platforms=platforms, **answers)
    drop_missing_pythons(project)
    commit(project, "test: what this machine has")
    return project


def wheels(project: Path, *names: str, check: bool = True) -> tuple[str, list[str]]:
    """Output of `nox -s wheels`, and the wheels that it made."""
    result = run(project, "nox", "--session", "wheels", "--", *names, check=check, CI="", PATH=path())
    return result.stdout, sorted(made.name for made in (project / "dist").glob("*.whl"))


def machine(wheel: Path) -> int:
    """The processor that the native module is for, from its ELF header."""
    with zipfile.ZipFile(wheel) as archive:
        (module,) = (name for name in archive.namelist() if name.endswith(".so"))
        header = archive.read(module)[:20]
    order = ">" if header[5] == 2 else "<"
    (number,) = struct.unpack(f"{order}H", header[18:20])
    return int(number)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("wheels") / "project", [*TARGETS, "windows-x64"])


@pytest.mark.parametrize("name", TARGETS)
def test_a_wheel_for_each_target(name: str, project: Path) -> None:
    target, tag, number = TARGETS[name]
    if not shutil.which("rustup"):
        pytest.skip("Rust is not from rustup, which has the targets")
    if target not in run(project, "rustup", "target", "list", "--installed").stdout.split():
        pytest.skip(f"Rust's target {target} is not installed (rustup target add {target})")
    output, made = wheels(project, name)
    wheel = f"sample_ext-0.1.0-cp310-abi3-{tag}.whl"
    assert wheel in made
    assert machine(project / "dist" / wheel) == number
    if name == "linux-x86_64":
        assert output.count(" passed in ") == 2  # on the oldest and the newest Python
    else:
        assert f"{wheel}: not tested on 3.10" in output


def test_what_cannot_be_built_is_named(project: Path) -> None:
    output, _ = wheels(project, "windows-x64", check=False)
    assert "windows-x64 cannot be built here: it needs Windows" in output
    output, _ = wheels(project, "linux-x87", check=False)
    assert "unknown: linux-x87. Known are linux-x86_64" in output
    assert "Traceback" not in output


def test_the_three_wheels_of_a_free_threaded_project(tmp_path: Path) -> None:
    project = make(tmp_path / "project", ["linux-x86_64", "windows-x64"], free_threading=True)
    output, made = wheels(project)
    tag = TARGETS["linux-x86_64"][1]
    assert made == [f"sample_ext-0.1.0-{abi}-{tag}.whl" for abi in ("cp310-abi3", "cp314-cp314t", "cp315-abi3.abi3t")]
    assert "windows-x64: left out, it needs Windows" in output


def test_version_specific_wheels_each_tested_on_its_python(tmp_path: Path) -> None:
    project = make(tmp_path / "project", ["linux-x86_64"], abi3=False)
    output, made = wheels(project)
    assert len(made) > 1
    assert output.count(" passed in ") == len(made)


def test_cibuildwheel_without_docker_says_so(tmp_path: Path) -> None:
    if shutil.which("docker") and run(tmp_path, "docker", "info", check=False).returncode == 0:
        pytest.skip("Docker answers here")
    project = make(tmp_path / "project", ["linux-x86_64"], build_backend="setuptools-rust")
    output, made = wheels(project, check=False)
    assert "linux-x86_64: left out, cibuildwheel needs Docker" in output
    assert "this machine can build none of the platforms" in output
    assert made == []


def test_doctor_finds_what_is_here_and_what_is_not(project: Path, tmp_path: Path) -> None:
    output = run(project, "nox", "--session", "doctor", PATH=path()).stdout
    assert "[x] Rust 1.85 or later" in output
    assert "[x] clippy" in output
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("nox", "python"):
        (bare / tool).symlink_to(str(shutil.which(tool)))
    output = run(project, "nox", "--session", "doctor", check=False, PATH=str(bare)).stdout
    assert "[ ] Rust 1.85 or later: rustup update stable" in output
    assert "of what is needed is missing" in output
    assert "Traceback" not in output
