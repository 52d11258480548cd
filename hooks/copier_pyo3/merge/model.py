"""What the modules of the merge share: comparing plain data, the merged tree, and the decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indices from the root to a value."""

MISSING: Final = object()
"""A value that one side does not have."""


class Unmergeable(Exception):
    """No reliable merge exists; the message says why."""


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
    """What the merge did where both sides changed the same thing."""

    path: str
    """Empty for the whole file."""
    action: Action
    detail: str
    conflict: bool = False
    """True if no rule decides it, so that the user should check the result."""
    elsewhere: tuple[str, str] | None = None
    """A crate and the version that it should have in the workspace, whose Cargo.toml is another file."""


@dataclass(frozen=True)
class Merged:
    """The text to write, the decisions, and what to fix by hand."""

    text: str
    decisions: tuple[Decision, ...] = ()
    dangling: tuple[str, ...] = ()
    """References that lost their target in the merge, one sentence each."""


@dataclass(frozen=True)
class Rename:
    """A key of a table, or the id of a list item, that one side renamed."""

    place: str
    """The place of the table or of the item."""
    old: str
    new: str


@dataclass
class Node:
    """A value of the merged data, and where its text comes from.

    A node without `table` and `items` is copied as a whole: from the value at `ours` if that has the same data, else from
    the value at `theirs`, else its text is generated.
    """

    data: Any
    ours: Path | None = None
    """Path in ours of the value to edit until it has `data`; None if ours does not have it."""
    theirs: Path | None = None
    """Path in theirs of the text to copy."""
    table: dict[str, Node] | None = None
    items: list[Node] | None = None
    wrapped: str | None = None
    """The key for the whole value at `ours`, if a string becomes a table."""

    def expand(self) -> None:
        """Create the child nodes of a node that is copied as a whole."""
        if isinstance(self.data, dict) and self.table is None:
            self.table = {key: self._child(key, value) for key, value in self.data.items()}
        elif isinstance(self.data, list) and self.items is None:
            self.items = [self._child(number, value) for number, value in enumerate(self.data)]

    def _child(self, key: str | int, value: Any) -> Node:
        ours, theirs = (None if place is None else (*place, key) for place in (self.ours, self.theirs))
        return Node(value, ours, theirs)

    def children(self) -> Iterator[tuple[str | int, Node]]:
        """The direct child nodes with their keys or indices."""
        yield from (self.table or {}).items()
        yield from enumerate(self.items or [])


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; 1, 1.0 and true differ, as in TOML, and nan equals nan."""
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
    """Gives each value a number; equal values get equal numbers. Use one object per merge."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._known: dict[int, tuple[Any, int]] = {}  # by id; keeps the value, so that its id stays unique

    def of(self, value: Any) -> int:
        """The number of a value."""
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
        """Like the function `same`, in constant time for known values."""
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
