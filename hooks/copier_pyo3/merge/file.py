"""Merges one file, by what it is: TOML and YAML by their meaning, other text line by line as git does."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from . import toml_edit, yaml_edit
from .lines import LABELS, merge_lines
from .model import Decision, Merged, Unmergeable, same
from .references import dangling
from .toml_text import read
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
    """The bytes to write, what was decided, and why a person has to look, if one has to."""

    content: bytes
    decisions: tuple[Decision, ...] = ()
    left: str | None = None
    markers: bool = False
    """Whether the content has git's conflict markers."""


@dataclass(frozen=True)
class _Format:
    """What the merge needs of a format."""

    merge: Callable[[str, str, str], Merged]
    data: Callable[[str], Any]
    """All that a text means, with the versions that comments behind pins give; raises Unmergeable."""
    check: Callable[[str], Any]
    """Raises Unmergeable if a text is not valid."""


def merge_toml(base: str, ours: str, theirs: str) -> Merged:
    """Merge TOML by its meaning; see `toml_edit.merge`. Line ends and a byte order mark stay as ours has them."""
    return _as_written(toml_edit.merge, base, ours, theirs)


def merge_yaml(base: str, ours: str, theirs: str) -> Merged:
    """Merge YAML by its meaning; see `yaml_edit.merge`. Line ends and a byte order mark stay as ours has them."""
    return _as_written(yaml_edit.merge, base, ours, theirs)


def _as_written(merge: Callable[[str, str, str], Merged], base: str, ours: str, theirs: str) -> Merged:
    bom = "\ufeff" if ours.startswith("\ufeff") else ""
    base, ours, theirs = (text.removeprefix("\ufeff") for text in (base, ours, theirs))
    crlf = "\r\n" in ours and not re.search(r"(?<!\r)\n", ours)
    base, theirs = (text.replace("\r\n", "\n") for text in (base, theirs))
    with _uncollected():
        merged = merge(base, ours.replace("\r\n", "\n") if crlf else ours, theirs)
    text = merged.text.replace("\n", "\r\n") if crlf else merged.text
    return Merged(bom + text, merged.decisions, merged.dangling)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the cycle collector, which takes half of the time on long files: a merge leaves no cycles worth it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


TOML: Final = _Format(merge_toml, lambda text: read(text, "the file"), lambda text: read(text, "the file"))
YAML: Final = _Format(merge_yaml, lambda text: Document(text.replace("\r\n", "\n"), places=False).data, parse)
FORMATS: Final = {".toml": TOML, ".yml": YAML, ".yaml": YAML}


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
        return MergedFile(ours, left="both sides changed this binary file: yours stays, the template's is not taken")
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
    """The data with lists sorted: where git put in an item, it saw more of what is around it than its neighbors."""
    if isinstance(data, dict):
        return {key: _unordered(value) for key, value in data.items()}
    return sorted(map(_unordered, data), key=repr) if isinstance(data, list) else data


def _only_by_lines(name: str, why: str, by_lines: bytes, conflicts: int) -> MergedFile:
    """What git made of a file that cannot be merged by its meaning."""
    if conflicts:
        return MergedFile(by_lines, left=f"not merged by meaning ({why}): {in_markers(conflicts)}", markers=True)
    if problem := unreadable(name, by_lines):
        return MergedFile(by_lines, left=f"not merged by meaning ({why}), and git's merge is not valid: {problem}")
    return MergedFile(by_lines, (Decision("", "merged by lines", why),))


def _by_lines_if_right(form: _Format, by_lines: bytes, ours: bytes, merged: Merged) -> MergedFile | None:
    """Git's merge, which had no conflict, where it means the same or where no rule of ours settled what it did.

    It brings the template's new comments, too.
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
    """Why the content is no valid TOML or YAML; None if it is, or is neither by its name."""
    form = FORMATS.get(PurePosixPath(name).suffix)
    try:
        if form:
            form.check(content.decode("utf-8").removeprefix("\ufeff"))
    except (Unmergeable, ValueError) as error:
        return str(error)
    return None


def in_markers(conflicts: int) -> str:
    """How many places git has left in its markers, in words."""
    return f"{conflicts} place{'s' if conflicts > 1 else ''} in git's conflict markers"


def tell(decision: Decision) -> str:
    """One line about a decision."""
    where = f"{decision.path}: " if decision.path else ""
    return f"{where}{decision.action} ({decision.detail})"
