"""Merges text line by line with git."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from .model import Unmergeable

LABELS: Final = ("before updating", "last update", "after updating")  # as Copier writes them


def merge_lines(base: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str, str]) -> tuple[bytes, int]:
    """The result of `git merge-file`, and the number of conflicts.

    Raises:
        Unmergeable: git cannot merge it; the message is git's.
    """
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-") as folder:
        paths = [Path(folder, name) for name in ("ours", "base", "theirs")]
        if b"\r\n" in ours:  # the template's files have LF
            base, theirs = (content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for content in (base, theirs))
        for path, content in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(content)
        named = (word for label in labels for word in ("-L", label))
        command = ["git", "merge-file", "--stdout", *named, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, check=False)
    if not 0 <= done.returncode < 128:
        raise Unmergeable(done.stderr.decode(errors="replace").strip())
    return done.stdout, done.returncode
