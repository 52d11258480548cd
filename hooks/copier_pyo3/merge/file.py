"""Merges one file, by what it is: TOML and YAML by their meaning, other text line by line as git does."""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from . import plan, yaml_edit
from .identity import same
from .plan import Decision, Merged, Unmergeable
from .toml_text import read

LABELS: Final = ("before updating", "last update", "after updating")  # as Copier writes them


@dataclass(frozen=True)
class MergedFile:
    """The bytes to write, what was decided, and why a person has to look, if one has to."""

    content: bytes
    decisions: tuple[Decision, ...] = ()
    left: str | None = None


def merge_file(name: str, base: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str, str] = LABELS) -> MergedFile:
    """Apply the change from base to theirs onto ours; what cannot be settled is left in git's markers.

    Args:
        name: the file's path, for its kind.
        base: what both came from; empty if both added the file.
        ours: the user's file.
        theirs: the template's file.
        labels: what markers say of ours, base and theirs.
    """
    if any(b"\0" in content for content in (base, ours, theirs)):
        return MergedFile(ours, left="a binary file that both sides changed: it is yours, the template's was not taken")
    by_lines, conflicts = merge_lines(base, ours, theirs, labels)
    kind = _kind(name)
    if kind is None:
        return MergedFile(by_lines, left=_markers(conflicts) if conflicts else None)
    merge, parse = kind
    try:
        texts = [content.decode("utf-8") for content in (base, ours, theirs)]
        merged = merge(*texts)
        if not conflicts and _means(parse, by_lines, merged.text):
            return MergedFile(by_lines, merged.decisions)  # it brings the template's new comments too
        return MergedFile(merged.text.encode("utf-8"), merged.decisions)
    except (Unmergeable, UnicodeDecodeError) as error:
        why = f"not merged by its meaning ({error})"
        if conflicts:
            return MergedFile(by_lines, left=f"{why}: {_markers(conflicts)}")
        if problem := unreadable(name, by_lines):
            return MergedFile(by_lines, left=f"{why}, and the merge by lines is wrong: {problem}")
        return MergedFile(by_lines, (Decision("", "merged by lines", str(error), conflict=False),))


def unreadable(name: str, content: bytes) -> str | None:
    """Why the content is no valid TOML or YAML; None if it is, or is neither by its name."""
    kind = _kind(name)
    try:
        if kind:
            kind[1](content.decode("utf-8"))
    except (Unmergeable, ValueError) as error:
        return str(error)
    return None


_Kind = tuple[Callable[[str, str, str], Merged], Callable[[str], Any]]


def _kind(name: str) -> _Kind | None:
    suffix = PurePosixPath(name).suffix
    if suffix == ".toml":
        return plan.merge, lambda text: read(text.removeprefix("\ufeff"), "the file")
    if suffix in (".yml", ".yaml"):
        return yaml_edit.merge, yaml_edit.parse
    return None


def _means(parse: Callable[[str], Any], content: bytes, text: str) -> bool:
    try:
        return same(parse(content.decode("utf-8")), parse(text))
    except (Unmergeable, ValueError):
        return False


def _markers(conflicts: int) -> str:
    return f"{conflicts} place{'s' if conflicts > 1 else ''} in git's conflict markers"


def merge_lines(base: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str, str]) -> tuple[bytes, int]:
    """What `git merge-file` makes of it, and the number of conflicts."""
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-") as folder:
        paths = [Path(folder, name) for name in ("ours", "base", "theirs")]
        if b"\r\n" in ours:  # text of the template has plain newlines
            base, theirs = (content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for content in (base, theirs))
        for path, content in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(content)
        command = [
            "git",
            "merge-file",
            "--stdout",
            *(word for label in labels for word in ("-L", label)),
            *map(str, paths),
        ]
        done = subprocess.run(command, capture_output=True, check=False)
    if not 0 <= done.returncode < 128:
        raise Unmergeable(done.stderr.decode(errors="replace").strip())
    return done.stdout, done.returncode


def tell(decision: Decision) -> str:
    """One line about a decision."""
    where = f"{decision.path}: " if decision.path else ""
    return f"{where}{decision.action} ({decision.detail})"
