"""``copier-pyo3 new``: create a project, build it, and import it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import copier
import yaml
from copier.errors import CopierWarning
from prompt_toolkit.application import Application

from copier_pyo3 import __version__
from copier_pyo3.errors import UserError
from copier_pyo3.generate.asking import check_data, one_sentence, read_questions
from copier_pyo3.project.home import BUNDLE, CHECKOUT, TEMPLATE, as_copier, home_address, without_password
from copier_pyo3.project.native import side_by_side

SUFFIXES = "import importlib.machinery as m; print(*m.EXTENSION_SUFFIXES)"


def new(
    folder: Path, *, data: Mapping[str, Any], defaults: bool = False, build: bool = True, template: str | None = None
) -> None:
    """Create a project: ask questions, write files, set up git, build, import.

    Args:
        folder: the project's folder, which must not exist or be empty (except for .git).
        data: answers by question name.
        defaults: use the default answer of each question that is not in data.
        build: also create Cargo.lock, build, and import the module. This needs Rust.
        template: folder or git URL of another template. The default is the template in this package.

    Raises:
        UserError: a precondition failed and nothing was written, or a later step failed and the message says how to
            continue.
        KeyboardInterrupt: the user pressed Ctrl-C. The message says what was written, if anything.
    """
    if template is None:  # the questions of another template are known only after it is fetched
        check_data(data, read_questions(TEMPLATE))
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (removes .. without following links)
    _need_empty(folder)
    outer_repository = _outer_repository(folder)
    if build:
        _need_rust()

    start = time.monotonic()
    steps = _Steps(folder, total=5 if build else 2)
    with _time_to_answer() as waited:
        answers = _generate(folder, data, defaults, template)
    with _complete(folder):
        steps.done(f"{sum(path.is_file() for path in folder.rglob('*') if '.git' not in path.parts)} files written")
        if outer_repository:
            steps.done(f"git init skipped: the folder is in {outer_repository}")
        else:
            with steps.step("git initialized, files staged"):
                # ci.yml runs on this branch. If there is a .git, this does nothing.
                steps.run(["git", "init", "--quiet", "--initial-branch=main"])
                steps.run(["git", "add", "--all"])
        if build:
            with steps.step("Cargo.lock created"):
                steps.run(["cargo", "generate-lockfile", "--quiet"])
                if not outer_repository:
                    steps.run(["git", "add", "Cargo.lock"])
            with steps.step("module built and installed in .venv"):
                python = _make_environment(folder, steps, answers["min_python"])
            with steps.step(f"{answers['module_name']} imported, demo run"):
                _need_one_module(folder, answers, steps.run([*python, "-c", SUFFIXES]).split())
                said = steps.run([*python, "examples/demo.py"])
            print("".join(f"        {line}\n" for line in said.splitlines()), end="")
        print(f"Done in {time.monotonic() - start - sum(waited):.0f} s. Next steps:")
        commands = _next_commands(folder, built=build, staged=build and not outer_repository)
        print("".join(f"  {command}\n" for command in commands), end="")
        print("See CONTRIBUTING.md for more.", flush=True)


def _next_commands(folder: Path, built: bool, staged: bool) -> Iterator[str]:
    """The commands that run the tests and commit. The tests also build the module if necessary."""
    windows = sys.platform == "win32"
    yield f"cd {subprocess.list2cmdline([str(folder)]) if windows else shlex.quote(str(folder))}"
    if _uv():
        yield "uv run pytest"
    else:
        if not built:
            python = r".venv\Scripts\python" if windows else ".venv/bin/python"
            yield f"{'python' if windows else 'python3'} -m venv .venv"
            yield f'{python} -m pip install "pip>=25.1"'
            yield f"{python} -m pip install --group dev --editable ."
        yield r".venv\Scripts\activate" if windows else ". .venv/bin/activate"
        yield "pytest"
    if not staged:  # the build creates Cargo.lock
        yield "git add ."
    yield 'git commit -m "Start the project"'


@contextmanager
def _time_to_answer() -> Iterator[list[float]]:
    """Record how long the user takes for each answer, to leave that out of the reported time."""
    waited: list[float] = []
    run = Application.run

    def timed(self: Application[Any], *arguments: Any, **options: Any) -> Any:
        start = time.monotonic()
        try:
            return run(self, *arguments, **options)
        finally:
            waited.append(time.monotonic() - start)

    Application.run = timed  # type: ignore[method-assign]
    try:
        yield waited
    finally:
        Application.run = run  # type: ignore[method-assign]


# --- checks before anything is written -------------------------------------------------------------


def _need_empty(folder: Path, but: str = "") -> None:
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file: choose a new folder.")
        inside = [path.name for path in folder.iterdir()] if folder.exists() else []
    except OSError as error:
        raise UserError(f"cannot read {folder} ({error.strerror}): choose a new folder.") from error
    if set(inside) - {".git", but}:
        raise UserError(f"{folder} is not empty: choose a new folder. Nothing was changed.")


def _outer_repository(folder: Path) -> str | None:
    """The git work tree that contains the folder, if any. It must have no uncommitted changes."""
    if not shutil.which("git"):
        raise UserError("git is required (`copier update` uses it): install it from https://git-scm.com and try again.")
    if (folder / ".git").exists():
        return None
    place = next(parent for parent in folder.parents if parent.is_dir())
    top = _output(["git", "-C", str(place), "rev-parse", "--show-toplevel"])
    ignored = _output(["git", "-C", str(place), "check-ignore", "--", f"{folder.relative_to(place)}/"])
    if not top or ignored:
        return None
    if _output(["git", "-C", str(place), "status", "--porcelain"]):
        raise UserError(
            f"{folder} is in the git repository {top}, which has uncommitted changes: commit or stash them, or choose a "
            "folder outside of it."
        )
    return top


def _need_rust() -> None:
    versions = yaml.safe_load((TEMPLATE / "versions.yml").read_text(encoding="utf-8"))
    needed = versions["versions"]["default"]["rust"]
    found = re.match(r"rustc (\d+)\.(\d+)", _output(["rustc", "--version"]) or "")
    if not found:
        have = "it is not installed"
    elif tuple(map(int, found.groups())) < tuple(map(int, needed.split("."))):
        have = f"the installed version is {found[1]}.{found[2]}"
    elif not shutil.which("cargo"):
        have = "cargo is not installed"
    else:
        return
    raise UserError(
        f"building the module requires Rust {needed} or later, but {have}: install it from https://rustup.rs and try "
        "again, or skip the build with --no-build."
    )


def _output(command: Sequence[str]) -> str | None:
    """The output of the command, or None if it is not installed or fails."""
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


# --- writing the files -----------------------------------------------------------------------------


def _generate(folder: Path, data: Mapping[str, Any], defaults: bool, template: str | None) -> dict[str, Any]:
    """Ask, render into a temporary folder, and move the result into place. Returns the answers.

    An error or Ctrl-C leaves nothing behind.
    """
    source = as_copier(template or str(TEMPLATE))
    made_parents = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        home = folder if folder.exists() else folder.parent
        with tempfile.TemporaryDirectory(prefix=".copier-pyo3-", dir=home, ignore_cleanup_errors=True) as aside:
            rendered = Path(aside, folder.name)
            answers = _render(source, rendered, data, defaults)
            if source == str(BUNDLE):
                _record(rendered, f"_commit: v{__version__}\n_src_path: {home_address()}")
            elif source != without_password(source):
                _record(rendered, f"_src_path: {without_password(source)}")
            _need_empty(folder, but=Path(aside).name)  # it may have changed while the questions were asked
            if home == folder:
                _move_in(rendered, folder)
            else:
                rendered.rename(folder)
        made_parents.clear()
    except OSError as error:
        raise UserError(
            f"cannot write to {folder} ({error.strerror}): choose a folder that you can write to."
        ) from error
    finally:
        for parent in made_parents:
            with suppress(OSError):  # removed already, or used by another run
                parent.rmdir()
    return answers


def _move_in(source: Path, target: Path) -> None:
    """Move the contents of a folder to another. If a move fails, undo the others."""
    moved: list[Path] = []
    try:
        for path in sorted(source.iterdir()):
            moved.append(path.rename(target / path.name))
    except BaseException:
        for path in moved:
            path.rename(source / path.name)
        raise


def _render(source: str, folder: Path, data: Mapping[str, Any], defaults: bool) -> dict[str, Any]:
    with one_sentence("Nothing was written.", without_password(source)), warnings.catch_warnings():
        warnings.simplefilter("ignore", CopierWarning)
        worker = copier.run_copy(
            source,
            folder,
            data=dict(data),
            user_defaults=_git_identity() | dict(copier.load_settings().defaults),
            vcs_ref="HEAD" if source == str(CHECKOUT) else None,
            defaults=defaults,
            quiet=True,
            unsafe=True,
        )
        check_data(data, worker.template.questions_data)
        return dict(worker.answers.combined)


def _git_identity() -> dict[str, str]:
    """The name and email in git's configuration, as default answers, if copier.yml accepts them."""
    name, email = (_output(["git", "config", key]) for key in ("user.name", "user.email"))
    identity = {}
    if name and name.isprintable():
        identity["author_name"] = name
    if email and re.fullmatch(
        r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@([A-Za-z0-9]+(-+[A-Za-z0-9]+)*[.])+[A-Za-z0-9]+", email
    ):
        identity["author_email"] = email
    return identity


def _record(folder: Path, address: str) -> None:
    """Record where `copier update` finds newer versions of the template."""
    path = folder / ".copier-answers.yml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_bytes(re.sub(r"(?m)^_src_path: .*$", lambda _: address, text).encode("utf-8"))


# --- the build -------------------------------------------------------------------------------------


@contextmanager
def _complete(folder: Path) -> Iterator[None]:
    """Add to each error that the project exists and how to continue."""
    there = f"All files are in {folder}"
    try:
        yield
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(f"{there}. Continue with CONTRIBUTING.md.") from error
    except UserError as error:
        raise UserError(f"{error}\n{there}. Fix the problem, then continue with CONTRIBUTING.md.") from error
    except OSError as error:  # a command that cannot be started is a UserError
        raise UserError(
            f"output could not be written ({error.strerror}). {there}. Continue with CONTRIBUTING.md."
        ) from error


def _make_environment(folder: Path, steps: "_Steps", min_python: str) -> list[str]:
    """Create .venv and install the project and its development tools. Returns the command that runs its Python."""
    base = _interpreter(min_python)
    if _uv():  # uv can download a Python
        steps.run(["uv", "sync", "--quiet", *(["--python", base] if base else [])])
        return ["uv", "run", "--quiet", "--no-sync", "python"]
    if base is None:
        raise UserError(f"Python {min_python} or later was not found: install it.")
    steps.run([base, "-m", "venv", ".venv"])
    windows = sys.platform == "win32"
    python = folder / ".venv" / ("Scripts/python.exe" if windows else "bin/python")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps.run([*pip, "pip>=25.1"])  # needed for --group
    steps.run([*pip, "--group", "dev", "--editable", "."])
    return [str(python)]


def _uv() -> bool:
    """Whether uv is installed and supports dependency groups."""
    found = re.match(r"uv (\d+)\.(\d+)", _output(["uv", "--version"]) or "")
    return found is not None and tuple(map(int, found.groups())) >= (0, 5)


def _need_one_module(folder: Path, answers: Mapping[str, Any], suffixes: list[str]) -> None:
    """Raise UserError if there are two native modules; Python would import one, which may be the older."""
    found = side_by_side(folder, answers, suffixes)
    if len(found) > 1:
        raise UserError(
            f"there are two native modules, {' and '.join(found)}, and Python imports the first: remove the older one."
        )


def _interpreter(min_python: str) -> str | None:
    """This interpreter if it is new enough, else the oldest on PATH that is new enough."""
    minor = int(min_python.partition(".")[2])
    if sys.version_info >= (3, minor):
        return sys.executable
    names = (f"python3.{later}" for later in range(minor, minor + 10))
    return next((name for name in names if _output([name, "-c", ""]) is not None), None)


class _Steps:
    """Runs commands in the project's folder, and prints a line with the time for each step."""

    def __init__(self, folder: Path, total: int) -> None:
        self.folder = folder
        self.total = total
        self.number = 0
        self._line = ""

    def done(self, text: str) -> None:
        self._begin(text)
        print(flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        self._begin(f"{text:<44}")
        start = time.monotonic()
        again = f"\r{self._line}" if self._ticks() else ""
        try:
            with self._ticking(start):
                yield
        except BaseException:
            with suppress(OSError):
                print(f"{again}failed ", flush=True)
            raise
        print(f"{again}{time.monotonic() - start:5.1f} s", flush=True)

    @contextmanager
    def _ticking(self, start: float) -> Iterator[None]:
        """On a terminal, print every second how long the step has taken."""
        done = threading.Event()

        def tick() -> None:
            with suppress(OSError):
                while not done.wait(1):
                    print(f"\r{self._line}{time.monotonic() - start:5.0f} s", end="", flush=True)

        ticker = threading.Thread(target=tick, daemon=True)
        if self._ticks():
            ticker.start()
        try:
            yield
        finally:
            done.set()
            if ticker.is_alive():
                ticker.join()

    def _ticks(self) -> bool:
        """Whether the line fits on the terminal, so that it can be overwritten."""
        return sys.stdout.isatty() and shutil.get_terminal_size().columns > len(self._line) + 8

    def _begin(self, text: str) -> None:
        self.number += 1
        self._line = f"  [{self.number}/{self.total}] {text}"
        print(self._line, end="", flush=True)

    def run(self, command: Sequence[str]) -> str:
        """Run a command and return its output.

        Raises:
            UserError: the command failed. The message has the last lines of its output.
        """
        try:
            done = subprocess.run(
                command, cwd=self.folder, capture_output=True, encoding="utf-8", errors="replace", check=False
            )
        except OSError as error:
            raise UserError(f"`{' '.join(command)}` could not be started: {error.strerror}.") from error
        if done.returncode:
            words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
            raise UserError(f"`{' '.join(command)}` failed:\n{words}")
        return done.stdout
