"""What counts as one and the same thing in a manifest, and which of two versions is the higher.

All that the merge knows of Cargo, PyO3 and Python packaging stands in the table below.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Key: TypeAlias = tuple[Hashable, ...]

# A table in an array is this one; the last three are those of workflows, pre-commit and Dependabot.
ITEM_KEYS: Final = ("name", "id", "path", "module", "target", "uses", "repo", "package-ecosystem")
SLOT: Final = re.compile(r"(.*\b)?abi3-(py3\d+)")  # a feature list has one of these, whichever
REQUIREMENTS: Final = (  # arrays of PEP 508 requirements
    "*dependencies",
    "*requires",
    "*.optional-dependencies.*",
    "dependency-groups.*",
)
CARGO_TABLES: Final = ("dependencies", "dev-dependencies", "build-dependencies")
COLLECTIONS: Final = (  # tables whose keys come and go one by one
    "*dependencies",
    "*dependency-groups",
    "features",
    "*scripts",
    "*entry-points.*",
    "*urls",
)
VERSION_KEYS: Final = re.compile(r".*(version|edition|python)")  # here even "3" is a version

MISSING: Final = object()  # where one side has no such key


def frozen(value: object) -> Key:
    """A hashable stand-in that tells 1, 1.0 and true apart as TOML does, and knows nan again."""
    if isinstance(value, dict):
        return ("dict", frozenset((key, frozen(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", *map(frozen, value))
    return (type(value).__name__, repr(value))


def same(one: object, other: object) -> bool:
    return one is other or frozen(one) == frozen(other)


REQUIREMENT: Final = re.compile(
    r"(?P<name>\s*[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*)"
    r"(?P<extras>(?:\[[^]]*\]\s*)?)"
    r"(?P<versions>(?:@[^;]*?(?=\s;|$)|[(<>=!~][^;]*)?)"
    r"(?P<marker>(?:\s*;.*)?)"
)


def _identity(item: object, requirements: bool) -> Key:
    """What an array's item is, however its details change."""
    if isinstance(item, dict):
        for key in ITEM_KEYS:
            if key in item:
                action = key == "uses" and str(item[key]).partition("@")[0]  # whatever its version
                return ("table", key, frozen(action or item[key]))
    if isinstance(item, str):
        if slot := SLOT.fullmatch(item):
            return ("slot", f"{slot[1] or ''}abi3-py3*")
        if requirements and (parts := REQUIREMENT.fullmatch(item)):
            name = re.sub(r"[-_.]+", "-", parts["name"].strip()).lower()
            return ("requirement", name, re.sub(r"\s|'|\"", "", parts["extras"] + parts["marker"]))
    return frozen(item)


def item_keys(path: Path, first: list[Any], *others: list[Any]) -> list[list[Key]]:
    """A key for each item of each array; items with equal keys are one item.

    A requirement is its name, extras and markers. Where only one of a name is left over on both
    sides, its extras or markers have changed, and it takes the key that it has in `first`.
    """
    requirements = matches(path, REQUIREMENTS)
    arrays = (first, *others)
    found = [[_identity(item, requirements) for item in array] for array in arrays]
    twice = {key for keys in found for key, count in Counter(keys).items() if count > 1}
    result: list[list[Key]] = []
    for array, keys in zip(arrays, found, strict=True):
        seen: Counter[Hashable] = Counter()
        result.append([])
        for item, key in zip(array, keys, strict=True):
            unique = frozen(item) if key in twice else key
            result[-1].append((*unique, seen[unique]))
            seen[unique] += 1
    known = Counter(key for array_keys in result for key in array_keys)
    for array_keys in result[1:]:
        gone = _by_name(key for key in result[0] if key not in array_keys)
        come = _by_name(key for key in array_keys if known[key] == 1)
        for name in gone.keys() & come.keys():
            if len(gone[name]) == len(come[name]) == 1:
                array_keys[array_keys.index(come[name][0])] = gone[name][0]
    return result


def _by_name(keys: Iterable[Key]) -> dict[Hashable, list[Key]]:
    """The requirements among the keys."""
    result: dict[Hashable, list[Key]] = {}
    for key in keys:
        if key[0] == "requirement":
            result.setdefault(key[1], []).append(key)
    return result


def is_requirement(path: Path) -> bool:
    return str(path[-1]).startswith("[") and matches(path[:-1], REQUIREMENTS)


def matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(".".join(map(str, path)), pattern) for pattern in patterns)


# Versions.

CLAUSE: Final = re.compile(
    r"\s*(?P<op>\^|~=|~|===?|=|>=|<=|!=|<|>|)\s*v?(?P<release>\d+(?:\.\d+){0,3})(?:\.\*)?"
    r"(?P<pre>(?:(?<=\.\d)|(?<=\.\d\d))-[0-9A-Za-z.-]+|[._-]?(?:alpha|beta|rc|dev|post|a|b)[._-]?\d*)?"
    r"(?:\+[\w.-]+)?\s*"
)
TAG: Final = re.compile(r"(?:.*-)?(?:py|cp)(?P<major>3)(?P<minor>\d+)")
LIMITS: Final = frozenset({"=", "==", "===", "~", "~=", "<", "<=", "!="})


@dataclass(frozen=True)
class _Version:
    lowest: tuple[Any, ...]
    """What to compare: the highest lower bound."""
    limits: frozenset[str]
    """The operators that keep newer versions out."""
    plain: bool
    """Just a number: a version only where one is expected."""


def _version(text: str) -> _Version | None:
    """Read a version, a Cargo requirement, a PEP 440 specifier or a tag like py310."""
    if tag := TAG.fullmatch(text):
        return _Version(((3, int(tag["minor"])), 1), frozenset(), plain=False)
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
    return _Version(
        max(bounds),
        frozenset(clause["op"] for clause in clauses if clause) & LIMITS,
        plain=text.isdigit(),
    )


def higher(path: Path, base: object, ours: str, theirs: str) -> Literal["ours", "theirs"] | None:
    """Which of two versions is the higher one; None if that settles nothing.

    An upper limit or a pin that the user put in is a wish, not an older version.
    """
    mine, new = _version(ours), _version(theirs)
    if mine is None or new is None:
        return None
    if (mine.plain or new.plain) and not (is_cargo_dependency(path) or VERSION_KEYS.fullmatch(str(path[-1]))):
        return None
    if mine.lowest >= new.lowest:
        return "ours"
    before = _version(base) if isinstance(base, str) else None
    return None if mine.limits - (before.limits if before else new.limits) else "theirs"


def is_cargo_dependency(path: Path) -> bool:
    """Whether the path is that of a Cargo dependency, or of the version in its table."""
    return path[-2:-1] != () and (
        path[-2] in CARGO_TABLES or (path[-1] == "version" and is_cargo_dependency(path[:-1]))
    )


def is_collection(path: Path, table: object) -> bool:
    """Whether the keys of a table come and go one by one, not as parts of one thing."""
    return isinstance(table, dict) and (
        all(isinstance(item, dict) for item in table.values()) or matches(path, COLLECTIONS)
    )
