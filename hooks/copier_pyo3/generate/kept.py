"""Renderings that Copier makes itself in an update, kept for the migration that ends it: so nothing is rendered twice.

Copier renders the old and the new version aside, in folders of its own, and runs the template's task in each. All of these
tasks, and the migrations, are children of one process.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

STAGES: Final = {".old_copy.": "old", ".new_copy.": "new"}  # in the names of Copier's folders


def place(process: int) -> Path:
    """Where the renderings of an update are.

    Args:
        process: the process that runs Copier.
    """
    return Path(tempfile.gettempdir(), f"copier-pyo3-{process}")


def keep(folder: Path) -> None:
    """Keep a copy of what has been rendered, if this is one of Copier's own folders; never a reason to fail."""
    stage = next((name for part in folder.parts for mark, name in STAGES.items() if mark in part), None)
    if os.environ.get("COPIER_OPERATION") != "update" or stage is None:
        return
    home = place(os.getppid())
    with suppress(OSError):
        if stage == "old":
            forget(home)  # of a process that had the same number
            home.mkdir(mode=0o700)
        if _is_ours(home):
            shutil.copytree(folder, home / stage, symlinks=True, ignore=shutil.ignore_patterns(".git"))


def kept(answers_file: str, old: bytes, new: bytes) -> tuple[Path, Path] | None:
    """The folders with both renderings, if Copier's process has left them and they have these answers.

    Args:
        answers_file: path of the answers file.
        old: what it was before the update.
        new: what it is now.
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
    """Take the renderings away."""
    if _is_ours(home):
        shutil.rmtree(home, ignore_errors=True)


def _is_ours(home: Path) -> bool:
    """Whether nobody else can have put it there."""
    if not home.is_dir() or home.is_symlink():
        return False
    return os.name != "posix" or (home.stat().st_uid == os.getuid() and not home.stat().st_mode & 0o077)


def _lines(answers: bytes) -> list[bytes]:
    """The answers, whatever the line ends and the order, without comments."""
    return sorted(line.rstrip() for line in answers.splitlines() if line.strip() and not line.startswith(b"#"))
