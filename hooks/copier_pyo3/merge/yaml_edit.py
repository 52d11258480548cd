"""Edits the text of a YAML document, at the positions of its nodes, until it has the merged data.

The editor gets the merged tree and a second text to copy from. It does not know the reasons for the changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from .model import Merged, Node, Path, Unmergeable, same
from .pieces import COMMENT, Body, Edits
from .pieces import Entry as Piece
from .references import merged
from .versions import PIN, PIN_COMMENT
from .written import as_written
from .yaml_text import Document, Entry, Plain, indent, shifted


def merge_yaml(base: str, ours: str, theirs: str) -> Merged:
    """Merge YAML structurally; the result keeps the line endings and the byte order mark of ours. See `merge`."""
    return as_written(merge, base, ours, theirs)


def merge(base: str, ours: str, theirs: str) -> Merged:
    """Apply the change from base to theirs to the text of ours, which has LF line endings.

    Raises:
        Unmergeable: an input is not plain YAML, or the edited text does not have the merged data.
    """
    before, document, source = Document(base, places=False), Document(ours), Document(theirs)
    node, decisions, dangling = merged(before.data, document.data, source.data)
    text = ours
    if not same(node.data, document.data):
        if document.root is None or source.root is None:
            raise Unmergeable("one side is empty")
        text = Editor(document, source, before).rewrite(node)
        if not same(Document(text, places=False).data, node.data):
            raise Unmergeable("the edited text does not have the merged data")
    return Merged(text, decisions, dangling)


@dataclass
class _Insert:
    place: int
    lines: list[str]
    depth: int
    behind: bool


class Editor:
    """Collects edits of the text of ours, and copies new text from theirs.

    Args:
        ours: the document to change.
        theirs: the document to copy from.
        base: the common ancestor. Its comments are not the user's own, and where ours has the same text as base, the
            template can change how it is written.
    """

    def __init__(self, ours: Document, theirs: Document, base: Document) -> None:
        self.ours = ours
        self.theirs = theirs
        self.base = base
        self.known = {*base.comments.values()}
        self.inserts: list[_Insert] = []
        self.gone: list[tuple[int, int]] = []
        self.moves: list[list[tuple[int, int]]] = []
        self.spans: list[tuple[int, int, int, str]] = []  # line, column, end column, text

    def rewrite(self, node: Node) -> str:
        """The text of ours, edited to have the merged data.

        Raises:
            Unmergeable: the editor does not support how the text is written.
        """
        try:
            self._edit((), node)
        except (LookupError, AttributeError, RecursionError) as error:
            raise Unmergeable(f"the way in which the file is written is not supported: {error!r}") from error
        return "".join(self._lines())

    def _lines(self) -> list[str]:
        lines = list(self.ours.lines)
        for line, column, end, span in sorted(self.spans, reverse=True):
            lines[line] = lines[line][:column] + span + lines[line][end:]
        edits: Edits[str] = Edits(len(lines))
        for insert in sorted(self.inserts, key=lambda insert: -insert.depth if insert.behind else insert.depth):
            edits.insert(insert.place, insert.lines, insert.behind)
        for start, stop in self.gone:
            edits.delete(start, stop)
        for spans in self.moves:
            edits.reorder(spans)
        text: list[str] = []
        steps = [*edits.walk()]
        for step in steps:
            if isinstance(step, list):
                text += step
            elif step not in edits.gone:
                text.append(lines[step])
        if not self.ours.text.endswith("\n") and text and text[-1] == lines[-1] and steps[-1] == len(lines) - 1:
            text[-1] = text[-1].removesuffix("\n")
        return text

    # Differences.

    def _edit(self, at: Path, node: Node) -> None:
        """Edit the value of ours at a path until it has the node's data; if that fails, use the text of theirs."""
        if same(self.ours.values[at], node.data):
            return
        state = [len(edits) for edits in (self.inserts, self.gone, self.moves, self.spans)]
        try:
            self._edit_pieces(at, node)
        except Unmergeable:
            if not at or not self._is_theirs(node) or self._marked(at):
                raise  # never rewrite a whole file
            for edits, length in zip((self.inserts, self.gone, self.moves, self.spans), state, strict=True):
                del edits[length:]  # type: ignore[attr-defined]
            self._replace(at, node)

    def _edit_pieces(self, at: Path, node: Node) -> None:
        mine, wanted = self.ours.nodes[at], node.data
        if self.ours.is_marked(mine):
            raise Unmergeable("the change touches a YAML anchor, alias or tag")
        source = self.theirs.nodes.get(node.theirs) if node.theirs is not None else None
        forms = [getattr(one, "flow_style", None) for one in (self.base.nodes.get(at), mine, source)]
        if at and self._is_theirs(node) and forms[0] == forms[1] != forms[2]:
            self._replace(at, node)  # the template changed how it is written
        elif (
            isinstance(mine, yaml.CollectionNode)
            and mine.flow_style
            and type(wanted) is (dict if isinstance(mine, yaml.MappingNode) else list)
        ):
            start, end = self.ours.head(mine), self.ours.end(mine)
            start = (mine.start_mark.line, mine.start_mark.column)
            self._put(start, end, self._flow(at, node))
        elif not (wanted and mine.value):  # an empty collection has no lines
            self._replace(at, node)
        elif isinstance(mine, yaml.MappingNode) and isinstance(wanted, dict):
            self._mapping(at, node)
        elif isinstance(mine, yaml.SequenceNode) and isinstance(wanted, list):
            self._sequence(at, node)
        else:
            self._replace(at, node)

    def _mapping(self, at: Path, node: Node) -> None:
        node.expand()
        column = self.ours.column(self.ours.nodes[at])
        order: list[tuple[str, Node, Entry | None]] = []
        for key, child in (node.table or {}).items():
            mine = child.ours if child.ours is not None and child.ours[:-1] == at else None
            order.append((key, child, self.ours.entries.get(mine) if mine else None))
        stay = {id(entry) for _, _, entry in order}
        entries = [self.ours.entries[(*at, key.value)] for key, _ in self.ours.nodes[at].value]
        for key, child, entry in order:
            if entry is not None and entry.key is not None and child.ours is not None:
                if entry.key.value != key:
                    self._rename(entry.key, key)
                if key == "uses":
                    if not same(self.ours.values[child.ours], child.data):
                        self._pin(child.ours, child)
                else:
                    self._edit(child.ours, child)
        first = entries[0]
        head = "" if first.own_line else self.ours.lines[first.start][:column]
        for number, (key, child, entry) in enumerate(order):
            if entry is None:
                lines = self._copied(key, child, column)
                if head and number == 0:
                    at_key = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
                    lines[at_key] = head + lines[at_key][column:]
                self._insert(
                    [e for _, _, e in order],
                    number,
                    lines,
                    first,
                    len(at),
                    entries,
                    bool(head) and not any(e for _, _, e in order[:number]),
                    self._apart(child),
                )
            elif head and number == 0 and entry is not first:
                self.spans.append((entry.start, 0, column, head))
        if head and order[0][2] is not first and id(first) in stay:
            self.spans.append((first.start, 0, column, " " * column))
        for entry in entries:
            if id(entry) not in stay:
                self._delete(entry, entries)

    def _sequence(self, at: Path, node: Node) -> None:
        node.expand()
        column = self.ours.column(self.ours.nodes[at])
        items = node.items or []
        entries = [self.ours.entries[(*at, number)] for number in range(len(self.ours.nodes[at].value))]
        order: list[Entry | None] = []
        for item in items:
            mine = item.ours if item.ours is not None and item.ours[:-1] == at else None
            order.append(self.ours.entries.get(mine) if mine else None)
        for item, entry in zip(items, order, strict=True):
            if entry is not None and item.ours is not None:
                self._edit(item.ours, item)
        kept = [entry for entry in order if entry is not None]
        places = [entry.start for entry in kept]
        if places != sorted(places):
            if not all(entry.own_line for entry in kept):
                raise Unmergeable("moved items share a line with other text")
            self.moves.append([(entry.above, self._end(entry, column)) for entry in kept])
        for number, (item, entry) in enumerate(zip(items, order, strict=True)):
            if entry is None:
                self._insert(
                    order,
                    number,
                    self._copied(None, item, column),
                    entries[0],
                    len(at),
                    entries,
                    apart=self._apart(item),
                )
        stay = {id(entry) for entry in kept}
        for entry in entries:
            if id(entry) not in stay:
                self._delete(entry, entries)

    def _insert(
        self,
        order: list[Entry | None],
        number: int,
        lines: list[str],
        first: Entry,
        depth: int,
        entries: list[Entry],
        ahead: bool = False,
        apart: bool = False,
    ) -> None:
        """Insert new lines after their earlier neighbor, or before their later one."""
        blank = ["\n"] if (self._blank_between(entries) if len(entries) > 1 else apart) else []
        before = next((entry for entry in reversed(order[:number]) if entry is not None), None)
        behind = next((entry for entry in order[number + 1 :] if entry is not None), None)
        if ahead or (before is None and (first.own_line or not any(order))):
            place = behind.above if behind is not None else first.above
            self.inserts.append(_Insert(place, [*lines, *blank], depth, behind=False))
        elif before is not None:
            column = (
                self.ours.lines[before.start].index(self.ours.lines[before.start].lstrip())
                if before.own_line
                else first.node.start_mark.column
            )
            end = self._end(before, column if before.own_line else self.ours.lines[before.start].find("-") + 1)
            self.inserts.append(_Insert(end - 1, [*blank, *lines], depth, behind=True))
        else:
            raise Unmergeable("a new entry would be before a dash")

    def _end(self, entry: Entry, column: int) -> int:
        """The line after an entry and the comments that are indented like its contents."""
        end, lines = entry.stop, self.ours.lines
        while end < len(lines) and lines[end].lstrip().startswith("#") and indent(lines[end]) > column:
            end += 1
        return end

    def _blank_between(self, entries: list[Entry]) -> bool:
        """Whether blank lines separate the entries of ours, such as jobs."""
        gaps = [not self.ours.lines[entry.above - 1].strip() for entry in entries[1:]]
        return bool(gaps) and all(gaps)

    def _apart(self, node: Node) -> bool:
        """Whether an entry of theirs has blank lines around it."""
        entry = self.theirs.entries.get(node.theirs) if node.theirs is not None else None
        lines = self.theirs.lines
        return entry is not None and (
            (not "".join(lines[entry.stop : entry.stop + 1]).strip() and entry.stop < len(lines))
            or (entry.above > 0 and not lines[entry.above - 1].strip())
        )

    def _delete(self, entry: Entry, entries: list[Entry]) -> None:
        if self._marked_lines(entry.above, entry.stop):
            raise Unmergeable("the change touches a YAML anchor, alias or tag")
        lines, start, stop = self.ours.lines, entry.above, entry.stop
        kept = self._own_comments(start, stop)
        if entry.own_line and not kept and not "".join(lines[stop : stop + 1]).strip():  # avoid two blank lines
            if start and not lines[start - 1].strip():
                start -= 1
            elif (not start or indent(lines[start - 1]) < indent(lines[start])) and entry is not entries[-1]:
                stop += 1  # and one at the start of the remaining lines
        if kept:
            self.inserts.append(_Insert(entry.above, kept, 1000, behind=False))
        self.gone.append((start, stop))

    def _own_comments(self, start: int, stop: int) -> list[str]:
        """The user's own comments on deleted lines, as lines."""
        found = (self.ours.comments.get(line, "") for line in range(start, stop))
        space = " " * indent(self.ours.lines[start])
        return [f"{space}{comment}\n" for comment in found if comment and comment not in self.known]

    def _rename(self, key: yaml.Node, name: str) -> None:
        mark, end = key.start_mark, key.end_mark
        if mark.line != end.line:
            raise Unmergeable("a key spans several lines")
        self.spans.append((mark.line, mark.column, end.column, _scalar(name)))

    # New text.

    def _is_theirs(self, node: Node) -> bool:
        return (
            node.theirs is not None
            and node.theirs in self.theirs.nodes
            and same(self.theirs.values[node.theirs], node.data)
        )

    def _copied(self, key: str | None, node: Node, column: int) -> list[str]:
        """The lines of a new entry, at a column."""
        entry = self.theirs.entries.get(node.theirs) if node.theirs is not None else None
        if entry is None or (key is None) != (entry.key is None):
            return self._written(key, node, column)
        if any(entry.above <= line < entry.stop for line in self.theirs.marked_lines):
            raise Unmergeable("the change brings a YAML anchor, alias or tag")
        source = entry.key or entry.node
        theirs = self.theirs.lines[entry.above : entry.stop]
        at_key = entry.start - entry.above
        start = source.start_mark.column if entry.key else theirs[at_key].index("-", 0)
        if entry.key is None:
            parent = self.theirs.nodes[node.theirs[:-1]] if node.theirs else None
            start = self.theirs.column(parent) if parent is not None else start
        theirs[at_key] = " " * start + theirs[at_key][start:]
        if not self._is_theirs(node) or (entry.key is not None and entry.key.value != key):
            return self._adapted(key, node, shifted(theirs, -start), column)
        return shifted(theirs, column - start)

    def _adapted(self, key: str | None, node: Node, lines: list[str], column: int) -> list[str]:
        """A copy of an entry of theirs that has other data there, edited like a separate document."""
        document = Document("".join(lines))
        src = node.theirs or ()
        name = 0 if key is None else src[-1]
        child = _rebased(node, src, (name,))
        whole = (
            Node([node.data], (), None, items=[child])
            if key is None
            else Node({key: node.data}, (), None, table={key: child})
        )
        editor = Editor(document, self.theirs, document)
        return shifted(editor.rewrite(whole).splitlines(keepends=True), column)

    def _written(self, key: str | None, node: Node, column: int) -> list[str]:
        """The lines of an entry that has no lines in theirs."""
        space = " " * column
        if not isinstance(node.data, (dict, list)) or not node.data:
            text = self._flow_text(node, flow=False)
            line = f"- {text}" if key is None else f"{_scalar(key)}: {text}".rstrip()
            return [f"{space}{line}{self._pin_comment(node) if key == 'uses' else ''}\n"]
        node.expand()
        inner: list[str] = []
        for name, child in node.children():
            inner += self._copied(name if isinstance(name, str) else None, child, column + 2)
        if key is None:
            at = next(i for i, line in enumerate(inner) if not line.lstrip().startswith("#"))
            inner[at] = f"{space}- {inner[at][column + 2 :]}"
            return inner
        return [f"{space}{_scalar(key)}:\n", *inner]

    def _pin_comment(self, node: Node) -> str:
        pin = PIN.fullmatch(str(node.data))
        return f" # v{pin['version']}" if pin and pin["version"] else ""

    def _flow_text(self, node: Node, flow: bool = True) -> str:
        """A value on one line; `flow` if it is in brackets."""
        for document, place in ((self.ours, node.ours), (self.theirs, node.theirs)):
            source = document.nodes.get(place) if place is not None else None
            if source is None or place is None or not same(document.values[place], node.data):
                continue
            if document.is_marked(source):
                raise Unmergeable("the change touches a YAML anchor, alias or tag")
            single = isinstance(source, yaml.ScalarNode) and source.style not in ("|", ">")
            if (single or getattr(source, "flow_style", False)) and source.start_mark.line == source.end_mark.line:
                text = document.lines[source.start_mark.line][source.start_mark.column : source.end_mark.column]
                quote = (
                    flow
                    and isinstance(source, yaml.ScalarNode)
                    and source.style is None
                    and re.search(r"[{}\[\],]", text)
                )
                return f"'{text.replace(chr(39), chr(39) * 2)}'" if quote else text
        node.expand()
        if node.table is not None and isinstance(node.data, dict):
            pairs = (f"{_scalar(key)}: {self._flow_text(child)}".rstrip() for key, child in node.table.items())
            return f"{{{', '.join(pairs)}}}"
        if node.items is not None and isinstance(node.data, list):
            return f"[{', '.join(map(self._flow_text, node.items))}]"
        return _scalar(str(node.data).partition(" # ")[0] if PIN.fullmatch(str(node.data)) else node.data)

    def _flow(self, at: Path, node: Node) -> str:
        """A collection in brackets, with its entries as they are written."""
        mine = self.ours.nodes[at]
        if self._marked(at):
            raise Unmergeable("the change touches a YAML anchor, alias or tag")
        body, pieces = self._body(at, mine)
        node.expand()
        chosen = []
        for key, child in node.children():
            own = child.ours if child.ours is not None and child.ours[:-1] == at else None
            piece = pieces.get(own[-1]) if own is not None else None
            if piece is None or own is None:
                piece = Piece(self._flow_text(child), key=f"{_scalar(key)}: " if isinstance(key, str) else "")
            elif not same(self.ours.values[own], child.data):
                nested = self.ours.nodes[own]
                kind = dict if isinstance(nested, yaml.MappingNode) else list
                inside = isinstance(nested, yaml.CollectionNode) and type(child.data) is kind
                piece.value = self._flow(own, child) if inside else self._flow_text(child)
            if isinstance(key, str) and own is not None and own[-1] != key:
                piece.key = piece.key.replace(str(own[-1]), _scalar(key), 1)
            chosen.append(piece)
        return body.arrange(chosen, ())

    def _body(self, at: Path, node: yaml.Node) -> tuple[Body, dict[str | int, Piece]]:
        """A collection in brackets, split into entries, and its pieces by key or index."""
        text = self.ours.between(_start(node), (node.end_mark.line, node.end_mark.column))
        body = Body(text[0] + text[-1], "", [], "")
        pieces: dict[str | int, Piece] = {}
        done = (node.start_mark.line, node.start_mark.column + 1)
        last: Piece | None = None
        for number, child in enumerate(node.value):
            key, value = child if isinstance(child, tuple) else (None, child)
            piece = Piece()
            start = _start(key or value)
            piece.lead = _divide(self.ours.between(done, start), body, last)
            end = self.ours.end(value, key)
            if key is not None:
                piece.key = self.ours.between(
                    start, _start(value) if end != (key.end_mark.line, key.end_mark.column + 1) else end
                )
                piece.value = "" if piece.key and _start(value) == end else self.ours.between(_start(value), end)
            else:
                piece.value = self.ours.between(start, end)
            done = end
            body.entries.append(piece)
            pieces[number if key is None else key.value] = last = piece
        body.close = _divide(self.ours.between(done, (node.end_mark.line, node.end_mark.column - 1)), body, last)
        return body, pieces

    # Values.

    def _put(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Replace the text between two positions."""
        (line, column), (last, stop) = start, end
        if line == last and "\n" not in text:
            self.spans.append((line, column, stop, text))
            return
        first, *rest = f"{text}{self.ours.lines[last][stop:]}".splitlines(keepends=True)
        self.spans.append((line, column, len(self.ours.lines[line]), first))
        self.gone.append((line + 1, last + 1))
        self.inserts.append(_Insert(line, rest, 1000, behind=True))

    def _marked(self, at: Path) -> bool:
        mine = self.ours.nodes[at]
        return self._marked_lines(mine.start_mark.line, self.ours.end(mine)[0] + 1)

    def _marked_lines(self, start: int, stop: int) -> bool:
        return bool(self.ours.marked_lines) and any(start <= line < stop for line in self.ours.marked_lines)

    def _replace(self, at: Path, node: Node) -> None:
        """Replace a value, and the comment after it unless it is the user's."""
        if self._marked(at):
            raise Unmergeable("the change touches a YAML anchor, alias or tag")
        mine = self.ours.nodes[at]
        entry = self.ours.entries.get(at)
        (line, column), (last, end) = self.ours.head(mine), self.ours.end(mine, entry.key if entry else None)
        head = self.ours.lines[line]
        own = self._own_comments(line, last + 1)
        if self._is_theirs(node) and node.theirs is not None:
            source = self.theirs.nodes[node.theirs]
            their_entry = self.theirs.entries.get(node.theirs)
            if any(
                source.start_mark.line <= marked <= self.theirs.end(source)[0] for marked in self.theirs.marked_lines
            ):
                raise Unmergeable("the change brings a YAML anchor, alias or tag")
            their_line, their_column = self.theirs.head(source)
            their_last, their_end = self.theirs.end(source, their_entry.key if their_entry else None)
            first = self.theirs.lines[their_line][their_column:]
            rest = shifted(
                self.theirs.lines[their_line + 1 : their_last + 1], indent(head) - indent(self.theirs.lines[their_line])
            )
            text = self.theirs.lines[their_line][their_column:their_end] if their_line == their_last else ""
            their_comment = self.theirs.comments.get(their_last)
        elif isinstance(mine, yaml.ScalarNode) and mine.style in ("'", '"') and _is_simple(node.data):
            first, rest, their_comment = f"{mine.style}{node.data}{mine.style}", [], None
            text = first
        else:
            written = self._value_lines(node, indent(head))
            first, rest, text, their_comment = written[0], written[1:], written[0].strip(), None
        if line < last or rest:
            self.inserts.append(_Insert(line, own, 0, behind=False))
            self.spans.append((line, len(head[:column].rstrip()), len(head), f" {first.strip()}".rstrip() + "\n"))
            self.gone.append((line + 1, last + 1))
            self.inserts.append(_Insert(line, rest, 1000, behind=True))
            return
        if not own and self.ours.comments.get(last) and their_comment:
            text, end = first.strip(), len(head.rstrip("\n"))
        if not text or head[:column].endswith(":"):  # from null, or to it
            column, text = len(head[:column].rstrip()), f" {text}".rstrip()
        self.spans.append((line, column, end, text))

    def _value_lines(self, node: Node, column: int) -> list[str]:
        """The text of a new value: after its key, and the lines below."""
        source = self.theirs.nodes.get(node.theirs) if node.theirs is not None else None
        block = isinstance(source, yaml.MappingNode) and not source.flow_style
        if (
            isinstance(node.data, dict)
            and node.data
            and (block or any(isinstance(value, (dict, list)) for value in node.data.values()))
        ):
            return ["\n", *self._written("x", node, column)[1:]]
        if isinstance(node.data, str) and "\n" in node.data and not isinstance(node.data, Plain):
            body = [f"{' ' * (column + 2)}{line}".rstrip() + "\n" for line in node.data.removesuffix("\n").split("\n")]
            return ["|\n" if node.data.endswith("\n") else "|-\n", *body]
        return [self._flow_text(node, flow=False)]

    def _pin(self, at: Path, node: Node) -> None:
        """Update a pinned action and the version in its comment; keep the rest of the user's comment."""
        mine = self.ours.nodes[at]
        if self.ours.is_marked(mine):
            raise Unmergeable("the change touches a YAML anchor, alias or tag")
        line, column, end = mine.start_mark.line, mine.start_mark.column, mine.end_mark.column
        pin = PIN.fullmatch(str(node.data))
        value = f"{pin['action']}@{pin['ref']}" if pin else str(node.data)
        quote = self.ours.lines[line][column] if self.ours.lines[line][column] in "\"'" else ""
        self.spans.append((line, column, end, f"{quote}{value}{quote}"))
        comment = self.ours.comments.get(line, "")
        start = self.ours.lines[line].find(comment, end) if comment else len(self.ours.lines[line].rstrip("\n"))
        theirs = self.theirs.nodes.get(node.theirs) if node.theirs is not None else None
        new = self.theirs.comments.get(theirs.end_mark.line, "") if theirs is not None else ""
        version, new_version = PIN_COMMENT.match(comment), PIN_COMMENT.match(new)
        if version and new_version:
            first, last = version.span("version")
            self.spans.append((line, start + first, start + last, new_version["version"]))
        elif new_version:
            text = new[: new_version.end()] + (f" {comment}" if comment else "")
            self.spans.append((line, start, start + len(comment), text if comment else f" {new}"))
        elif new and comment in self.known:
            self.spans.append((line, start, start + len(comment), new))
        elif version:
            rest = comment[version.end() :].strip()
            gap = len(self.ours.lines[line][:start].rstrip()) if not rest else start
            self.spans.append((line, gap, start + len(comment), rest))


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line, node.start_mark.column


def _divide(gap: str, body: Body, last: Piece | None) -> str:
    """Add the comma and the comment after it to the piece before a gap. Returns the rest, for the next piece."""
    if last is None:
        opening = COMMENT.match(gap)
        body.opening = opening[0] if opening else ""
        return gap.removeprefix(body.opening)
    found = re.match(r"((?:\s|#[^\n]*\n)*),", gap)
    if found:
        last.gap, last.comma, gap = found[1], True, gap[found.end() :]
    comment = COMMENT.match(gap)
    if comment:
        last.tail, gap = comment[0], gap[comment.end() :]
    return gap


def _rebased(node: Node, src: Path, at: Path) -> Node:
    """A node with text in theirs, changed to have its text in a copy of it."""
    inside = node.theirs is not None and node.theirs[: len(src)] == src
    ours = (*at, *node.theirs[len(src) :]) if inside and node.theirs is not None else None
    table = None if node.table is None else {key: _rebased(child, src, at) for key, child in node.table.items()}
    items = None if node.items is None else [_rebased(child, src, at) for child in node.items]
    return Node(node.data, ours, node.theirs, table, items)


def _is_simple(value: Any) -> bool:
    """Whether a text needs no escapes in either kind of quotes."""
    return type(value) is str and re.fullmatch(r"[^'\"\\\n\t]*", value) is not None


def _scalar(value: Any) -> str:
    """A scalar as YAML on one line."""
    if value is None:
        return ""
    if isinstance(value, Plain):
        return str(value)
    text = yaml.safe_dump(
        value, allow_unicode=True, width=10**6, default_style='"' if isinstance(value, str) and "\n" in value else None
    )
    return str(text).removesuffix("\n").removesuffix("\n...")
