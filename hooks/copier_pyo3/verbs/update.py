"""Updates a project: what Copier merges by lines is merged again by meaning, file by file.

`finish` runs as the template's `after` migration, so a plain `copier update` ends with it. `resolve` does the same where
it did not run. `update` runs the whole update beside the project and then moves the result in place.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import copier
import yaml

from copier_pyo3 import migrations
from copier_pyo3.generate.asking import check_data, one_sentence
from copier_pyo3.errors import UserError
from copier_pyo3.merge.file import LABELS, merge_lines, unreadable
from copier_pyo3.merge.tree import Blob, Outcome, Tree, merge_trees
from copier_pyo3.project.repository import GitError, Repository

ANSWERS: Final = ".copier-answers.yml"
REPORT: Final = (
    "copier-pyo3-report.json"  # in git's folder: where `update` wants the migration's report, if it is there
)


@dataclass
class Report:
    """What an update did, for people."""

    told: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def print(self) -> None:
        """Tell it on stderr, as Copier does."""
        for line in self.told:
            print(f"  {line}", file=sys.stderr)
        for path, why in sorted(self.left.items()):
            print(f"  {path}: LEFT FOR YOU: {why}", file=sys.stderr)


# --- the migration ---------------------------------------------------------------------------------


def finish(project: Path, answers_file: str, template: str, old_version: str, new_version: str) -> None:
    """Merge again what Copier has merged, knowing what both versions of the template make, and tell what was decided.

    Copier starts from a clean work tree, so the user's files are those of the last commit.

    Args:
        project: folder of the project, just updated by Copier.
        answers_file: path of the answers file in it.
        template: folder with the template's git repository.
        old_version: version that the project was made with.
        new_version: version that it has now.

    Raises:
        UserError: the template cannot be rendered.
    """
    repository = Repository(project)
    report = _merge_again(repository, "HEAD", answers_file, template, old_version, new_version)
    report.told += migrations.after(project, old_version, new_version)
    _check(repository, "HEAD", report)
    place = repository.folder / REPORT
    if place.exists():
        place.write_text(json.dumps(asdict(report)), encoding="utf-8")
    else:
        report.print()


def _merge_again(
    repository: Repository,
    before: str,
    answers_file: str,
    template: str,
    old_version: str,
    new_version: str,
    only: set[str] | None = None,
) -> Report:
    """Let the work tree be what the three-way merge makes of the commit before the update."""
    try:
        old = _answers(repository.git("show", f"{before}:./{answers_file}"), answers_file)
    except GitError as error:
        raise UserError(f"{answers_file} is not in {before}: commit the project as it was made first.") from error
    new = _answers((repository.project / answers_file).read_bytes(), answers_file)
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
        trees = []
        for name, answers, version in (("base", old, old_version), ("theirs", new, new_version)):
            _render(template, Path(aside, name), answers, version)
            trees.append(repository.tree_of(Path(aside, name), Path(aside, f"{name}.index")))
    base, theirs = trees
    ours = repository.tree(before)
    outcome = merge_trees(repository, base, ours, theirs, skip={answers_file})
    _place(repository, ours, theirs, outcome, answers_file, only)
    return Report(outcome.told, outcome.left)


def _answers_path(repository: Repository, answers_file: str) -> Path:
    path = repository.project / answers_file
    if Path(answers_file).is_absolute():
        raise UserError(f"{answers_file} is an absolute path: name the answers file as seen from the project's folder.")
    if not path.is_file():
        raise UserError(f"there is no {answers_file} in {repository.project}: it is no project of this template.")
    return path


def _answers(content: bytes, name: str) -> dict[str, Any]:
    try:
        answers = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{name} is not YAML in UTF-8: put it back as Copier wrote it.") from error
    if not isinstance(answers, dict) or not {"_commit", "_src_path"} <= answers.keys():
        raise UserError(f"{name} does not say which template made the project (_src_path, _commit): was it edited?")
    return answers


def _render(template: str, folder: Path, answers: Mapping[str, Any], version: str) -> None:
    data = {name: value for name, value in answers.items() if not name.startswith("_")}
    with one_sentence(f"So version {version} cannot be rendered again.", template), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copier.run_copy(
            template, folder, data=data, vcs_ref=version, defaults=True, overwrite=True, quiet=True, unsafe=True
        )


def _place(
    repository: Repository, ours: Tree, theirs: Tree, outcome: Outcome, answers_file: str, only: set[str] | None
) -> None:
    """Write the outcome over the work tree, whatever stands there, and take the paths' conflicts out of the index."""
    changed = {*repository.paths("diff", "--name-only", "--relative", "-z", "HEAD", "--"), *repository.unmerged()}
    added = {*repository.paths("ls-files", "--others", "--exclude-standard", "-z")}
    rejected = {path for path in added if path.endswith(".rej")}
    paths = (changed | outcome.deleted | outcome.written.keys() | (added & theirs.files.keys()) | rejected) - {
        answers_file
    }
    if only is not None:
        paths &= only
        outcome.left = {path: why for path, why in outcome.left.items() if path in only}
        outcome.told = [line for line in outcome.told if line.partition(":")[0] in only]
    committed = repository.tree("HEAD").files
    index: dict[str, dict[int, Blob]] = {}
    kept = sorted(
        path for path in paths if path not in outcome.written and path not in outcome.deleted and path in ours.files
    )
    contents = repository.contents(ours.files[path] for path in kept if ours.files[path].is_file)
    for path in sorted(paths):
        target = repository.project / path
        if path in outcome.written:
            mode, content = outcome.written[path]
            _write(target, repository.checked_out(path, content), mode)
        elif path in kept and ours.files[path].is_file:
            _write(target, repository.checked_out(path, contents[ours.files[path].oid]), ours.files[path].mode)
        elif path not in ours.files or path in outcome.deleted:
            target.unlink(missing_ok=True)
            _remove_empty(target.parent, repository.project)
        index[path] = outcome.stages.get(path) or ({0: committed[path]} if path in committed else {})
    repository.set_index(index)


def _write(target: Path, content: bytes, mode: str) -> None:
    """Write a file if it is not so already."""
    executable = mode == "100755"
    if target.is_file() and not target.is_symlink() and target.read_bytes() == content:
        if os.name == "posix" and bool(target.stat().st_mode & 0o100) != executable:
            target.chmod(0o755 if executable else 0o644)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".copier-pyo3-", delete=False) as new:
        new.write(content)
    if target.is_file():
        shutil.copymode(target, new.name)
    else:
        Path(new.name).chmod(0o755 if executable else 0o644)
    Path(new.name).replace(target)


def _remove_empty(folder: Path, stop: Path) -> None:
    while folder != stop and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _check(repository: Repository, before: str, report: Report) -> None:
    """Read every TOML file and workflow once more, whether it was merged or not; what was wrong before is not told."""
    for path in repository.files():
        name = path.relative_to(repository.project).as_posix()
        if path.suffix not in (".toml", ".yml", ".yaml") or name in report.left:
            continue
        if path.suffix != ".toml" and not name.startswith((".github/", ".pre-commit")):
            continue
        if (problem := unreadable(name, path.read_bytes())) and not _was_unreadable(repository, before, name):
            report.left[name] = problem


def _was_unreadable(repository: Repository, before: str, name: str) -> bool:
    try:
        return unreadable(name, repository.git("show", f"{before}:./{name}")) is not None
    except GitError:  # there was none
        return False


# --- resolve ---------------------------------------------------------------------------------------


def resolve(project: Path, answers_file: str = ANSWERS) -> Report:
    """Merge by meaning what an update has left in conflict, in the index or committed with its markers.

    Only what is as the update left it is merged again; where somebody has gone on since, it stays, and is told.

    Raises:
        UserError: the project's history does not tell what it was before the update, or git is merging something else.
    """
    repository = Repository(project)
    path = _answers_path(repository, answers_file)
    unmerged = repository.unmerged()
    broken = {name for name in repository.paths("ls-files", "-z") if _broken(repository.project / name)}
    found = unmerged.keys() | broken | {*_marked(repository)}
    if not found - {answers_file}:
        return Report()
    new = _answers(path.read_bytes(), answers_file)
    before, commit = _before_the_update(repository, answers_file)
    if unmerged and (commit or repository.is_merging()):
        raise UserError(
            f"git has conflicts that are not from an update ({min(unmerged)}): settle them and commit, then try again."
        )
    touched = {
        *repository.paths("diff", "--name-only", "--relative", "-z", before, *([commit] if commit else []), "--")
    }
    found = (found & (touched | unmerged.keys())) - {answers_file}
    if commit:
        since = {*repository.paths("diff", "--name-only", "--relative", "-z", commit, "--")}
    else:
        since = {name for name in found if not _as_copier_left_it(repository, name, unmerged.get(name, {}))}
    old = _answers(repository.git("show", f"{before}:./{answers_file}"), answers_file)
    report = Report()
    if found - since:
        report = _merge_again(
            repository,
            before,
            answers_file,
            str(new["_src_path"]),
            str(old["_commit"]),
            str(new["_commit"]),
            found - since,
        )
    for name in sorted(found & since):
        report.left[name] = "edited since the update: take the markers that are left out by hand, and `git add` it"
    _check(repository, before, report)
    return report


def _marked(repository: Repository) -> list[str]:
    """Files with the markers that Copier writes."""
    try:
        return repository.paths("grep", "-l", "-z", "-e", f"^<<<<<<< {LABELS[0]}$", "--", ".")
    except GitError:  # git grep fails when it finds nothing
        return []


def _broken(path: Path) -> bool:
    return path.suffix == ".toml" and path.is_file() and unreadable(path.name, path.read_bytes()) is not None


def _as_copier_left_it(repository: Repository, name: str, stages: Mapping[int, Blob]) -> bool:
    """Whether the file in the work tree is what git's merge made of the stages in the index, and nothing more."""
    path = repository.project / name
    if not (path.is_file() and {2, 3} <= stages.keys()):
        return False
    contents = repository.contents(stages.values())
    base, ours, theirs = (contents[stages[number].oid] if number in stages else b"" for number in (1, 2, 3))
    left, _ = merge_lines(base, ours, theirs, LABELS)
    return path.read_bytes().replace(b"\r\n", b"\n") == left.replace(b"\r\n", b"\n")


def _before_the_update(repository: Repository, answers_file: str) -> tuple[str, str | None]:
    """The commit before the update, and the update's own commit, if it has been committed."""
    if repository.git("diff", "HEAD", "--", answers_file):
        return "HEAD", None
    commit = repository.text("log", "-1", "--format=%H", "--", answers_file)
    try:
        return repository.text("rev-parse", "--verify", "--quiet", f"{commit}^"), commit
    except GitError as error:
        raise UserError(
            "the commit before the update is not here, as in a shallow clone: run `git fetch --unshallow` and try again."
        ) from error


# --- update ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Update:
    """What `update` did."""

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
) -> Update:
    """Update a project: as `copier update --trust`, but the project changes whole or not at all.

    Copier works in a git worktree beside the project. What it made is then moved in place by renames that are written
    down first: a run that is killed among them is finished by the next one.

    Raises:
        UserError: the update cannot start, or it failed; the project is as it was.
    """
    import filelock  # not there under a bare Copier, which needs `finish` alone

    repository = Repository(project)
    try:
        with filelock.FileLock(repository.folder / "copier-pyo3.lock", blocking=False):
            return _update(repository, data, defaults, vcs_ref, answers_file)
    except filelock.Timeout as error:
        raise UserError("another update is running in this repository: wait for its end.") from error


def _update(
    repository: Repository, data: Mapping[str, Any], defaults: bool, vcs_ref: str | None, answers_file: str
) -> Update:
    state = repository.folder / "copier-pyo3"
    if made := _finish_earlier(repository, state):
        return made
    _discard(repository, state)
    old = _answers(_answers_path(repository, answers_file).read_bytes(), answers_file)
    if changes := repository.changes():
        raise UserError(
            f"{repository.project} has changes that are not committed ({changes[0].strip()}): commit or stash them first."
        )
    try:
        repository.text("rev-parse", "--verify", "--quiet", "HEAD")
    except GitError as error:
        raise UserError(f"{repository.project} has no commit yet: commit it first.") from error
    try:
        state.mkdir(parents=True)
        aside = _run_copier(repository, state, str(old["_src_path"]), data, defaults, vcs_ref, answers_file)
        made = _plan(repository, aside, state, old, answers_file)
    except OSError as error:
        _discard(repository, state)
        raise UserError(f"the update failed ({error.strerror or error}); the project is as it was.") from error
    except BaseException:
        _discard(repository, state)
        raise
    if made.changed:
        _move_in(repository, state)
    return made


def _run_copier(
    repository: Repository,
    state: Path,
    home: str,
    data: Mapping[str, Any],
    defaults: bool,
    vcs_ref: str | None,
    answers_file: str,
) -> Repository:
    """Let Copier update a work tree of its own; returns the project's folder in there."""
    tree = state / "tree"
    # No hooks, as in Copier's own calls of git: they are for what the user does.
    no_hooks = ("-c", f"core.hooksPath={os.devnull}")
    repository.git(*no_hooks, "worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
    aside = Repository(tree / repository.prefix)
    (aside.folder / REPORT).touch()
    with one_sentence("The project is as it was.", home), warnings.catch_warnings():
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
            unsafe=True,
        )
    try:
        check_data(
            data, worker.template.questions_data
        )  # of the new version, which nobody has before Copier fetches it
    except UserError as error:
        raise UserError(f"{error} The project is as it was.") from error
    return aside


def _plan(repository: Repository, aside: Repository, state: Path, old: Mapping[str, Any], answers_file: str) -> Update:
    """Copy what changed into the state folder and write down what is to do; from then on the update is decided."""
    new = _answers((aside.project / answers_file).read_bytes(), answers_file)
    written = {*aside.paths("diff", "--name-only", "--relative", "-z", "--diff-filter=d", "HEAD", "--")}
    deleted = sorted(aside.paths("diff", "--name-only", "--relative", "-z", "--diff-filter=D", "HEAD", "--"))
    untracked = {*aside.paths("ls-files", "--others", "-z")}
    written_report = (aside.folder / REPORT).read_text(encoding="utf-8")
    report = Report(**json.loads(written_report)) if written_report else Report()
    for path in sorted(untracked):
        if (repository.project / path).exists():  # ignored by git, so an update has no business there
            report.told.append(f"{path}: kept yours, a file that git ignores")
        else:
            written.add(path)
    if not written_report:  # a version of the template without the migration
        report.left |= dict.fromkeys(aside.unmerged(), "in conflict: run `copier-pyo3 resolve`")
        _check(aside, "HEAD", report)
    # The answers file is the last: until it is in place, the project says that it has its former version.
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


def _digest(path: Path) -> str:
    content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _finish_earlier(repository: Repository, state: Path) -> Update | None:
    """Finish an update that was broken off while its files were moved in; None if there is none, or it was undone.

    Raises:
        UserError: what it would write over has been changed since, or it is that of another project.
    """
    if not (state / "plan.json").is_file():
        return None
    plan = json.loads((state / "plan.json").read_text(encoding="utf-8"))
    if plan["prefix"] != repository.prefix:
        raise UserError(
            f'an update of "{plan["prefix"] or "."}" in this repository was broken off: finish it first, by '
            "`copier-pyo3 update` there."
        )
    if plan["head"] != repository.text("rev-parse", "HEAD"):
        _discard(repository, state)
        raise UserError(
            "an update was broken off and the project has been committed since: it was dropped, start it again."
        )
    sources = {path: state / "new" / str(number) for number, (path, _) in enumerate(plan["written"])}
    started = not all(_there(source) for source in sources.values())
    if started and not repository.changes():
        return None  # the user has put everything back
    # Each file has to be as it was, or as the update has left it.
    changed = {*repository.paths("diff", "--name-only", "--relative", "-z", "HEAD", "--")}
    changed |= {*repository.paths("ls-files", "--others", "-z")}
    for path, digest in plan["written"]:
        target = repository.project / path
        if path in changed if _there(sources[path]) else not (_there(target) and _digest(target) == digest):
            raise _changed_since(path)
    for path in plan["deleted"]:
        if path in changed and _there(repository.project / path):
            raise _changed_since(path)
    _move_in(repository, state)
    changed_paths = sorted([*sources, *plan["deleted"]])
    return Update(plan["versions"][0], plan["versions"][1], changed_paths, Report(**plan["report"]), started)


def _there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _changed_since(path: str) -> UserError:
    return UserError(
        f"an update was broken off, and {path} has been changed since: `git stash --include-untracked` what is not "
        "committed, update again, commit, and then `git stash pop`."
    )


def _move_in(repository: Repository, state: Path) -> None:
    """Move the files in place as planned; what an earlier run has moved is skipped.

    Raises:
        UserError: a file cannot be written; the project is as it was.
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
            _remove_empty((repository.project / path).parent, repository.project)
        stages = {
            path: {int(number): Blob(**blob) for number, blob in each.items()} for path, each in plan["stages"].items()
        }
        repository.set_index(stages)
    except (OSError, GitError) as error:
        _roll_back(repository, plan)
        _discard(repository, state)
        why = error.strerror if isinstance(error, OSError) else str(error)
        name = getattr(error, "filename2", None) or getattr(error, "filename", None) or ""
        raise UserError(f"{name or repository.project} cannot be written ({why}); the project is as it was.") from error
    _discard(repository, state)


def _move(source: Path, target: Path) -> None:
    """Rename, or copy aside and rename where git's folder is on another file system."""
    if target.is_file():
        shutil.copymode(target, source) if os.name != "posix" else None
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
    """The work tree was clean when the update started, so the last commit has what was there."""
    committed = repository.tree("HEAD").files
    written = [path for path, _ in plan["written"]]
    touched = [path for path in [*written, *plan["deleted"]] if path in committed]
    for path in written:
        if path not in committed:
            (repository.project / path).unlink(missing_ok=True)
            _remove_empty((repository.project / path).parent, repository.project)
    for path in touched:
        try:
            repository.git("checkout", "--quiet", "HEAD", "--", path)
        except GitError as error:
            print(f"copier-pyo3: {path}: {error}", file=sys.stderr)


def _discard(repository: Repository, state: Path) -> None:
    """Take away what an update works with."""
    if not state.exists():
        return
    (state / "plan.json").unlink(missing_ok=True)
    shutil.rmtree(state, ignore_errors=True)
    repository.git("worktree", "prune")
