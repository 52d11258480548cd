"""Moves the files that a verb has made into the project: all of them or none.

The files wait in a folder in the git directory. The list of moves is saved before the first one, so that the next run finishes
what was interrupted.
"""

import hashlib
import json
import os
import shutil
import stat
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from copier_pyo3.errors import UserError
from copier_pyo3.merge.blob import Blob
from copier_pyo3.project.modes import keep
from copier_pyo3.project.native import remove_stale
from copier_pyo3.project.report import Report
from copier_pyo3.project.repository import GitError, Repository
from copier_pyo3.project.work_tree import remove_empty


def begin(repository: Repository) -> Path:
    """The empty folder in the git directory for the files of this run. What an earlier run left there is deleted."""
    state = place(repository)
    discard(repository)
    state.mkdir(parents=True)
    return state


def place(repository: Repository) -> Path:
    """The folder for the files that wait."""
    return repository.folder / "copier-pyo3"


def in_the_way(path: str, other: str) -> str:
    """A sentence about a file of the template that needs the place of another one."""
    mine = "yours" if path.startswith(f"{other}/") else "your folder"
    return f"the template has a file {path}, and you have a file {other}: move {mine}, commit, and try again."


def made_in(repository: Repository, aside: Repository, report: Report) -> set[str]:
    """The paths that differ in a temporary work tree from the project, without those that git ignores in the project.

    Args:
        repository: the project's repository.
        aside: the work tree with the result.
        report: gets a line for each file that git ignores.

    Raises:
        UserError: a new file needs the place of one that git ignores.
    """
    written = {*aside.paths("diff", "--name-only", "--relative", "-z", "--diff-filter=d", "HEAD", "--")}
    for path in sorted(aside.paths("ls-files", "--others", "-z")):
        mine = repository.project / path
        if mine.exists():  # git ignores it, so it is not touched
            report.told.append(f"{path}: kept your file, which git ignores")
        elif blocking := next((folder for folder in mine.parents if folder.is_file() or folder.is_symlink()), None):
            other = blocking.relative_to(repository.project).as_posix()
            raise UserError(f"{in_the_way(path, other)} The project is unchanged.")
        else:
            written.add(path)
    if aside.text("rev-parse", "HEAD") != repository.text("rev-parse", "HEAD"):
        # The work tree lacked these files, and the merge restored them.
        written -= {path for path in written if _as_it_is(repository.project / path, aside.project / path)}
    unlisted = repository.ignored(path for path in written if path not in repository.tree("HEAD").files)
    report.told += [f"{path}: git ignores this new file: run `git add --force {path}`" for path in sorted(unlisted)]
    return written


def save(
    repository: Repository,
    aside: Repository,
    written: Collection[str],
    deleted: list[str],
    answers_file: str,
    report: Report,
    about: Mapping[str, Any],
) -> None:
    """Save the list of moves. From then on, the next run finishes them.

    Args:
        repository: the project's repository.
        aside: the temporary work tree with the files.
        written: the paths of the files to move.
        deleted: the paths of the files to delete.
        answers_file: path of the answers file, which is moved last: until then, it has the old version.
        report: what to print when all files are moved.
        about: what the verb needs then; ``verb`` is its name, ``branch`` the branch to create, and ``stale`` the native modules
            to remove.
    """
    state = place(repository)
    moves = []
    for number, path in enumerate(sorted(written, key=lambda path: (path == answers_file, path))):
        (state / "new").mkdir(exist_ok=True)
        (aside.project / path).replace(state / "new" / str(number))
        moves.append((path, _digest(state / "new" / str(number))))
    stages = {
        path: {str(number): asdict(blob) for number, blob in each.items()} for path, each in aside.unmerged().items()
    }
    plan = {
        "head": repository.text("rev-parse", "HEAD"),
        "prefix": repository.prefix,
        "written": moves,
        "deleted": deleted,
        "stages": stages,
        "report": asdict(report),
        **about,
    }
    unfinished = state / "plan.new"
    unfinished.write_text(json.dumps(plan), encoding="utf-8")
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(state / "plan.json")


def unfinished(repository: Repository) -> bool:
    """Whether an earlier run was interrupted after it had saved its list of moves."""
    return (place(repository) / "plan.json").is_file()


def finish_earlier(repository: Repository, verb: str) -> tuple[dict[str, Any], Report, bool] | None:
    """Finish the moves of a run that was interrupted. Returns None if there are none, or if they were undone.

    Args:
        repository: the project's repository.
        verb: the verb that runs now, ``update`` or ``adopt``.

    Returns:
        The saved list, the report, and whether the earlier run had begun to move.

    Raises:
        UserError: a file was changed after the interruption, or it was a run in another project or of another verb.
    """
    if not unfinished(repository):
        return None
    state = place(repository)
    plan = json.loads((state / "plan.json").read_text(encoding="utf-8"))
    earlier = plan.get("verb", "update")
    what = {"update": "an update", "adopt": "an adoption"}[earlier]
    if plan["prefix"] != repository.prefix or earlier != verb:
        where = f' of "{plan["prefix"] or "."}" in this repository' if plan["prefix"] != repository.prefix else ""
        raise UserError(f"{what}{where} was interrupted: finish it with `copier-pyo3 {earlier}` there.")
    if plan["head"] != repository.text("rev-parse", "HEAD"):
        discard(repository)
        raise UserError(f"{what} was interrupted, and there are new commits since: it was discarded; start it again.")
    sources = {path: state / "new" / str(number) for number, (path, _) in enumerate(plan["written"])}
    started = not all(_there(source) for source in sources.values())
    if started and not repository.changes():
        return None  # the user has restored all files
    # Each file must be as it was, or as the earlier run left it.
    changed = {*repository.paths("diff", "--name-only", "--relative", "-z", "HEAD", "--")}
    changed |= {*repository.paths("ls-files", "--others", "-z")}
    for path, digest in plan["written"]:
        target = repository.project / path
        if path in changed if _there(sources[path]) else not (_there(target) and _digest(target) == digest):
            raise _changed_since(what, earlier, path)
    for path in plan["deleted"]:
        if path in changed and _there(repository.project / path):
            raise _changed_since(what, earlier, path)
    report = Report(**plan["report"])
    move_in(repository, report)
    return plan, report, started


def _changed_since(what: str, verb: str, path: str) -> UserError:
    return UserError(
        f"{what} was interrupted, and {path} was changed since: run `git stash --include-untracked`, {verb} again, "
        "commit, and then run `git stash pop`."
    )


def move_in(repository: Repository, report: Report) -> None:
    """Move the files into place according to the saved list, except those already moved. Adds to the report.

    Raises:
        UserError: a file cannot be written. The project is unchanged.
    """
    state = place(repository)
    plan = json.loads((state / "plan.json").read_text(encoding="utf-8"))
    try:
        if "branch" in plan:
            _switch(repository, plan["branch"])
        for number, (path, _) in enumerate(plan["written"]):
            source, target = state / "new" / str(number), repository.project / path
            if _there(source):
                target.parent.mkdir(parents=True, exist_ok=True)
                _move(source, target)
        for path in plan["deleted"]:
            (repository.project / path).unlink(missing_ok=True)
            remove_empty((repository.project / path).parent, repository.project)
        stages = {
            path: {int(number): Blob(**blob) for number, blob in each.items()} for path, each in plan["stages"].items()
        }
        repository.set_index(stages)
    except (OSError, GitError) as error:
        _roll_back(repository, plan)
        discard(repository)
        why = error.strerror if isinstance(error, OSError) else str(error)
        name = getattr(error, "filename2", None) or getattr(error, "filename", None) or ""
        raise UserError(f"cannot write {name or repository.project} ({why}). The project is unchanged.") from error
    for path in plan["stale"]:
        remove_stale(repository, path, report)
    discard(repository)


def _switch(repository: Repository, branch: Mapping[str, str]) -> None:
    """Switch to the new branch, which has the last commit, so that no file changes."""
    if repository.text("branch", "--show-current") != branch["new"]:
        repository.git("switch", "--quiet", "--create", branch["new"])


def _move(source: Path, target: Path) -> None:
    """Rename. If the git directory is on another file system, copy to a temporary name and rename."""
    keep(target, source)
    try:
        source.replace(target)
    except OSError:
        if source.stat().st_dev == target.parent.stat().st_dev:
            raise
        near = target.with_name(f".copier-pyo3-{target.name}")
        try:
            shutil.copy(source, near)
            near.replace(target)
        finally:
            near.unlink(missing_ok=True)
        source.unlink()


def _roll_back(repository: Repository, plan: Mapping[str, Any]) -> None:
    """Restore the files from the last commit: the work tree was clean when the verb started."""
    committed = repository.tree("HEAD").files
    written = [path for path, _ in plan["written"]]
    touched = [path for path in [*written, *plan["deleted"]] if path in committed]
    for path in written:
        if path not in committed:
            (repository.project / path).unlink(missing_ok=True)
            remove_empty((repository.project / path).parent, repository.project)
    for path in touched:
        try:
            repository.git("checkout", "--quiet", "HEAD", "--", path)
        except GitError as error:
            print(f"copier-pyo3: {path}: {error}", file=sys.stderr)
    if branch := plan.get("branch"):
        back = [branch["old"]] if branch["old"] else ["--detach", plan["head"]]
        try:
            if repository.text("branch", "--show-current") == branch["new"]:
                repository.git("switch", "--quiet", *back)
                repository.git("branch", "--quiet", "--delete", "--force", branch["new"])
        except GitError as error:
            print(f"copier-pyo3: {error}", file=sys.stderr)


def discard(repository: Repository) -> None:
    """Delete the files that wait, and the temporary work tree."""
    state = place(repository)
    if not state.exists():
        return
    (state / "plan.json").unlink(missing_ok=True)
    shutil.rmtree(state, ignore_errors=True)
    repository.git("worktree", "prune")


def _as_it_is(path: Path, new: Path) -> bool:
    if not (path.is_file() and new.is_file()) or path.is_symlink() or new.is_symlink():
        return False
    return path.read_bytes() == new.read_bytes() and not (path.stat().st_mode ^ new.stat().st_mode) & stat.S_IXUSR


def _digest(path: Path) -> str:
    content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _there(path: Path) -> bool:
    return path.is_symlink() or path.exists()
