"""What the parts of the merge share: plain data and when it is the same, the merged tree, and what is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The keys and numbers that lead from the root to a value."""

MISSING: Final = object()
"""Where one side has no such value."""


class Unmergeable(Exception):
    """No trustworthy merge exists; the message is one clear sentence that says why."""


Action: TypeAlias = Literal[
    "kept ours",
    "kept both",
    "kept deleted",
    "kept higher version",
    "took higher version",
    "followed the rename",
    "merged by lines",
]


@dataclass(frozen=True)
class Decision:
    """What was done where both sides had changed the same thing."""

    path: str
    """Empty for the whole file."""
    action: Action
    detail: str
    conflict: bool = False
    """True when no rule settles it, so that a person should look."""
    elsewhere: tuple[str, str] | None = None
    """A crate and the version that the workspace, which is in another file, should have."""


@dataclass(frozen=True)
class Merged:
    """The text to write, what was decided to get there, and what a person has to mend."""

    text: str
    decisions: tuple[Decision, ...] = ()
    dangling: tuple[str, ...] = ()
    """References that the merge has left without a target, one sentence each."""


@dataclass(frozen=True)
class Rename:
    """A key of a table, or the id of a list's item, that one side gave another name."""

    place: str
    """Of the table, or of the item."""
    old: str
    new: str


@dataclass
class Node:
    """A value of the merged data, and where its text comes from.

    A node without `table` and `items` is taken as a whole: it is the value at `ours` if it means the same, else the
    value at `theirs`, else it has no text yet.
    """

    data: Any
    ours: Path | None = None
    """Place in ours of the value that is edited to mean `data`; None for what ours lacks."""
    theirs: Path | None = None
    """Place in theirs of the text to copy from."""
    table: dict[str, Node] | None = None
    items: list[Node] | None = None
    wrapped: str | None = None
    """The key that the whole value at `ours` goes under, where a string becomes a table."""

    def expand(self) -> None:
        """Give a node that is taken as a whole the nodes of what is in it."""
        if isinstance(self.data, dict) and self.table is None:
            self.table = {key: self._child(key, value) for key, value in self.data.items()}
        elif isinstance(self.data, list) and self.items is None:
            self.items = [self._child(number, value) for number, value in enumerate(self.data)]

    def _child(self, key: str | int, value: Any) -> Node:
        ours, theirs = (None if place is None else (*place, key) for place in (self.ours, self.theirs))
        return Node(value, ours, theirs)

    def children(self) -> Iterator[tuple[str | int, Node]]:
        """The nodes directly below, with their keys or numbers."""
        yield from (self.table or {}).items()
        yield from enumerate(self.items or [])


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same; 1, 1.0 and true differ, as in TOML, and nan is nan."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or repr(one) == repr(other)


class Meanings:
    """Gives each value a number; equal numbers mean the same. One object serves one merge."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._known: dict[int, tuple[Any, int]] = {}  # by id; the value is held, so that no other gets its id

    def of(self, value: Any) -> int:
        """The number of a value's meaning."""
        if value is MISSING:
            return -1
        if isinstance(value, (dict, list)):
            if known := self._known.get(id(value)):
                return known[1]
            key: Any
            if isinstance(value, dict):
                key = ("dict", frozenset((name, self.of(item)) for name, item in value.items()))
            else:
                key = ("list", *map(self.of, value))
            number = self._numbers.setdefault(key, len(self._numbers))
            self._known[id(value)] = (value, number)
            return number
        return self._numbers.setdefault((type(value).__name__, repr(value)), len(self._numbers))

    def same(self, one: Any, other: Any) -> bool:
        """As the function `same`, in constant time for values seen before."""
        return one is other or self.of(one) == self.of(other)


def find(data: Any, path: Path) -> Any:
    """The value at a path, or MISSING."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part, MISSING)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return MISSING
    return data
