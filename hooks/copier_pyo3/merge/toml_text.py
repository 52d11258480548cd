"""The text of a TOML document in movable pieces: the lines of a file, the entries of a value.

tomlkit reads TOML if the standard library cannot.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal

from .model import Path, Unmergeable
from .pieces import COMMENT, Body, Entry

if sys.version_info >= (3, 11):
    import tomllib
# tomlkit is imported only where it is needed: merging fragments does not need it, and each copy waits for the imports.


def read(text: str, who: str) -> dict[str, Any]:
    """The plain data of a TOML text.

    Raises:
        Unmergeable: the text is not valid.
    """
    invalid: tuple[type[Exception], ...] = (ValueError, RecursionError)
    try:
        if sys.version_info >= (3, 11):
            return tomllib.loads(text)
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        invalid += (TOMLKitError,)
        return tomlkit.parse(text.replace("\r\n", "\n")).unwrap()
    except invalid as error:
        raise Unmergeable(f"{who} is not valid TOML: {error}") from error


TOKEN: Final = re.compile(
    r"""(?P<space>[ \t]+) | (?P<newline>\r?\n) | (?P<comment>\#[^\r\n]*)
    | \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*'
    | (?P<open>[\[{]) | (?P<close>[\]}]) | (?P<comma>,) | [^\s\[\]{},\#"']+""",
    re.VERBOSE | re.DOTALL,
)
PART: Final = r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[\w-]+)"""
DOTTED: Final = re.compile(rf"[ \t]*({PART}(?:[ \t]*\.[ \t]*{PART})*)[ \t]*")
TRIVIA: Final = re.compile(r"[ \t]*(#[^\n]*)?(\r?\n|\Z)")
HEADER: Final = re.compile(r"[ \t]*(\[\[?)")
EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")


@dataclass
class Line:
    """A statement, whose value can have several lines, or a line without a statement."""

    kind: Literal["trivia", "table", "element", "pair"]
    head: str
    """A header in its brackets; the key of a pair with its equals sign."""
    value: str = ""
    tail: str = "\n"
    """The rest of the line with its end: spaces and a comment."""
    path: Path = ()
    """The path from the root, with an index for each element of an array of tables."""
    section: Path = ()
    """The path of the header above."""
    keys: tuple[str, ...] = ()
    """The path's names as they are written, with quotes."""

    @property
    def text(self) -> str:
        return self.head + self.value + self.tail

    @property
    def comment(self) -> str:
        return self.text.strip() if self.kind == "trivia" else self.tail.strip()

    @property
    def blank(self) -> bool:
        return not self.text.strip()

    @property
    def is_comment(self) -> bool:
        return self.kind == "trivia" and not self.blank

    def under(self, path: Path) -> bool:
        return self.kind != "trivia" and self.path[: len(path)] == path


def count_names(path: Path) -> int:
    return sum(isinstance(part, str) for part in path)


def split_key(dotted: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parts of a dotted key, as written and without quotes."""
    written = tuple(re.findall(PART, dotted))
    meant = (read(f"k={part}", "a key")["k"] if part[0] in "\"'" else part for part in written)
    return written, tuple(meant)


def scan(text: str) -> list[Line]:
    """The statements of a valid document; their joined texts are the document."""
    lines: list[Line] = []
    section: Path = ()
    names: tuple[str, ...] = ()
    last: dict[Path, int] = {}  # the last element of each array of tables so far
    at = 0
    while at < len(text):
        if trivia := TRIVIA.match(text, at):
            lines.append(Line("trivia", "", "", trivia[0], section=section))
            at = trivia.end()
            continue
        header = HEADER.match(text, at)
        key = DOTTED.match(text, header.end() if header else at)
        if key is None:
            raise Unmergeable(f"cannot read the text at {text[at : at + 40]!r}")
        written, meant = split_key(key[1])
        if header:
            path: Path = ()
            for part in meant:
                path = (*path, *((last[path],) if path in last else ()), part)
            if header[1] == "[[":
                last[path] = last.get(path, -1) + 1
            section = (*path, last[path]) if path in last else path
            names, end = written, key.end() + len(header[1])
            tail = text.find("\n", end) + 1 or len(text)
            kind: Literal["element", "table"] = "element" if header[1] == "[[" else "table"
            lines.append(Line(kind, text[at:end], "", text[end:tail], section, section, names))
        else:
            start = EQUALS.match(text, key.end()).end()  # type: ignore[union-attr]  # the text is valid
            end = _value_end(text, start)
            tail = text.find("\n", end) + 1 or len(text)
            pieces = (text[at:start], text[start:end], text[end:tail])
            lines.append(Line("pair", *pieces, (*section, *meant), section, names + written))
        at = tail
    return lines


def _value_end(text: str, start: int) -> int:
    """The end of the value that begins at start."""
    depth, end = 0, start
    while token := TOKEN.match(text, end):
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if depth == 0 and token.lastgroup in ("newline", "comment"):
            break
        end = token.end()
    return start + len(text[start:end].rstrip(" \t"))


def body_of(text: str) -> Body:
    """An array or inline table, split into entries."""
    opening = COMMENT.match(text, 1)
    at, depth = opening.end() if opening else 1, 0
    entries, entry = [], Entry()
    value: list[str] = []
    while at < len(text) - 1 and (token := TOKEN.match(text, at)):
        kind, at = token.lastgroup, token.end()
        if depth == 0 and kind == "comma":
            entry.comma, entry.value, value = True, "".join(value), []
            if comment := COMMENT.match(text, at):
                entry.tail, at = comment[0], comment.end()
            entries.append(entry)
            entry = Entry()
        elif depth == 0 and kind in ("space", "newline", "comment"):
            entry.gap += token[0]
        else:
            if not value:
                entry.lead, entry.gap = entry.gap, ""
            value += [entry.gap, token[0]]
            entry.gap = ""
            depth += (kind == "open") - (kind == "close")
    close = entry.gap
    if value:
        comment = COMMENT.match(close)
        entry.tail, entry.gap = comment[0] if comment else "", ""
        entry.value = "".join(value)
        close = close.removeprefix(entry.tail)
        entries.append(entry)
    if text[0] == "{":
        for entry in entries:
            key = re.match(rf"{DOTTED.pattern}=[ \t]*", entry.value)
            entry.key = key[0] if key else ""
            entry.value = entry.value.removeprefix(entry.key)
    return Body(text[0] + text[-1], opening[0] if opening else "", entries, close)


def comments_of(text: str) -> Counter[str]:
    """All comments of a document, including those in arrays."""
    tokens = (token for token in TOKEN.finditer(text) if token.lastgroup == "comment")
    return Counter(token[0].strip() for token in tokens)
