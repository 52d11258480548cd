"""Merges one file: TOML and YAML structurally, other text line by line with git."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from .lines import LABELS, merge_lines
from .model import Decision, Merged, Unmergeable, same
from .references import dangling
from .toml_edit import merge_toml
from .toml_text import read
from .yaml_edit import merge_yaml
from .yaml_text import Document, parse

__all__ = [
    "LABELS",
    "MergedFile",
    "in_markers",
    "merge_file",
    "merge_lines",
    "merge_toml",
    "merge_yaml",
    "tell",
    "unreadable",
]


@dataclass(frozen=True)
class MergedFile:
    """The bytes to write, the decisions, and the reason to resolve the file by hand, if there is one."""

    content: bytes
    decisions: tuple[Decision, ...] = ()
    left: str | None = None
    markers: bool = False
    """Whether the content has git's conflict markers."""


@dataclass(frozen=True)
class _Format:
    """The functions that the merge needs for a format."""

    merge: Callable[[str, str, str], Merged]
    data: Callable[[str], Any]
    """Returns the data of a text, with the versions in the comments after pins; raises Unmergeable."""
    check: Callable[[str], Any]
    """Raises Unmergeable if a text is invalid."""


TOML: Final = _Format(merge_toml, lambda text: read(text, "the file"), lambda text: read(text, "the file"))
YAML: Final = _Format(merge_yaml, lambda text: Document(text.replace("\r\n", "\n"), places=False).data, parse)
FORMATS: Final = {".toml": TOML, ".yml": YAML, ".yaml": YAML}


def merge_file(name: str, base: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str, str] = LABELS) -> MergedFile:
    """Apply the change from base to theirs to ours. Unresolved changes are left as conflict markers.

    Args:
        name: the file's path, whose suffix gives its format.
        base: the common ancestor; empty if both added the file.
        ours: the user's file.
        theirs: the template's file.
        labels: the labels of ours, base, and theirs in conflict markers.
    """
    if any(b"\0" in content for content in (base, ours, theirs)):
        return MergedFile(ours, left="both sides changed this binary file, and your version was kept")
    by_lines, conflicts = merge_lines(base, ours, theirs, labels)
    form = FORMATS.get(PurePosixPath(name).suffix)
    if form is None:
        return MergedFile(by_lines, left=in_markers(conflicts) if conflicts else None, markers=conflicts > 0)
    try:
        merged = form.merge(*(content.decode("utf-8") for content in (base, ours, theirs)))
    except (Unmergeable, UnicodeDecodeError) as error:
        return _only_by_lines(name, str(error), by_lines, conflicts)
    if not conflicts and (chosen := _by_lines_if_right(form, by_lines, ours, merged)):
        return chosen
    return MergedFile(merged.text.encode("utf-8"), merged.decisions, "; ".join(merged.dangling) or None)


def _unordered(data: Any) -> Any:
    """The data with sorted lists: git's position for a new item can be better, because git considers more context."""
    if isinstance(data, dict):
        return {key: _unordered(value) for key, value in data.items()}
    return sorted(map(_unordered, data), key=repr) if isinstance(data, list) else data


def _only_by_lines(name: str, why: str, by_lines: bytes, conflicts: int) -> MergedFile:
    """Git's merge of a file that cannot be merged structurally."""
    if conflicts:
        return MergedFile(by_lines, left=f"not merged structurally ({why}): {in_markers(conflicts)}", markers=True)
    if problem := unreadable(name, by_lines):
        return MergedFile(by_lines, left=f"not merged structurally ({why}), and git's merge is not valid: {problem}")
    return MergedFile(by_lines, (Decision("", "merged by lines", why),))


def _by_lines_if_right(form: _Format, by_lines: bytes, ours: bytes, merged: Merged) -> MergedFile | None:
    """Git's merge without conflicts, if it has the same data, or if no rule of ours decided the difference.

    It also has the template's new comments.
    """
    try:
        data = form.data(by_lines.decode("utf-8").removeprefix("\ufeff"))
        if same(_unordered(data), _unordered(form.data(merged.text.removeprefix("\ufeff")))):
            return MergedFile(by_lines, merged.decisions, "; ".join(merged.dangling) or None)
        before = {*dangling(form.data(ours.decode("utf-8").removeprefix("\ufeff")))}
    except (Unmergeable, ValueError):
        return None
    unsettled = [decision for decision in merged.decisions if decision.conflict]
    left = [line for line in dangling(data) if line not in before]
    if not unsettled or not {*left} <= {*merged.dangling}:
        return None
    told = Decision(unsettled[0].path, "merged by lines", "git merges the two changes")
    return MergedFile(by_lines, (told,), "; ".join(left) or None)


def unreadable(name: str, content: bytes) -> str | None:
    """Why the content is not valid TOML or YAML; None if it is valid, or if its name has another suffix."""
    form = FORMATS.get(PurePosixPath(name).suffix)
    try:
        if form:
            form.check(content.decode("utf-8").removeprefix("\ufeff"))
    except (Unmergeable, ValueError) as error:
        return str(error)
    return None


def in_markers(conflicts: int) -> str:
    """The number of conflicts that git marked, in words."""
    return f"{conflicts} place{'s' if conflicts > 1 else ''} with conflict markers"


def tell(decision: Decision) -> str:
    """A line for the report about a decision."""
    where = f"{decision.path}: " if decision.path else ""
    return f"{where}{decision.action} ({decision.detail})"
