"""Three-way merge of YAML that edits the user's own text, by the plan of `toml_merge`.

PyYAML, which Copier brings, tells where each node stands. The text of ours is edited there and nowhere else; the result
is read again and must mean what was planned. What lies outside of the plain YAML that configuration files use (anchors,
several documents, keys twice) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .toml_identity import Key, Path, item_keys, same
from .toml_merge import Decision, Merged, Plan
from .toml_text import Unmergeable

PINNED = re.compile(r"[^@\s]+@\S+\s+#\s*v?(?P<version>\d+(\.\d+)*)\s*")

# What PyYAML raises; the others are of values, such as the 30th of February.
INVALID = (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError)


def merge(base: str, ours: str, theirs: str) -> Merged:
    """Apply the change from base to theirs onto the text of ours.

    Raises:
        Unmergeable: an input is no plain YAML, or no edit of the text gives the planned data.
    """
    bom = "\ufeff" if ours.startswith("\ufeff") else ""
    base, ours, theirs = (text.removeprefix("\ufeff") for text in (base, ours, theirs))
    if "\r" in ours:
        raise Unmergeable("the file has carriage returns")
    documents = [_Document(text) for text in (base, ours, theirs)]
    old, mine, new = (document.data for document in documents)
    plan = _Plan(settle_versions=bool(old))
    wanted = plan.value((), old, mine, new)
    if same(wanted, mine):
        return Merged(bom + ours, tuple(plan.decisions))
    _, document, source = documents
    if document.root is None or source.root is None:
        raise Unmergeable("one side is empty")
    editor = _Editor(document, source)
    editor.rewrite((), document.root, wanted, source.root)
    text = editor.text()
    if not same(_Document(text).data, wanted):
        raise Unmergeable("the edited text does not mean the merged data")
    return Merged(bom + text, tuple(plan.decisions))


def parse(text: str) -> Any:
    """The data of a YAML file.

    Raises:
        Unmergeable: it is not YAML.
    """
    try:
        return yaml.safe_load(text)
    except INVALID as error:
        raise Unmergeable(f"it is not YAML: {error}".replace("\n", " ")) from error


class _Plan(Plan):
    """The plan of TOML, and what else is a version in a workflow: the comment behind a pinned action."""

    def _string(self, path: Path, base: Any, ours: str, theirs: str) -> str:
        mine, new = PINNED.fullmatch(ours), PINNED.fullmatch(theirs)
        if not (mine and new and path[-1] == "uses"):
            return super()._string(path, base, ours, theirs)
        one, other = (tuple(map(int, pin["version"].split("."))) for pin in (mine, new))
        detail = f"the file has {mine['version']}, the template {new['version']}"
        if other > one:
            self._decide(path, "took higher version", detail)
            return theirs
        self._decide(path, "kept higher version", detail)
        return ours


class _Document:
    """A text, its nodes, and the data that they mean."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines(keepends=True)
        if self.lines and not self.lines[-1].endswith("\n"):
            self.lines[-1] += "\n"
        try:
            tokens = yaml.scan(text)
            if any(isinstance(token, (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)) for token in tokens):
                raise Unmergeable("it has YAML anchors or tags")
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.data = {} if self.root is None else self.value(self.root)
        except INVALID as error:
            raise Unmergeable(f"it is not YAML: {error}".replace("\n", " ")) from error

    def value(self, node: yaml.Node) -> Any:
        """The node's data; a pinned action keeps its comment, which holds the version."""
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            if not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
                raise Unmergeable("it has a mapping or a list for a key")  # {{ this }} without quotes is one
            if len(set(keys)) < len(keys):
                raise Unmergeable("it has a key twice")
            return {
                key.value: self.pinned(value) if key.value == "uses" else self.value(value) for key, value in node.value
            }
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        return yaml.SafeLoader("").construct_object(node)

    def pinned(self, node: yaml.Node) -> Any:
        behind = self.lines[node.end_mark.line][node.end_mark.column :].strip()
        value = self.value(node)
        return f"{value} {behind}" if isinstance(value, str) and behind.startswith("#") else value

    def last_line(self, node: yaml.Node) -> int:
        """The last line on which the node has something; marks of block nodes reach to the next token."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self.last_line(last[1] if isinstance(last, tuple) else last)
        end = node.end_mark
        line = end.line
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") and end.column == 0:
            line -= 1
            while not self.lines[line].strip():
                line -= 1
        return int(line)

    def entries(self, node: yaml.Node) -> Iterator[_Entry]:
        """What a block mapping or sequence holds, with the lines of each, comments above included."""
        for item in node.value:
            key, value = item if isinstance(item, tuple) else (None, item)
            start = (key or value).start_mark.line
            dash = isinstance(node, yaml.SequenceNode)
            column = node.start_mark.column
            if dash and self.lines[start][column : column + 1] != "-":
                raise Unmergeable(f"line {start + 1} has no dash where one was expected")
            own_line = not self.lines[start][:column].strip()
            above = start
            while own_line and above and re.match(rf" {{{column}}}#", self.lines[above - 1]):
                above -= 1
            yield _Entry(key.value if key else None, value, above, start, self.last_line(value) + 1, own_line)


@dataclass
class _Entry:
    key: str | None
    node: yaml.Node
    above: int
    """First line of the comments above, or start."""
    start: int
    stop: int
    own_line: bool
    """False for the first key of an item, which stands behind the dash."""


class _Editor:
    """Collects edits of the text of ours, by lines; what is new is copied from the text of theirs."""

    def __init__(self, ours: _Document, theirs: _Document) -> None:
        self.ours = ours
        self.theirs = theirs
        self.edits: list[tuple[int, int, int, list[str]]] = []  # start, stop, rank, lines
        self.spans: list[tuple[int, int, int, str]] = []  # line, column, end column, text

    def text(self) -> str:
        """The text of ours with every edit made, from the end on, so that places stay right."""
        lines = list(self.ours.lines)
        for line, column, end, span in sorted(self.spans, reverse=True):
            lines[line] = lines[line][:column] + span + lines[line][end:]
        for start, stop, _, new in sorted(self.edits, key=lambda edit: edit[:3], reverse=True):
            lines[start:stop] = new
        return "".join(lines)

    def rewrite(self, path: Path, node: yaml.Node, wanted: Any, source: yaml.Node | None) -> None:
        """Let the node of ours mean what is wanted."""
        if same(self.ours.value(node), wanted):
            return
        if isinstance(node, yaml.MappingNode) and isinstance(wanted, dict) and not node.flow_style and node.value:
            self._mapping(path, node, wanted, source if isinstance(source, yaml.MappingNode) else None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(wanted, list) and node.value:
            source = source if isinstance(source, yaml.SequenceNode) else None
            (self._flow if node.flow_style else self._sequence)(path, node, wanted, source)
        else:
            self._replace(node, source)

    def _mapping(self, path: Path, node: yaml.Node, wanted: dict[str, Any], source: yaml.Node | None) -> None:
        mine = {str(entry.key): entry for entry in self.ours.entries(node)}
        new = {key.value: value for key, value in source.value} if source else {}
        for key, entry in mine.items():
            if key not in wanted:
                self._delete(entry)
            elif key == "uses" and not same(self.ours.pinned(entry.node), wanted[key]):
                self._replace(entry.node, new.get(key))
            else:
                self.rewrite((*path, key), entry.node, wanted[key], new.get(key))
        self._insert(node, mine, wanted, source, list(new))

    def _sequence(self, path: Path, node: yaml.Node, wanted: list[Any], source: yaml.Node | None) -> None:
        new = list(source.value) if source else []
        keys = item_keys(path, wanted, self.ours.value(node), [self.theirs.value(item) for item in new])
        wants = dict(zip(keys[0], wanted, strict=True))
        mine = dict(zip(keys[1], self.ours.entries(node), strict=True))
        sources = dict(zip(keys[2], new, strict=True))
        for key, entry in mine.items():
            if key not in wants:
                self._delete(entry)
            else:
                self.rewrite((*path, "[]"), entry.node, wants[key], sources.get(key))
        self._insert(node, mine, wants, source, keys[2])

    def _insert(
        self, node: yaml.Node, mine: dict[Any, _Entry], wanted: Any, source: yaml.Node | None, keys: list[Any]
    ) -> None:
        """Copy the entries that ours lacks, each behind the entry that it follows in theirs."""
        if all(key in mine for key in wanted):
            return
        if source is None or getattr(source, "flow_style", None):
            raise Unmergeable("there is no text to copy a new entry from")
        shift = node.start_mark.column - source.start_mark.column
        place = None
        rank = 0
        for key, entry in zip(keys, self.theirs.entries(source), strict=True):
            if key in mine:
                place = mine[key]
            elif key in wanted:
                rank += 1
                lines = self._copied(entry, source.start_mark.column, shift)
                first = next(iter(mine.values()))
                if place:
                    blank = self._blank_between(mine)
                    self.edits.append((place.stop, place.stop, rank, ["\n", *lines] if blank else lines))
                elif first.own_line:
                    self.edits.append((first.above, first.above, rank, lines))
                else:
                    self.edits.append((first.stop, first.stop, rank, lines))

    def _blank_between(self, mine: dict[Any, _Entry]) -> bool:
        """Whether the entries of ours stand apart by blank lines, as jobs do."""
        entries = list(mine.values())
        gaps = [not self.ours.lines[entry.above - 1].strip() for entry in entries[1:]]
        return bool(gaps) and all(gaps)

    def _copied(self, entry: _Entry, column: int, shift: int) -> list[str]:
        lines = self.theirs.lines[entry.above : entry.stop]
        if not entry.own_line:
            lines = [" " * column + lines[0][column:], *lines[1:]]
        if shift >= 0:
            return [" " * shift + line if line.strip() else line for line in lines]
        return [line[-shift:] if line.strip() else line for line in lines]

    def _delete(self, entry: _Entry) -> None:
        if not entry.own_line:
            raise Unmergeable("an item loses its first key")
        stop = entry.stop
        above = entry.above
        lines = self.ours.lines
        if above and stop < len(lines) and not lines[above - 1].strip() and not lines[stop].strip():
            stop += 1  # not two blank lines where the entry was
        self.edits.append((above, stop, 0, []))

    def _flow(self, path: Path, node: yaml.Node, wanted: list[Any], source: yaml.Node | None) -> None:
        """A list in brackets, on one line: its items as they are written."""
        first, last = node.start_mark, node.end_mark
        new = list(source.value) if source else []
        if first.line != last.line:
            raise Unmergeable("a list in brackets goes over several lines")
        keys = item_keys(path, wanted, self.ours.value(node), [self.theirs.value(item) for item in new])
        wants = dict(zip(keys[0], wanted, strict=True))
        written: dict[Key, str] = {}
        for document, names, nodes in ((self.theirs, keys[2], new), (self.ours, keys[1], node.value)):
            for key, item in zip(names, nodes, strict=True):
                if item.start_mark.line != item.end_mark.line:
                    raise Unmergeable("an item goes over several lines")
                text = document.lines[item.start_mark.line][item.start_mark.column : item.end_mark.column]
                if key not in written or same(document.value(item), wants.get(key)):
                    written[key] = text
        self.spans.append((first.line, first.column, last.column, f"[{', '.join(written[key] for key in keys[0])}]"))

    def _replace(self, node: yaml.Node, source: yaml.Node | None) -> None:
        """Take the text of theirs for a value, and the comment behind it."""
        if source is None:
            raise Unmergeable("there is no text to copy a value from")
        old, new = (
            (document, at.start_mark, document.last_line(at))
            for document, at in ((self.ours, node), (self.theirs, source))
        )
        (mine, start, last), (theirs, their_start, their_last) = old, new
        if start.line == last and their_start.line == their_last:
            line, other = mine.lines[last], theirs.lines[their_last]
            stop = node.end_mark.column
            comment, their_comment = line[stop:].strip(), other[source.end_mark.column :].strip()
            if comment.startswith("#") and their_comment.startswith("#"):
                text, stop = other[their_start.column :].rstrip("\n"), len(line.rstrip("\n"))
            else:
                text = other[their_start.column : source.end_mark.column]
            self.spans.append((start.line, start.column, stop, text))
            return
        shift = _indent(mine.lines[start.line]) - _indent(theirs.lines[their_start.line])
        if (
            shift
            or not mine.lines[start.line][: start.column].strip()
            or not theirs.lines[their_start.line][: their_start.column].strip()
        ):
            raise Unmergeable("a value of several lines is indented in another way")
        head = mine.lines[start.line][: start.column] + theirs.lines[their_start.line][their_start.column :]
        self.edits.append((start.line, last + 1, 0, [head, *theirs.lines[their_start.line + 1 : their_last + 1]]))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


__all__ = ["Decision", "Merged", "Unmergeable", "merge", "parse"]
