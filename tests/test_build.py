"""Every case builds a wheel with the right tags, which can be imported and passes the project's tests."""

import json
import re
import sys
from pathlib import Path

import pytest

import pairs
from conftest import Case, Render, environment, install, interpreters, run, tell, wheel


def lowest(case: Case) -> int:
    """The oldest Python on this machine that the case supports."""
    minor = next((minor for minor in interpreters() if minor >= case.min_minor), None)
    if minor is None:
        pytest.skip(f"no Python 3.{case.min_minor} or later on this machine")
    return minor


def own_tests(project: Path, made: Path, minor: int, site: Path) -> str:
    """Install the wheel and test it with the project's pytest. Returns the output."""
    install(made, minor, site)
    # Without options: the project's settings are tested too.
    done = run([environment(minor), "-m", "pytest"], cwd=project, PYTHONPATH=str(site))
    assert re.search(r"\d+ passed", done.stdout)
    assert "skipped" not in done.stdout
    return done.stdout


@pytest.mark.system(
    "features: numpy, parallel, async",
    built="a wheel for each pair of choices",
    ran="the project's tests: arrays without a copy, a limit of threads, awaiting, the ImportError without NumPy",
)
@pytest.mark.parametrize("case", pairs.built(), indirect=True)
def test_wheel_passes_its_own_tests(case: Case, tmp_path: Path) -> None:
    minor = lowest(case)
    made = wheel(case.project, minor)
    own_tests(case.project, made, minor, tmp_path / "site")

    distribution, version, python, abi, _ = made.stem.split("-")
    assert (distribution, version) == (case.name.replace("-", "_"), "0.1.0")
    if case.made["abi3"]:
        assert (python, abi) == (f"cp3{case.min_minor}", "abi3")
    else:
        assert (python, abi) == (f"cp3{minor}", f"cp3{minor}")


@pytest.mark.system(
    "abi3 wheel",
    built="one wheel, with both layouts and build backends",
    ran="the project's tests on each CPython here; refused on an older one",
)
@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
@pytest.mark.parametrize("kind", ["mixed", "extension"])
def test_one_abi3_wheel_serves_every_python(render: Render, tmp_path: Path, backend: str, kind: str) -> None:
    here = list(interpreters())
    if len(here) < 3:
        pytest.skip(f"of Python 3.{here} one has to be too old and two to be served: install more")
    oldest = here[(len(here) - 1) // 2]
    answers = {"build_backend": backend, "kind": kind, "min_python": f"3.{oldest}"}
    project = render(f"abi3-{backend}-{kind}", answers)
    made = wheel(project, oldest)
    served, refused = [], []
    for minor in here:
        if minor >= oldest:
            own_tests(project, made, minor, tmp_path / f"site-{minor}")
            served.append(minor)
        else:
            done = install(made, minor, tmp_path / f"site-{minor}", check=False)
            assert done.returncode != 0
            assert "is not a supported wheel on this platform" in done.stderr
            refused.append(minor)
    tell(f"{made.name}: imported and tested on {served}, refused on {refused}")
    assert len(served) >= 2
    assert refused
    run(["abi3audit", "--strict", made], cwd=project)


@pytest.mark.system(
    "CARGO_PKG_VERSION", built="wheels by both build backends", ran="`__version__` is that of Cargo.toml"
)
def test_version_has_one_source(render: Render, tmp_path: Path) -> None:
    """Crate, wheel, and __version__ have the same version with each backend, also for a prerelease."""
    for backend in ("maturin", "setuptools-rust"):
        project = render(f"version-{backend}", {"build_backend": backend})
        manifest = project / "Cargo.toml"
        text = manifest.read_text(encoding="utf-8")
        assert text.count('version = "0.1.0"') == 1
        manifest.write_text(text.replace('version = "0.1.0"', 'version = "1.2.0-rc.1"'), encoding="utf-8")
        made = wheel(project, max(interpreters()))
        assert made.name.split("-")[1] == "1.2.0rc1"
        own_tests(project, made, max(interpreters()), tmp_path / backend)


@pytest.mark.parametrize("oldest", ["3.10", "3.14"])
def test_no_session_takes_a_python_that_is_too_old(render: Render, oldest: str) -> None:
    """If the Python that runs nox is too old, the sessions that need the project use the oldest that is not."""
    if sys.version_info >= (3, 14):
        pytest.skip("nox runs on a Python that every project supports")
    project = render(f"oldest-{oldest.replace('.', '-')}", {"min_python": oldest})
    listed = json.loads(run(["nox", "--list", "--json", "-s", "typing"], cwd=project).stdout)
    expected = None if oldest == "3.10" else oldest
    assert [(session["name"], session["python"]) for session in listed] == [("typing", expected)]


@pytest.mark.system("PYO3_PYTHON", built="PyO3's build script", ran="the Python that it finds, for each one here")
@pytest.mark.system(
    "PYTHON_SYS_EXECUTABLE", built="PyO3's build script", ran="it has no effect: `PYO3_PYTHON` replaces it"
)
@pytest.mark.system(
    "PYO3_CROSS_INCLUDE_DIR", built="PyO3's build script", ran="it has no effect: PyO3 needs no headers"
)
def test_the_variable_that_chooses_the_python(render: Render, tmp_path: Path) -> None:
    """PyO3 prints the Python that it found, and stops, if PYO3_PRINT_CONFIG is set."""
    project = render("chosen", {"abi3": False})

    def chosen(**variables: str) -> str:
        command = ["cargo", "check", "--quiet", "--lib"]
        done = run(command, cwd=project, check=False, PYO3_PRINT_CONFIG="1", **variables)
        (version,) = re.findall(r"^ *version=(\S+)", done.stdout + done.stderr, re.MULTILINE)
        return str(version)

    default = chosen()
    pythons = {f"3.{minor}": str(python) for minor, python in interpreters().items() if minor >= 10}
    assert len(pythons) > 1
    for version, python in pythons.items():
        assert chosen(PYO3_PYTHON=python) == version
        assert chosen(PYTHON_SYS_EXECUTABLE=python) == default
    assert chosen(PYO3_CROSS_INCLUDE_DIR=str(tmp_path)) == default


@pytest.mark.system(
    "LD_LIBRARY_PATH", built="the profiling crate", ran="benchmarks and workload with an empty one: it is not needed"
)
@pytest.mark.system("extra crate for profiling", built="the profiling crate", ran="benchmarks and workload")
def test_profiling_runs_against_a_real_interpreter(render: Render) -> None:
    """Benchmarks and the workload find libpython without a library path."""
    project = render("profiled", {"profiling": True})
    done = run(["nox", "-s", "profile"], cwd=project, LD_LIBRARY_PATH="", DYLD_LIBRARY_PATH="")
    said = done.stdout + done.stderr
    assert "distance_from_python" in said
    assert "distance 300" in said


@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
def test_sdist_holds_what_a_build_needs(render: Render, tmp_path: Path, backend: str) -> None:
    """A wheel made from the unpacked sdist passes the tests that are in the sdist."""
    project = render(f"sdist-{backend}", {"build_backend": backend, "profiling": True})
    run(["cargo", "generate-lockfile"], cwd=project)
    (project / "uv.lock").touch()
    run(["git", "init", "--quiet"], cwd=project)
    run(["git", "add", "--all"], cwd=project)
    minor = max(interpreters())
    run([environment(minor), "-m", "pip", "install", "--quiet", "build"], cwd=project)
    run([environment(minor), "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, "."], cwd=project)
    (sdist,) = tmp_path.glob("*.tar.gz")
    run(["tar", "-xzf", sdist, "-C", tmp_path], cwd=tmp_path)
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert not (unpacked / ".copier-answers.yml").exists()
    assert not (unpacked / "uv.lock").exists()
    run(["cargo", "tree", "--locked", "--quiet", "--depth=0"], cwd=unpacked)
    own_tests(unpacked, wheel(unpacked, minor), minor, tmp_path / "site")
