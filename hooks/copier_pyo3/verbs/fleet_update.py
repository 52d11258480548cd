"""``copier-pyo3 fleet update``: update many projects, each on a new branch of a clone, and push the branches.

What was done for a project is written to a file of the state folder, so that a run that was killed can be repeated.
"""

import functools
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import filelock

from copier_pyo3.errors import UserError, visible, why_git_failed
from copier_pyo3.generate.fetched import Fetched
from copier_pyo3.project import surroundings
from copier_pyo3.project.answers import ANSWERS, LAYER_ANSWERS
from copier_pyo3.project.clone import BrokenError, UnreachableError, clone, local, recorded
from copier_pyo3.project.fleet_file import Project, part_of, read_fleet
from copier_pyo3.project.home import scrubbed, without_password
from copier_pyo3.project.in_processes import explained, in_processes
from copier_pyo3.project.repository import Repository
from copier_pyo3.verbs.update import Update, update

STATE: Final = ".copier-pyo3-fleet"  # next to fleet.toml
IGNORE: Final = "*\n"  # .gitignore in the state folder
LONGEST: Final = 60_000  # characters of a pull request; GitHub accepts 65,536
URL: Final = re.compile(r"https?://[^\s'\"<>]+")
FAILED: Final = {"failed", "conflicting", "unreachable", "broken"}
"""Results that are errors."""


@dataclass(frozen=True)
class Wishes:
    """The options of `fleet update`."""

    trust: bool = False
    """Run the code of all templates, as in `update`."""
    check: tuple[str, ...] = ()
    """A command that must succeed in the updated project before it is pushed."""
    push: bool = True
    """Push the branch. Otherwise, the clones are kept in the state folder."""
    pull_request: bool = True
    """Create a pull request with gh if it is installed."""


def fleet_update(
    file: Path, *, shard: tuple[int, int] | None, jobs: int, wishes: Wishes, state: Path | None
) -> dict[str, Any]:
    """Update the projects that are behind. A project whose update fails is left as it is.

    Args:
        file: path of fleet.toml.
        shard: only the projects of this shard.
        jobs: how many processes to use.
        wishes: the other options.
        state: the state folder, or None for the one next to fleet.toml.

    Raises:
        UserError: fleet.toml is not valid, the state folder has other files, or another `fleet update` uses the state folder.
    """
    projects = part_of(read_fleet(file).projects, shard)
    state = (state or file.parent / STATE).absolute()
    ignore = state / ".gitignore"  # not the lock, which filelock deletes on Windows
    if state.exists() and any(state.iterdir()) and not (ignore.is_file() and ignore.read_bytes() == IGNORE.encode()):
        raise UserError(f"{state} has other files: pass a new folder to --state.")
    state.mkdir(parents=True, exist_ok=True)
    ignore.write_bytes(IGNORE.encode())
    try:
        with (
            filelock.FileLock(state / "lock", blocking=False),
            tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as folder,
        ):
            work = functools.partial(_project, wishes=wishes, state=state, run=Path(folder))
            return {"schema": 1, "projects": in_processes(work, projects, jobs)}
    except filelock.Timeout as error:
        raise UserError(
            f"another `fleet update` is using {state}: wait until it ends, or use another --state."
        ) from error


def update_all(repository: Repository, fetched: Fetched, trust: bool) -> list[Update]:
    """Update a clone, and commit: the template first, then the organization's layer. Stops at what must be resolved by hand.

    Raises:
        UserError: an update failed.
    """
    made = []
    for answers_file, answers in recorded(repository).items():
        template = fetched.template(str(answers["_src_path"]))
        if template.behind(str(answers["_commit"])) == 0:
            continue
        with fetched.instead_of_network(template.address):
            done = update(repository.project, data={}, defaults=True, answers_file=answers_file, trust=trust)
        made.append(done)
        if done.report.left:
            break
        if done.changed:
            _commit(repository, done, "the organization's layer" if answers_file == LAYER_ANSWERS else "the template")
    return made


def _commit(repository: Repository, done: Update, what: str) -> None:
    names = "".join(f"{path}\0" for path in done.changed)
    from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
    repository.git("--literal-pathspecs", "add", "--all", "--force", *from_stdin, stdin=os.fsencode(names))
    known = "GIT_AUTHOR_EMAIL" in os.environ or repository.found("config", "user.email")
    who = () if known else ("-c", "user.name=copier-pyo3", "-c", "user.email=copier-pyo3@localhost")
    subject = f"Update {what} from {done.old_version} to {done.new_version}"
    message = "\n\n".join([subject, *(["\n".join(done.report.told)] if done.report.told else [])])
    repository.git(
        *who, "commit", "--quiet", "--no-verify", "--file=-", stdin=message.encode("utf-8", "backslashreplace")
    )


# --- one project, in a child process ---------------------------------------------------------------


def _project(project: Project, *, wishes: Wishes, state: Path, run: Path) -> dict[str, Any]:
    """Update a project, and return its entry in the report."""
    start = time.monotonic()
    record = state / f"{project.name}.json"
    entry: dict[str, Any] = {
        **project.described(),
        "result": "",
        "old_version": None,
        "new_version": None,
        "branch": None,
        "commit": None,
        "pull_request": None,
        "changed": [],
        "decisions": [],
        "conflicts": [],
        "message": "",
    }
    place = state / "clones" / project.name
    _remove(place)  # left by a run that was killed, or kept by --no-push
    try:
        repository = clone(project, place, whole=True)
        entry["result"] = _updated(project, repository, Fetched(run), wishes, record, entry)
    except UserError as error:
        entry["result"] = {UnreachableError: "unreachable", BrokenError: "broken"}.get(type(error), "failed")
        entry["message"] = explained(error)
    except OSError as error:
        entry["result"] = "failed"
        entry["message"] = f"cannot read or write {error.filename or 'a file'} ({error.strerror})"
    except Exception as error:  # noqa: BLE001 (one project must not end the updates of the others)
        entry["result"] = "failed"
        entry["message"] = scrubbed(f"{type(error).__name__}: {error}")
    finally:
        if entry["result"] != "committed":
            _remove(place)
    entry["seconds"] = round(time.monotonic() - start, 2)
    unfinished = record.with_suffix(".new")
    unfinished.write_text(json.dumps(entry, indent=2), encoding="utf-8")
    unfinished.replace(record)
    return entry


def _remove(folder: Path) -> None:
    if os.name == "nt":  # cannot delete read-only files, such as git's objects
        for path in folder.rglob("*"):
            path.chmod(stat.S_IWRITE)
    shutil.rmtree(folder, ignore_errors=True)


def _updated(
    project: Project,
    repository: Repository,
    fetched: Fetched,
    wishes: Wishes,
    record: Path,
    entry: dict[str, Any],
) -> str:
    """Update, check, and push. Returns the result."""
    versions = _versions(repository, fetched)
    if versions is None:
        return "not adopted"
    behind = [(name, *each) for name, each in versions.items() if each[2] != 0]  # None: the version is gone
    if not behind:
        return "up to date"
    name, old, new, _ = behind[0]
    entry |= {"old_version": old, "new_version": new}
    entry["branch"] = branch = _branch(repository, name, new)
    if found := repository.text("ls-remote", "--heads", "origin", f"refs/heads/{branch}"):
        commit = found.split("\t")[0]
        if not repository.paths("diff", "--name-only", "-z", "HEAD", commit, "--", name):
            raise UserError(f"there is a branch {branch} that does not update this project: delete or rename it")
        entry |= {**_recorded(record, entry), "commit": commit}
        _open_pull_request(project, repository, wishes, entry, "")
        return "pushed before"
    repository.git("checkout", "--quiet", "-b", branch)
    for made in update_all(repository, fetched, wishes.trust):
        entry["changed"] += made.changed
        entry["decisions"] += made.report.told
        entry["conflicts"] += [{"path": path, "why": why} for path, why in sorted(made.report.left.items())]
    if entry["conflicts"]:
        entry["message"] = "the update must be finished by hand: run `copier-pyo3 update` in the project"
        return "conflicting"
    commit = repository.text("rev-parse", "HEAD")
    if wishes.check:
        _run_check(repository, wishes.check)
    if not wishes.push:
        entry["commit"] = commit
        repository.git("remote", "set-url", "origin", without_password(project.source))  # the clone is kept
        entry["message"] = f"the branch is in {repository.project}"
        return "committed"
    done = subprocess.run(
        ["git", "push", "origin", f"{branch}:refs/heads/{branch}"],
        cwd=repository.project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise UserError(f"the push of {branch} was refused ({_why_refused(done.stderr)})")
    entry["commit"] = commit
    _open_pull_request(project, repository, wishes, entry, done.stderr)
    return "pushed"


def _branch(repository: Repository, answers_file: str, version: str) -> str:
    """The name of the branch, which is another one for each project of a repository."""
    folder = re.sub(r"[^A-Za-z0-9_-]+", "-", repository.prefix)
    layer = "organization-" if answers_file == LAYER_ANSWERS else ""
    return f"copier-pyo3/{folder}{layer}{version}"


def _recorded(record: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier run did for this branch of this project."""
    try:
        earlier = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if any(earlier.get(name) != entry[name] for name in ("source", "folder", "branch")):
        return {}
    return {name: earlier[name] for name in ("changed", "decisions", "pull_request")}


def _versions(repository: Repository, fetched: Fetched) -> dict[str, tuple[str, str, int | None]] | None:
    """For each answers file: the version, the newest, and how many releases are between them. None if not adopted."""
    found = {}
    for name, answers in recorded(repository).items():
        template, version = fetched.template(str(answers["_src_path"])), str(answers["_commit"])
        found[name] = (version, template.newest, template.behind(version))
    return found if ANSWERS in found else None


def _run_check(repository: Repository, command: Sequence[str]) -> None:
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command,
            cwd=repository.project,
            env=surroundings.for_build(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UserError(f"`{shown}` could not be started ({error.strerror})") from error
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        raise UserError(f"`{shown}` failed with exit code {done.returncode} ({' / '.join(lines[-3:])})")


def _why_refused(stderr: str) -> str:
    """The words of the remote, or of git."""
    remote = [line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:")]
    return scrubbed(" ".join(filter(None, remote)) or why_git_failed(stderr))


# --- pull requests ---------------------------------------------------------------------------------


def _open_pull_request(
    project: Project, repository: Repository, wishes: Wishes, entry: dict[str, Any], said: str
) -> None:
    """Create a pull request with gh, or find the address that the remote printed.

    Args:
        project: the project.
        repository: its clone.
        wishes: the options.
        entry: the entry in the report, which gets the address or a message.
        said: the output of `git push`.
    """
    offered = URL.search(" ".join(line for line in said.splitlines() if line.startswith("remote:")))
    is_local = local(project) or Path(project.source).exists()
    if not wishes.pull_request or is_local or not shutil.which("gh"):
        if offered:
            entry["message"] = f"open a pull request: {scrubbed(offered[0])}"
        elif not is_local:
            entry["message"] = f"open a pull request from the branch {entry['branch']}"
        return
    title = f"Update the template from {entry['old_version']} to {entry['new_version']}"
    text = "\n".join(f"- {line}" for line in entry["decisions"]) or "No decisions had to be made."
    command = ["gh", "pr", "create", "--head", entry["branch"], "--title", title, "--body-file", "-"]
    done = subprocess.run(
        command,
        cwd=repository.project,
        env=os.environ | {"GH_PROMPT_DISABLED": "1", "NO_COLOR": "1"},
        input=text[:LONGEST],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    # If there is one already, gh fails and prints its address.
    found = [url for url in URL.findall(done.stdout + done.stderr) if re.search(r"/pull/\d+$", url)]
    entry["pull_request"] = scrubbed(found[0]) if found else None
    if not found:
        reason = " ".join((done.stderr or done.stdout).split())
        open_it = f": open it at {scrubbed(offered[0])}" if offered else ""
        entry["message"] = f"the branch was pushed, but gh created no pull request ({scrubbed(reason)}){open_it}"


# --- output ----------------------------------------------------------------------------------------


def print_results(report: Mapping[str, Any]) -> None:
    """Print a line for each project, and what is left to do."""
    width = max((len(each["name"]) for each in report["projects"]), default=0)
    for each in report["projects"]:
        versions = visible(f"  {each['old_version']} -> {each['new_version']}") if each["new_version"] else ""
        print(f"{each['name']:<{width}}  {each['result']}{versions}")
        lines = [each["pull_request"], each["message"]]
        lines += [f"{part['path']}: {part['why']}" for part in each["conflicts"]]
        print("".join(f"  {visible(line)}\n" for line in lines if line), end="")
