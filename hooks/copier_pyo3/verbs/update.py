"""``copier-pyo3 update``: run the update in a temporary work tree, then move the result into the project."""

import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import copier
import plumbum

from copier_pyo3.errors import UserError
from copier_pyo3.generate.asking import check_data, one_sentence
from copier_pyo3.generate.kept import forget
from copier_pyo3.generate.kept import place as place_of_kept
from copier_pyo3.generate.render import render
from copier_pyo3.merge.blob import Blob
from copier_pyo3.merge.tree import clash
from copier_pyo3.project import work_tree_beside
from copier_pyo3.project.answers import ANSWERS, answers_path, read_answers
from copier_pyo3.project.home import as_copier, is_home, without_password
from copier_pyo3.project.modes import keep
from copier_pyo3.project.native import remove_stale, stale
from copier_pyo3.project.report import Report, check
from copier_pyo3.project.repository import GitError, Repository
from copier_pyo3.project.work_tree import remove_empty
from copier_pyo3.verbs.finish import REPORT


@dataclass(frozen=True)
class Update:
    """The result of `update`."""

    old_version: str
    new_version: str
    changed: list[str]
    report: Report
    finished_earlier: bool = False


def update(
    project: Path,
    *,
    data: Mapping[str, Any],
    defaults: bool = False,
    vcs_ref: str | None = None,
    answers_file: str = ANSWERS,
    trust: bool = False,
) -> Update:
    """Update a project like `copier update`. If the update fails, the project is unchanged.

    Copier works in a temporary git worktree. The resulting files are then renamed into place. The list of renames is saved
    first: if a run is killed while it renames, the next run finishes.

    Args:
        project: folder of the project.
        data: answers by question name.
        defaults: use the default answer of each new question.
        vcs_ref: version of the template, or None for the newest.
        answers_file: path of the answers file in the project.
        trust: run the template's code, whatever the answers file names as the template. Otherwise only the code of this
            package's own template runs, and of those that Copier's settings trust.

    Raises:
        UserError: the update cannot start, or it failed. The project is unchanged.
    """
    import filelock  # not installed with Copier, which only needs `finish`

    repository = Repository(project)
    try:
        with filelock.FileLock(repository.folder / "copier-pyo3.lock", blocking=False):
            return _update(repository, data, defaults, vcs_ref, answers_file, trust)
    except filelock.Timeout as error:
        raise UserError("another update is running in this repository: wait until it ends.") from error


def _update(
    repository: Repository,
    data: Mapping[str, Any],
    defaults: bool,
    vcs_ref: str | None,
    answers_file: str,
    trust: bool,
) -> Update:
    state = repository.folder / "copier-pyo3"
    if made := _finish_earlier(repository, state):
        return made
    _discard(repository, state)
    try:
        old = read_answers(answers_path(repository.project, answers_file).read_bytes(), answers_file)
        if changes := repository.changes():
            raise UserError(
                f"{repository.project} has uncommitted changes ({changes[0].strip()}): commit or stash them first."
            )
        if not repository.found("rev-parse", "--verify", "--quiet", "HEAD"):
            raise UserError(f"{repository.project} has no commits: commit the project first.")
        _need_readable_names(repository)
        trust = trust or is_home(as_copier(str(old["_src_path"])), str(old["_commit"]))
        state.mkdir(parents=True)
        aside = _run_copier(repository, state, old, data, defaults, vcs_ref, answers_file, trust, whole=False)
        if _needs_all(repository, aside):
            new = read_answers((aside.project / answers_file).read_bytes(), answers_file)
            answered = {name: value for name, value in new.items() if not name.startswith("_")}
            _discard(repository, state)
            state.mkdir()
            version = str(new["_commit"])
            aside = _run_copier(repository, state, old, answered, True, version, answers_file, trust, whole=True)
        made = _plan(repository, aside, state, old, answers_file)
    except OSError as error:
        _discard(repository, state)
        where = f"{Path(error.filename).name}: " if isinstance(error.filename, str) else ""
        raise UserError(f"the update failed ({where}{error.strerror or error}). The project is unchanged.") from error
    except GitError as error:
        _discard(repository, state)
        raise UserError(f"{error}. The project is unchanged.") from error
    except BaseException:
        _discard(repository, state)
        raise
    if made.changed:
        _move_in(repository, state, made.report)
    return made


def _need_readable_names(repository: Repository) -> None:
    """Raise UserError if a file name in the repository is not UTF-8, which Copier requires."""
    for name in repository.git("ls-tree", "-r", "-z", "--full-tree", "--name-only", "HEAD").split(b"\0"):
        try:
            name.decode("utf-8")
        except UnicodeDecodeError as error:
            shown = name.decode("utf-8", "backslashreplace")
            raise UserError(
                f"the file name {shown} is not UTF-8, which Copier requires: rename the file, commit, and try again."
            ) from error


def _run_copier(
    repository: Repository,
    state: Path,
    old: Mapping[str, Any],
    data: Mapping[str, Any],
    defaults: bool,
    vcs_ref: str | None,
    answers_file: str,
    trust: bool,
    whole: bool,
) -> Repository:
    """Let Copier update a temporary work tree. Returns the project's folder in it."""
    aside = work_tree_beside.add(repository, state / "tree", whole)
    (aside.folder / REPORT).write_text(json.dumps({"before": repository.text("rev-parse", "HEAD")}), encoding="utf-8")
    home = as_copier(str(old["_src_path"]))
    if home != old["_src_path"]:
        _correct_address(aside, answers_file, home)
    try:
        # Copier's temporary repositories share objects with the project's.
        kind = "sha256" if len(repository.text("rev-parse", "HEAD")) == 64 else "sha1"
        with (
            plumbum.local.env(GIT_DEFAULT_HASH=kind),
            one_sentence("The project is unchanged.", without_password(home), str(old["_commit"])),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            worker = copier.run_update(
                aside.project,
                data=dict(data),
                answers_file=answers_file,
                vcs_ref=vcs_ref,
                defaults=defaults,
                skip_answered=True,
                overwrite=True,
                quiet=True,
                unsafe=trust,
            )
    except (FileExistsError, NotADirectoryError, IsADirectoryError, AssertionError) as error:
        # Copier does not name the file, so render the new version to find it.
        with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as made:
            render(home, Path(made, "theirs"), {**old, **data}, vcs_ref, trust)
            theirs = repository.tree_of(Path(made, "theirs"), Path(made, "index")).files
        for path in theirs:
            if other := clash(path, repository.tree("HEAD").files):
                raise UserError(f"{_in_the_way(path, other)} The project is unchanged.") from error
        raise
    finally:
        forget(place_of_kept(os.getpid()))
    try:
        check_data(
            data, worker.template.questions_data
        )  # the questions of the new version are known only after Copier fetches it
    except UserError as error:
        raise UserError(f"{error} The project is unchanged.") from error
    return aside


def _correct_address(aside: Repository, answers_file: str, home: str) -> None:
    """Correct the template's address, which Copier takes for a folder, and commit that in the temporary work tree."""
    path = aside.project / answers_file
    text = path.read_text(encoding="utf-8")
    path.write_bytes(re.sub(r"(?m)^_src_path: .*$", lambda _: f"_src_path: {json.dumps(home)}", text).encode())
    who = ("-c", "user.name=copier-pyo3", "-c", "user.email=copier-pyo3@localhost")
    aside.git(*who, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "--all", "--message=Correct the address")


def _written_report(aside: Repository) -> Report | None:
    """The report of the template's migration, or None if the version has no such migration."""
    fields = json.loads((aside.folder / REPORT).read_text(encoding="utf-8"))
    known = {name: fields[name] for name in Report.__dataclass_fields__ if name in fields}
    return Report(**known) if "told" in fields else None


def _needs_all(repository: Repository, aside: Repository) -> bool:
    """Whether the work tree lacks files, and the merge assumed that it is complete."""
    report = _written_report(aside)
    head = repository.text("rev-parse", "HEAD")
    return aside.text("rev-parse", "HEAD") != head and (report is None or report.before != head)


def _in_the_way(path: str, other: str) -> str:
    if path.startswith(f"{other}/"):
        return f"the template has a file {path}, and you have a file {other}: move yours, commit, and update again."
    return f"the template has a file {path}, and you have a file {other}: move your folder, commit, and update again."


def _plan(repository: Repository, aside: Repository, state: Path, old: Mapping[str, Any], answers_file: str) -> Update:
    """Move the changed files into the state folder and save the plan. From then on the update will be finished."""
    new = read_answers((aside.project / answers_file).read_bytes(), answers_file)
    written = {*aside.paths("diff", "--name-only", "--relative", "-z", "--diff-filter=d", "HEAD", "--")}
    deleted = sorted(aside.paths("diff", "--name-only", "--relative", "-z", "--diff-filter=D", "HEAD", "--"))
    untracked = {*aside.paths("ls-files", "--others", "-z")}
    written_report = _written_report(aside)
    report = written_report or Report()
    deleted = sorted({*deleted} | ({*report.deleted} & repository.tree("HEAD").files.keys()))
    for path in sorted(untracked):
        mine = repository.project / path
        if mine.exists():  # git ignores it, so the update does not touch it
            report.told.append(f"{path}: kept your file, which git ignores")
        elif blocking := next((folder for folder in mine.parents if folder.is_file()), None):
            raise UserError(
                f"{_in_the_way(path, blocking.relative_to(repository.project).as_posix())} The project is unchanged."
            )
        else:
            written.add(path)
    if not written_report:  # this version of the template has no such migration
        report.left |= dict.fromkeys(aside.unmerged(), "in conflict: run `copier-pyo3 resolve`")
        check(aside, "HEAD", report)
    if aside.text("rev-parse", "HEAD") != repository.text("rev-parse", "HEAD"):
        # The work tree lacked these files. Copier wrote them, and the merge restored them.
        written -= {path for path in written if _as_it_is(repository.project / path, aside.project / path)}
    unlisted = repository.ignored(path for path in written if path not in repository.tree("HEAD").files)
    report.told += [f"{path}: git ignores this new file: run `git add --force {path}`" for path in sorted(unlisted)]
    # Move the answers file last: until then, it has the old version.
    order = sorted(written, key=lambda path: (path == answers_file, path))
    moves = []
    for number, path in enumerate(order):
        (state / "new").mkdir(exist_ok=True)
        (aside.project / path).replace(state / "new" / str(number))
        moves.append((path, _digest(state / "new" / str(number))))
    stages = {
        path: {str(number): asdict(blob) for number, blob in each.items()} for path, each in aside.unmerged().items()
    }
    versions = (str(old["_commit"]), str(new["_commit"]))
    plan = {
        "head": repository.text("rev-parse", "HEAD"),
        "prefix": repository.prefix,
        "versions": versions,
        "written": moves,
        "deleted": deleted,
        "stages": stages,
        "stale": stale(repository, old, new),
        "report": asdict(report),
    }
    made = Update(*versions, sorted([*written, *deleted]), report)
    if made.changed:
        unfinished = state / "plan.new"
        unfinished.write_text(json.dumps(plan), encoding="utf-8")
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(state / "plan.json")
    else:
        _discard(repository, state)
    return made


def _as_it_is(path: Path, new: Path) -> bool:
    if not (path.is_file() and new.is_file()) or path.is_symlink() or new.is_symlink():
        return False
    return path.read_bytes() == new.read_bytes() and not (path.stat().st_mode ^ new.stat().st_mode) & stat.S_IXUSR


def _digest(path: Path) -> str:
    content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _finish_earlier(repository: Repository, state: Path) -> Update | None:
    """Finish an update that was interrupted while it moved files. Returns None if there is none, or if it was undone.

    Raises:
        UserError: a file was changed after the interruption, or the update is of another project.
    """
    if not (state / "plan.json").is_file():
        return None
    plan = json.loads((state / "plan.json").read_text(encoding="utf-8"))
    if plan["prefix"] != repository.prefix:
        raise UserError(
            f'an update of "{plan["prefix"] or "."}" in this repository was interrupted: finish it with '
            "`copier-pyo3 update` there."
        )
    if plan["head"] != repository.text("rev-parse", "HEAD"):
        _discard(repository, state)
        raise UserError("an update was interrupted, and there are new commits since: it was discarded; start it again.")
    sources = {path: state / "new" / str(number) for number, (path, _) in enumerate(plan["written"])}
    started = not all(_there(source) for source in sources.values())
    if started and not repository.changes():
        return None  # the user has restored all files
    # Each file must be as it was, or as the update left it.
    changed = {*repository.paths("diff", "--name-only", "--relative", "-z", "HEAD", "--")}
    changed |= {*repository.paths("ls-files", "--others", "-z")}
    for path, digest in plan["written"]:
        target = repository.project / path
        if path in changed if _there(sources[path]) else not (_there(target) and _digest(target) == digest):
            raise _changed_since(path)
    for path in plan["deleted"]:
        if path in changed and _there(repository.project / path):
            raise _changed_since(path)
    report = Report(**plan["report"])
    _move_in(repository, state, report)
    changed_paths = sorted([*sources, *plan["deleted"]])
    return Update(plan["versions"][0], plan["versions"][1], changed_paths, report, started)


def _there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _changed_since(path: str) -> UserError:
    return UserError(
        f"an update was interrupted, and {path} was changed since: run `git stash --include-untracked`, update again, "
        "commit, and then run `git stash pop`."
    )


def _move_in(repository: Repository, state: Path, report: Report) -> None:
    """Move the files into place according to the plan, except those already moved. Adds to the report.

    Raises:
        UserError: a file cannot be written. The project is unchanged.
    """
    plan = json.loads((state / "plan.json").read_text(encoding="utf-8"))
    try:
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
        _discard(repository, state)
        why = error.strerror if isinstance(error, OSError) else str(error)
        name = getattr(error, "filename2", None) or getattr(error, "filename", None) or ""
        raise UserError(f"cannot write {name or repository.project} ({why}). The project is unchanged.") from error
    for path in plan["stale"]:
        remove_stale(repository, path, report)
    _discard(repository, state)


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
    """Restore the files from the last commit: the work tree was clean when the update started."""
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


def _discard(repository: Repository, state: Path) -> None:
    """Delete the temporary files of an update."""
    if not state.exists():
        return
    (state / "plan.json").unlink(missing_ok=True)
    shutil.rmtree(state, ignore_errors=True)
    repository.git("worktree", "prune")
