"""``copier-pyo3 update``: run the update in a temporary work tree, then move the result into the project."""

import json
import os
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import plumbum

from copier_pyo3.errors import UserError
from copier_pyo3.generate.asking import check_data, one_sentence
from copier_pyo3.generate.kept import forget
from copier_pyo3.generate.kept import place as place_of_kept
from copier_pyo3.generate.render import render
from copier_pyo3.merge.tree import clash
from copier_pyo3.project import moves, work_tree_beside
from copier_pyo3.project.answers import ANSWERS, answers_path, read_answers
from copier_pyo3.project.home import as_copier, is_home, without_password
from copier_pyo3.project.native import stale
from copier_pyo3.project.report import Report, check
from copier_pyo3.project.repository import GitError, Repository
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
    if earlier := moves.finish_earlier(repository, "update"):
        plan, report, started = earlier
        paths = sorted([*(path for path, _ in plan["written"]), *plan["deleted"]])
        return Update(plan["versions"][0], plan["versions"][1], paths, report, started)
    moves.discard(repository)
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
        state = moves.begin(repository)
        aside = _run_copier(repository, state, old, data, defaults, vcs_ref, answers_file, trust, whole=False)
        if _needs_all(repository, aside):
            new = read_answers((aside.project / answers_file).read_bytes(), answers_file)
            answered = {name: value for name, value in new.items() if not name.startswith("_")}
            moves.begin(repository)
            version = str(new["_commit"])
            aside = _run_copier(repository, state, old, answered, True, version, answers_file, trust, whole=True)
        made = _plan(repository, aside, old, answers_file)
    except OSError as error:
        moves.discard(repository)
        where = f"{Path(error.filename).name}: " if isinstance(error.filename, str) else ""
        raise UserError(f"the update failed ({where}{error.strerror or error}). The project is unchanged.") from error
    except GitError as error:
        moves.discard(repository)
        raise UserError(f"{error}. The project is unchanged.") from error
    except BaseException:
        moves.discard(repository)
        raise
    if made.changed:
        moves.move_in(repository, made.report)
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
                raise UserError(f"{moves.in_the_way(path, other)} The project is unchanged.") from error
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


def _plan(repository: Repository, aside: Repository, old: Mapping[str, Any], answers_file: str) -> Update:
    """Save the list of the changed files. From then on the update will be finished."""
    new = read_answers((aside.project / answers_file).read_bytes(), answers_file)
    deleted = sorted(aside.paths("diff", "--name-only", "--relative", "-z", "--diff-filter=D", "HEAD", "--"))
    written_report = _written_report(aside)
    report = written_report or Report()
    deleted = sorted({*deleted} | ({*report.deleted} & repository.tree("HEAD").files.keys()))
    if not written_report:  # this version of the template has no such migration
        report.left |= dict.fromkeys(aside.unmerged(), "in conflict: run `copier-pyo3 resolve`")
        check(aside, "HEAD", report)
    written = moves.made_in(repository, aside, report)
    versions = (str(old["_commit"]), str(new["_commit"]))
    made = Update(*versions, sorted([*written, *deleted]), report)
    if made.changed:
        about = {"verb": "update", "versions": versions, "stale": stale(repository, old, new)}
        moves.save(repository, aside, written, deleted, answers_file, report, about)
    else:
        moves.discard(repository)
    return made
