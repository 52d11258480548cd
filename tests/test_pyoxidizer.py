"""embedding=pyoxidizer: PyOxidizer reads its configuration, and the program is built and started."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import BUILD, Render, interpreters, run, tell
from ship import need
from test_application import edit, start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tests clear the environment")

# DEPTH: a child process that starts the program again, as PyO3's issue 4215 describes, must not do so without end.
MAIN = """
import os, sys
os.environ["DEPTH"] = str(int(os.environ.get("DEPTH", "0")) + 1)
if os.environ["DEPTH"] > "2":
    sys.exit("processes start each other")

import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
from . import _core, distance, in_child

def children(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        print(pool.submit(in_child, 20).result())
def error(): raise ValueError("wrong")
def code(text): sys.exit(int(text))
def files(): print(_core.__file__, __file__, sys.executable, sep="\\n")
def interrupted():
    try:
        print("ready", flush=True)
        time.sleep(20)
    finally:
        print("cleaned up")
def words(first, second): print(distance(first, second), "Grüße", end="")
if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """Python 3.10 with a shared library."""
    if 10 not in interpreters():
        pytest.skip("pyembed embeds Python 3.10, which is not installed")
    code = "import sysconfig; print(sysconfig.get_config_var('Py_ENABLE_SHARED'))"
    if run([interpreters()[10], "-c", code], cwd=BUILD.parent).stdout != "1\n":
        pytest.skip("this Python 3.10 has no shared library")
    return interpreters()[10]


def test_pyoxidizer_reads_its_configuration(render: Render) -> None:
    need("uv")
    project = render("legacy", {"kind": "application", "embedding": "pyoxidizer", "allocator": "jemalloc"})
    pin = re.search(r'"(pyoxidizer==[\d.]+)"', (project / "noxfile.py").read_text(encoding="utf-8"))
    assert pin
    command = ["uv", "tool", "run", pin[1], "list-targets", "oxidized"]
    assert run(command, cwd=project).stdout.split() == ["exe", "*install", "resources"]
    edit(project / "oxidized/pyoxidizer.bzl", "def make_install(exe):", "def make_install(exe:")
    assert run(command, cwd=project, check=False).returncode != 0


@pytest.mark.system(
    "PyOxidizer (legacy), build-mode-standalone",
    built="oxidized/ with pyembed 0.24.0 and PyO3 0.17.3, next to a project with today's PyO3",
    ran="the program, without variables, with the standard library of Python 3.10",
    unverified="macOS and Windows",
)
def test_the_program_is_built_apart_from_the_project(render: Render, python: Path) -> None:
    project = render("legacy", {"kind": "application", "embedding": "pyoxidizer"})
    members = run(["cargo", "tree", "--workspace", "--depth=0", "--prefix=none"], cwd=project).stdout
    assert re.findall(r"^\S+", members, re.MULTILINE) == ["legacy", "legacy-app"]
    run(["cargo", "build"], cwd=project / "oxidized", PYO3_PYTHON=str(python))
    lock = (project / "oxidized/Cargo.lock").read_text(encoding="utf-8")
    assert re.findall(r'name = "(pyembed|pyo3)"\nversion = "(.+)"', lock) == [("pyembed", "0.24.0"), ("pyo3", "0.17.3")]
    program = BUILD / "target/debug/legacy-oxidized"
    done = start(program, "-c", "import json, sys; print(sys.version_info[:2], sys.executable)")
    assert (done.stdout, done.stderr) == (f"(3, 10) {program}\n", "")
    failed = run(
        ["cargo", "build", "--no-default-features", "--features=build-mode-prebuilt-artifacts"],
        cwd=project / "oxidized",
        check=False,
        PYO3_PYTHON=str(python),
        PYOXIDIZER_ARTIFACT_DIR=str(project),
    )
    assert failed.returncode != 0
    assert f"{project}/default_python_config.rs is missing: run `nox -s pyoxidizer`" in failed.stderr


@pytest.fixture(scope="module")
def session(render: Render, python: Path) -> Iterator[Path]:
    """A project in which `nox -s pyoxidizer` has run, without CARGO_TARGET_DIR."""
    if "SLOW" not in os.environ:
        pytest.skip("builds for minutes: set SLOW=1; docs/application.md has the last result")
    project = render("legacy", {"kind": "application", "embedding": "pyoxidizer"})
    (project / "python/legacy/__main__.py").write_text(MAIN, encoding="utf-8")
    with (project / "python/legacy/__init__.py").open("a", encoding="utf-8") as file:
        file.write("\ndef in_child(number: int) -> int:\n    return number + 1\n")
    edit(project / "noxfile.py", '"--version", external=True)\n', '"code", "0", external=True)\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CARGO_TARGET_DIR")
        run(["nox", "-s", "pyoxidizer", "--force-python", python], cwd=project)
        yield project


@pytest.mark.system(
    "PyOxidizer (legacy), build-mode-prebuilt-artifacts",
    built="oxidized/ by `nox -s pyoxidizer`, and the package in a folder next to the program",
    ran="the program after a move, without variables: arguments, exit codes, pipes, Ctrl-C, multiprocessing",
    unverified="`pyoxidizer build`, which downloads Python and Rust from GitHub; macOS and Windows",
)
def test_the_program_runs_the_package(session: Path, tmp_path: Path) -> None:
    for folder in ("bin", "lib"):
        shutil.copytree(session / "target/pyoxidizer" / folder, tmp_path / folder)
    (session / "target/pyoxidizer").rename(tmp_path / "gone")
    try:
        behaves(tmp_path / "bin/legacy-oxidized", tmp_path / "lib/legacy")
    finally:
        (tmp_path / "gone").rename(session / "target/pyoxidizer")


def behaves(program: Path, package: Path) -> None:
    """The program does what Python does, and imports this package."""
    done = start(program, "words", "Grüße", "Grüsse")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 Grüße", "")
    done = start(program, "files", PYTHONHOME="/nowhere", PYTHONPATH="/nowhere")
    native, source, executable = map(Path, done.stdout.splitlines())
    assert (native.parent, source.parent, executable) == (package, package, program), done.stderr
    assert start(program, "code", "3").returncode == 3
    done = start(program, "error")
    assert done.returncode == 1
    assert done.stderr.endswith('def error(): raise ValueError("wrong")\nValueError: wrong\n')
    for method in ("fork", "spawn", "forkserver"):
        done = start(program, "children", method)
        assert (done.stdout, done.stderr) == ("21\n", "")
    with subprocess.Popen([program, "interrupted"], env={}, stdout=-1, stderr=-1, text=True) as started:
        assert started.stdout
        assert started.stdout.readline() == "ready\n"
        started.send_signal(signal.SIGINT)
        output, _ = started.communicate(timeout=20)
    assert (output, started.returncode) == ("cleaned up\n", -signal.SIGINT)
    tell(f"{program.name}: {program.stat().st_size / 1e6:.1f} MB")


@pytest.mark.parametrize(
    ("allocator", "symbol"), [("mimalloc", "mi_malloc"), ("snmalloc", "sn_malloc"), ("jemalloc", "_rjem_mallocx")]
)
def test_the_command_of_the_documentation_builds_with_each_allocator(
    session: Path, allocator: str, symbol: str
) -> None:
    """The folder for Cargo is that of oxidized/.cargo/config.toml, so that the program finds the package."""
    artifacts = session / "target/pyoxidizer/artifacts"
    features = f"build-mode-prebuilt-artifacts global-allocator-{allocator} allocator-{allocator}"
    run(
        ["cargo", "build", "--no-default-features", "--features", features],
        cwd=session / "oxidized",
        PYOXIDIZER_ARTIFACT_DIR=str(artifacts),
        PYO3_CONFIG_FILE=str(artifacts / "pyo3-build-config-file.txt"),
    )
    program = session / "target/pyoxidizer/debug/legacy-oxidized"
    assert symbol.encode() in program.read_bytes()
    done = start(program, "words", "kitten", "sitting")
    assert (done.stdout, done.stderr) == ("3 Grüße", "")
