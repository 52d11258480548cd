"""Wheels for PyPy and GraalPy: rows of the release, sessions, and a real GraalPy from Maven Central."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import BUILD, run
from ship import commit, edit, load_yaml, need, path, render, text_of_workflows
from ship import run as shown

BOTH = {"interpreters": ["pypy", "graalpy"]}
GRAALPY = "25.0.3"  # org.graalvm.python on Maven Central
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>a</artifactId><version>1</version><dependencies>
<dependency><groupId>org.graalvm.python</groupId><artifactId>python-launcher</artifactId><version>{GRAALPY}</version></dependency>
<dependency><groupId>org.graalvm.polyglot</groupId><artifactId>python-community</artifactId><version>{GRAALPY}</version>
<type>pom</type></dependency></dependencies></project>
"""


def graalpy() -> Path:
    """A folder with the program graalpy3.12, which Java runs. It is kept between runs."""
    need("java", "mvn")
    folder = BUILD / "graalpy"
    jars, program = folder / "jars", folder / "bin/graalpy3.12"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(POM, encoding="utf-8")
        plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
        run(["mvn", "--batch-mode", "--quiet", plugin, f"-DoutputDirectory={jars}"], cwd=folder)
        main = "com.oracle.graal.python.shell.GraalPythonMain --experimental-options"
        start = f"""exec java -cp '{jars}/*' {main} --python.Executable="$0" "$@"\n"""
        program.write_text(f"#!/bin/sh\n{start}", encoding="utf-8")
        program.chmod(0o755)
    return program.parent


@pytest.mark.parametrize(
    "answers",
    [
        BOTH | {"version_source": "git-tag", "free_threading": True},
        {"interpreters": ["graalpy"], "abi3": False},
        BOTH | {"build_backend": "setuptools-rust", "publish_to": "none", "kind": "extension"},
        BOTH | {"ci": "gitlab", "platforms": ["linux-x86_64", "musl-x86_64", "windows-x64"]},
        BOTH | {"ci": "none", "extras": ["system-library"]},
    ],
    ids=["cibuildwheel", "maturin", "setuptools-rust", "gitlab", "none"],
)
def test_the_release_has_their_wheels(tmp_path: Path, answers: dict[str, Any]) -> None:
    """The list of expected files has them, each row has a build command and a Python to test on, no linter complains."""
    need("actionlint", "check-jsonschema", "uv", "zizmor")
    project = render(tmp_path / "project", project_name="sample-ext", **answers)
    if answers.get("version_source"):
        shown(project, "git", "tag", "v0.1.0")
    files = re.findall(r"sample_ext-\S+\.whl", shown(project, "nox", "-s", "plan").stdout)
    for name, tag in {"pypy": "pp311-pypy311_pp80", "graalpy": "graalpy312-graalpy250_312_native"}.items():
        found = [file for file in files if f"-{tag}-" in file]
        chosen = name in answers["interpreters"]
        assert len(found) == chosen * (1 if answers.get("ci") == "gitlab" else 4), files
        assert all("linux" in file or "macos" in file for file in found)
        assert (f'nox.session(python="{name}3.' in (project / "noxfile.py").read_text(encoding="utf-8")) == chosen
        assert (
            f"Implementation :: {'PyPy' if name == 'pypy' else 'GraalPy'}"
            in (project / "pyproject.toml").read_text("utf-8")
        ) == chosen
    if answers.get("ci") == "none":
        return
    if answers.get("ci") == "gitlab":
        run(["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", ".gitlab-ci.yml"], cwd=project)
    else:
        run(["actionlint"], cwd=project)
        run(["zizmor", "--offline", "--no-ignores", "--persona", "auditor", "--quiet", ".github"], cwd=project)
        jobs = load_yaml(project / ".github/workflows/ci.yml")["jobs"]
        assert {*answers["interpreters"]} <= {*jobs["extras"]["strategy"]["matrix"]["session"]}


def test_cibuildwheel_and_uv_know_them(tmp_path: Path) -> None:
    """The builds that cibuildwheel lists, and the ABI in the address that uv downloads PyPy from."""
    need("cibuildwheel", "uv")
    project = render(tmp_path / "project", project_name="sample-ext", **BOTH)
    text = text_of_workflows(project)
    assert "\n              maturin build" not in text  # maturin's table has the ABI of PyPy 7.3
    builds = re.findall(r"CIBW_ENABLE=(\w+) CIBW_BUILD='(\S+)'\n +cibuildwheel --platform (\w+)", text)
    assert len(builds) == 8
    for enable, build, system in builds:
        command = ["cibuildwheel", f"--platform={system}", "--archs=all", "--print-build-identifiers"]
        done = run(command, cwd=project, check=False, CIBW_ENABLE=enable, CIBW_BUILD=build)
        # cibuildwheel lists no builds for the other processor of a Mac.
        assert build in done.stdout + done.stderr
    resources = Path(pytest.importorskip("cibuildwheel").__file__).parent / "resources/build-platforms.toml"
    assert "pp311-pypy311_pp80" in resources.read_text(encoding="utf-8")
    assert "graalpy312-graalpy250_312_native" in resources.read_text(encoding="utf-8")
    listed = run(
        ["uv", "python", "list", "pypy3.11", "--show-urls", "--only-downloads"], cwd=tmp_path, check=False
    ).stdout
    assert re.search(r"pypy3\.11-v8\.\d", listed)


@pytest.mark.system(
    "GraalPy",
    built="a wheel for GraalPy 25, by maturin and zig, with the command in release.yml",
    ran="the tests of the project with this wheel on GraalPy 25.0.3 from Maven Central",
    unverified="wheels by cibuildwheel (there is no Docker), macOS",
)
@pytest.mark.skipif(sys.platform != "linux", reason="the wheel is for Linux on x86-64")
def test_a_wheel_passes_the_tests_on_graalpy(tmp_path: Path) -> None:
    if os.environ.get("SLOW") != "1":
        pytest.skip("takes minutes: SLOW=1 pytest tests/test_interpreters.py; passed on 2026-11-30")
    need("uv")
    folder = graalpy()
    project = render(tmp_path / "project", project_name="sample-ext", interpreters=["graalpy"])
    edit(project / "Cargo.toml", 'lto = "fat"\ncodegen-units = 1\n', 'opt-level = 0\nlto = "off"\n')
    commit(project, "build: quick")
    search = f"{folder}{os.pathsep}{path()}"
    done = shown(project, "nox", "-s", "wheels", "--", "linux-x86_64-graalpy", PATH=search).stdout
    (wheel,) = project.glob("dist/*.whl")
    assert "-graalpy312-graalpy250_312_native-manylinux2014_x86_64.manylinux_2_17_x86_64" in wheel.name
    assert re.search(r"\d+ passed", done)
    python = project / ".nox/wheels/tmp/venv/bin/python"
    code = "import sys, sample_ext; print(sys.implementation.name, sample_ext.distance('kitten', 'sitting'))"
    assert run([python, "-c", code], cwd=tmp_path).stdout == "graalpy 3\n"
    shutil.rmtree(project)


@pytest.mark.system(
    "PyPy",
    built="a wheel for PyPy 8.0.1 (Python 3.11), by nox -s pypy",
    ran="the tests of the project with this wheel on PyPy 8.0.1 from Debian testing",
    unverified="wheels by cibuildwheel (there is no Docker), macOS",
)
@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
def test_the_session_for_pypy_passes(tmp_path: Path, backend: str) -> None:
    """Needs a PyPy 3.11 with the name pypy3.11 on PATH, such as that of Debian testing in a folder.

    As root: `debootstrap --variant=minbase --include=pypy3 forky FOLDER`. Then, in FOLDER/usr/bin, for the loader of FOLDER:
    `patchelf --set-interpreter FOLDER/lib64/ld-linux-x86-64.so.2 --force-rpath --set-rpath FOLDER/usr/lib/x86_64-linux-gnu pypy3.11`,
    and a link to it in a folder on PATH.
    """
    if not shutil.which("pypy3.11"):
        pytest.skip("pypy3.11 is not on PATH (the test says how to get it); passed with PyPy 8.0.1 on 2026-11-30")
    project = render(tmp_path / "project", project_name="sample-ext", interpreters=["pypy"], build_backend=backend)
    edit(project / "Cargo.toml", 'lto = "fat"\ncodegen-units = 1\n', 'opt-level = 0\nlto = "off"\n')
    commit(project, "build: quick")
    done = shown(project, "nox", "-s", "pypy").stdout
    assert re.search(r"Python 3\.11\.\d+\[pypy-[89]\.", done)
    assert re.search(r"\d+ passed", done)
    (module,) = project.glob(".nox/pypy/**/_core*.so")
    assert ".pypy311-pp80-" in module.name  # not abi3, which PyPy does not load


PYODIDE = "314.0.7"  # on npm
LINK = "-C linker=emcc -C linker-flavor=em -C link-self-contained=no -Z unstable-options"
USE = """
import { readFileSync } from "node:fs";
import { loadPyodide } from "./package/pyodide.mjs";
const pyodide = await loadPyodide({ indexURL: process.cwd() + "/package/" });
pyodide.unpackArchive(new Uint8Array(readFileSync(process.argv[2])), "wheel", { extractDir: "/wheels" });
console.log(pyodide.runPython(`
import sys
sys.path.insert(0, "/wheels")
from sample_ext import Words, distance
try:
    Words([]).closest("word")
except ValueError as error:
    said = str(error)
f"{sys.platform} {distance('kitten', 'sitting')} {Words(['apple', 'banana']).closest('bananna')} {said}"
`));
"""


@pytest.mark.system(
    "Pyodide",
    built="a wheel by maturin, with Emscripten 6.0.5 and Rust 1.97.1 of Debian testing",
    ran="import of the wheel in Pyodide 314.0.7 from npm, under node: a function, a class, an error",
    unverified="the build of the release, by cibuildwheel with Emscripten 5.0.3: it has to be downloaded from GitHub",
)
def test_a_wheel_is_imported_in_pyodide(tmp_path: Path) -> None:
    """Needs root, and PYODIDE_ROOT=FOLDER, a folder with Debian testing, which has an Emscripten.

    `debootstrap --variant=minbase --include=ca-certificates,cargo,emscripten,rust-src,rustc forky FOLDER` makes it.
    """
    if not (root := os.environ.get("PYODIDE_ROOT")):
        pytest.skip("PYODIDE_ROOT is not set (the test says what it is); passed on 2026-11-30")
    need("chroot", "maturin", "node", "npm")
    project = render(tmp_path / "project", project_name="sample-ext", platforms=["linux-x86_64", "pyodide"])
    edit(project / "Cargo.toml", 'lto = "fat"\ncodegen-units = 1\n', 'opt-level = 1\nlto = "off"\n')
    there = Path(root, "pyodide-test")
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(project, there)
    shutil.copy(str(shutil.which("maturin")), there / "build-wheel")
    build = "--release --out=dist --interpreter=python3.14 --target=wasm32-unknown-emscripten"
    script = f"cd /pyodide-test && ./build-wheel build {build} -- {LINK}"
    shown(
        *(tmp_path, "chroot", root, "sh", "-c", script),
        HOME="/root",
        PATH="/usr/bin:/bin:/usr/sbin:/sbin",
        CARGO_TARGET_DIR="/pyodide-target",
        RUSTC_BOOTSTRAP="1",
        CARGO_UNSTABLE_BUILD_STD="std,panic_unwind",  # Debian has no standard library for Emscripten
        MATURIN_PYEMSCRIPTEN_PLATFORM_VERSION="2026_0",
    )
    (wheel,) = there.glob("dist/*.whl")
    assert wheel.name == "sample_ext-0.1.0-cp310-abi3-pyemscripten_2026_0_wasm32.whl"
    run(["npm", "pack", "--silent", f"pyodide@{PYODIDE}"], cwd=tmp_path)
    shutil.unpack_archive(tmp_path / f"pyodide-{PYODIDE}.tgz", tmp_path, filter="data")
    (tmp_path / "use.mjs").write_text(USE, encoding="utf-8")
    done = run(["node", "use.mjs", wheel], cwd=tmp_path)
    assert done.stdout == "emscripten 3 banana there are no words to choose from\n"
