"""Compares versions of crates, Python packages, tags, and pinned actions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

REQUIREMENT: Final = re.compile(
    r"(?P<name>\s*[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*)"
    r"(?P<extras>(?:\[[^]]*\]\s*)?)"
    r"(?P<versions>(?:@[^;]*?(?=\s;|$)|[(<>=!~][^;]*)?)"
    r"(?P<marker>(?:\s*;.*)?)"
)
CLAUSE: Final = re.compile(
    r"\s*(?P<op>\^|~=|~|===?|=|>=|<=|!=|<|>|)\s*v?(?P<release>\d+(?:\.\d+){0,3})(?:\.\*)?"
    r"(?P<pre>(?:(?<=\.\d)|(?<=\.\d\d))-[0-9A-Za-z.-]+|[._-]?(?:alpha|beta|rc|dev|post|a|b)[._-]?\d*)?"
    r"(?:\+[\w.-]+)?\s*"
)
TAG: Final = re.compile(r"(?:.*-)?(?:py|cp)(?P<major>3)(?P<minor>\d+)")
LIMITS: Final = frozenset({"=", "==", "===", "~", "~=", "<", "<=", "!="})
PIN: Final = re.compile(r"(?P<action>[^@\s]+)@(?P<ref>\S+?)(?:\s+#\s*(?P<version>\d+(?:\.\d+)*))?")
PIN_COMMENT: Final = re.compile(r"#\s*(?:(?:pin|tag|version)\s+)?[^\s#]*?\bv?(?P<version>\d+(?:\.\d+)*)(?=[\s#,;)]|$)")

Side = Literal["ours", "theirs"]


@dataclass(frozen=True)
class Version:
    """The parts of a version, a requirement, or a tag that can be compared."""

    lowest: tuple[Any, ...]
    """The highest lower bound, which is compared."""
    limits: frozenset[str]
    """The operators that exclude newer versions."""
    plain: bool
    """Whether it is only a number, which is a version only if one is expected."""


def read_version(text: str) -> Version | None:
    """Read a version, a Cargo requirement, a PEP 440 specifier or a tag like py310. Returns None for other text."""
    if tag := TAG.fullmatch(text):
        return Version(((3, int(tag["minor"])), 1), frozenset(), plain=False)
    clauses = [CLAUSE.fullmatch(part) for part in text.strip("() ").split(",")]
    bounds: list[tuple[Any, ...]] = []
    for clause in clauses:
        if clause is None:
            return None
        if clause["op"] not in ("<", "<=", "!="):
            release = tuple(int(number) for number in clause["release"].split("."))
            while release[-1:] == (0,):
                release = release[:-1]
            pre = re.findall(r"\d+|[a-z]+", (clause["pre"] or "").lower())
            stage = 1 if not pre else 2 if pre[0] == "post" else 0
            bounds.append((release, stage, [(p.isdigit(), int(p) if p.isdigit() else p) for p in pre]))
    if not bounds:
        return None
    limits = frozenset(clause["op"] for clause in clauses if clause) & LIMITS
    return Version(max(bounds), limits, plain=text.isdigit())


def higher(base: object, ours: str, theirs: str, expected: bool) -> Side | None:
    """The side with the higher version, or None if the versions do not decide.

    An upper limit or a pin that the user added is intended, and not an older version.

    Args:
        base: the old value.
        ours: the user's version.
        theirs: the template's version.
        expected: whether the value is known to be a version, so that even "3" is one.
    """
    mine, new = read_version(ours), read_version(theirs)
    if mine is None or new is None or ((mine.plain or new.plain) and not expected):
        return None
    if mine.lowest >= new.lowest:
        return "ours"
    before = read_version(base) if isinstance(base, str) else None
    return None if mine.limits - (before.limits if before else new.limits) else "theirs"


def requirement(base: object, ours: str, theirs: str, settle: bool) -> str | None:
    """A PEP 508 requirement that both sides changed, merged part by part; None if both changed a part differently.

    A URL and a version exclude each other, so they are one part.
    """
    sides = [REQUIREMENT.fullmatch(side) if isinstance(side, str) else None for side in (base, ours, theirs)]
    if not (sides[1] and sides[2]):
        return None
    parts: dict[str, str] = {}
    for part in REQUIREMENT.groupindex:
        old, mine, new = (side[part].strip() if side else None for side in sides)
        assert mine is not None
        if part == "name" or new in (mine, old):
            parts[part] = mine
        elif old == mine:
            parts[part] = str(new)
        elif part == "extras":
            parts[part] = _extras(str(old or ""), mine, str(new))
        else:
            winner = higher(old, mine, str(new), expected=False) if settle else None
            if winner is None:
                return None
            parts[part] = mine if winner == "ours" else str(new)
    return _spaced(parts, *(side for side in sides[1:] if side))


def _spaced(parts: dict[str, str], *sides: re.Match[str]) -> str:
    """A requirement with the spaces of the sides that its version and its marker come from."""
    text = parts["name"] + parts["extras"]
    for part in ("versions", "marker"):
        side = next((side for side in sides if side[part].strip() == parts[part]), sides[0])
        before = side.string[: side.start(part)]
        space = before[len(before.rstrip()) :] + side[part][: len(side[part]) - len(side[part].lstrip())]
        text += space + parts[part] if parts[part] else ""
    return text


def _extras(old: str, mine: str, new: str) -> str:
    """Merge extras as a set."""
    before, ours, theirs = (
        [word.strip() for word in side.strip("[] ").split(",") if word.strip()] for side in (old, mine, new)
    )
    kept = [word for word in ours if word in theirs or word not in before]
    kept += [word for word in theirs if word not in ours and word not in before]
    return f"[{','.join(kept)}]" if kept else ""


def newer_pin(ours: str, theirs: str) -> Side | None:
    """The side with the newer pinned action, by the comment after it or else by its tag; None if neither has a version.

    A tag such as v7 means any 7.x, so it is as new as v7.0.1.
    """
    mine, new = PIN.fullmatch(ours), PIN.fullmatch(theirs)
    if not (mine and new and mine["action"].lower() == new["action"].lower()):
        return None
    one, other = pin_version(mine), pin_version(new)
    if one is None or other is None:
        return None
    if other[: len(one)] == one and not mine["version"]:
        return "ours"
    return "theirs" if other > one else "ours"


def pin_version(pin: re.Match[str]) -> tuple[int, ...] | None:
    """The numbers in the version of a pin."""
    text = pin["version"]
    if text is None:
        tag = re.fullmatch(r"v?(\d+(?:\.\d+)*)", pin["ref"])
        text = tag[1] if tag and len(tag[1]) < 40 else None
    return tuple(map(int, text.split("."))) if text else None
