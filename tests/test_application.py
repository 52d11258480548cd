"""kind=application: the program is built, and started as `env -i` does."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pairs
import ship
import test_workflows
from conftest import BUILD, Render, interpreters, run, tell
from test_render import check_files_parse, check_nothing_is_left_over, check_style

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tests clear the environment")

# What a program may do, one function each: see test_the_program_behaves_as_python_does.
ACTS = """
import atexit, importlib.resources, inspect, multiprocessing, pickle, pkgutil, sys, threading, time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
import acting
from . import acts, hints, Words

def output(): print("Grüße", end="")
def arguments(first, second): print(ascii([first, second]), sys.argv[0] == sys.executable)
def code(text): sys.exit(eval(text))
def error(): hints.did_you_mean("x", [])
def panic(): acting._core.broken()
def at_exit(): atexit.register(print, "at exit")
def thread(): threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
def full(): print("lost")
def interrupted():
    try:
        print("ready", flush=True)
        time.sleep(20)
    finally:
        print("cleaned up")
def children(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        print(pool.submit(acts.in_child, 20).result())
def in_child(number): return number + 1
def files():
    for folder in (importlib.resources.files("acting") / "data", importlib.resources.files("acting.data")):
        print(folder.joinpath("note.txt").read_text(encoding="utf-8"))
    print(pkgutil.get_data("acting", "data/note.txt").decode())
    print([module.name for module in pkgutil.iter_modules(acting.__path__)])
    print(inspect.getsource(hints).splitlines()[0])
    print(pickle.loads(pickle.dumps(in_child))(1))
def python():
    print(sys.flags.utf8_mode, sys.flags.ignore_environment, *sys.version_info[:2])
"""
# Where the file for musl cannot be built: there is no runner with musl.
RUNNERS = {"linux-x86_64": "ubuntu-24.04", "windows-x64": "windows-2025"}
MAIN = "import sys\nfrom . import acts\ngetattr(acts, sys.argv[1])(*sys.argv[2:])\n"
BROKEN = '    #[pyfunction]\n    fn broken() {\n        panic!("it broke")\n    }\n\n    /// Return the number'


def program(name: str) -> Path:
    return BUILD / "target" / "debug" / name


def start(path: Path, *arguments: str | bytes, **env: str) -> subprocess.CompletedProcess[str]:
    """Start a program as `env -i` does."""
    return subprocess.run([path, *arguments], env=env, capture_output=True, encoding="utf-8", check=False, timeout=60)


def only_if_slow() -> None:
    if "SLOW" not in os.environ:
        pytest.skip("builds for minutes: set SLOW=1; docs/application.md has the last result")


@pytest.fixture(scope="module")
def acting(render: Render) -> Path:
    """A project whose program does what its first argument says, with the program built."""
    project = render("acting", {"kind": "application"})
    package = project / "python/acting"
    (package / "acts.py").write_text(ACTS, encoding="utf-8")
    (package / "__main__.py").write_text(MAIN, encoding="utf-8")
    (package / "data").mkdir()
    (package / "data/note.txt").write_text("a note", encoding="utf-8")
    source = project / "src/lib.rs"
    source.write_text(
        source.read_text(encoding="utf-8").replace("    /// Return the number", BROKEN, 1), encoding="utf-8"
    )
    run(["cargo", "build"], cwd=project)
    return project


@pytest.mark.parametrize(
    ("arguments", "code", "output", "errors"),
    [
        (["output"], 0, "Grüße", ""),
        (["arguments", "a b", b"\xff"], 0, r"['a b', '\udcff'] True" + "\n", ""),
        (["code", "None"], 0, "", ""),
        (["code", "3"], 3, "", ""),
        (["code", "'a reason'"], 1, "", "a reason\n"),
        (["at_exit"], 0, "at exit\n", ""),
        (["thread"], 0, "thread\n", ""),
        (["children", "spawn"], 0, "21\n", ""),
        (["children", "forkserver"], 0, "21\n", ""),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else "",
)
def test_the_program_behaves_as_python_does(
    acting: Path, arguments: list[str], code: int, output: str, errors: str
) -> None:
    done = start(program("acting"), *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (code, output, errors)


def test_a_traceback_has_files_and_source_lines(acting: Path) -> None:
    done = start(program("acting"), "error")
    assert done.returncode == 1
    assert "ValueError: there are no words to choose from" in done.stderr
    at = re.findall(r'File "(.+?)", line \d+, in (\w+|<module>)\n    (.+)', done.stderr)
    assert [(path.removeprefix(f"{program('acting')}/"), name) for path, name, _ in at] == [
        ("acting/__main__.py", "<module>"),
        ("acting/acts.py", "error"),
        ("acting/hints.py", "did_you_mean"),
    ]
    assert at[1][2] == 'def error(): hints.did_you_mean("x", [])'


def test_a_panic_says_where(acting: Path) -> None:
    done = start(program("acting"), "panic")
    assert done.returncode == 1
    assert re.search(r"panicked at src/lib\.rs:\d+:\d+:\nit broke", done.stderr)
    assert "def panic(): acting._core.broken()" in done.stderr
    assert done.stderr.endswith("pyo3_runtime.PanicException: it broke\n")


def test_ctrl_c_is_an_exception_and_then_the_signal(acting: Path) -> None:
    with subprocess.Popen([program("acting"), "interrupted"], env={}, stdout=-1, stderr=-1, text=True) as started:
        assert started.stdout
        assert started.stdout.readline() == "ready\n"
        started.send_signal(signal.SIGINT)
        output, errors = started.communicate(timeout=20)
    assert output == "cleaned up\n"
    assert errors.endswith("KeyboardInterrupt\n")
    assert started.returncode == -signal.SIGINT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_lost_output_is_an_error(acting: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([program("acting"), "full"], env={}, stdout=full, stderr=-1, text=True, check=False)
    assert done.returncode == 120
    assert "No space left on device" in done.stderr


def test_packed_files_can_be_listed_and_read(acting: Path) -> None:
    assert start(program("acting"), "files").stdout.splitlines() == [
        *["a note"] * 3,
        "['__main__', 'acts', 'hints']",
        '"""Helpers in pure Python."""',
        "2",
    ]


def test_variables_of_another_python_do_not_matter(acting: Path) -> None:
    done = start(program("acting"), "python", PYTHONHOME="/nowhere", PYTHONPATH=str(acting), PYTHONUTF8="0")
    assert done.stdout.startswith("1 1 3 "), done.stderr


@pytest.mark.system(
    "application",
    built="the program and the package",
    ran="`cargo run`, `cargo test`, and the program, without variables",
    unverified="macOS, Windows",
)
def test_cargo_run_and_test(render: Render) -> None:
    """As a user types it: no variable says where libpython is."""
    project = render("typed", {"kind": "application"})
    done = run(["cargo", "run", "--quiet", "--", "Grüße", "Grüsse"], cwd=project, LD_LIBRARY_PATH="")
    assert done.stdout == "2\n"
    assert "2 passed" in run(["cargo", "test", "--package", "typed-app"], cwd=project, LD_LIBRARY_PATH="").stdout
    done = start(program("typed"), "--version")
    assert (done.stdout, done.stderr) == ("0.1.0\n", "")


@pytest.fixture(scope="module")
def artifacts(render: Render) -> Path:
    """A project that has a dependency, and the artifacts of both."""
    project = render("packed", {"kind": "application"})
    edit(project / "pyproject.toml", "dynamic = [", 'dependencies = ["mdurl==0.1.2"]\ndynamic = [')
    main = project / "python/packed/__main__.py"
    edit(main, "import sys\n", "import sys\nfrom importlib.metadata import version\n\nimport mdurl\n")
    edit(main, "    return 0", '    print(version("mdurl"), mdurl.__file__.startswith(sys.executable))\n    return 0')
    run(["nox", "-s", "artifacts"], cwd=project)
    return project


def build(artifacts: Path, features: str, folder: str = "target/artifacts") -> subprocess.CompletedProcess[str]:
    """Build with some features alone, by the command of PyOxidizer's documentation."""
    env = {
        "PYOXIDIZER_ARTIFACT_DIR": str(artifacts / folder),
        "PYO3_CONFIG_FILE": str(artifacts / "target/artifacts/pyo3-build-config-file.txt"),
    }
    return run(["cargo", "build", "--no-default-features", "--features", features], cwd=artifacts, check=False, **env)


@pytest.mark.system(
    "application: build modes and allocators", built="each combination", ran="the program", unverified="macOS, Windows"
)
@pytest.mark.system(
    "PYOXIDIZER_ARTIFACT_DIR", built="build-mode-prebuilt-artifacts", ran="the program, with a packed dependency"
)
@pytest.mark.parametrize("mode", ["standalone", "prebuilt-artifacts"])
@pytest.mark.parametrize("allocator", ["mimalloc", "snmalloc", "jemalloc"])
def test_each_build_mode_with_each_allocator(artifacts: Path, mode: str, allocator: str) -> None:
    symbol = {"mimalloc": "mi_malloc", "snmalloc": "sn_rust_alloc", "jemalloc": "_rjem_malloc"}[allocator]
    if allocator == "jemalloc":
        only_if_slow()
    done = build(artifacts, f"build-mode-{mode} global-allocator-{allocator}")
    assert done.returncode == 0, done.stderr
    assert symbol.encode() in program("packed").read_bytes()
    done = start(program("packed"), "kitten", "sitting")
    if mode == "prebuilt-artifacts":
        assert (done.stdout, done.stderr) == ("3\n0.1.2 True\n", "")
    else:  # which does not pack dependencies
        assert done.stderr.endswith("ModuleNotFoundError: No module named 'mdurl'\n")


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ("", "choose one build mode, with"),
        ("build-mode-standalone build-mode-prebuilt-artifacts", "choose one build mode, with"),
        ("build-mode-standalone global-allocator-mimalloc global-allocator-snmalloc", "choose one allocator"),
    ],
)
def test_features_that_contradict(artifacts: Path, features: str, says: str) -> None:
    done = build(artifacts, features)
    assert done.returncode != 0
    assert says in done.stderr


def test_artifacts_that_cannot_be_packed(artifacts: Path) -> None:
    features = "build-mode-prebuilt-artifacts"
    missing = artifacts / "missing/packages"
    assert f"cannot pack {missing}: No such file" in build(artifacts, features, "missing").stderr
    (artifacts / "compiled/packages/other").mkdir(parents=True)
    (artifacts / "compiled/packages/other/_fast.abi3.so").touch()
    said = build(artifacts, features, "compiled").stderr
    assert "other/_fast.abi3.so is compiled: it cannot be packed" in said


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


@pytest.mark.system(
    "one-file application",
    built="the file, with a Python from Maven Central",
    ran="the file twice, without a network and without that Python",
    unverified="the Python that uv downloads; macOS, Windows",
)
def test_one_file_needs_no_python_and_no_network(render: Render, tmp_path: Path) -> None:
    only_if_slow()
    if "cpython" not in str(interpreters().get(14, "")):
        pytest.skip("the Python that Maven Central has, which can be moved, is not here")
    home = tmp_path / "python"
    shutil.copytree(interpreters()[14].parents[1], home, symlinks=True)
    (home / "bin/python3").chmod(0o755)
    project = render("one-file", {"kind": "application", "embedding": "one-file"})
    run(["nox", "-s", "one-file", "--", home], cwd=project)
    shutil.rmtree(project / ".nox")
    shutil.rmtree(home)
    (file,) = (project / "target/one-file").iterdir()
    env = {"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    for _ in range(2):  # the first start unpacks
        done = start(file, "Grüße", "Grüsse", **env)
        assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    assert start(file, "kitten", **env).returncode == 2
    tell(f"{file.name}: {file.stat().st_size / 1e6:.0f} MB")


@pytest.mark.render
def test_each_choice_as_an_application(render: Render) -> None:
    projects = [render(name, answers) for name, answers in pairs.applications().items()]
    tell(f"{len(projects)} applications rendered")
    for project in projects:
        check_files_parse(project)
        check_nothing_is_left_over(project)
    check_style(*projects)


def test_no_judge_of_workflows_finds_anything(tmp_path: Path) -> None:
    answers = {
        "kind": "application",
        "embedding": "one-file",
        "platforms": ["linux-x86_64", "windows-x64", "musl-x86_64"],
    }
    project = ship.render(tmp_path / "project", project_name="sample-ext", **answers)
    test_workflows.judge(project)
    jobs = ship.load_yaml(project / ship.WORKFLOWS / "release.yml")["jobs"]
    rows = jobs["one-file"]["strategy"]["matrix"]["include"]
    assert rows == [{"name": row, "runner": runner} for row, runner in RUNNERS.items()]
    assert {row["name"] for row in rows} < {row["name"] for row in jobs["wheels"]["strategy"]["matrix"]["include"]}
    assert (
        "one-file"
        in ship.load_yaml(project / ship.WORKFLOWS / "ci.yml")["jobs"]["extras"]["strategy"]["matrix"]["session"]
    )
