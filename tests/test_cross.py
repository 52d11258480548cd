"""`nox -s cross` builds wheels for other systems. With SLOW=1, their tests run there, by qemu and Wine."""

import gzip
import json
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

import debian
from conftest import BUILD, Render, run
from ship import need
from test_wheels import machine, need_target

# Files and tags; the ELF number of the processor.
WHEELS = {
    "aarch64": ("aarch64-unknown-linux-gnu", "manylinux2014_aarch64.manylinux_2_17_aarch64", 183),
    "armv7": ("armv7-unknown-linux-gnueabihf", "manylinux2014_armv7l.manylinux_2_17_armv7l", 40),
    "musl": ("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64", 62),
    "windows": ("x86_64-pc-windows-gnu", "win_amd64", 0),
}
# Python for Windows, from the proxy of Go modules: Maven's has no python3.dll, which abi3 modules need.
WINDOWS_PYTHON = "github.com/kluctl/go-embed-python@v0.0.0-3.14.6-20260610-1"
SLOW = "builds, and downloads 1 GB: SLOW=1 pytest tests/test_cross.py; docs/extras.md has the last result"
# Tests of the build do not need the optimizations of a release.
QUICK: dict[str, Any] = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
# As an interpreter of aarch64 would write it.
CONFIG = "implementation=CPython\nversion=3.11\nshared=true\nabi3=false\nlib_name=python3.11\npointer_width=64\n"


def project(render: Render, name: str, **answers: Any) -> Path:
    project = render(name, {"extras": ["cross"], **answers})
    run(["cargo", "generate-lockfile"], cwd=project)
    return project


@pytest.fixture(scope="module")
def crossed(render: Render) -> Path:
    return project(render, "crossed")


@pytest.fixture(scope="module")
def specific(render: Render) -> Path:
    return project(render, "specific", abi3=False)


@pytest.fixture(scope="module")
def tagged(render: Render) -> Path:
    return project(render, "tagged", version_source="git-tag")


def build(project: Path, *words: str) -> Path:
    """Return the wheel that `nox -s cross` builds."""
    need_target(WHEELS[words[0]][0])
    shutil.rmtree(project / "dist", ignore_errors=True)
    run(
        ["nox", "--reuse-venv=yes", "-s", "cross", "--", *words],
        cwd=project,
        CI="",
        **QUICK,
        VERSION_FOR_TAGGED="1.2.3",
    )
    (wheel,) = (project / "dist").iterdir()
    return wheel


@pytest.mark.system(
    "cross",
    built="abi3 wheels for aarch64, armv7, musl, and Windows, each if its Rust target is installed",
    ran="the processor or the exports of each module",
    unverified="import of the wheels for armv7 and musl: no Python for them is here",
)
@pytest.mark.system(
    "PYO3_NO_PYTHON", built="the musl wheel with it", ran="an abi3 wheel needs no Python, and not the variable"
)
@pytest.mark.system(
    "LIB",
    built="the wheel for Windows, on Linux",
    ran="it is not needed: PyO3 needs no import library",
    unverified="MSVC",
)
@pytest.mark.parametrize("name", WHEELS)
def test_a_wheel_for_each_system(name: str, crossed: Path, tagged: Path) -> None:
    _, tag, number = WHEELS[name]
    wheel = build(tagged, name, "PYO3_NO_PYTHON=1") if name == "musl" else build(crossed, name)
    assert wheel.name == f"{'tagged-1.2.3' if name == 'musl' else 'crossed-0.1.0'}-cp310-abi3-{tag}.whl"
    if number:
        assert machine(wheel) == number
    else:
        with zipfile.ZipFile(wheel) as archive:
            module = archive.read("crossed/_core.pyd")
        assert re.search(rb"[^\w.]PyInit__core\0", module)
        assert b"python3.dll\0" in module


def test_what_cannot_be_built(crossed: Path) -> None:
    done = run(["nox", "-s", "cross", "--", "mips"], cwd=crossed, check=False)
    assert done.returncode == 1
    assert "unknown: mips. `nox -s cross` has: aarch64, armv7, musl, windows" in done.stderr


def test_a_missing_target_is_named(crossed: Path, tmp_path: Path) -> None:
    (tmp_path / "rustc").write_text("#!/bin/sh\necho /nowhere\n", encoding="utf-8")
    (tmp_path / "rustc").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    command = ["nox", "--reuse-venv=yes", "-s", "cross", "--", "armv7"]
    done = run(command, cwd=crossed, check=False, CI="", PATH=path)
    assert done.returncode == 1
    assert (
        "armv7-unknown-linux-gnueabihf is not installed: run `rustup target add armv7-unknown-linux-gnueabihf`"
        in done.stderr
    )


def only_if_slow() -> None:
    if "SLOW" not in os.environ:
        pytest.skip(SLOW)
    need("apt-get", "dpkg-deb")


def tools() -> Path:
    return debian.unpack(BUILD / "tools", "bookworm", "amd64", "bubblewrap", "qemu-user-static")


def unpacked(wheel: Path, project: Path, folder: Path) -> Path:
    """A folder with the wheel, its tests, and pytest."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    shutil.copytree(project / "tests", folder / "tests")
    run(["uv", "pip", "install", "--quiet", "--target", folder, "--group", "test", "colorama"], cwd=project)
    return folder


@pytest.mark.system(
    "cross",
    built="wheels for aarch64, abi3 and for Python 3.11",
    ran="the project's tests with them, by qemu on Debian's Python 3.11",
    unverified="",
)
@pytest.mark.system("PYO3_CROSS_LIB_DIR", built="an aarch64 wheel for Python 3.11", ran="its tests, by qemu")
@pytest.mark.system("PYO3_CROSS_PYTHON_VERSION", built="an aarch64 wheel for Python 3.11", ran="its tests, by qemu")
@pytest.mark.system("PYO3_CONFIG_FILE", built="an aarch64 wheel for Python 3.11", ran="its tests, by qemu")
@pytest.mark.parametrize("how", ["abi3", "PYO3_CROSS_LIB_DIR", "PYO3_CONFIG_FILE"])
def test_aarch64_runs(how: str, crossed: Path, specific: Path, tmp_path: Path) -> None:
    only_if_slow()
    root = debian.unpack(BUILD / "arm64", "bookworm", "arm64", "python3", "libpython3-dev")
    (tmp_path / "config.txt").write_text(CONFIG, encoding="utf-8")
    words: dict[str, list[str]] = {
        "abi3": [],
        "PYO3_CROSS_LIB_DIR": [f"PYO3_CROSS_LIB_DIR={root}/usr/lib", "PYO3_CROSS_PYTHON_VERSION=3.11"],
        "PYO3_CONFIG_FILE": [f"PYO3_CONFIG_FILE={tmp_path}/config.txt"],
    }
    project = crossed if how == "abi3" else specific
    wheel = build(project, "aarch64", *words[how])
    assert ("-cp310-abi3-" if how == "abi3" else "-cp311-cp311-") in wheel.name
    folder = unpacked(wheel, project, tmp_path / "wheel")
    python = [tools() / "usr/bin/qemu-aarch64-static", "-L", root, root / "usr/bin/python3.11"]
    done = run([*python, "-B", "-m", "pytest", "-p", "no:cacheprovider", "tests"], cwd=folder, PYTHONPATH=str(folder))
    assert " passed in " in done.stdout


def windows_python(folder: Path) -> Path:
    """Unpack it, because the module has some of its files as .gz."""
    if not folder.exists():
        done = run(["go", "mod", "download", "-json", WINDOWS_PYTHON], cwd=Path.cwd())
        shutil.copytree(
            Path(json.loads(done.stdout)["Dir"], "python/internal/data/windows-amd64"),
            folder,
            copy_function=shutil.copyfile,
        )
        run(["chmod", "--recursive", "u+w", folder], cwd=folder)
        for packed in folder.rglob("*.gz"):
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    return folder / "python.exe"


@pytest.mark.system(
    "cross",
    built="an abi3 wheel for Windows, linked by zig",
    ran="the project's tests with it, by Wine 10 on Python 3.14",
    unverified="a real Windows",
)
def test_windows_runs(crossed: Path, tmp_path: Path) -> None:
    only_if_slow()
    need("go")
    root = debian.unpack(BUILD / "wine", "trixie", "amd64", "wine64", "libwine", "dash", "coreutils")
    builtin = root / "usr/lib/x86_64-linux-gnu/wine/x86_64-windows/zlib1.dll"  # a script of the package copies it
    shutil.copy(root / "usr/x86_64-w64-mingw32/lib/zlib1.dll", builtin)
    python = windows_python(BUILD / "windows-python")
    folder = unpacked(build(crossed, "windows"), crossed, tmp_path / "wheel")
    system = debian.inside(root, tools(), BUILD, tmp_path)
    settings: dict[str, Any] = {
        "HOME": "/tmp",
        "PATH": "/usr/lib/wine:/usr/bin",
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "PYTHONPATH": f"Z:{folder}",
    }
    pytest_there = ["-B", "-m", "pytest", "-p", "no:cacheprovider", "tests"]
    done = run([*system, "--chdir", folder, "/usr/lib/wine/wine64", python, *pytest_there], cwd=folder, **settings)
    assert " passed in " in done.stdout
