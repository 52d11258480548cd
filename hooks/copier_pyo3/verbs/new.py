"""``copier-pyo3 new``: create a project, build it, and import it."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from prompt_toolkit.application import Application

from copier_pyo3.errors import UserError
from copier_pyo3.generate.asking import check_data, read_questions
from copier_pyo3.generate.first import ask_and_render
from copier_pyo3.generate.organization import NONE, Organization, add_layer, check_answers, layer_questions
from copier_pyo3.project import surroundings
from copier_pyo3.project.home import TEMPLATE, as_copier
from copier_pyo3.project.native import side_by_side
from copier_pyo3.project.place import existing_files, keep, license_of, need_no_cargo_workspace
from copier_pyo3.project.policy import violations
from copier_pyo3.project.repository import Repository, need_git, work_tree

SUFFIXES = "import importlib.machinery as m; print(*m.EXTENSION_SUFFIXES)"
ERROR = re.compile(r"\s*error(\[E\d+\])?: (?![\w-]+$)")
PROBE = """\
[package]
name = "probe"
version = "0.1.0"
edition = "2021"
[lib]
path = "lib.rs"
crate-type = ["cdylib"]
[workspace]
"""


def new(
    folder: Path,
    *,
    data: Mapping[str, Any],
    defaults: bool = False,
    build: bool = True,
    template: str | None = None,
    organization: Organization = NONE,
) -> None:
    """Create a project: ask questions, write files, set up git, build, import.

    Args:
        folder: the project's folder: new, empty, or a clone with no other files than those that a host such as GitHub
            creates, which are kept.
        data: answers by question name.
        defaults: use the default answer of each question that is not in data.
        build: also create Cargo.lock, build, and import the module. This needs Rust.
        template: folder or git URL of another template. The default is the template in this package.
        organization: the organization's file. Its layer is copied over the files of the template.

    Raises:
        UserError: a precondition failed and nothing was written, or a later step failed and the message says how to
            continue.
        KeyboardInterrupt: the user pressed Ctrl-C. The message says what was written, if anything.
    """
    layer = layer_questions(organization.layer)
    if template is None:  # the questions of another template are known only after it is fetched
        questions = {**layer, **read_questions(TEMPLATE)}
        check_data(data, questions)
        check_answers(organization, data, questions)
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (removes .. without following links)
    need_git()
    existing = existing_files(folder)
    outer_repository = _outer_repository(folder)
    need_no_cargo_workspace(folder)
    if build:
        _need_rust(next(parent for parent in (folder, *folder.parents) if parent.is_dir()))

    start = time.monotonic()
    steps = _Steps(folder, total=5 if build else 2)
    with _time_to_answer() as waited:
        answers, written, kept = _generate(folder, data, defaults, template, existing, organization, layer)
    with _complete(folder):
        steps.done(f"{len(written)} files written")
        if kept:
            print(f"        kept: {', '.join(kept)}")
        for problem in violations(organization.policy, written, lambda name: (folder / name).read_bytes(), answers):
            print(f"        policy: {problem}")
        if outer_repository:
            steps.done(f"git init skipped: the folder is in {outer_repository}")
        else:
            with steps.step("git initialized, files staged"):
                # ci.yml runs on this branch. If there is a .git, this does nothing.
                steps.run(["git", "init", "--quiet", "--initial-branch=main"])
                steps.stage(written)
        if build:
            with steps.step("Cargo.lock created"):
                steps.run(["cargo", "generate-lockfile", "--quiet"])
                if not outer_repository:
                    steps.stage(["Cargo.lock"])
            with steps.step("module built and installed in .venv"):
                python = _make_environment(folder, steps, answers["min_python"])
            with steps.step(f"{answers['module_name']} imported, demo run"):
                _need_one_module(folder, answers, steps.run([*python, "-c", SUFFIXES]).split())
                said = steps.run([*python, "examples/demo.py"])
            print("".join(f"        {line}\n" for line in said.splitlines()), end="")
        print(f"Done in {time.monotonic() - start - sum(waited):.0f} s. Next steps:")
        staged = build and not outer_repository
        ignored = [] if staged else Repository(folder).ignored([*written, "Cargo.lock"])
        commands = _next_commands(folder, built=build, staged=staged, ignored=ignored)
        print("".join(f"  {command}\n" for command in commands), end="")
        if outer_repository:
            print(
                f"GitHub reads workflows only in .github/ of {outer_repository}: see docs/monorepos.md of copier-pyo3."
            )
        print("See CONTRIBUTING.md for more.", flush=True)


def _next_commands(folder: Path, built: bool, staged: bool, ignored: Sequence[str]) -> Iterator[str]:
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
    if ignored:  # by the user's own list, not by the project's
        yield f"git add --force {shlex.join(ignored)}"
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


def _outer_repository(folder: Path) -> Path | None:
    """The git work tree that contains the folder, if any. It must have no uncommitted changes.

    Raises:
        UserError: it has changes, or git refuses to use it or the repository in the folder.
    """
    if (folder / ".git").exists():
        work_tree(folder)
        return None
    place = next(parent for parent in folder.parents if parent.is_dir())
    top = work_tree(place)
    if not top or _output(["git", "check-ignore", "--", f"{folder.relative_to(place)}/"], place):
        return None
    if Repository(top).changes():
        raise UserError(
            f"{folder} is in the git repository {top}, which has uncommitted changes: commit or stash them, or choose a "
            "folder outside of it."
        )
    return top


def _need_rust(place: Path) -> None:
    """Check that Rust is new enough and can compile and link, with the settings that apply in a folder.

    Raises:
        UserError: it is not, or cannot. The message has the compiler's reason.
    """
    versions = yaml.safe_load((TEMPLATE / "versions.yml").read_text(encoding="utf-8"))
    needed = versions["versions"]["default"]["rust"]
    said = _tried(["rustc", "--version"], place)
    found = re.match(r"rustc (\d+)\.(\d+)", said.stdout) if said else None
    skip = "try again, or skip the build with --no-build."
    if not said or not shutil.which("cargo"):
        have = "cargo is not installed" if said else "it is not installed"
    elif not found:
        raise UserError(f"`rustc --version` failed ({' '.join(said.stderr.split())}): fix Rust and {skip}")
    elif tuple(map(int, found.groups())) < tuple(map(int, needed.split("."))):
        have = f"the installed version is {found[1]}.{found[2]}"
    else:
        with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
            manifest = Path(aside, "Cargo.toml")
            manifest.write_text(PROBE, encoding="utf-8")
            Path(aside, "lib.rs").touch()
            options = ["--quiet", "--offline", "--manifest-path", str(manifest), "--target-dir", aside]
            done = _tried(["cargo", "build", *options], place)
        if not done or done.returncode:
            reason = _reason(done.stderr if done else "")
            raise UserError(
                f"Rust cannot build an empty library here:\n{reason}\nFix this (if a linker is missing, install a C "
                f"compiler) and {skip} Nothing was written."
            )
        return
    raise UserError(
        f"building the module requires Rust {needed} or later, but {have}: install it from https://rustup.rs and {skip}"
    )


def _reason(output: str) -> str:
    """The part of a failed command's output that has the reason: compiler errors if there are any, else the end."""
    lines = output.strip().splitlines()
    # In the output of pip and uv, the compiler's lines are indented; their own errors are one word, or start with "ERROR".
    errors = [number for number, line in enumerate(lines) if ERROR.match(line)]
    if not errors:
        return "\n".join(lines[-12:])
    start = next((number for number in errors if "aborting due to" not in lines[number]), errors[0])
    return textwrap.dedent("\n".join(line[:500] for line in lines[start : start + 12]))


def _output(command: Sequence[str], cwd: Path | None = None) -> str | None:
    """The output of the command, or None if it is not installed or fails."""
    done = _tried(command, cwd)
    return done.stdout.strip() if done and done.returncode == 0 else None


def _tried(command: Sequence[str], cwd: Path | None = None) -> "subprocess.CompletedProcess[str] | None":
    """The result of the command, or None if it is not installed."""
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=surroundings.for_build(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None


# --- writing the files -----------------------------------------------------------------------------


def _generate(
    folder: Path,
    data: Mapping[str, Any],
    defaults: bool,
    template: str | None,
    existing: list[str],
    organization: Organization,
    layer: Mapping[str, Any],
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Ask, render into a temporary folder, and move the result into place.

    An error or Ctrl-C leaves nothing behind.

    Returns:
        The answers, the written files, and which of the existing files were kept instead.
    """
    source = as_copier(template or str(TEMPLATE))
    made_parents = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        home = folder if folder.exists() else folder.parent
        with tempfile.TemporaryDirectory(prefix=".copier-pyo3-", dir=home, ignore_cleanup_errors=True) as aside:
            rendered = Path(aside, folder.name)
            found = license_of(folder, existing, TEMPLATE / "licenses")
            known = dict(organization.defaults) | ({"license": found} if found else {})

            def check(questions: Mapping[str, Any]) -> None:
                every = {**layer, **questions}
                check_data(data, every)
                check_answers(organization, data, every)

            answers = ask_and_render(source, rendered, {**data, **organization.locked}, defaults, known, check)
            if organization.layer:
                mine = {**answers, **data, **organization.locked}
                add_layer(organization.layer, rendered, mine, organization.defaults, defaults)
            but = Path(aside).name
            if existing_files(folder, but) != existing:  # it may have changed while the questions were asked
                raise UserError(f"{folder} was changed while the questions were asked: try again.")
            kept = keep(folder, existing, rendered, str(answers["license"])) if existing else []
            written = [path.relative_to(rendered).as_posix() for path in rendered.rglob("*") if not path.is_dir()]
            if home == folder:
                _move_in(rendered, folder, written)
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
    return answers, sorted(written), kept


def _move_in(source: Path, target: Path, names: list[str]) -> None:
    """Move files from a folder to another. If a move fails, undo the others."""
    replaced: dict[Path, bytes | None] = {}
    made: list[Path] = []
    try:
        for name in names:
            place = target / name
            made += [parent for parent in reversed(place.parents) if not parent.exists()]
            place.parent.mkdir(parents=True, exist_ok=True)
            replaced[place] = place.read_bytes() if place.exists() else None
            (source / name).replace(place)
    except BaseException:
        for place, content in replaced.items():
            place.unlink(missing_ok=True) if content is None else place.write_bytes(content)
        for parent in reversed(made):
            parent.rmdir()
        raise


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
    steps.env = surroundings.for_pip(pip[:3])
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
        self.env = surroundings.for_build()
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

    def stage(self, names: Sequence[str]) -> None:
        """Stage these files, also those that git ignores by the user's own list."""
        options = ["--force", "--pathspec-from-file=-", "--pathspec-file-nul"]
        self.run(["git", "--literal-pathspecs", "add", *options], "".join(f"{name}\0" for name in names))

    def run(self, command: Sequence[str], stdin: str = "") -> str:
        """Run a command and return its output.

        Raises:
            UserError: the command failed. The message has the reason from its output.
        """
        try:
            child = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # a group of processes that can be ended
            )
        except OSError as error:
            raise UserError(f"`{' '.join(command)}` could not be started: {error.strerror}.") from error
        try:
            stdout, stderr = child.communicate(stdin)
        except BaseException:
            _end(child)
            raise
        if child.returncode:
            raise UserError(f"`{' '.join(command)}` failed:\n{_reason(f'{stdout}{stderr}')}")
        return stdout


def _end(child: "subprocess.Popen[str]") -> None:
    """End a child and its children, such as the compilers that pip has started."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/f", "/t", "/pid", str(child.pid)], capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
