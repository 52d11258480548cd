"""The text of a TOML document as pieces that can be moved: lines of a file, entries of a value.

Nothing is lost in taking it apart: the texts of the pieces joined are the text. tomlkit reads where
the standard library has no reader, and writes the few values that have no text to copy.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Any, Final, Literal

from .identity import Path

if sys.version_info >= (3, 11):
    import tomllib
# tomlkit is imported where it is needed: folding does without it, and a copy waits for it.


class Unmergeable(Exception):
    """No trustworthy merge exists; the message is one clear sentence why."""


def read(text: str, who: str) -> dict[str, Any]:
    """The plain data of a TOML text.

    Raises:
        Unmergeable: it is not valid.
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
COMMENT: Final = re.compile(r"[ \t]*(#[^\r\n]*)")
HEADER: Final = re.compile(r"[ \t]*(\[\[?)")


@dataclass
class Line:
    """A statement of a document, however many lines its value has, or a line with none."""

    kind: Literal["trivia", "table", "element", "pair"]
    head: str
    """A header in its brackets; the key of a pair with its equals sign."""
    value: str = ""
    tail: str = "\n"
    """What follows up to and with the end of the line: spaces and a comment."""
    path: Path = ()
    """From the root, with a number for each element of an array of tables."""
    section: Path = ()
    """The path of the header above."""
    keys: tuple[str, ...] = ()
    """The path's names as they are written, quotes included."""

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
    """The parts of a dotted key as written and as meant."""
    written = tuple(re.findall(PART, dotted))
    meant = (read(f"k={part}", "a key")["k"] if part[0] in "\"'" else part for part in written)
    return written, tuple(meant)


def scan(text: str) -> list[Line]:
    """The statements of a valid document; their texts joined are the text."""
    lines: list[Line] = []
    section: Path = ()
    names: tuple[str, ...] = ()
    last: dict[Path, int] = {}  # the newest element of each array of tables
    at = 0
    while at < len(text):
        if trivia := TRIVIA.match(text, at):
            lines.append(Line("trivia", "", "", trivia[0], section=section))
            at = trivia.end()
            continue
        header = HEADER.match(text, at)
        key = DOTTED.match(text, header.end() if header else at)
        if key is None:
            raise Unmergeable(f"cannot follow the text at {text[at : at + 40]!r}")
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
            start = text.index("=", key.end()) + 1
            start += len(text[start:]) - len(text[start:].lstrip(" \t"))
            end = _value_end(text, start)
            tail = text.find("\n", end) + 1 or len(text)
            pieces = (text[at:start], text[start:end], text[end:tail])
            lines.append(Line("pair", *pieces, (*section, *meant), section, names + written))
        at = tail
    return lines


def _value_end(text: str, start: int) -> int:
    """Where the value that begins at start has its end."""
    depth, end = 0, start
    while token := TOKEN.match(text, end):
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if depth == 0 and token.lastgroup in ("newline", "comment"):
            break
        end = token.end()
    return start + len(text[start:end].rstrip(" \t"))


@dataclass
class Entry:
    """An item of an array or a pair of an inline table, with all that stands around it."""

    value: str = ""
    lead: str = ""
    """Spaces, line breaks and comment lines before it."""
    key: str = ""
    """`name = ` in a table."""
    gap: str = ""
    """What stands between the value and its comma."""
    comma: bool = False
    tail: str = ""
    """The comment at the end of its line."""

    @property
    def text(self) -> str:
        """All but the lead."""
        return self.key + self.value + self.gap + "," * self.comma + self.tail


@dataclass
class Body:
    """An array or inline table, taken apart."""

    brackets: str
    opening: str
    """The comment behind the opening bracket."""
    entries: list[Entry]
    close: str
    """What stands between the last entry and the closing bracket."""

    @classmethod
    def of(cls, text: str) -> Body:
        opening = COMMENT.match(text, 1)
        at, depth = opening.end() if opening else 1, 0
        entries, entry = [], Entry()
        while at < len(text) - 1 and (token := TOKEN.match(text, at)):
            kind, at = token.lastgroup, token.end()
            if depth == 0 and kind == "comma":
                entry.comma = True
                if comment := COMMENT.match(text, at):
                    entry.tail, at = comment[0], comment.end()
                entries.append(entry)
                entry = Entry()
            elif depth == 0 and kind in ("space", "newline", "comment"):
                entry.gap += token[0]
            else:
                if not entry.value:
                    entry.lead, entry.gap = entry.gap, ""
                entry.value, entry.gap = entry.value + entry.gap + token[0], ""
                depth += (kind == "open") - (kind == "close")
        close = entry.gap
        if entry.value:
            comment = COMMENT.match(close)
            entry.tail, entry.gap = comment[0] if comment else "", ""
            close = close.removeprefix(entry.tail)
            entries.append(entry)
        if text[0] == "{":
            for entry in entries:
                key = re.match(rf"{DOTTED.pattern}=[ \t]*", entry.value)
                entry.key = key[0] if key else ""
                entry.value = entry.value.removeprefix(entry.key)
        return cls(text[0] + text[-1], opening[0] if opening else "", entries, close)

    def arrange(self, chosen: list[Entry], dropped: Container[str]) -> str:
        """The text with the chosen entries, its own or others, instead of its own.

        Others take its style: all on one line, or an item a line with its indent. A comment of an
        entry that goes stays unless it is among those `dropped`.
        """
        own = self.entries
        trailing = own[-1].comma if own else "\n" in self.close
        row = self._row()
        if row:
            self._keep_comments(chosen, dropped, row)
            for entry in chosen:
                if all(entry is not mine for mine in own):
                    entry.lead = "".join(row + c for c in COMMENT.findall(entry.lead)) + row
        else:
            first = own[0].lead if own else " " * (self.brackets == "{}")
            gap = own[1].lead if len(own) > 1 else " "
            self.close = self.close or ("" if own else first)
            for number, entry in enumerate(chosen):
                entry.lead, entry.tail = gap if number else first, ""
        text, commented = self.brackets[0] + self.opening, bool(self.opening)
        for number, entry in enumerate(chosen):
            entry.comma = trailing or number < len(chosen) - 1
            text += _apart(commented, entry.lead, row) + entry.text
            commented = bool(entry.tail)
        return text + _apart(commented, self.close, "\n") + self.brackets[1]

    def _row(self) -> str:
        """The line break and indent before an item, or nothing if all stand on one line."""
        leads = [entry.lead for entry in self.entries if "\n" in entry.lead]
        if leads:
            return "\n" + leads[0].rpartition("\n")[2]
        return "\n    " if "\n" in self.opening + self.close else ""

    def _keep_comments(self, chosen: list[Entry], dropped: Container[str], row: str) -> None:
        """Hand the user's comments on entries that go to what follows them."""
        kept = ""
        for entry in self.entries:
            if any(entry is one for one in chosen):
                entry.lead, kept = kept + _apart(bool(kept), entry.lead, row), ""
            else:
                comments = COMMENT.findall(entry.lead + entry.gap + entry.tail)
                kept += "".join(row + comment for comment in comments if comment not in dropped)
        self.close = kept + _apart(bool(kept), self.close, "\n")


def _apart(commented: bool, text: str, row: str) -> str:
    """The text, on a line of its own if a comment would swallow it."""
    return text if not commented or re.match(r"[ \t]*\r?\n", text) else row + text.lstrip(" \t")


def comments_of(text: str) -> Counter[str]:
    """Every comment of a document, those in arrays included."""
    tokens = (token for token in TOKEN.finditer(text) if token.lastgroup == "comment")
    return Counter(token[0].strip() for token in tokens)


def quoted_key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _written(key)


def literal(value: Any) -> str:
    """A value as TOML on one line, where there is no text to copy; YAML's null as it is told in decisions."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        inner = ", ".join(f"{quoted_key(key)} = {literal(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return _written(value)


def _written(value: Any) -> str:
    import tomlkit

    return str(tomlkit.item(value).as_string())
