"""Changes the text of a TOML document so that it means something else, line by line.

The editor is told the data that it starts from and the data to arrive at, and has a second text to
copy from. It knows nothing of why the data shall change.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from .identity import MISSING, Path, item_keys, same
from .toml_text import (
    Body,
    Entry,
    Line,
    Unmergeable,
    comments_of,
    count_names,
    literal,
    quoted_key,
    scan,
    split_key,
)

BLANK: Final = Line("trivia", "", "", "\n")


@dataclass
class _Source:
    """A value of theirs: what it means, and its text to copy."""

    data: Any
    text: str
    entry: Entry = field(default_factory=Entry)

    def child(self, key: str | int) -> _Source | None:
        """The item of an array or the value of a key, with its own text where that can be had."""
        data = find(self.data, (key,))
        if data is MISSING:
            return None
        return self._children.get(key) or _Source(data, literal(data))

    @cached_property
    def _children(self) -> dict[str | int, _Source]:
        children: dict[str | int, _Source] = {}
        for number, entry in enumerate(Body.of(self.text).entries):
            key = split_key(entry.key)[1] if entry.key else (number,)
            if len(key) == 1:
                children[key[0]] = _Source(self.data[key[0]], entry.value, entry)
        return children


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


class Editor:
    """Edits the lines of ours with theirs to copy from.

    `at` is always a path in ours and `src` the one in theirs; they differ in the numbers of
    elements of arrays of tables. In ours such a number is a name that an element keeps, whatever
    is added or removed before it.
    """

    def __init__(
        self, ours: str, theirs: str, data: dict[str, Any], known: Container[str], dropped: Container[str]
    ) -> None:
        self.open_end = bool(ours) and not ours.endswith("\n")
        self.lines = scan(ours + "\n" * self.open_end)
        self.donor = scan(theirs + "\n" * (not theirs.endswith("\n")))
        self.data = data
        self.known = known
        """The comments of base: those that are not the user's own."""
        self.dropped = dropped
        """The comments of base that theirs has no more."""

    def rewrite(self, old: dict[str, Any], new: dict[str, Any]) -> str:
        """The text of ours, which means `old`, with the edits that make it mean `new`.

        Raises:
            Unmergeable: the text is written in a way that the editor does not follow.
        """
        try:
            self.table((), (), old, new)
        except (LookupError, ValueError, RecursionError) as error:
            raise Unmergeable(f"the file is written in an unforeseen way: {error!r}") from error
        text = "".join(line.text for line in self.lines)
        return re.sub(r"\r?\n\Z", "", text) if self.open_end else text

    # What differs.

    def table(self, at: Path, src: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Make the table at `at`, which means `old`, mean `new`."""
        for key, value in new.items():
            here, there = (*at, key), (*src, key)
            if key not in old:
                self._insert(here, there, value)
            elif not same(old[key], value):
                self._change(here, there, old[key], value)
        for key in old.keys() - new.keys():
            self._delete((*at, key))

    def _change(self, at: Path, src: Path, old: Any, new: Any) -> None:
        pair = pair_at(self.lines, at)
        if pair:
            self._change_pair(pair, src, old, new)
        elif isinstance(old, dict) and isinstance(new, dict):
            self.table(at, src, old, new)
            if not any(line.under(at) for line in self.lines):  # left empty, without a header
                self._insert_pairs(at, self._moved(at, src, self._compose(at, src, new)[0]))
        elif not (isinstance(new, list) and self._elements(at, src, old, new)):
            self._delete(at)
            self._insert(at, src, new)

    def _change_pair(self, pair: Line, src: Path, old: Any, new: Any) -> None:
        before = pair.value
        pair.value = self._value(pair.path, before, old, new, self._source(src))
        index = next(i for i, line in enumerate(self.lines) if line is pair)
        self.lines[index:index] = self._own_comments(before, comments_of(pair.value))
        theirs = pair_at(self.donor, src)
        if theirs and theirs.comment and pair.comment in self.dropped:
            pair.tail = theirs.tail

    def _elements(self, at: Path, src: Path, old: list[Any], new: list[Any]) -> bool:
        """Edit an array of tables; False if it has to be written anew."""
        theirs = find(self.data, src)
        news, olds, donors = item_keys(at, new, old, theirs if isinstance(theirs, list) else [], loosely=True)
        kept = [key for key in news if key in olds]
        if not kept or not all(isinstance(value, dict) for value in new):
            return False
        numbers = dict.fromkeys(line.path[len(at)] for line in self.lines if line.under(at))
        names = dict(zip(olds, numbers, strict=True))
        if kept != [key for key in olds if key in news] and not self._reorder(at, [names[key] for key in kept]):
            return False
        previous = None
        for key, value in zip(news, new, strict=True):
            there = (*src, donors.index(key) if key in donors else len(donors))
            if key not in names:
                names[key] = len(names)
                index = self._end((*at, previous)) if previous is not None else self._start(at)
                self._insert((*at, names[key]), there, value, index)
            elif not same(old[olds.index(key)], value):
                self._change((*at, names[key]), there, old[olds.index(key)], value)
            previous = names[key]
        for key in olds:
            if key not in news:
                self._delete((*at, names[key]))
        return True

    def _reorder(self, at: Path, numbers: list[str | int]) -> bool:
        """Let elements change places, comments above included; False if something else stands among their lines."""
        spans = [(self._start((*at, number)), self._end((*at, number))) for number in numbers]
        parts = [self.lines[start:end] for start, end in spans]
        for number, part in zip(numbers, parts, strict=True):
            if not all(line.kind == "trivia" or line.under((*at, number)) for line in part):
                return False
        for (start, end), part in reversed([*zip(sorted(spans), parts, strict=True)]):
            self.lines[start:end] = part
        return True

    # Values.

    def _source(self, src: Path) -> _Source | None:
        """The value at a path of theirs, as one text even where it is spread over tables."""
        for depth in range(1, len(src) + 1):
            if pair := pair_at(self.donor, src[:depth]):
                source: _Source | None = _Source(find(self.data, src[:depth]), pair.value)
                for part in src[depth:]:
                    source = source.child(part) if source else None
                return source
        data = find(self.data, src)
        if isinstance(data, dict):
            parts = {key: self._source((*src, key)) for key in data}
            pairs = (f"{quoted_key(key)} = {part.text}" for key, part in parts.items() if part)
            return _Source(data, f"{{ {', '.join(pairs)} }}" if data else "{}")
        if isinstance(data, list):
            items = (self._source((*src, number)) for number in range(len(data)))
            return _Source(data, f"[{', '.join(item.text for item in items if item)}]")
        return None

    def _value(self, at: Path, text: str, old: Any, new: Any, source: _Source | None) -> str:
        """The text of a value, made to mean `new`."""
        if same(old, new):
            return text
        if isinstance(old, list) and isinstance(new, list):
            return self._items(at, text, old, new, source)
        if isinstance(old, dict) and isinstance(new, dict):
            return self._pairs(at, text, old, new, source)
        if source and same(source.data, new):
            return source.text
        if isinstance(new, dict):
            return self._pairs(at, f"{{ version = {text} }}", {"version": old}, new, source)
        quote = text[0]
        plain = isinstance(new, str) and text == f"{quote}{old}{quote}" and not {quote, "\\"} & {*new}
        return f"{quote}{new}{quote}" if plain else literal(new)

    def _items(self, at: Path, text: str, old: list[Any], new: list[Any], source: _Source | None) -> str:
        body = Body.of(text)
        theirs = source.data if source and isinstance(source.data, list) else []
        news, olds, donors = item_keys(at, new, old, theirs, loosely=True)
        chosen = []
        for key, value in zip(news, new, strict=True):
            child = source.child(donors.index(key)) if source and key in donors else None
            if key in olds:
                entry = body.entries[olds.index(key)]
                before = old[olds.index(key)]
                entry.value = self._value((*at, ""), entry.value, before, value, child)
            else:
                entry = _fresh(value, child)
            chosen.append(entry)
        return body.arrange(chosen, self.dropped)

    def _pairs(self, at: Path, text: str, old: dict[str, Any], new: dict[str, Any], source: _Source | None) -> str:
        body = Body.of(text)
        entries = {split_key(entry.key)[1]: entry for entry in body.entries}
        if any(len(key) > 1 for key in entries):
            return source.text if source and same(source.data, new) else literal(new)
        for key, value in new.items():
            child = source.child(key) if source else None
            if key in old:
                entry = entries[key,]
                entry.value = self._value((*at, key), entry.value, old[key], value, child)
            else:
                entries[key,] = _fresh(value, child)
                entries[key,].key = f"{quoted_key(key)} = "
        chosen = [entry for (key,), entry in entries.items() if key in new]
        return body.arrange(chosen, self.dropped)

    # Lines.

    def _insert(self, at: Path, src: Path, value: Any, index: int | None = None) -> None:
        """Put in what theirs has at `src`; a given index says where a table is to go."""
        inside = [line for line in self.donor if line.under(src)]
        pairs = [line for line in inside if line.section[: len(src)] != src]
        blocks = [line for line in inside if line.section[: len(src)] == src]
        there = find(self.data, src)
        if not inside:
            there = value
            pairs, blocks = self._compose(at, src, value)
        if pairs:
            self._insert_pairs(at, self._moved(at, src, pairs))
        if blocks:
            index = self._place(at, src) if index is None else index
            self._insert_block(index, self._moved(at, src, blocks))
        if not same(there, value):
            self._change(at, src, there, value)

    def _compose(self, at: Path, src: Path, value: Any) -> tuple[list[Line], list[Line]]:
        """Lines for a value that has none of its own in theirs, being part of another one there."""
        source = self._source(src)
        text = source.text if source and same(source.data, value) else literal(value)
        keys = ("",) * count_names(src[:-1])
        if isinstance(at[-1], str):
            key = quoted_key(at[-1])
            return [Line("pair", f"{key} = ", text, "\n", src, src[:-1], (*keys, key))], []
        header = Line("element", "", "", "\n", src, src, keys)
        pairs = [
            Line("pair", entry.key, entry.value, "\n", (*src, *meant), src, (*keys, *written))
            for entry in Body.of(text).entries
            for written, meant in [split_key(entry.key)]
        ]
        return [], [header, *pairs]

    def _moved(self, at: Path, src: Path, members: list[Line]) -> list[Line]:
        """Copies of lines of theirs and the comments above them, with the paths of ours."""
        names = count_names(at[:-1])
        anew = tuple(quoted_key(part) for part in at[:-1] if isinstance(part, str))
        parent = next((ln.keys[:names] for ln in self.lines if ln.under(at[:-1])), anew)
        copies: list[Line] = []
        previous: Line | None = None
        for line in members:
            copies += self._lead(line, previous)
            keys = parent + line.keys[count_names(src[:-1]) :]
            path = at + line.path[len(src) :]
            inside = line.section[: len(src)] == src
            section = at + line.section[len(src) :] if inside else line.section
            copy = replace(line, path=path, section=section, keys=keys)
            if line.kind != "pair" and keys != line.keys:
                copy.head = f"[{'.'.join(keys)}]" if line.kind == "table" else f"[[{'.'.join(keys)}]]"
            copies.append(copy)
            previous = line
        return copies

    def _lead(self, line: Line, previous: Line | None) -> list[Line]:
        """The comments above a line of theirs, or all between it and the previous one copied."""
        index = next((i for i, one in enumerate(self.donor) if one is line), 0)
        top = index
        while top and self.donor[top - 1].kind == "trivia":
            top -= 1
        if previous and top and self.donor[top - 1] is previous:
            return self.donor[top:index]
        gap = [BLANK] if previous and line.kind != "pair" else []
        return gap + self.donor[lead_start(self.donor, index) : index]

    def _insert_pairs(self, at: Path, pairs: list[Line]) -> None:
        """At the end of their table: of its header, or else of its dotted keys."""
        parent = at[:-1]
        own = [i for i, ln in enumerate(self.lines) if ln.kind != "trivia" and ln.section == parent]
        dotted = [
            i
            for i, line in enumerate(self.lines)
            if line.kind == "pair" and line.under(parent) and len(line.section) < len(parent)
        ]
        if own or dotted:
            last = max(own or dotted)
            section, index, before, after = self.lines[last].section, last + 1, [], []
        else:
            section, index = parent, self._start(parent)
            before = self._header(parent, pairs[-1].keys[: count_names(parent)]) if parent else []
            after = [BLANK] if index < len(self.lines) else []
        for line in pairs:
            if line.kind == "pair":
                if count_names(line.section) != count_names(section):
                    line.head = f"{'.'.join(line.keys[count_names(section) :])} = "
                line.section = section
        self.lines[index:index] = [*before, *pairs, *after]

    def _header(self, path: Path, keys: tuple[str, ...]) -> list[Line]:
        """A header for a table that had none, with what theirs says above its own."""
        header = Line("table", f"[{'.'.join(keys)}]", "", "\n", path, path, keys)
        theirs = (i for i, ln in enumerate(self.donor) if ln.kind == "table" and ln.path == path)
        lead = next((self.donor[lead_start(self.donor, i) : i] for i in theirs), [])
        return [*lead, header]

    def _insert_block(self, index: int, block: list[Line]) -> None:
        """Tables stand apart by one blank line."""
        if index and not self.lines[index - 1].blank:
            block = [BLANK, *block]
        if index < len(self.lines) and not self.lines[index].blank:
            block = [*block, BLANK]
        self.lines[index:index] = block

    def _place(self, at: Path, src: Path) -> int:
        """Where a new table goes: behind the sibling that it follows in theirs, or at the end."""
        parent = src[:-1]
        siblings = dict.fromkeys(
            line.path[len(parent)] for line in self.donor if line.under(parent) and line.path != parent
        )
        earlier = list(siblings)[: list(siblings).index(src[-1])] if src[-1] in siblings else []
        for sibling in reversed(earlier):
            path = (*at[:-1], sibling)
            if any(ln.under(path) and len(ln.section) >= len(path) for ln in self.lines):
                return self._end(path)
        if at[:-1] in (line.path for line in self.lines if line.kind in ("table", "element")):
            return self._end(at[:-1])
        return max((i for i, line in enumerate(self.lines, 1) if not line.blank), default=0)

    def _start(self, path: Path) -> int:
        """The first line of a table, its comments included; for the root, of the first table."""
        index = next((i for i, line in enumerate(self.lines) if line.under(path)), None)
        return len(self.lines) if index is None else lead_start(self.lines, index)

    def _end(self, path: Path) -> int:
        """Behind the last line of a table, its tables and the comments that touch it."""
        end = max(i for i, line in enumerate(self.lines) if line.under(path)) + 1
        after = end
        while after < len(self.lines) and self.lines[after].is_comment:
            after += 1
        return after if after == len(self.lines) or self.lines[after].blank else end

    def _delete(self, at: Path) -> None:
        """Take out every line of a value, with those comments on it that theirs has dropped."""
        kept: list[Line] = []
        mark = None  # where in `kept` the last line was taken out, while only trivia follow
        for line in self.lines:
            if line.under(at):
                cut = mark if mark is not None else lead_start(kept, len(kept))
                lead, kept[cut:] = kept[cut:], []
                kept += (ln for ln in lead if not ln.blank and ln.comment not in self.dropped)
                kept += self._own_comments(line.value)
                if line.comment and line.comment not in self.dropped:
                    kept.append(Line("trivia", "", "", f"{line.comment}\n"))
                mark = len(kept)
            elif not (line.blank and mark == len(kept) and (not kept or kept[-1].blank)):
                kept.append(line)
                mark = mark if line.kind == "trivia" else None
        while mark == len(kept) and kept and kept[-1].blank:
            kept.pop()
        self.lines = kept

    def _own_comments(self, value: str, beside: Container[str] = ()) -> list[Line]:
        """The user's own comments in a value that goes, as lines, but for those that have a place already."""
        comments = (comment for comment in comments_of(value) if comment not in self.known and comment not in beside)
        return [Line("trivia", "", "", f"{comment}\n") for comment in comments]


def pair_at(lines: list[Line], path: Path) -> Line | None:
    return next((line for line in lines if line.kind == "pair" and line.path == path), None)


def lead_start(lines: list[Line], index: int) -> int:
    """Where the comments directly above a line begin."""
    while index and lines[index - 1].is_comment:
        index -= 1
    return index


def _fresh(value: Any, source: _Source | None) -> Entry:
    """A new entry, with the comments that theirs has on it."""
    if source is None:
        return Entry(literal(value))
    text = source.text if same(source.data, value) else literal(value)
    return Entry(text, lead=source.entry.lead, tail=source.entry.tail)
