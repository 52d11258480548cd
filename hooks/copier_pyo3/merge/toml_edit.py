"""Edits the text of a TOML document, line by line, until it has the merged data.

The editor gets the merged tree and a second text to copy from. It does not know the reasons for the changes. It does not
rewrite a line that need not change.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from .literal import literal, multiline, quoted_key
from .model import MISSING, Merged, Node, Path, Unmergeable, find, same
from .pieces import Edits, Entry
from .references import merged
from .toml_text import PART, Line, body_of, comments_of, count_names, read, scan, split_key
from .written import as_written

BLANK: Final = Line("trivia", "", "", "\n")


def merge_toml(base: str, ours: str, theirs: str) -> Merged:
    """Merge TOML structurally; the result keeps the line endings and the byte order mark of ours. See `merge`."""
    return as_written(merge, base, ours, theirs)


def merge(base: str, ours: str, theirs: str) -> Merged:
    """Apply the change from base to theirs to the text of ours, which has LF line endings.

    An empty base means that everything in theirs is new, as for the fragments of options. Then a higher version does not
    win over a lower one.

    Raises:
        Unmergeable: an input is not valid TOML, or the edited text does not have the merged data.
    """
    old, mine, new = read(base, "the base"), read(ours, "the file"), read(theirs, "the new version")
    node, decisions, dangling = merged(old, mine, new)
    text = ours
    if not same(node.data, mine):
        known = comments_of(base)
        editor = Editor(ours, theirs, mine, new, known, dropped=known - comments_of(theirs), folding=not old)
        text = editor.rewrite(node)
        if not same(read(text, "the merged text"), node.data):
            raise Unmergeable("the merged text does not have the merged data")
    return Merged(text, decisions, dangling)


@dataclass
class _Source:
    """A value of theirs: its data, and its text to copy."""

    data: Any
    text: str
    entry: Entry = field(default_factory=Entry)

    def child(self, key: str | int) -> _Source | None:
        """The item of an array or the value of a key, with its original text if possible."""
        data = find(self.data, (key,))
        if data is MISSING:
            return None
        return self._children.get(key) or _Source(data, literal(data))

    @cached_property
    def _children(self) -> dict[str | int, _Source]:
        children: dict[str | int, _Source] = {}
        for number, entry in enumerate(body_of(self.text).entries):
            key = split_key(entry.key)[1] if entry.key else (number,)
            if len(key) == 1:
                children[key[0]] = _Source(self.data[key[0]], entry.value, entry)
        return children


class _Lines:
    """The lines of a document, indexed by path."""

    def __init__(self, text: str) -> None:
        self.lines = scan(text)
        self.pairs: dict[Path, int] = {}
        self.headers: dict[Path, int] = {}
        self.under: defaultdict[Path, list[int]] = defaultdict(list)
        """The lines with a value at a path or below it."""
        self.sections: defaultdict[Path, list[int]] = defaultdict(list)
        """The line of a header and the pairs below it."""
        for number, line in enumerate(self.lines):
            if line.kind == "trivia":
                continue
            self.sections[line.section].append(number)
            (self.pairs if line.kind == "pair" else self.headers).setdefault(line.path, number)
            for length in range(len(line.path) + 1):
                self.under[line.path[:length]].append(number)

    def lead_start(self, number: int) -> int:
        """The first of the comments directly above a line."""
        while number and self.lines[number - 1].is_comment:
            number -= 1
        return number

    def start(self, path: Path) -> int:
        """The first line of a table or of the comments above it; the end of the document if there is no such table."""
        found = self.under.get(path)
        return self.lead_start(found[0]) if found else len(self.lines)

    def end(self, path: Path) -> int:
        """The line after a table, its subtables, and the comments directly below."""
        end = self.under[path][-1] + 1
        after = end
        while after < len(self.lines) and self.lines[after].is_comment:
            after += 1
        return after if after == len(self.lines) or self.lines[after].blank else end


class Editor:
    """Edits the lines of ours, and copies from theirs.

    Args:
        ours: the text to change.
        theirs: the text to copy from.
        old: the data of ours.
        new: the data of theirs.
        known: the comments of base, which are not the user's own.
        dropped: the comments of base that theirs no longer has.
        folding: whether all of theirs is new, so that its tables go to the end.
    """

    def __init__(
        self,
        ours: str,
        theirs: str,
        old: dict[str, Any],
        new: dict[str, Any],
        known: Container[str],
        dropped: Container[str],
        folding: bool = False,
    ) -> None:
        self.open_end = bool(ours) and not ours.endswith("\n")
        self.ours = _Lines(ours + "\n" * self.open_end)
        self.theirs = _Lines(theirs + "\n" * (not theirs.endswith("\n")))
        self.old = old
        self.new = new
        self.known = known
        self.dropped = dropped
        self.folding = folding
        self.edits: Edits[Line] = Edits(len(self.ours.lines))
        self._sources: dict[Path, _Source | None] = {}

    def rewrite(self, node: Node) -> str:
        """The text of ours, edited to have the merged data.

        Raises:
            Unmergeable: the editor does not support how the text is written.
        """
        try:
            self._table(node, ())
        except (LookupError, ValueError, AttributeError, RecursionError) as error:
            raise Unmergeable(f"the way in which the file is written is not supported: {error!r}") from error
        text = "".join(line.text for line in self._assembled())
        return re.sub(r"\r?\n\Z", "", text) if self.open_end else text

    # Differences.

    def _table(self, node: Node, at: Path) -> None:
        """Edit the table at `at` until it has the node's data."""
        old = find(self.old, at)
        node.expand()
        children = node.table or {}
        kept = set()
        order = [*children.items()]
        for number, (key, child) in enumerate(order):
            mine = child.ours
            if mine is None or mine[:-1] != at or mine[-1] not in old:
                self._insert((*at, key), child, [*order[number + 1 :]])
                continue
            kept.add(mine[-1])
            if mine[-1] != key:
                self._rename(mine, key)
            if not same(old[mine[-1]], child.data):
                self._change(mine, child)
        for key in old.keys() - kept:
            self._delete((*at, key))

    def _change(self, at: Path, node: Node) -> None:
        old, new = find(self.old, at), node.data
        if at in self.ours.pairs:
            self._change_pair(at, node, old)
        elif isinstance(old, dict) and isinstance(new, dict) and not node.wrapped:
            self._table(node, at)
            if not new and at not in self.ours.headers:
                self._insert(at, Node({}), [])
        elif not (isinstance(new, list) and self._elements(at, node)):
            self._delete(at)
            self._insert(at, node, [])

    def _change_pair(self, at: Path, node: Node, old: Any) -> None:
        number = self.ours.pairs[at]
        pair = self.ours.lines[number]
        before = pair.value
        pair.value = self._value(at, before, old, node)
        self.edits.insert(number, self._own_comments(before, comments_of(pair.value)))
        theirs = self.theirs.pairs.get(node.theirs) if node.theirs is not None else None
        tail = self.theirs.lines[theirs].tail if theirs is not None else "\n"
        if tail.strip() and pair.comment in self.dropped:
            pair.tail = tail

    def _elements(self, at: Path, node: Node) -> bool:
        """Edit an array of tables; False if it must be rewritten."""
        node.expand()
        items = node.items or []
        kept = [int(item.ours[-1]) for item in items if item.ours is not None and item.ours[:-1] == at]
        if not kept or not all(isinstance(item.data, dict) for item in items):
            return False
        if kept != sorted(kept) and not self._reorder([(*at, number) for number in kept]):
            return False
        previous: Path | None = None
        for number, item in enumerate(items):
            mine = item.ours if item.ours is not None and item.ours[:-1] == at else None
            if mine is not None:
                if not same(find(self.old, mine), item.data):
                    self._change(mine, item)
                previous = mine
                continue
            block = self._block((*at, len(self.ours.lines) + number), item)
            if previous is not None:
                self._insert_block(self.ours.end(previous), block)
            else:
                first = next(other.ours for other in items[number:] if other.ours is not None and other.ours[:-1] == at)
                self._insert_block(self.ours.start(first), block, ahead=True)
        for number in range(len(find(self.old, at))):
            if number not in kept:
                self._delete((*at, number))
        return True

    def _reorder(self, elements: list[Path]) -> bool:
        """Reorder elements with the comments above them; False if there are other lines between theirs."""
        spans = [(self.ours.start(path), self.ours.end(path)) for path in elements]
        for path, (start, stop) in zip(elements, spans, strict=True):
            if not all(line.kind == "trivia" or line.under(path) for line in self.ours.lines[start:stop]):
                return False
        self.edits.reorder(spans)
        return True

    def _rename(self, at: Path, key: str) -> None:
        """Rename a key in every line that has it."""
        place = count_names(at) - 1
        for number in self.ours.under[at]:
            line = self.ours.lines[number]
            line.keys = (*line.keys[:place], quoted_key(key), *line.keys[place + 1 :])
            nth = place - (count_names(line.section) if line.kind == "pair" else 0)
            if nth >= 0:
                part = [*re.finditer(PART, line.head)][nth]
                line.head = f"{line.head[: part.start()]}{quoted_key(key)}{line.head[part.end() :]}"

    # Values.

    def _source(self, src: Path | None) -> _Source | None:
        """The value at a path of theirs as one text, even if it consists of several tables."""
        if src is None:
            return None
        if src not in self._sources:
            self._sources[src] = self._find_source(src)
        return self._sources[src]

    def _find_source(self, src: Path) -> _Source | None:
        data = find(self.new, src)
        if data is MISSING:
            return None
        if src in self.theirs.pairs:
            return _Source(data, self.theirs.lines[self.theirs.pairs[src]].value)
        if any(src[:depth] in self.theirs.pairs for depth in range(1, len(src))):
            parent = self._source(src[:-1])
            return parent.child(src[-1]) if parent else None
        if isinstance(data, dict):
            parts = {key: self._source((*src, key)) for key in data}
            pairs = (f"{quoted_key(key)} = {part.text}" for key, part in parts.items() if part)
            return _Source(data, f"{{ {', '.join(pairs)} }}" if data else "{}")
        if isinstance(data, list):
            items = (self._source((*src, number)) for number in range(len(data)))
            return _Source(data, f"[{', '.join(item.text for item in items if item)}]")
        return None

    def _text(self, node: Node) -> str:
        """The text of a value that ours does not have."""
        mine = self.ours.pairs.get(node.ours) if node.ours is not None else None
        if mine is not None and node.ours is not None and mine not in self.edits.gone:  # moved here from another table
            return self._value(node.ours, self.ours.lines[mine].value, find(self.old, node.ours), node)
        source = self._source(node.theirs)
        if source and same(source.data, node.data):
            return source.text
        node.expand()
        if node.table:
            return f"{{ {', '.join(f'{quoted_key(key)} = {self._text(child)}' for key, child in node.table.items())} }}"
        if node.items:
            return f"[{', '.join(map(self._text, node.items))}]"
        return literal(node.data)

    def _value(self, at: Path, text: str, old: Any, node: Node) -> str:
        """The text of a value, edited to have the node's data."""
        new = node.data
        if same(old, new):
            return text
        if node.wrapped is not None and isinstance(new, dict):
            return self._pairs(at, f"{{ {node.wrapped} = {text} }}", {node.wrapped: old}, node)
        if isinstance(old, list) and isinstance(new, list):
            return self._items(at, text, old, node)
        if isinstance(old, dict) and isinstance(new, dict):
            return self._pairs(at, text, old, node)
        source = self._source(node.theirs)
        if source and same(source.data, new):
            return source.text
        if isinstance(new, str) and text[:3] in ('"""', "'''") and "\n" in new:
            return multiline(new, text)
        quote = text[0]
        plain = isinstance(new, str) and text == f"{quote}{old}{quote}" and not {quote, "\\"} & {*new}
        return f"{quote}{new}{quote}" if plain else self._text(node)

    def _items(self, at: Path, text: str, old: list[Any], node: Node) -> str:
        node.expand()
        body = body_of(text)
        chosen, taken = [], set()
        for item in node.items or []:
            number = item.ours[-1] if item.ours is not None and item.ours[:-1] == at else None
            if isinstance(number, int) and 0 <= number < len(old) and number not in taken:
                taken.add(number)
                entry = body.entries[number]
                entry.value = self._value((*at, number), entry.value, old[number], item)
            else:
                entry = self._fresh(item)
            chosen.append(entry)
        return body.arrange(chosen, self.dropped)

    def _pairs(self, at: Path, text: str, old: dict[str, Any], node: Node) -> str:
        body = body_of(text)
        entries = {split_key(entry.key)[1]: entry for entry in body.entries}
        if any(len(key) > 1 for key in entries):
            return self._text(node)
        node.expand()
        chosen: list[Entry] = []
        for key, child in (node.table or {}).items():
            mine = child.ours[-1] if child.ours is not None and child.ours[:-1] == at else None
            if isinstance(mine, str) and mine in old:
                entry = entries[mine,]
                entry.value = self._value((*at, mine), entry.value, old[mine], child)
                if mine != key:
                    entry.key = re.sub(PART, lambda _, key=key: quoted_key(key), entry.key, count=1)  # type: ignore[misc]
            else:
                entry = self._fresh(child)
                entry.key = f"{quoted_key(key)} = "
            chosen.append(entry)
        return body.arrange(chosen, self.dropped)

    def _fresh(self, node: Node) -> Entry:
        """A new entry with its comments in theirs."""
        source = self._source(node.theirs)
        entry = source.entry if source else Entry()
        return Entry(self._text(node), lead=entry.lead, tail=entry.tail)

    # Lines.

    def _insert(self, at: Path, node: Node, later: list[tuple[str, Node]]) -> None:
        """Insert a value that ours does not have.

        Args:
            at: its path in ours.
            node: the value.
            later: its later neighbors. It goes before the first of them that is a pair of the same table.
        """
        src = node.theirs
        inside = [self.theirs.lines[number] for number in self.theirs.under.get(src, ())] if src else []
        if not inside or src is None or not same(find(self.new, src), node.data):
            tables = any(line.section[: len(src)] == src for line in inside) if src else False
            if tables and isinstance(node.data, dict):
                self._insert_block(self._place(at, src or ()), self._composed(at, node))
            else:
                self._insert_pairs(at, [self._pair(at, node)], later)
            return
        pairs = [line for line in inside if line.section[: len(src)] != src]
        blocks = [line for line in inside if line.section[: len(src)] == src]
        if pairs:
            self._insert_pairs(at, self._moved(at, src, pairs), later)
        if blocks:
            self._insert_block(self._place(at, src), self._moved(at, src, blocks))

    def _pair(self, at: Path, node: Node) -> Line:
        """A line for a value that has no line in theirs."""
        key = quoted_key(str(at[-1]))
        return Line("pair", f"{key} = ", self._text(node), "\n", at, at[:-1], (*self._keys(at[:-1]), key))

    def _keys(self, at: Path) -> tuple[str, ...]:
        """The names of a path as they are written in ours."""
        names = count_names(at)
        found = self.ours.under.get(at)
        if found:
            return self.ours.lines[found[0]].keys[:names]
        return tuple(quoted_key(part) for part in at if isinstance(part, str))

    def _composed(self, at: Path, node: Node) -> list[Line]:
        """The lines of a table with its header, if the table has other data in theirs."""
        keys = self._keys(at)
        element = isinstance(at[-1], int)
        name = ".".join(keys)
        header = Line(
            "element" if element else "table", f"[[{name}]]" if element else f"[{name}]", "", "\n", at, at, keys
        )
        node.expand()
        return [header, *(self._pair((*at, key), child) for key, child in (node.table or {}).items())]

    def _block(self, at: Path, node: Node) -> list[Line]:
        """The lines of a new element of an array of tables."""
        src = node.theirs
        if src is not None and same(find(self.new, src), node.data) and src in self.theirs.headers:
            inside = [self.theirs.lines[number] for number in self.theirs.under[src]]
            return self._moved(at, src, [line for line in inside if line.section[: len(src)] == src])
        return self._composed(at, node)

    def _moved(self, at: Path, src: Path, members: list[Line]) -> list[Line]:
        """Copies of lines of theirs and of the comments above them, with paths in ours."""
        parent = self._keys(at[:-1])
        name = (quoted_key(at[-1]),) if isinstance(at[-1], str) and at[-1] != src[-1] else None
        copies: list[Line] = []
        previous: int | None = None
        for line in members:
            number = self.theirs.headers[line.path] if line.kind != "pair" else self.theirs.pairs[line.path]
            copies += self._lead(number, previous)
            rest = line.keys[count_names(src[:-1]) :]
            keys = parent + (name + rest[1:] if name else rest)
            inside = line.section[: len(src)] == src
            copy = replace(
                line,
                path=at + line.path[len(src) :],
                section=at + line.section[len(src) :] if inside else line.section,
                keys=keys,
            )
            if line.kind != "pair" and keys != line.keys:
                copy.head = f"[{'.'.join(keys)}]" if line.kind == "table" else f"[[{'.'.join(keys)}]]"
            copies.append(copy)
            previous = number
        return copies

    def _lead(self, number: int, previous: int | None) -> list[Line]:
        """The comments above a line of theirs, or everything between it and the previously copied line."""
        lines = self.theirs.lines
        top = number
        while top and lines[top - 1].kind == "trivia":
            top -= 1
        if previous is not None and top == previous + 1:
            return lines[top:number]
        gap = [BLANK] if previous is not None and lines[number].kind != "pair" else []
        return gap + lines[self.theirs.lead_start(number) : number]

    def _insert_pairs(self, at: Path, pairs: list[Line], later: list[tuple[str, Node]]) -> None:
        """Insert pairs before the next neighbor, else at the end of the table: below its header, or after its dotted keys."""
        parent = at[:-1]
        own = self.ours.sections.get(parent, [])
        dotted = [
            number
            for number in self.ours.under.get(parent, ())
            if self.ours.lines[number].kind == "pair" and len(self.ours.lines[number].section) < len(parent)
        ]
        if own or dotted:
            last = (own or dotted)[-1]
            section = self.ours.lines[last].section
            neighbor = next(
                (
                    self.ours.pairs[child.ours]
                    for _, child in later
                    if child.ours in self.ours.pairs and self.ours.lines[self.ours.pairs[child.ours]].section == section
                ),
                None,
            )
            self._adapt(pairs, section)
            if neighbor is not None:
                self.edits.insert(self.ours.lead_start(neighbor), pairs)
            else:
                self.edits.insert(last, pairs, behind=True)
            return
        self._adapt(pairs, parent)
        place = self.ours.start(parent)
        for before in self.edits.inserted(place, behind=False):
            own = [number for number, line in enumerate(before) if line.kind != "trivia" and line.section == parent]
            if own:  # another key brought the header
                before[own[-1] + 1 : own[-1] + 1] = pairs
                return
        header = self._header(parent, pairs[-1].keys[: count_names(parent)]) if parent else []
        after = [BLANK] if place < len(self.ours.lines) else []
        gap = [BLANK] if place == len(self.ours.lines) and place and not self.ours.lines[-1].blank and parent else []
        self.edits.insert(place, [*gap, *header, *pairs, *after])

    @staticmethod
    def _adapt(pairs: list[Line], section: Path) -> None:
        """Change the keys of pairs to be relative to the header of a section."""
        for line in pairs:
            if line.kind == "pair":
                if count_names(line.section) != count_names(section):
                    line.head = f"{'.'.join(line.keys[count_names(section) :])} = "
                line.section = section

    def _header(self, path: Path, keys: tuple[str, ...]) -> list[Line]:
        """A header for a table that had none, with the comments above it in theirs."""
        header = Line("table", f"[{'.'.join(keys)}]", "", "\n", path, path, keys)
        number = self.theirs.headers.get(path)
        lead = self.theirs.lines[self.theirs.lead_start(number) : number] if number is not None else []
        return [*lead, header]

    def _insert_block(self, place: int, block: list[Line], ahead: bool = False) -> None:
        """Insert tables, separated by blank lines.

        Args:
            place: number of the line before which they go.
            block: their lines.
            ahead: whether they belong to the lines after them, and move with these.
        """
        lines = self.ours.lines
        behind = place > 0 and not ahead
        before = self.edits.inserted(place - 1, behind=True) if behind else self.edits.inserted(place, behind=False)
        above = before[-1][-1] if before and before[-1] else lines[place - 1] if place else None
        if above is not None and not above.blank:
            block = [BLANK, *block]
        if place < len(lines) and not lines[place].blank:
            block = [*block, BLANK]
        if behind:
            self.edits.insert(place - 1, block, behind=True, rank=1)
        else:
            self.edits.insert(place, block, rank=1)

    def _place(self, at: Path, src: Path) -> int:
        """The place for a new table: after the sibling that it follows in theirs, or at the end."""
        siblings = find(self.new, src[:-1])
        names = [*siblings] if isinstance(siblings, dict) else []
        earlier = names[: names.index(str(src[-1]))] if src[-1] in names else []
        for sibling in reversed(earlier):
            path = (*at[:-1], sibling)
            if any(len(self.ours.lines[number].section) >= len(path) for number in self.ours.under.get(path, ())):
                return self.ours.end(path)
        later = names[names.index(str(src[-1])) + 1 :] if src[-1] in names and not self.folding else []
        for sibling in later:
            found = self.ours.headers.get((*at[:-1], sibling))
            if found is not None:
                return self.ours.lead_start(found)
        if at[:-1] in self.ours.headers:
            return self.ours.end(at[:-1])
        return max((number for number, line in enumerate(self.ours.lines, 1) if not line.blank), default=0)

    def _delete(self, at: Path) -> None:
        self.edits.gone.update(self.ours.under.get(at, ()))

    def _assembled(self) -> list[Line]:
        """The lines with all edits.

        The comments above a deleted line are deleted if theirs dropped them too.
        """
        kept: list[Line] = []
        mark: int | None = None  # the position in `kept` of the last deleted line, while only trivia follow
        for step in self.edits.walk():
            if isinstance(step, list):
                kept += step
                mark = None if step else mark
                continue
            line = self.ours.lines[step]
            if step in self.edits.gone:
                cut = mark
                if cut is None:
                    cut = len(kept)
                    while cut and kept[cut - 1].is_comment:
                        cut -= 1
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
        return kept

    def _own_comments(self, value: str, beside: Container[str] = ()) -> list[Line]:
        """The user's own comments in a deleted value, as lines, without those that have a place already."""
        comments = (comment for comment in comments_of(value) if comment not in self.known and comment not in beside)
        return [Line("trivia", "", "", f"{comment}\n") for comment in comments]
