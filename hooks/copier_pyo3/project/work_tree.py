"""Writes the result of a merge to the work tree and the index."""

import os
import tempfile
from pathlib import Path

from copier_pyo3.merge.blob import Blob, Tree
from copier_pyo3.merge.tree import Outcome
from copier_pyo3.project.modes import keep, with_x
from copier_pyo3.project.repository import Repository


def place(
    repository: Repository,
    ours: Tree,
    theirs: Tree,
    committed: Tree,
    outcome: Outcome,
    answers_file: str,
    only: set[str] | None,
) -> None:
    """Overwrite the work tree with the result, and remove the conflicts of its paths from the index.

    Args:
        repository: the project's repository, or a temporary work tree of it.
        ours: the user's files before the merge.
        theirs: the files of the new version.
        committed: the user's files for the index, apart from conflicts.
        outcome: result of the merge.
        answers_file: path of the answers file, which is not changed.
        only: the paths that may be written, or None for all.
    """
    changed = {*repository.paths("diff", "--name-only", "--relative", "-z", "HEAD", "--"), *repository.unmerged()}
    added = {*repository.paths("ls-files", "--others", "--exclude-standard", "-z")}
    # Copier's .rej files. Git may ignore them, and a bot may have committed them.
    rejects = repository.paths("ls-files", "--cached", "--others", "-z", "--", ":(glob)**/*.rej")
    known = ours.files.keys() | theirs.files.keys()
    rejected = {path for path in rejects if path.removesuffix(".rej") in known and path not in ours.files}
    paths = (changed | outcome.deleted | outcome.written.keys() | (added & theirs.files.keys()) | rejected) - {
        answers_file
    }
    if only is not None:
        paths &= only
        outcome.left = {path: why for path, why in outcome.left.items() if path in only}
        outcome.told = [line for line in outcome.told if line.partition(":")[0] in only]
    index: dict[str, dict[int, Blob]] = {}
    kept = sorted(
        path for path in paths if path not in outcome.written and path not in outcome.deleted and path in ours.files
    )
    contents = repository.contents(
        ours.files[path] for path in kept if ours.files[path].is_file or ours.files[path].is_link
    )
    for path in sorted(paths):
        target = repository.project / path
        if path in outcome.written:
            mode, content = outcome.written[path]
            _write(target, repository.checked_out(path, content), mode)
        elif path in kept and ours.files[path].is_file:
            _write(target, repository.checked_out(path, contents[ours.files[path].oid]), ours.files[path].mode)
        elif path in kept and ours.files[path].is_link:
            target.unlink(missing_ok=True)
            target.symlink_to(os.fsdecode(contents[ours.files[path].oid]))
        elif path not in ours.files or path in outcome.deleted:
            target.unlink(missing_ok=True)
            remove_empty(target.parent, repository.project)
        index[path] = outcome.stages.get(path) or ({0: committed.files[path]} if path in committed.files else {})
    repository.set_index(index)


def _write(target: Path, content: bytes, mode: str) -> None:
    """Write a file if its contents or mode differ."""
    executable = mode == "100755"
    if target.is_file() and not target.is_symlink() and target.read_bytes() == content:
        if os.name == "posix" and bool(target.stat().st_mode & 0o100) != executable:
            target.chmod(with_x(target.stat().st_mode, executable))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".copier-pyo3-", delete=False) as new:
        new.write(content)
    Path(new.name).chmod(0o755 if executable else 0o644)
    keep(target, Path(new.name))
    Path(new.name).replace(target)


def remove_empty(folder: Path, stop: Path) -> None:
    """Remove a folder and its parents below stop if they are empty."""
    while folder != stop and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
