"""The text of a YAML document: its nodes, their positions, and their data.

PyYAML, which Copier depends on, reads it. YAML that configuration files do not use (several documents, duplicate keys, keys
that are not strings) is rejected. Aliases and unknown tags are opaque values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from .model import Path, Unmergeable
from .versions import PIN_COMMENT

# The exceptions of PyYAML. ValueError and others are for values, such as the 30th of February.
INVALID: Final = (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError)
FAST: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A file with one of these may have anchors. Then the slower reader is used, which can keep aliases.
MAY_HAVE_ANCHORS: Final = re.compile(r"[&*]\w")


class Plain(str):
    """A value that is not a string but is compared as it is written: 3.10 is not 3.1."""

    __slots__ = ()


class _Reader(yaml.SafeLoader):
    """Composes nodes; an alias is a scalar."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            return yaml.ScalarNode("!alias", f"*{event.anchor}", event.start_mark, event.end_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def parse(text: str) -> Any:
    """The data of a YAML file.

    Raises:
        Unmergeable: it is not YAML.
    """
    try:
        return yaml.load(text, Loader=FAST)
    except INVALID as error:
        raise Unmergeable(f"it is not YAML: {error}".replace("\n", " ")) from error


@dataclass
class Entry:
    """A key with its value, or an item with its dash, in block style."""

    key: yaml.Node | None
    node: yaml.Node
    above: int
    """The first line of the comments above, or start."""
    start: int
    stop: int
    own_line: bool
    """False for the first key of an item, which comes after the dash."""


class Document:
    """A text, its nodes by their paths, and its data.

    Args:
        text: a YAML document with LF line endings.
        places: whether to record the positions of its entries, for an editor.

    Raises:
        Unmergeable: the text is not YAML, or the way in which it is written is not supported.
    """

    def __init__(self, text: str, places: bool = True) -> None:
        if re.search("[\r\x85\u2028\u2029]", text):
            raise Unmergeable("it has several kinds of line breaks")
        self.text = text
        self.lines = text.splitlines(keepends=True) if not re.search("[\x0b\x0c\x1c-\x1e]", text) else _split(text)
        if self.lines and not self.lines[-1].endswith("\n"):
            self.lines[-1] += "\n"
        loader = _Reader if MAY_HAVE_ANCHORS.search(text) else FAST
        try:
            self.marks: set[tuple[int, int]] = set()
            """The positions of anchors, aliases, and tags."""
            self.comments: dict[int, str] = {}
            """The comment of each line that has one."""
            if re.search("[#&*!]", text):
                self._scan(yaml.scan(text, Loader=loader))
            self._places = places
            self._values = yaml.SafeLoader("")
            self.root = yaml.compose(text, Loader=loader)
            self.nodes: dict[Path, yaml.Node] = {}
            self.entries: dict[Path, Entry] = {}
            self.values: dict[Path, Any] = {}
            self.data = {} if self.root is None else self._read(self.root, ())
        except INVALID as error:
            raise Unmergeable(f"it is not YAML: {error}".replace("\n", " ")) from error
        self.marked_lines = {line for line, _ in self.marks}

    def _scan(self, tokens: Iterator[yaml.Token]) -> None:
        """Find anchors, aliases, and tags, and the comments: between the tokens, and after the header of a block scalar."""
        last_line, last_column = 0, 0
        for token in tokens:
            start, end = token.start_mark, token.end_mark
            if isinstance(token, (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)):
                self.marks.add((start.line, start.column))
            if start.line != last_line:
                self._find_comment(last_line, last_column)
                for line in range(last_line + 1, min(start.line, len(self.lines))):
                    self._find_comment(line, 0)
            if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
                self._find_comment(start.line, start.column)
            last_line, last_column = max((last_line, last_column), (end.line, end.column))

    def _find_comment(self, line: int, column: int) -> None:
        if line < len(self.lines) and (at := self.lines[line].find("#", column)) >= 0:
            self.comments[line] = self.lines[line][at:].rstrip()

    def _read(self, node: yaml.Node, path: Path) -> Any:
        """Read the node's data, and record its position."""
        self.nodes[path] = node
        if isinstance(node, yaml.MappingNode):
            if not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
                raise Unmergeable("it has a key that is a mapping or a list")  # {{ this }} without quotes is one
            keys = [key.value for key, _ in node.value]
            if len({*keys}) < len(keys):
                raise Unmergeable("it has a duplicate key")
            self._note_entries(node, path, [(key.value, key, value) for key, value in node.value])
            data: Any = {}
            for key, value in node.value:
                inner = self._read(value, (*path, key.value))
                data[key.value] = self.pinned(value, inner) if key.value == "uses" else inner
                self.values[(*path, key.value)] = data[key.value]
        elif isinstance(node, yaml.SequenceNode):
            self._note_entries(node, path, [(number, None, item) for number, item in enumerate(node.value)])
            data = [self._read(item, (*path, number)) for number, item in enumerate(node.value)]
        elif not node.tag.startswith("tag:yaml.org,2002:"):
            data = Plain(f"{node.tag} {node.value}")
        elif node.tag.endswith(":float"):
            data = Plain(node.value)
        else:
            data = self._values.construct_object(node)
        self.values[path] = data
        return data

    def _note_entries(
        self, node: yaml.CollectionNode, path: Path, children: list[tuple[str | int, yaml.Node | None, yaml.Node]]
    ) -> None:
        if node.flow_style or not self._places:
            return
        column = self.column(node)
        for name, key, value in children:
            start = (key or value).start_mark.line
            if key is None and self.lines[start][column : column + 1] != "-":
                start = next(
                    (line for line in range(start, -1, -1) if self.lines[line][column : column + 1] == "-"), start
                )
            own_line = not self.lines[start][:column].strip()
            above = start
            while own_line and above and re.match(rf" {{{column}}}#", self.lines[above - 1]):
                above -= 1
            self.entries[(*path, name)] = Entry(key, value, above, start, self.end(value, key)[0] + 1, own_line)

    def column(self, node: yaml.Node) -> int:
        """The column of a block collection's keys or dashes."""
        if isinstance(node, yaml.MappingNode) and node.value:
            return int(node.value[0][0].start_mark.column)
        column: int = node.start_mark.column
        if (node.start_mark.line, column) in self.marks and node.value:  # it begins with an anchor
            line = self.lines[node.value[0].start_mark.line]
            return len(line) - len(line.lstrip(" "))
        return column

    def pinned(self, node: yaml.Node, value: Any) -> Any:
        """A pinned action with the version in the comment after it."""
        found = PIN_COMMENT.match(self.comments.get(node.end_mark.line, ""))
        return f"{value} # {found['version']}" if found and "@" in str(value) else value

    def is_marked(self, node: yaml.Node) -> bool:
        """Whether the node has an anchor or a tag, or is an alias."""
        return (node.start_mark.line, node.start_mark.column) in self.marks

    def end(self, node: yaml.Node, key: yaml.Node | None = None) -> tuple[int, int]:
        """The line and column of the end of the node's text; PyYAML's end marks of block nodes are at the next token."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self.end(last[1], last[0]) if isinstance(last, tuple) else self.end(last)
        line, column = node.end_mark.line, node.end_mark.column
        if (
            isinstance(node, yaml.ScalarNode)
            and node.style in ("|", ">")
            and (column == 0 or not self.lines[line][:column].strip())
        ):
            line -= 1
            while not self.lines[line].strip():
                line -= 1
            column = len(self.lines[line].rstrip("\n"))
        elif isinstance(node, yaml.ScalarNode) and node.style is None and not node.value and key is not None:
            line, column = key.end_mark.line, key.end_mark.column + 1  # nothing after the colon
        return line, column

    def head(self, node: yaml.Node) -> tuple[int, int]:
        """The line and column where the node's text begins: after its key, even if the value is on the lines below."""
        line, column = node.start_mark.line, node.start_mark.column
        if line and not self.lines[line][:column].strip():
            line -= 1
            while line and (not self.lines[line].strip() or self.lines[line].lstrip().startswith("#")):
                line -= 1
            column = len(self.lines[line].rstrip().removesuffix(self.comments.get(line, "")).rstrip())
        return line, column

    def between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        """The text from one line and column to another."""
        (line, column), (last, stop) = start, end
        if line == last:
            return self.lines[line][column:stop]
        return "".join([self.lines[line][column:], *self.lines[line + 1 : last], self.lines[last][:stop]])


def _split(text: str) -> list[str]:
    return [f"{line}\n" for line in text.removesuffix("\n").split("\n")]


def indent(line: str) -> int:
    """The number of spaces at the start of a line."""
    return len(line) - len(line.lstrip(" "))


def shifted(lines: list[str], shift: int) -> list[str]:
    """Lines with the indentation changed by shift, which can be negative."""
    return [" " * shift + line[min(max(-shift, 0), indent(line)) :] if line.strip() else line for line in lines]
