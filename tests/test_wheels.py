"""`nox -s wheels` builds for other processors with zig, checks each wheel, and reports skipped ones."""

import os
import re
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

import workflow_cases
from ship import (
    ACTIONS,
    WORKFLOWS,
    commit,
    drop_missing_pythons,
    load_yaml,
    need,
    path,
    render,
    run,
    whole_interpreters,
)

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
    """The output of `nox -s wheels`, and the wheels that it built."""
    result = run(project, "nox", "--session", "wheels", "--", *names, check=check, CI="", PATH=path())
    return result.stdout, sorted(made.name for made in (project / "dist").glob("*.whl"))


def machine(wheel: Path) -> int:
    """The processor of the native module, from its ELF header."""
    with zipfile.ZipFile(wheel) as archive:
        (module,) = (name for name in archive.namelist() if name.endswith(".so"))
        header = archive.read(module)[:20]
    order = ">" if header[5] == 2 else "<"
    (number,) = struct.unpack(f"{order}H", header[18:20])
    return int(number)


def need_target(target: str) -> None:
    """Skip a test whose Rust target is missing."""
    printed = run(Path.cwd(), "rustc", "--print=target-libdir", "--target", target).stdout
    if not Path(printed.strip()).is_dir():
        pytest.skip(f"Rust's target {target} is not installed (rustup target add {target})")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("wheels") / "project", [*TARGETS, "windows-x64"])


@pytest.mark.system(
    "manylinux and musllinux wheels",
    built="abi3 wheels with zig for x86_64 and aarch64, and for musl",
    ran="that of this machine, with the project's tests",
    unverified="the others here: CI of the project tests them in containers",
)
@pytest.mark.parametrize("name", TARGETS)
def test_a_wheel_for_each_target(name: str, project: Path) -> None:
    target, tag, number = TARGETS[name]
    need_target(target)
    output, made = wheels(project, name)
    wheel = f"sample_ext-0.1.0-cp310-abi3-{tag}.whl"
    assert wheel in made
    assert machine(project / "dist" / wheel) == number
    with zipfile.ZipFile(project / "dist" / wheel) as archive:
        assert b"pyo3 v0." in archive.read("sample_ext-0.1.0.dist-info/licenses/THIRD-PARTY-LICENSES.txt")
    if name == "linux-x86_64":
        assert output.count(" passed in ") == len(oldest_and_newest(project))
    else:
        assert f"{wheel}: not tested on Python {oldest_and_newest(project)[0]}" in output


def test_a_container_has_the_python_to_test_on(project: Path, tmp_path: Path) -> None:
    need_target(TARGETS["musl-x86_64"][0])
    pythons = oldest_and_newest(project)
    with_docker = f"{ACTIONS / 'bin'}{os.pathsep}{path()}"
    run(project, "nox", "-s", "wheels", "--", "musl-x86_64", CI="", PATH=with_docker, STAND_IN=str(tmp_path))
    ran = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert all("--platform linux/amd64 " in line for line in ran)
    assert [line.partition(" python:")[2].partition(" ")[0] for line in ran] == [f"{each}-alpine" for each in pythons]


def oldest_and_newest(project: Path) -> list[str]:
    """The oldest and the newest Python in the classifiers, or only one if there is only one."""
    minors = re.findall(r":: 3\.(\d+)", (project / "pyproject.toml").read_text(encoding="utf-8"))
    return list(dict.fromkeys(f"3.{minor}" for minor in (minors[0], minors[-1])))


def test_what_cannot_be_built_is_named(project: Path) -> None:
    output, _ = wheels(project, "windows-x64", check=False)
    assert "windows-x64 cannot be built: it requires Windows" in output
    output, _ = wheels(project, "linux-x87", check=False)
    assert "unknown: linux-x87. release.yml has: linux-x86_64" in output
    assert "Traceback" not in output


@pytest.mark.system(
    "free-threaded wheels",
    built="abi3, cp314t, and abi3t wheels",
    ran="the abi3 wheel, with the project's tests",
    unverified="the other two: no free-threaded Python is available here",
)
def test_the_three_wheels_of_a_free_threaded_project(tmp_path: Path) -> None:
    """Each has a row in the matrix, and the version from the git tag."""
    answers = {"free_threading": True, "version_source": "git-tag"}
    project = make(tmp_path / "project", ["linux-x86_64", "windows-x64"], **answers)
    run(project, "git", "tag", "v1.2.3")
    output, made = wheels(project)
    tag = TARGETS["linux-x86_64"][1]
    assert made == [f"sample_ext-1.2.3-{abi}-{tag}.whl" for abi in ("cp310-abi3", "cp314-cp314t", "cp315-abi3.abi3t")]
    assert "windows-x64 cannot be built: it requires Windows" in output


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
    assert "linux-x86_64 cannot be built: it requires Docker" in output
    assert "this machine cannot build any of the wheels" in output
    assert made == []


@pytest.mark.system(
    "cibuildwheel",
    ran="cibuildwheel lists the builds of each platform; release.yml with a stand-in for it",
    unverified="builds in its containers: there is no Docker",
)
@pytest.mark.parametrize("answers", [{"free_threading": True}, {"abi3": False}], ids=["abi3t", "version-specific"])
def test_cibuildwheel_knows_every_build(answers: dict[str, Any], tmp_path: Path) -> None:
    need("cibuildwheel")
    every = [*workflow_cases.LINUX, *workflow_cases.OTHERS, "pyodide"]
    answers = {"wheel_builder": "cibuildwheel", "platforms": every, **answers}
    project = render(tmp_path / "project", project_name="sample-ext", **answers)
    known = set()
    for system in ("linux", "macos", "windows", "pyodide"):
        options = [f"--platform={system}", "--archs=all", "--print-build-identifiers"]
        known.update(run(project, "cibuildwheel", *options).stdout.split())
    asked = [
        (row["name"], row["abi"], re.findall(r"\bcp3\d+t?-\w+_\w+\b|\bcp3\d+t?-win32\b", row["build"]))
        for row in load_yaml(project / WORKFLOWS / "release.yml")["jobs"]["wheels"]["strategy"]["matrix"]["include"]
    ]
    assert {name for name, *_ in asked} >= {*TARGETS, "macos-arm64", "windows-arm64", "pyodide"}
    assert all(len(identifiers) == len(abi.split()) for _, abi, identifiers in asked)
    assert {identifier for *_, identifiers in asked for identifier in identifiers} <= known
    if "free_threading" in answers:
        linux = {abi: identifiers for name, abi, identifiers in asked if name.startswith("linux-x86_64")}
        assert linux == {
            "cp310-abi3": ["cp310-manylinux_x86_64"],
            "cp314-cp314t": ["cp314t-manylinux_x86_64"],
            "cp315-abi3.abi3t": ["cp315-manylinux_x86_64"],
        }


def test_pyodide_is_built_with_the_rust_that_it_asks_for(tmp_path: Path) -> None:
    """A stand-in replaces pyodide-build, which would be downloaded; cibuildwheel is real."""
    need("cibuildwheel")
    from cibuildwheel.options import CommandLineArguments, Options

    project = render(tmp_path / "project", project_name="sample-ext", platforms=["pyodide"])
    (tmp_path / "uvx").write_text("#!/bin/sh\necho nightly-2026-02-02\n", encoding="utf-8")
    (tmp_path / "uvx").chmod(0o755)
    arguments = CommandLineArguments.defaults()
    arguments.package_dir = project
    options = Options("pyodide", arguments, {}).build_options("cp314-pyodide_wasm32")
    environment = options.environment.as_dictionary({"PATH": f"{tmp_path}{os.pathsep}/bin"})
    assert environment["RUSTUP_TOOLCHAIN"] == "nightly-2026-02-02"
    assert options.before_all == 'rustup toolchain install "$RUSTUP_TOOLCHAIN" --target wasm32-unknown-emscripten'
    assert "pytest" in str(options.test_command)


def doctor(project: Path, **environment: Any) -> str:
    """The output of `nox -s doctor`, even if something is missing."""
    result = run(project, "nox", "-s", "doctor", **{"check": False, "PATH": path(), **environment})
    return result.stdout


def test_doctor_finds_the_library_that_the_linker_takes(project: Path, tmp_path: Path) -> None:
    """It does not find the standard library, a static library, or one without the name that the linker needs."""
    for library in ("libpython3.11.so", "libpython3.11.a"):
        code = f"import sysconfig; sysconfig.get_config_vars().update(LIBDIR={str(tmp_path)!r}, LDLIBRARY={library!r})"
        (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
        (tmp_path / "libpython3.11.so.1.0").touch()
        assert "[ ] libpython" in doctor(project, PYTHONPATH=str(tmp_path))
        (tmp_path / library).touch()
        found = "x" if library.endswith(".so") else " "
        assert f"[{found}] libpython" in doctor(project, PYTHONPATH=str(tmp_path))


def test_doctor_asks_for_no_targets_where_cibuildwheel_builds(tmp_path: Path) -> None:
    project = render(tmp_path / "project", build_backend="setuptools-rust")
    output = run(project, "nox", "--session", "doctor", check=False, PATH=path()).stdout
    assert "to test and build more:" in output
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
    assert "[ ] Rust 1.85 or later: see rustup.rs" in output
    assert "a required tool is missing" in output
    assert "Traceback" not in output


def test_rust_without_rustup(project: Path, tmp_path: Path) -> None:
    """Rust from a Linux distribution has the target of the machine, which only rustc reports."""
    folder = Path(run(project, "rustc", "--print=sysroot").stdout.strip()) / "bin"
    for tool in ("cargo", "rustc", "rustdoc"):
        (tmp_path / tool).symlink_to(folder / tool)
    for tool in ("nox", "uv", "python", "git", "cc", "docker"):
        if found := shutil.which(tool, path=path()):
            (tmp_path / tool).symlink_to(found)
    environment: dict[str, Any] = {"PATH": f"{tmp_path}{os.pathsep}{path().partition(os.pathsep)[0]}"}
    assert not shutil.which("rustup", path=environment["PATH"])
    assert "[x] Rust for x86_64-unknown-linux-gnu" in doctor(project, **environment)
    built = run(project, "nox", "-s", "wheels", "--", "linux-x86_64", CI="", **environment).stdout
    assert " passed in " in built


def test_where_no_python_of_the_matrix_is_here_another_one_is_taken(tmp_path: Path) -> None:
    project = make(tmp_path / "project", ["linux-x86_64"])
    release = project / WORKFLOWS / "release.yml"
    release.write_text(re.sub('test: ".*"', 'test: "3.10 3.99"', release.read_text("utf-8")), encoding="utf-8")
    output, _ = wheels(project)
    assert "not tested on Python 3.99" in output
    assert " passed in " in output
    release.write_text(re.sub('test: ".*"', 'test: "3.99"', release.read_text("utf-8")), encoding="utf-8")
    output, _ = wheels(project, check=False)
    assert "no wheel was tested" in output
