"""``copier-pyo3 resolve``: merges by meaning what an update has left in conflict."""

from collections.abc import Mapping
from pathlib import Path

from copier_pyo3.errors import UserError
from copier_pyo3.merge.file import LABELS, merge_lines, unreadable
from copier_pyo3.merge.tree import Blob
from copier_pyo3.project.answers import ANSWERS, answers_path, read_answers
from copier_pyo3.project.report import Report, check
from copier_pyo3.project.repository import GitError, Repository
from copier_pyo3.verbs.finish import merge_again


def resolve(project: Path, answers_file: str = ANSWERS) -> Report:
    """Merge by meaning what an update has left in conflict, in the index or committed with its markers.

    Only what is as the update left it is merged again; where somebody has gone on since, it stays, and is told.

    Raises:
        UserError: the project's history does not tell what it was before the update, or git is merging something else.
    """
    repository = Repository(project)
    path = answers_path(repository.project, answers_file)
    unmerged = repository.unmerged()
    broken = {name for name in repository.paths("ls-files", "-z") if _broken(repository.project / name)}
    found = unmerged.keys() | broken | {*_marked(repository)}
    if not found - {answers_file}:
        return Report()
    new = read_answers(path.read_bytes(), answers_file)
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
    old = read_answers(repository.git("show", f"{before}:./{answers_file}"), answers_file)
    report = Report()
    if found - since:
        report = merge_again(
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
    check(repository, before, report)
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
