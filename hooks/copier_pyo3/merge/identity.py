"""What counts as one and the same thing in a manifest, and which of two versions is the higher.

All that the merge knows of Cargo, PyO3 and Python packaging stands in the table below.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Key: TypeAlias = tuple[Hashable, ...]

# A table in an array is this one: in manifests, then in workflows and the files of pre-commit and Dependabot.
ITEM_KEYS: Final = (
    *("name", "id", "path", "module", "target", "select"),
    *("uses", "repo", "package-ecosystem", "run"),
)
SLOT: Final = re.compile(r"(.*\b)?abi3-(py3\d+)")  # a feature list has one of these, whichever
REQUIREMENTS: Final = (  # arrays of PEP 508 requirements
    "*dependencies",
    "*requires",
    "*.optional-dependencies.*",
    "dependency-groups.*",
)
CARGO_TABLES: Final = ("dependencies", "dev-dependencies", "build-dependencies")
VERSION_ELSEWHERE: Final = frozenset({"git", "path", "workspace"})  # a dependency with one of these may have none
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


@dataclass(eq=False)
class _Item:
    """An array's item; its key says which one it is among those of the other arrays."""

    value: object
    name: Key
    key: Key = ()

    @property
    def nameless(self) -> bool:
        """Whether it is a table without a name, or with none but the command that it runs."""
        return self.name[0] == "dict" or self.name[:2] == ("table", "run")

    @cached_property
    def words(self) -> Counter[tuple[str, str]]:
        return Counter(_words(self.value))

    def likeness(self, other: _Item) -> float:
        """The share of what the two say that both say."""
        return 2 * sum((self.words & other.words).values()) / (sum((self.words + other.words).values()) or 1)


def _words(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Each word of a value, with the keys that lead there."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _words(item, f"{where}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _words(item, where)
    else:
        yield from ((where, word) for word in re.findall(r"[\w.]+", str(value)))


def item_keys(path: Path, first: list[Any], *others: list[Any], loosely: bool = False) -> list[list[Key]]:
    """A key for each item of each array; items with equal keys are one item.

    Items of one name are one. Where an array has a name more than once, equal items are, and what is left over goes
    with the one of its name in `first` that it is most like. Two kinds of item may change their name: a requirement,
    which is its name, extras and markers, if only one of that name is left over on both sides; and a table that
    nothing names, if the other arrays all have one like it. `loosely` takes any left-over tables that nothing names for
    one: so does an editor, which only wants a text to start from.
    """
    requirements = matches(path, REQUIREMENTS)
    arrays = [[_Item(value, _identity(value, requirements)) for value in array] for array in (first, *others)]
    twice = {name for array in arrays for name, n in Counter(item.name for item in array).items() if n > 1}
    for array in arrays:
        seen: Counter[Key] = Counter()
        for item in array:
            key = (*item.name, frozen(item.value)) if item.name in twice else item.name
            item.key = (*key, seen[key])
            seen[key] += 1
    for old, new, _, _ in _left_over(arrays, lambda item: item.name if item.name in twice else None):
        new.key = old.key
    for old, new, alone, _ in _left_over(arrays, lambda item: item.name[1] if item.name[0] == "requirement" else None):
        if alone:
            new.key = old.key
    alike = [
        (old, new)
        for old, new, alone, likeness in _left_over(arrays, lambda item: True if item.nameless else None)
        if loosely or likeness >= 1 / 3 or (alone and likeness)
    ]
    known = Counter([*(item.key for array in arrays[1:] for item in array), *(old.key for old, _ in alike)])
    for old, new in alike:
        if loosely or known[old.key] == len(others):
            new.key = old.key
    return [[item.key for item in array] for array in arrays]


def _left_over(
    arrays: list[list[_Item]], group: Callable[[_Item], Hashable]
) -> Iterator[tuple[_Item, _Item, bool, float]]:
    """Pairs of an item of the first array and one of another, of one group and with no counterparts yet.

    With each: whether both are alone in their groups, and how alike they are; the most alike come first.
    """
    known = Counter(item.key for array in arrays for item in array)
    for array in arrays[1:]:
        there = {item.key for item in array}
        groups: defaultdict[Hashable, tuple[list[_Item], list[_Item]]] = defaultdict(lambda: ([], []))
        for item in arrays[0]:
            if item.key not in there:
                groups[group(item)][0].append(item)
        for item in array:
            if known[item.key] == 1:
                groups[group(item)][1].append(item)
        groups.pop(None, None)
        for gone, come in groups.values():
            alone = len(gone) == len(come) == 1
            pairs = [(old, new, alone, old.likeness(new)) for old in gone for new in come]
            taken: set[_Item] = set()
            for pair in sorted(pairs, key=lambda pair: -pair[3]):
                if taken.isdisjoint(pair[:2]):
                    taken.update(pair[:2])
                    yield pair


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
    return len(path) > 1 and path[-2] in CARGO_TABLES


def is_collection(path: Path, table: object) -> bool:
    """Whether the keys of a table come and go one by one, not as parts of one thing."""
    return isinstance(table, dict) and (
        all(isinstance(item, dict) for item in table.values()) or matches(path, COLLECTIONS)
    )
