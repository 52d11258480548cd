"""Text in movable pieces: the entries between brackets, and edits of lines that are applied together.

The editors of all formats use these. Splitting loses nothing: the joined pieces are the text.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

COMMENT: Final = re.compile(r"[ \t]*(#[^\r\n]*)")


@dataclass(eq=False)
class Entry:
    """An item of a list or a pair of a table in brackets, with the text around it."""

    value: str = ""
    lead: str = ""
    """Spaces, line breaks and comment lines before it."""
    key: str = ""
    """`name = ` or `name: ` in a table."""
    gap: str = ""
    """The text between the value and its comma."""
    comma: bool = False
    tail: str = ""
    """The comment at the end of its line."""

    @property
    def text(self) -> str:
        """The text without the lead."""
        return self.key + self.value + self.gap + "," * self.comma + self.tail


@dataclass
class Body:
    """The text between brackets, split into entries."""

    brackets: str
    opening: str
    """The comment after the opening bracket."""
    entries: list[Entry]
    close: str
    """The text between the last entry and the closing bracket."""

    def arrange(self, chosen: list[Entry], dropped: Container[str]) -> str:
        """The text with the chosen entries, old or new, instead of the present ones.

        New ones get the style of the text: everything on one line, or one item per line with indentation. The comments of removed
        entries are kept unless they are in `dropped`.
        """
        own = self.entries
        mine = {id(entry) for entry in own}
        trailing = own[-1].comma if own else "\n" in self.close
        row = self._row()
        if row:
            self._keep_comments(chosen, dropped, row)
            for entry in chosen:
                if id(entry) not in mine:
                    entry.lead = "".join(row + c for c in COMMENT.findall(entry.lead)) + row
        else:
            first = own[0].lead if own else " " * (self.brackets == "{}")
            gap = own[1].lead if len(own) > 1 else " "
            self.close = self.close or ("" if own else first)
            for number, entry in enumerate(chosen):
                entry.lead, entry.tail = gap if number else first, ""
        parts, commented = [self.brackets[0] + self.opening], bool(self.opening)
        for number, entry in enumerate(chosen):
            entry.comma = trailing or number < len(chosen) - 1
            parts += [apart(commented, entry.lead, row), entry.text]
            commented = bool(entry.tail)
        return "".join([*parts, apart(commented, self.close, "\n"), self.brackets[1]])

    def _row(self) -> str:
        """The line break and indentation before an item, or nothing if everything is on one line."""
        leads = [entry.lead for entry in self.entries if "\n" in entry.lead]
        if leads:
            return "\n" + leads[0].rpartition("\n")[2]
        return "\n    " if "\n" in self.opening + self.close else ""

    def _keep_comments(self, chosen: list[Entry], dropped: Container[str], row: str) -> None:
        """Move the user's comments on removed entries to the next entry."""
        stays = {id(entry) for entry in chosen}
        kept = ""
        for entry in self.entries:
            if id(entry) in stays:
                entry.lead, kept = kept + apart(bool(kept), entry.lead, row), ""
            else:
                comments = COMMENT.findall(entry.lead + entry.gap + entry.tail)
                kept += "".join(row + comment for comment in comments if comment not in dropped)
        self.close = kept + apart(bool(kept), self.close, "\n")


def apart(commented: bool, text: str, row: str) -> str:
    """The text, on a new line if it would otherwise be part of a comment."""
    return text if not commented or re.match(r"[ \t]*\r?\n", text) else row + text.lstrip(" \t")


class Edits(Generic[T]):
    """Edits of a list of lines, by line number in the original, which `walk` applies together."""

    def __init__(self, count: int) -> None:
        self._order = [*range(count)]
        self._at = [*range(count)]  # the position of each line in the order
        self._before: dict[int, list[tuple[int, list[T]]]] = {}
        self._behind: dict[int, list[tuple[int, list[T]]]] = {}
        self.gone: set[int] = set()

    def insert(self, place: int, lines: list[T], behind: bool = False, rank: int = 0) -> None:
        """Insert lines before or after a line; before `count` is at the end.

        Lines inserted at the same place are sorted by rank, then by the order of the calls.
        """
        (self._behind if behind else self._before).setdefault(place, []).append((rank, lines))

    def inserted(self, place: int, behind: bool) -> list[list[T]]:
        """The lists of lines inserted there so far, in their final order."""
        found = (self._behind if behind else self._before).get(place, [])
        return [lines for _, lines in sorted(found, key=lambda ranked: ranked[0])]

    def delete(self, start: int, stop: int) -> None:
        """Delete lines."""
        self.gone.update(range(start, stop))

    def reorder(self, spans: Sequence[tuple[int, int]]) -> None:
        """Reorder spans of lines, which are given in their new order."""
        slots = sorted(spans)
        start, stop = slots[0][0], slots[-1][1]
        low = min(self._at[line] for line in range(start, stop))
        order: list[int] = []
        done = start
        for (first, last), (new_first, new_last) in zip(slots, spans, strict=True):
            order += self._slice(done, first) + self._slice(new_first, new_last)
            done = last
        for at, line in enumerate(order, low):
            self._order[at] = line
            self._at[line] = at

    def _slice(self, start: int, stop: int) -> list[int]:
        if start == stop:
            return []
        places = [self._at[line] for line in range(start, stop)]
        return self._order[min(places) : max(places) + 1]

    def walk(self) -> Iterator[int | list[T]]:
        """The numbers of all old lines, including deleted ones, in their new order, with the lists of new lines between them."""
        for line in self._order:
            yield from self.inserted(line, behind=False)
            yield line
            yield from self.inserted(line, behind=True)
        yield from self.inserted(len(self._order), behind=False)
