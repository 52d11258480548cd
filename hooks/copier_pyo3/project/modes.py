"""Permissions of the user's files, such as read-only or private, which neither git nor Copier preserves."""

import json
import os
import stat
from pathlib import Path
from typing import Final

from copier_pyo3.project.repository import Repository

MODES: Final = "copier-pyo3-modes.json"  # in the git directory, from before Copier renders until after its merge


def remember(repository: Repository) -> None:
    """Save the permissions that git does not store, and make read-only files writable for Copier."""
    if os.name != "posix":
        return
    mask = os.umask(0)
    os.umask(mask)
    usual = {0o666 & ~mask, 0o777 & ~mask}
    modes = {}
    for name in repository.paths("ls-files", "-z"):
        try:
            mode = (repository.project / name).lstat().st_mode
        except OSError:  # deleted, or in a folder that cannot be read
            continue
        if stat.S_ISREG(mode) and stat.S_IMODE(mode) not in usual:
            modes[name] = stat.S_IMODE(mode)
            if not mode & stat.S_IWUSR:
                (repository.project / name).chmod(stat.S_IMODE(mode) | stat.S_IWUSR)
    if modes:
        (repository.folder / MODES).write_text(json.dumps(modes), encoding="utf-8")


def restore(repository: Repository) -> None:
    """Restore the saved permissions. The template decides whether a file is executable."""
    record = repository.folder / MODES
    if not record.is_file():
        return
    for name, mode in json.loads(record.read_text(encoding="utf-8")).items():
        path = repository.project / name
        if path.is_file() and not path.is_symlink():
            path.chmod(with_x(mode, bool(path.stat().st_mode & stat.S_IXUSR)))
    record.unlink()


def with_x(mode: int, executable: bool) -> int:
    """The mode, with the executable bits set for everyone who can read, or cleared."""
    bits = stat.S_IMODE(mode) & ~0o111
    return bits | ((bits & 0o444) >> 2) if executable else bits


def keep(target: Path, source: Path) -> None:
    """Copy the permissions of target to source, which will replace it."""
    if os.name == "posix" and target.is_file() and not target.is_symlink() and not source.is_symlink():
        source.chmod(with_x(target.stat().st_mode, bool(source.stat().st_mode & stat.S_IXUSR)))
    elif os.name != "posix" and target.is_file():  # Windows refuses to rename over a read-only file
        target.chmod(stat.S_IWRITE)
