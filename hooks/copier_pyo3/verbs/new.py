"""``copier-pyo3 new``: from a question to an imported module."""

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import copier
import yaml
from copier.errors import CopierWarning

from copier_pyo3 import __version__
from copier_pyo3.errors import UserError
from copier_pyo3.generate.asking import check_data, one_sentence, read_questions
from copier_pyo3.project.native import side_by_side

SUFFIXES = "import importlib.machinery as m; print(*m.EXTENSION_SUFFIXES)"
PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]
BUNDLE = PACKAGE / "bundle"
TEMPLATE = CHECKOUT if (CHECKOUT / "copier.yml").is_file() else BUNDLE


def new(
    folder: Path, *, data: Mapping[str, Any], defaults: bool = False, build: bool = True, template: str | None = None
) -> None:
    """Make a project: ask, generate, lock, initialise git, build, import.

    Args:
        folder: the project's folder: a new one, or an empty one (it may hold a .git).
        data: answers by the question's name.
        defaults: take the default of each question that data does not answer.
        build: lock, build and import too; this needs Rust.
        template: home of the template, if it is not the one that this package brings.

    Raises:
        UserError: something stands in the way, and nothing was written; or a later step failed, and the text says how
            to go on.
        KeyboardInterrupt: the user broke off; its text says what is there, if anything is.
    """
    if template is None:  # another one's questions are known only when it has been fetched
        check_data(data, read_questions(TEMPLATE))
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (takes the .. out, and follows no link)
    _need_empty(folder)
    outer_repository = _outer_repository(folder)
    if build:
        _need_rust()

    start = time.monotonic()
    steps = _Steps(folder, total=5 if build else 2)
    answers = _generate(folder, data, defaults, template)
    with _complete(folder):
        steps.done(f"{sum(path.is_file() for path in folder.rglob('*') if '.git' not in path.parts)} files written")
        if outer_repository:
            steps.done(f"no git init: part of {outer_repository}")
        else:
            with steps.step("git initialised, files staged"):
                # The branch that ci.yml watches; where there is a .git already, this does nothing.
                steps.run(["git", "init", "--quiet", "--initial-branch=main"])
                steps.run(["git", "add", "--all"])
        if build:
            with steps.step("Cargo.lock written"):
                steps.run(["cargo", "generate-lockfile", "--quiet"])
                if not outer_repository:
                    steps.run(["git", "add", "Cargo.lock"])
            with steps.step("module built and installed in .venv"):
                python = _make_environment(folder, steps, answers["min_python"])
            with steps.step(f"{answers['module_name']} imported, demo run"):
                _need_one_module(folder, answers, steps.run([str(python), "-c", SUFFIXES]).split())
                said = steps.run([str(python), "examples/demo.py"])
            print("".join(f"        {line}\n" for line in said.splitlines()), end="")
        _tell_next(folder, time.monotonic() - start, build, outer_repository)


def _tell_next(folder: Path, seconds: float, build: bool, outer_repository: str | None) -> None:
    windows = sys.platform == "win32"
    print(f"Done in {seconds:.0f} s. Next:")
    print("  cd", subprocess.list2cmdline([str(folder)]) if windows else shlex.quote(str(folder)))
    if build:
        print(r"  .venv\Scripts\activate" if windows else "  . .venv/bin/activate")
        print("  pytest")
    if outer_repository:
        print("  git add .")
    print('  git commit -m "Start the project"')
    print("README.md there tells the rest.", flush=True)


# --- what must be so before anything is written ----------------------------------------------------


def _need_empty(folder: Path, but: str = "") -> None:
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file: name a new folder.")
        inside = [path.name for path in folder.iterdir()] if folder.exists() else []
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}): name a new folder.") from error
    if set(inside) - {".git", but}:
        raise UserError(f"{folder} is not empty: name a new folder, nothing in this one was touched.")


def _outer_repository(folder: Path) -> str | None:
    """The git work tree that the folder would be part of, if any; it must have no uncommitted changes."""
    if not shutil.which("git"):
        raise UserError("git is needed (`copier update` works on it): install it from https://git-scm.com, try again.")
    if (folder / ".git").exists():
        return None
    place = next(parent for parent in folder.parents if parent.is_dir())
    top = _output(["git", "-C", str(place), "rev-parse", "--show-toplevel"])
    ignored = _output(["git", "-C", str(place), "check-ignore", "--", f"{folder.relative_to(place)}/"])
    if not top or ignored:
        return None
    if _output(["git", "-C", str(place), "status", "--porcelain"]):
        raise UserError(
            f"{folder} lies in the git repository {top}, which has uncommitted changes: commit or stash them, or name a "
            "folder outside of it."
        )
    return top


def _need_rust() -> None:
    versions = yaml.safe_load((TEMPLATE / "versions.yml").read_text(encoding="utf-8"))
    needed = versions["versions"]["default"]["rust"]
    found = re.match(r"rustc (\d+)\.(\d+)", _output(["rustc", "--version"]) or "")
    if not found:
        have = "there is none"
    elif tuple(map(int, found.groups())) < tuple(map(int, needed.split("."))):
        have = f"this is {found[1]}.{found[2]}"
    elif not shutil.which("cargo"):
        have = "its cargo is missing"
    else:
        return
    raise UserError(
        f"Rust {needed} or later is needed to build the module, and {have}: install it as https://rustup.rs says and "
        "try again, or leave the build for later with --no-build."
    )


def _output(command: Sequence[str]) -> str | None:
    """What the command prints, or None if it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


# --- generation ------------------------------------------------------------------------------------


def _generate(folder: Path, data: Mapping[str, Any], defaults: bool, template: str | None) -> dict[str, Any]:
    """Ask, render aside, then move into place: an error or Ctrl-C leaves nothing behind. Returns the answers."""
    source = template or str(TEMPLATE)
    made_parents = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        home = folder if folder.exists() else folder.parent
        with tempfile.TemporaryDirectory(prefix=".copier-pyo3-", dir=home, ignore_cleanup_errors=True) as aside:
            rendered = Path(aside, folder.name)
            answers = _render(source, rendered, data, defaults)
            if source == str(BUNDLE):
                _record_home(rendered)
            _need_empty(folder, but=Path(aside).name)  # as it was before the questions
            if home == folder:
                _move_in(rendered, folder)
            else:
                rendered.rename(folder)
        made_parents.clear()
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}): name a folder that you may write to."
        ) from error
    finally:
        for parent in made_parents:
            with suppress(OSError):  # gone, or another run has put something there
                parent.rmdir()
    return answers


def _move_in(source: Path, target: Path) -> None:
    """Move what is in a folder to another, all or nothing."""
    moved: list[Path] = []
    try:
        for path in sorted(source.iterdir()):
            moved.append(path.rename(target / path.name))
    except BaseException:
        for path in moved:
            path.rename(source / path.name)
        raise


def _render(source: str, folder: Path, data: Mapping[str, Any], defaults: bool) -> dict[str, Any]:
    with one_sentence("Nothing was written.", source), warnings.catch_warnings():
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
    """Git's own name and e-mail, as defaults of the questions; what copier.yml would refuse is not offered."""
    name, email = (_output(["git", "config", key]) for key in ("user.name", "user.email"))
    identity = {}
    if name and name.isprintable():
        identity["author_name"] = name
    if email and re.fullmatch(
        r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@([A-Za-z0-9]+(-+[A-Za-z0-9]+)*[.])+[A-Za-z0-9]+", email
    ):
        identity["author_email"] = email
    return identity


def _record_home(folder: Path) -> None:
    """Write where the bundled template has its home, so that `copier update` finds later versions there."""
    urls = importlib.metadata.metadata("copier-pyo3").get_all("Project-URL") or []
    home = next(url.partition(", ")[2] for url in urls if url.startswith("Repository, "))
    path = folder / ".copier-answers.yml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^_src_path: .*$", f"_commit: v{__version__}\n_src_path: {home}", text)
    path.write_bytes(text.encode("utf-8"))


# --- the build -------------------------------------------------------------------------------------


@contextmanager
def _complete(folder: Path) -> Iterator[None]:
    """From here on nothing is lost: whatever stops the rest, its text says what is there and how to go on."""
    there = f"The project is complete in {folder}"
    try:
        yield
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(f"{there}: go on as README.md there says.") from error
    except UserError as error:
        raise UserError(f"{error}\n{there}: mend the cause, then go on as README.md there says.") from error
    except OSError as error:  # commands that cannot be started are UserErrors already
        raise UserError(
            f"what is done cannot be printed ({error.strerror}). {there}: go on as README.md there says."
        ) from error


def _make_environment(folder: Path, steps: "_Steps", min_python: str) -> Path:
    """Make .venv with the project and its development tools installed; returns its interpreter."""
    base = _interpreter(min_python)
    if base is None:
        raise UserError(f"no Python {min_python} or later was found to build with: install one.")
    steps.run([base, "-m", "venv", ".venv"])
    windows = sys.platform == "win32"
    python = folder / ".venv" / ("Scripts/python.exe" if windows else "bin/python")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps.run([*pip, "pip>=25.1"])  # the first with --group
    steps.run([*pip, "--group", "dev", "--editable", "."])
    return python


def _need_one_module(folder: Path, answers: Mapping[str, Any], suffixes: list[str]) -> None:
    """Of two native modules side by side Python imports one, whichever was built."""
    found = side_by_side(folder, answers, suffixes)
    if len(found) > 1:
        raise UserError(f"{' and '.join(found)} lie side by side, and Python imports the first: remove the older one.")


def _interpreter(min_python: str) -> str | None:
    """This interpreter if it is new enough, else the oldest on PATH that is."""
    minor = int(min_python.partition(".")[2])
    if sys.version_info >= (3, minor):
        return sys.executable
    names = (f"python3.{later}" for later in range(minor, minor + 10))
    return next((name for name in names if _output([name, "-c", ""]) is not None), None)


class _Steps:
    """Runs commands in the project's folder and prints a line for each step, with the time it took."""

    def __init__(self, folder: Path, total: int) -> None:
        self.folder = folder
        self.total = total
        self.number = 0

    def done(self, text: str) -> None:
        self._begin(text)
        print(flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        self._begin(f"{text:<44}")
        start = time.monotonic()
        try:
            yield
        except BaseException:
            with suppress(OSError):
                print("failed", flush=True)
            raise
        print(f"{time.monotonic() - start:5.1f} s", flush=True)

    def _begin(self, text: str) -> None:
        self.number += 1
        print(f"  [{self.number}/{self.total}] {text}", end="", flush=True)

    def run(self, command: Sequence[str]) -> str:
        """Run a command and return what it prints; if it fails, UserError tells its last words."""
        try:
            done = subprocess.run(
                command, cwd=self.folder, capture_output=True, encoding="utf-8", errors="replace", check=False
            )
        except OSError as error:
            raise UserError(f"`{' '.join(command)}` cannot be started: {error.strerror}.") from error
        if done.returncode:
            words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
            raise UserError(f"`{' '.join(command)}` failed:\n{words}")
        return done.stdout
