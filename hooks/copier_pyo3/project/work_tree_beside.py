"""The temporary work tree for Copier. For a large repository, it has only the files that an update reads."""

import os
from pathlib import Path, PurePosixPath
from typing import Final

from copier_pyo3.project.repository import Repository

# Below these limits, all files are checked out.
SMALL_COUNT: Final = 1000  # files
SMALL_SIZE: Final = 10_000_000  # bytes
LARGE_FILE: Final = 1_000_000  # bytes
READ: Final = {".rs", ".toml", ".yml", ".yaml"}  # by migrations and the final check
GIT: Final = {".gitattributes", ".gitignore", ".gitmodules"}


def add(repository: Repository, folder: Path, whole: bool = False) -> Repository:
    """Add a work tree. Returns the project's folder in it.

    It checks out the last commit, or a commit without the files that an update does not read. Those files are merged through
    git's objects, and written only if the update changes them.

    Args:
        repository: the project's repository.
        folder: path of the work tree.
        whole: check out all files.
    """
    # Disable hooks, as Copier does: they are for the user's commands.
    no_hooks = ("-c", f"core.hooksPath={os.devnull}")
    start = "HEAD" if whole else _reduced(repository, folder.with_name("reduced.index"))
    # Twice: git locks a work tree until it is complete, so an update that was killed can leave a locked one.
    force = ("--force", "--force")
    repository.git(*no_hooks, "worktree", "add", *force, "--quiet", "--detach", str(folder), start)
    return Repository(folder / repository.prefix)


def _reduced(repository: Repository, index: Path) -> str:
    """The last commit, or a commit with only the files that are read."""
    lines = repository.paths("ls-tree", "-r", "-l", "-z", "--full-tree", "HEAD")
    entries = [(*about.split(), path) for about, path in (line.split("\t", 1) for line in lines)]
    sizes = {path: int(size) if size != "-" else 0 for _, _, _, size, path in entries}
    if len(entries) <= SMALL_COUNT and sum(sizes.values()) <= SMALL_SIZE:
        return "HEAD"
    kept = [
        f"{mode} {oid}\t{path}"
        for mode, _, oid, _, path in entries
        if sizes[path] <= LARGE_FILE and _is_read(path, repository.prefix)
    ]
    entries_of_index = os.fsencode("\0".join([*kept, ""]))
    repository.git("update-index", "-z", "--index-info", stdin=entries_of_index, GIT_INDEX_FILE=str(index))
    tree = os.fsdecode(repository.git("write-tree", GIT_INDEX_FILE=str(index))).strip()
    made = repository.git(
        *("-c", "user.name=copier-pyo3", "-c", "user.email=copier-pyo3@localhost"),
        *("commit-tree", tree, "-m", "Files that an update reads"),
    )
    return os.fsdecode(made).strip()


def _is_read(path: str, prefix: str) -> bool:
    name = PurePosixPath(path)
    inside = path.removeprefix(prefix) if path.startswith(prefix) else None
    return name.name in GIT or (inside is not None and ("/" not in inside or name.suffix in READ))
