"""Three-way merge of YAML that edits the user's own text, by the plan of `toml_merge`.

PyYAML, which Copier brings, tells where each node stands. The text of ours is edited there and nowhere else; the result
is read again and must mean what was planned. What lies outside of the plain YAML that configuration files use (anchors,
several documents, keys twice) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .identity import Key, Path, item_keys, same
from .plan import Decision, Merged, Plan
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
    before, document, source = documents
    if document.root is None or source.root is None:
        raise Unmergeable("one side is empty")
    editor = _Editor(document, source, before.comments.values())
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
            tokens = list(yaml.scan(text))
            if any(isinstance(token, (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)) for token in tokens):
                raise Unmergeable("it has YAML anchors or tags")
            self.comments = dict(_comments(text, tokens))
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
        value = self.value(node)
        pin = f"{value} {self.comments.get(node.end_mark.line)}"
        return pin if PINNED.fullmatch(pin) else value

    def head(self, node: yaml.Node) -> tuple[int, int]:
        """The line and column where the node's text begins, which is behind its key though it stands on lines below."""
        line, column = node.start_mark.line, node.start_mark.column
        if line and not self.lines[line][:column].strip():
            line -= 1
            while line and (not self.lines[line].strip() or self.lines[line].lstrip().startswith("#")):
                line -= 1
            column = len(self.lines[line].rstrip().removesuffix(self.comments.get(line, "")).rstrip())
        return line, column

    def end(self, node: yaml.Node) -> tuple[int, int]:
        """The line and column of the end of its text; marks of block nodes reach to the next token."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self.end(last[1] if isinstance(last, tuple) else last)
        line, column = node.end_mark.line, node.end_mark.column
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") and column == 0:
            line -= 1
            while not self.lines[line].strip():
                line -= 1
            column = len(self.lines[line].rstrip("\n"))
        return line, column

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
            yield _Entry(key.value if key else None, value, above, start, self.end(value)[0] + 1, own_line)


def _comments(text: str, tokens: list[yaml.Token]) -> Iterator[tuple[int, str]]:
    """Each comment with the number of its line: what stands between the tokens, and behind the head of a block scalar."""
    at = 0
    for token in tokens:
        start, end = token.start_mark.index, token.end_mark.index
        head = re.match(r"[|>].*", text[start:end]) if isinstance(token, yaml.ScalarToken) else None
        for gap, first in ((text[at:start], at), (head[0] if head else "", start)):
            for comment in re.finditer(r"#.*", gap):
                yield text.count("\n", 0, first + comment.start()), comment[0].rstrip()
        at = max(at, end)


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

    def __init__(self, ours: _Document, theirs: _Document, known: Collection[str]) -> None:
        self.ours = ours
        self.theirs = theirs
        self.known = known
        """The comments of base: those that are not the user's own."""
        self.edits: list[tuple[int, int, int, list[str]]] = []  # start, stop, depth, lines
        self.spans: list[tuple[int, int, int, str]] = []  # line, column, end column, text

    def text(self) -> str:
        """The text of ours with every edit made; of what goes in at one line, what lies deepest comes first."""
        lines = list(self.ours.lines)
        for line, column, end, span in sorted(self.spans, reverse=True):
            lines[line] = lines[line][:column] + span + lines[line][end:]
        text: list[str] = []
        done = 0
        for start, stop, _, new in sorted(self.edits, key=lambda edit: (edit[0], edit[1] > edit[0], -edit[2])):
            text += lines[done:start] + new
            done = max(done, stop)
        return "".join(text + lines[done:])

    def rewrite(self, path: Path, node: yaml.Node, wanted: Any, source: yaml.Node | None) -> None:
        """Let the node of ours mean what is wanted: piece by piece, or by the text of theirs if that means it."""
        if same(self.ours.value(node), wanted):
            return
        edits, spans = len(self.edits), len(self.spans)
        try:
            self._edit(path, node, wanted, source)
        except Unmergeable:
            if not path or source is None or not same(self.theirs.value(source), wanted):
                raise  # a whole file is not written anew
            del self.edits[edits:], self.spans[spans:]
            self._replace(node, source)

    def _edit(self, path: Path, node: yaml.Node, wanted: Any, source: yaml.Node | None) -> None:
        if not (wanted and node.value):  # an empty collection has no lines
            self._replace(node, source)
        elif isinstance(node, yaml.MappingNode) and isinstance(wanted, dict) and not node.flow_style:
            self._mapping(path, node, wanted, source if isinstance(source, yaml.MappingNode) else None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(wanted, list):
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
            elif key == "uses":
                if not same(self.ours.pinned(entry.node), wanted[key]):
                    self._replace(entry.node, new.get(key), pinned=True)
            else:
                self.rewrite((*path, key), entry.node, wanted[key], new.get(key))
        self._insert(path, node, mine, wanted, source, list(new), list(new))

    def _sequence(self, path: Path, node: yaml.Node, wanted: list[Any], source: yaml.Node | None) -> None:
        new = list(source.value) if source else []
        for loosely in (True, False):
            theirs = [self.theirs.value(item) for item in new]
            keys = item_keys(path, wanted, self.ours.value(node), theirs, loosely=loosely)
            if [key for key in keys[0] if key in keys[1]] == [key for key in keys[1] if key in keys[0]]:
                break  # items stay where they are, so these pairs can be had
        wants = dict(zip(keys[0], wanted, strict=True))
        mine = dict(zip(keys[1], self.ours.entries(node), strict=True))
        sources = dict(zip(keys[2], new, strict=True))
        for key, entry in mine.items():
            if key not in wants:
                self._delete(entry)
            else:
                self.rewrite((*path, "[]"), entry.node, wants[key], sources.get(key))
        self._insert(path, node, mine, wants, source, keys[2], [*wants])

    def _insert(
        self,
        path: Path,
        node: yaml.Node,
        mine: dict[Any, _Entry],
        wanted: Any,
        source: yaml.Node | None,
        keys: list[Any],
        order: list[Any],
    ) -> None:
        """Copy the entries that ours lacks, each behind the entry that it follows in that order."""
        if all(key in mine for key in wanted):
            return
        if source is None or getattr(source, "flow_style", None):
            raise Unmergeable("there is no text to copy a new entry from")
        shift = node.start_mark.column - source.start_mark.column
        first = next(iter(mine.values()))
        blank = ["\n"] if self._blank_between(mine) else []
        place = None
        entries = dict(zip(keys, self.theirs.entries(source), strict=True))
        for key in order:
            if key in mine:
                place = mine[key]
            elif key in wanted:
                if key not in entries:
                    raise Unmergeable("there is no text to copy a new entry from")
                lines = self._copied(entries[key], source.start_mark.column, shift)
                if place is None and first.own_line:
                    self.edits.append((first.above, first.above, len(path), [*lines, *blank]))
                else:
                    at = self._end(place, node.start_mark.column) if place else first.stop
                    self.edits.append((at, at, len(path), [*blank, *lines]))

    def _end(self, entry: _Entry, column: int) -> int:
        """Behind an entry and the comments that are indented like what is in it."""
        end, lines = entry.stop, self.ours.lines
        while end < len(lines) and lines[end].lstrip().startswith("#") and _indent(lines[end]) > column:
            end += 1
        return end

    def _blank_between(self, mine: dict[Any, _Entry]) -> bool:
        """Whether the entries of ours stand apart by blank lines, as jobs do."""
        entries = list(mine.values())
        gaps = [not self.ours.lines[entry.above - 1].strip() for entry in entries[1:]]
        return bool(gaps) and all(gaps)

    def _copied(self, entry: _Entry, column: int, shift: int) -> list[str]:
        lines = self.theirs.lines[entry.above : entry.stop]
        if not entry.own_line:
            lines = [" " * column + lines[0][column:], *lines[1:]]
        return _shifted(lines, shift)

    def _delete(self, entry: _Entry) -> None:
        if not entry.own_line:
            raise Unmergeable("an item loses its first key")
        lines, start, stop = self.ours.lines, entry.above, entry.stop
        kept = self._own_comments(start, stop)
        if not kept and not "".join(lines[stop : stop + 1]).strip():  # not two blank lines where the entry was
            if start and not lines[start - 1].strip():
                start -= 1
            elif not start or _indent(lines[start - 1]) < _indent(lines[start]):
                stop += 1  # nor one at the head of what is left
        self.edits.append((start, stop, 0, kept))

    def _own_comments(self, start: int, stop: int) -> list[str]:
        """The user's own comments on lines that go, as lines."""
        found = (self.ours.comments.get(line, "") for line in range(start, stop))
        indent = " " * _indent(self.ours.lines[start])
        return [f"{indent}{comment}\n" for comment in found if comment and comment not in self.known]

    def _flow(self, path: Path, node: yaml.Node, wanted: list[Any], source: yaml.Node | None) -> None:
        """A list in brackets, on one line: its items as they are written."""
        first, last = node.start_mark, node.end_mark
        new = list(source.value) if source else []
        if first.line != last.line:
            raise Unmergeable("a list in brackets goes over several lines")
        keys = item_keys(path, wanted, self.ours.value(node), [self.theirs.value(item) for item in new], loosely=True)
        wants = dict(zip(keys[0], wanted, strict=True))
        written: dict[Key, str] = {}
        for document, names, nodes in ((self.theirs, keys[2], new), (self.ours, keys[1], node.value)):
            for key, item in zip(names, nodes, strict=True):
                line, end = document.end(item)
                if item.start_mark.line < line:
                    raise Unmergeable("an item goes over several lines")
                text = document.lines[line][item.start_mark.column : end]
                if key not in written or same(document.value(item), wants.get(key)):
                    written[key] = text
        self.spans.append((first.line, first.column, last.column, f"[{', '.join(written[key] for key in keys[0])}]"))

    def _replace(self, node: yaml.Node, source: yaml.Node | None, pinned: bool = False) -> None:
        """Take the text of theirs for a value, and the comment behind it unless the user has one there.

        A pinned action takes its comment along, as that is its version.
        """
        if source is None:
            raise Unmergeable("there is no text to copy a value from")
        (line, column), (last, end) = self.ours.head(node), self.ours.end(node)
        (their_line, their_column), (their_last, their_end) = self.theirs.head(source), self.theirs.end(source)
        head, their_head = self.ours.lines[line], self.theirs.lines[their_line]
        own = self._own_comments(line, last + 1)
        if line < last or their_line < their_last:
            shift = _indent(head) - _indent(their_head)
            first = f"{head[:column].rstrip()} {their_head[their_column:].lstrip()}".rstrip()
            rest = _shifted(self.theirs.lines[their_line + 1 : their_last + 1], shift)
            self.edits.append((line, last + 1, 0, [*own, f"{first}\n", *rest]))
            return
        comment, their_comment = self.ours.comments.get(last), self.theirs.comments.get(their_last)
        if pinned and PINNED.fullmatch(str(self.ours.pinned(node))):
            own = []
        text = their_head[their_column:their_end]
        if (pinned and their_comment) or (not own and comment and (pinned or their_comment)):
            text, end = their_head[their_column:].strip(), len(head.rstrip("\n"))
            self.spans.append((line, 0, 0, "".join(own)))
        if not text or head[:column].endswith(":"):  # from null, or to it
            column, text = len(head[:column].rstrip()), f" {text}".rstrip()
        self.spans.append((line, column, end, text))


def _shifted(lines: list[str], shift: int) -> list[str]:
    """Lines indented by so much more, or less where it is negative."""
    return [" " * shift + line[min(max(-shift, 0), _indent(line)) :] if line.strip() else line for line in lines]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


__all__ = ["Decision", "Merged", "Unmergeable", "merge", "parse"]
