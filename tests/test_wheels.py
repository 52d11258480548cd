"""`nox -s wheels` builds for other processors with zig, checks each wheel, and says what it leaves out."""

import os
import re
import shutil
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ship import ACTIONS, commit, drop_missing_pythons, need, path, render, run, whole_interpreters

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
        assert output.count(" passed in ") == len(oldest_and_newest(project))
    else:
        assert f"{wheel}: not tested on {oldest_and_newest(project)[0]}" in output


def test_a_container_has_the_python_to_test_on(project: Path, tmp_path: Path) -> None:
    if TARGETS["musl-x86_64"][0] not in run(project, "rustup", "target", "list", "--installed").stdout.split():
        pytest.skip("Rust's target for musl is not installed")
    pythons = oldest_and_newest(project)
    with_docker = f"{ACTIONS / 'bin'}{os.pathsep}{path()}"
    run(project, "nox", "-s", "wheels", "--", "musl-x86_64", CI="", PATH=with_docker, STAND_IN=str(tmp_path))
    ran = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert all("--platform linux/amd64 " in line for line in ran)
    assert [line.partition(" python:")[2].partition(" ")[0] for line in ran] == [f"{each}-alpine" for each in pythons]


def oldest_and_newest(project: Path) -> list[str]:
    """The oldest and the newest Python of the classifiers; one, if they name but one."""
    minors = re.findall(r":: 3\.(\d+)", (project / "pyproject.toml").read_text(encoding="utf-8"))
    return list(dict.fromkeys(f"3.{minor}" for minor in (minors[0], minors[-1])))


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
    if len(whole_interpreters()) < 2:
        pytest.skip("there is but one Python here: it takes two to see a wheel for each")
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


@pytest.mark.parametrize("answers", [{"free_threading": True}, {"abi3": False}], ids=["abi3t", "version-specific"])
def test_cibuildwheel_knows_every_build(answers: dict[str, Any], tmp_path: Path) -> None:
    need("cibuildwheel")
    project = render(tmp_path / "project", project_name="sample-ext", wheel_builder="cibuildwheel", **answers)
    known = set()
    for system in ("linux", "macos", "windows", "pyodide"):
        options = [f"--platform={system}", "--archs=all", "--print-build-identifiers"]
        known.update(run(project, "cibuildwheel", *options).stdout.split())
    code = """if True:
        import runpy
        release = runpy.run_path(".github/release.py")
        project = release["Project"]()
        for platform in release["PLATFORMS"].values():
            for abi in project.abis(platform):
                print(platform.name, abi.tag, *release["identifiers"](platform, abi))"""
    asked = [line.split() for line in run(project, sys.executable, "-c", code).stdout.splitlines()]
    assert {platform for platform, *_ in asked} >= {*TARGETS, "macos-arm64", "windows-arm64", "pyodide"}
    assert {identifier for _, _, *identifiers in asked for identifier in identifiers} <= known
    if answers == {"free_threading": True}:
        linux = {abi: identifiers for platform, abi, *identifiers in asked if platform == "linux-x86_64"}
        assert linux == {
            "cp310-abi3": ["cp310-manylinux_x86_64", "cp315-manylinux_x86_64"],
            "cp314-cp314t": ["cp314t-manylinux_x86_64"],
            "cp315-abi3.abi3t": [
                "cp315-manylinux_x86_64"
            ],  # one that cibuildwheel would build twice is tested elsewhere
        }


PYODIDE = """#!{python}
import os, zipfile
assert os.environ["CIBW_BUILD"] == "cp314-pyodide_wasm32"
assert os.environ["RUSTUP_TOOLCHAIN"] == "nightly-2026-02-02"
with zipfile.ZipFile("dist/sample_ext-0.1.0-cp310-abi3-pyemscripten_2026_0_wasm32.whl", "w") as wheel:
    wheel.writestr("sample_ext-0.1.0.dist-info/sboms/sbom.json", "")
"""


def test_pyodide_is_built_with_the_rust_that_it_asks_for(tmp_path: Path) -> None:
    """Stand-ins take the place of what would be fetched; abi3audit, which does not know WebAssembly, is not there."""
    project = render(tmp_path / "project", project_name="sample-ext", platforms=["pyodide"])
    (project / "dist").mkdir()
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {
        "uvx": "#!/bin/sh\necho nightly-2026-02-02\n",
        "rustup": "#!/bin/sh\n",
        "cibuildwheel": PYODIDE.format(python=sys.executable),
    }.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    output = run(project, sys.executable, ".github/release.py", "wheels", PATH=f"{tools}{os.pathsep}/bin").stdout
    assert "rustup toolchain install nightly-2026-02-02 --target wasm32-unknown-emscripten" in output


def test_doctor_does_not_take_the_standard_library_for_libpython(project: Path, tmp_path: Path) -> None:
    (tmp_path / "python3.11").mkdir()
    code = f"""if True:
        import runpy, sys, sysconfig
        sysconfig.get_config_vars()["LIBDIR"] = {str(tmp_path)!r}
        sys.argv[1:] = ["doctor"]
        runpy.run_path(".github/release.py", run_name="__main__")"""
    assert "[ ] libpython" in run(project, sys.executable, "-c", code, check=False).stdout
    (tmp_path / "libpython3.11.so").touch()
    assert "[x] libpython" in run(project, sys.executable, "-c", code, check=False).stdout


def test_doctor_asks_for_no_targets_where_cibuildwheel_builds(tmp_path: Path) -> None:
    project = render(tmp_path / "project", build_backend="setuptools-rust")
    output = run(project, "nox", "--session", "doctor", check=False, PATH=path()).stdout
    assert "to test more:" in output
    assert "rustup target add" not in output
    assert "zig" not in output


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
