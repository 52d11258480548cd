"""``copier-pyo3 resolve``: merges again, by structure, the files that an update left in conflict."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from copier_pyo3.errors import UserError
from copier_pyo3.merge.blob import Blob, Tree
from copier_pyo3.merge.file import LABELS, merge_lines, unreadable
from copier_pyo3.project.answers import ANSWERS, answers_path, read_answers
from copier_pyo3.project.home import as_copier, is_home
from copier_pyo3.project.report import Report, check
from copier_pyo3.project.repository import Repository
from copier_pyo3.verbs.finish import merge_again, rendered

REJECTED = ".rej"  # written by `copier update --conflict rej`


def resolve(project: Path, answers_file: str = ANSWERS, trust: bool = False) -> Report:
    """Resolve the conflicts of updates: in the index, in .rej files, or committed with conflict markers.

    Only files that are as the update left them are merged again. Files that were edited since are reported. If an update was
    committed on top of the conflicts of another one, both are merged again as one update.

    Args:
        project: folder of the project.
        answers_file: path of the answers file in it.
        trust: as in `update`.

    Raises:
        UserError: the commit before the update is missing, or git has conflicts that are not from an update.
    """
    repository = Repository(project)
    path = answers_path(repository.project, answers_file)
    unmerged = repository.unmerged()
    rejected = _rejected(repository)
    broken = {name for name in repository.paths("ls-files", "-z") if _broken(repository.project / name)}
    found = unmerged.keys() | broken | _marked(repository) | rejected
    if not found - {answers_file}:
        return Report()
    new = read_answers(path.read_bytes(), answers_file)
    updates = _updates(repository, answers_file)
    if unmerged and (updates.commits or repository.is_merging()) and not updates.uncommitted:
        raise UserError(
            f"git has conflicts that are not from an update ({min(unmerged)}): resolve them and commit, then try again."
        )
    found = (found & (updates.touched(repository) | unmerged.keys() | rejected)) - {answers_file}
    since = updates.edited_since(repository) & found
    report = Report()
    if found:
        old = read_answers(repository.git("show", f"{updates.before}:./{answers_file}"), answers_file)
        template = as_copier(str(new["_src_path"]))
        trust = trust or is_home(template, str(old["_commit"]), str(new["_commit"]))
        base, theirs = rendered(repository, template, old, new, trust)
        if updates.uncommitted:
            since |= {
                name for name in found if not _as_copier_left_it(repository, name, unmerged.get(name, {}), base, theirs)
            }
        if only := found - since:
            only |= {name + REJECTED for name in only}
            report = merge_again(repository, updates.before, answers_file, base, theirs, only)
    for name in sorted(since):
        what = f"apply {name}{REJECTED} by hand and delete it" if name in rejected else ""
        report.left[name] = "edited since the update: " + (
            what or "remove the conflict markers by hand, and run `git add`"
        )
    check(repository, updates.before, report)
    return report


# --- the conflicts -----------------------------------------------------------------------------------


def _marked(repository: Repository, *revision: str) -> set[str]:
    """Files with Copier's conflict markers in the work tree or in a revision."""
    listed = repository.found("grep", "-l", "-z", "-e", f"^<<<<<<< {LABELS[0]}$", *revision, "--", ".")
    found = {os.fsdecode(path) for path in listed.split(b"\0") if path}
    return {path.removeprefix(f"{revision[0]}:") for path in found} if revision else found


def _rejected(repository: Repository) -> set[str]:
    """Files with a .rej file, which git may ignore."""
    names = repository.paths("ls-files", "-z", "--cached", "--others", "--", f":(glob)**/*{REJECTED}")
    files = [name for name in names if (repository.project / name).is_file()]
    tracked = {*repository.paths("ls-files", "-z")}
    return {stem for name in files if (stem := name.removesuffix(REJECTED)) in tracked}


def _left_in(repository: Repository, commit: str) -> set[str]:
    """Files in a commit that have conflict markers or a .rej file."""
    names = repository.paths("ls-tree", "-r", "-z", "--name-only", commit)
    return _marked(repository, commit) | {
        name.removesuffix(REJECTED)
        for name in names
        if name.endswith(REJECTED) and name.removesuffix(REJECTED) in names
    }


def _broken(path: Path) -> bool:
    return path.suffix == ".toml" and path.is_file() and unreadable(path.name, path.read_bytes()) is not None


# --- the updates that caused them ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Updates:
    """Updates that are merged again as one."""

    before: str
    """The commit before all of them."""
    commits: tuple[str, ...]
    """The commits of the updates, newest first."""
    uncommitted: bool
    """Whether the newest update is not committed."""

    def touched(self, repository: Repository) -> set[str]:
        """Files changed by the updates or between them."""
        upto = [] if self.uncommitted else [self.commits[0]]
        return _differing(repository, self.before, *upto)

    def edited_since(self, repository: Repository) -> set[str]:
        """Files changed after one of the updates."""
        found: set[str] = set()
        later = ["HEAD"] if self.uncommitted else []
        for commit in self.commits:
            found |= _differing(repository, commit, *later)
            later = [f"{commit}^"]
        return found


def _differing(repository: Repository, *revisions: str) -> set[str]:
    return {*repository.paths("diff", "--name-only", "--relative", "-z", *revisions, "--")}


def _updates(repository: Repository, answers_file: str) -> _Updates:
    """The last update, and earlier ones whose conflicts it did not resolve."""
    uncommitted = bool(repository.git("diff", "--name-only", "HEAD", "--", answers_file))
    earlier = repository.text("log", "--format=%H", "--", answers_file).splitlines()
    commits = [] if uncommitted else earlier[:1]
    before = "HEAD" if uncommitted else _parent(repository, earlier[0])
    left = _left_in(repository, before)
    chain = list(commits)
    for commit in earlier[len(commits) :]:
        if not left:
            break
        chain.append(commit)
        try:
            parent = _parent(repository, commit)
        except UserError:
            break
        if left & (_left_in(repository, commit) - _left_in(repository, parent)):
            before, commits, left = parent, list(chain), _left_in(repository, parent)
    return _Updates(before, tuple(commits), uncommitted)


def _parent(repository: Repository, commit: str) -> str:
    parent = repository.found("rev-parse", "--verify", "--quiet", f"{commit}^").decode().strip()
    if not parent:
        raise UserError(
            "the commit before the update is missing (shallow clone?): run `git fetch --unshallow` and try again."
        )
    return parent


# --- is the file as the update left it? ----------------------------------------------------------------


def _as_copier_left_it(repository: Repository, name: str, stages: Mapping[int, Blob], base: Tree, theirs: Tree) -> bool:
    """Whether the file in the work tree is exactly as Copier wrote it."""
    path = repository.project / name
    if not path.is_file():
        return False
    now = _plain(path.read_bytes())
    if {2, 3} <= stages.keys():
        contents = repository.contents(stages.values())
        sides = [contents[stages[number].oid] if number in stages else b"" for number in (1, 2, 3)]
        return now == _plain(merge_lines(sides[0], sides[1], sides[2], LABELS)[0])
    ours = repository.tree("HEAD").files.get(name)
    if ours is None:
        return False
    mine = repository.contents([ours])[ours.oid]
    if now == _plain(mine):  # left by an earlier update
        return True
    if not (name in base.files and name in theirs.files and path.with_name(path.name + REJECTED).is_file()):
        return False
    contents = repository.contents([base.files[name], theirs.files[name]])
    return now == _plain(_rejecting(contents[base.files[name].oid], mine, contents[theirs.files[name].oid]))


def _plain(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def _rejecting(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """The template's file with the hunks of the user's change that apply, like `copier update --conflict rej`."""
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-") as folder:
        for name, content in (("base", base), ("ours", ours), ("file", theirs)):
            Path(folder, name).write_bytes(content)
        command = ["git", "diff", "--no-index", "--no-color", "--no-ext-diff", "--unified=3"]
        for context in (-1, 0):  # as Copier: git 2.55 and later refuse -1
            files = [f"--inter-hunk-context={context}", "base", "ours"]
            done = subprocess.run([*command, *files], cwd=folder, capture_output=True, check=False)
            if done.returncode <= 1:  # 1: they differ
                break
        diff = done.stdout.replace(b"a/base", b"a/file").replace(b"b/ours", b"b/file")
        # Outside of any repository, so that git does not convert line endings.
        subprocess.run(["git", "apply", "--reject", "-"], cwd=folder, input=diff, capture_output=True, check=False)
        return Path(folder, "file").read_bytes()
