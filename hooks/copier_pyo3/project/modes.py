"""Permissions of the user's files, which git does not know and Copier does not keep: read-only files, private ones."""

import json
import os
import stat
from pathlib import Path
from typing import Final

from copier_pyo3.project.repository import Repository

MODES: Final = "copier-pyo3-modes.json"  # in git's folder, from before Copier renders to after its merge


def remember(repository: Repository) -> None:
    """Write down the permissions that are none of git's own, and let Copier write to what is read-only."""
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
    """Give them back; whether a file is executable is the template's to say."""
    record = repository.folder / MODES
    if not record.is_file():
        return
    for name, mode in json.loads(record.read_text(encoding="utf-8")).items():
        path = repository.project / name
        if path.is_file() and not path.is_symlink():
            path.chmod(with_x(mode, bool(path.stat().st_mode & stat.S_IXUSR)))
    record.unlink()


def with_x(mode: int, executable: bool) -> int:
    """The permissions, with leave to execute for who may read, or without."""
    bits = stat.S_IMODE(mode) & ~0o111
    return bits | ((bits & 0o444) >> 2) if executable else bits


def keep(target: Path, source: Path) -> None:
    """Give a file that will replace another one its permissions."""
    if os.name == "posix" and target.is_file() and not target.is_symlink() and not source.is_symlink():
        source.chmod(with_x(target.stat().st_mode, bool(source.stat().st_mode & stat.S_IXUSR)))
    elif os.name != "posix" and target.is_file():  # Windows refuses to rename over a read-only file
        target.chmod(stat.S_IWRITE)
