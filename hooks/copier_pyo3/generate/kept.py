"""Keeps copies of the renderings that Copier makes during an update, so that the last migration need not repeat them.

Copier renders the old and the new version in temporary folders, and runs the template's task in each. These tasks and the
migrations are children of one process.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

STAGES: Final = {".old_copy.": "old", ".new_copy.": "new"}  # in the names of Copier's folders


def place(process: int) -> Path:
    """The folder with the renderings of an update.

    Args:
        process: ID of the process that runs Copier.
    """
    return Path(tempfile.gettempdir(), f"copier-pyo3-{process}")


def keep(folder: Path) -> None:
    """Copy the rendering if this is one of Copier's temporary folders. Errors are ignored."""
    stage = next((name for part in folder.parts for mark, name in STAGES.items() if mark in part), None)
    if os.environ.get("COPIER_OPERATION") != "update" or stage is None:
        return
    home = place(os.getppid())
    with suppress(OSError):
        if stage == "old":
            forget(home)  # left by a process with the same ID
            home.mkdir(mode=0o700)
        if _is_ours(home):
            shutil.copytree(folder, home / stage, symlinks=True, ignore=shutil.ignore_patterns(".git"))


def kept(answers_file: str, old: bytes, new: bytes) -> tuple[Path, Path] | None:
    """The folders with both renderings, if they exist and have these answers.

    Args:
        answers_file: path of the answers file.
        old: its contents before the update.
        new: its contents now.
    """
    home = place(os.getppid())
    folders = home / "old", home / "new"
    with suppress(OSError):
        if _is_ours(home):
            files = [(folder / answers_file).read_bytes() for folder in folders]
            if [_lines(content) for content in files] == [_lines(old), _lines(new)]:
                return folders
    return None


def forget(home: Path) -> None:
    """Delete the renderings."""
    if _is_ours(home):
        shutil.rmtree(home, ignore_errors=True)


def _is_ours(home: Path) -> bool:
    """Whether this user owns the folder and nobody else can write to it."""
    if not home.is_dir() or home.is_symlink():
        return False
    return os.name != "posix" or (home.stat().st_uid == os.getuid() and not home.stat().st_mode & 0o077)


def _lines(answers: bytes) -> list[bytes]:
    """The sorted lines of the answers, without line endings and comments."""
    return sorted(line.rstrip() for line in answers.splitlines() if line.strip() and not line.startswith(b"#"))
