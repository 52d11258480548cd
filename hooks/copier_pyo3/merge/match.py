"""Matches the items of two lists, and the renamed keys of two tables.

Equal items match. Then items with equal names (an id, a name, an action) match. The rest is matched by similarity, like
renamed files in git: one to one, the most similar first, and only above a threshold.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, TypeAlias

from . import known
from .model import Meanings
from .sequence import aligned
from .versions import REQUIREMENT

# Chosen with the histories in docs/benchmarks.md. Items between the same neighbors can differ more than items that moved,
# and a single item that replaced a single one can differ most.
ALIKE_IN_PLACE: Final = 0.5
ALIKE_ELSEWHERE: Final = 0.75
ALIKE_ALONE: Final = 0.25
ALIKE_KEYS: Final = 0.6
ALIKE_KEYS_ALONE: Final = 0.4
ALIKE_WORDING: Final = 0.1
MOST_PAIRS: Final = 40_000  # do not compare the pairs if there are more
NAME_WEIGHT: Final = 3

Left: TypeAlias = dict[int, None]  # indices of items without a match, in order


class Pairs(dict[int, int]):
    """Indices of items of one list, with the indices of the matching items of another."""

    def __init__(self, pairs: Mapping[int, int], loose: set[int]) -> None:
        super().__init__(pairs)
        self.loose = loose
        """The indices that were matched only by similarity."""


class Matcher:
    """Matches the items and keys of the versions in one merge."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self._counted: dict[int, Counter[tuple[str, str]]] = {}

    def items(self, place: str, one: Sequence[Any], other: Sequence[Any], by_likeness: bool = True) -> Pairs:
        """Match the items of `one` and `other`."""
        left = [[self._meanings.of(item) for item in side] for side in (one, other)]
        pairs = _equal(*left)
        gone = dict.fromkeys(at for at in range(len(one)) if at not in pairs)
        come = dict.fromkeys(sorted({*range(len(other))} - {*pairs.values()}))
        for names in self._names(place, one, other, gone, come, loosely=by_likeness):
            self._pair_named(names, one, other, pairs, gone, come)
        sure = {*pairs}
        if by_likeness and gone and come and len(gone) * len(come) <= MOST_PAIRS:
            self._pair_alike(place, one, other, pairs, gone, come)
        return Pairs({there: here for here, there in pairs.items()}, {pairs[at] for at in pairs.keys() - sure})

    def _names(
        self, place: str, one: Sequence[Any], other: Sequence[Any], gone: Left, come: Left, loosely: bool
    ) -> Iterator[list[dict[int, Hashable]]]:
        """The names of the unmatched items on both sides, the most reliable kind first."""
        requirements = known.REQUIREMENTS.fullmatch(place) is not None
        if any(isinstance(one[at], str) for at in gone):
            for exact in (True, False) if loosely else (True,):
                yield [_text_names(side, left, requirements, exact) for side, left in ((one, gone), (other, come))]
        for key in known.NAMES:
            if any(isinstance(one[at], dict) and key in one[at] for at in gone):
                yield [self._table_names(side, left, key) for side, left in ((one, gone), (other, come))]

    def _table_names(self, side: Sequence[Any], left: Left, key: str) -> dict[int, Hashable]:
        tables = ((at, side[at]) for at in left if isinstance(side[at], dict) and key in side[at])
        return {
            at: str(table[key]).partition("@")[0] if key == "uses" else self._meanings.of(table[key])
            for at, table in tables
        }

    def _pair_named(
        self,
        names: list[dict[int, Hashable]],
        one: Sequence[Any],
        other: Sequence[Any],
        pairs: dict[int, int],
        gone: Left,
        come: Left,
    ) -> None:
        """Match items with the same name; if several have it, the most similar ones."""
        groups: defaultdict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, found in enumerate(names):
            for at, name in found.items():
                groups[name][side].append(at)
        for olds, news in groups.values():
            if len(olds) == len(news) == 1:
                likely = [(1.0, 0, olds[0], news[0])]
            elif len(olds) * len(news) <= MOST_PAIRS:
                likely = [(self.likeness(one[a], other[b]), -abs(a - b), a, b) for a in olds for b in news]
            else:
                likely = [(1.0, -a, a, b) for a, b in zip(olds, news, strict=False)]
            for _, _, a, b in sorted(likely, reverse=True):
                if a in gone and b in come:
                    pairs[a] = b
                    del gone[a]
                    del come[b]

    def _pair_alike(
        self, place: str, one: Sequence[Any], other: Sequence[Any], pairs: dict[int, int], gone: Left, come: Left
    ) -> None:
        gaps = _gaps(pairs, len(one)), _gaps({b: a for a, b in pairs.items()}, len(other))
        alone = Counter(gaps[0][at] for at in gone), Counter(gaps[1][at] for at in come)
        likely = []
        for a in gone:
            for b in come:
                if not (isinstance(one[a], dict) and isinstance(other[b], dict)):
                    continue
                here, there = gaps[0][a], gaps[1][b]
                in_place = (here[0] is None or pairs[here[0]] == there[0]) and (
                    here[1] is None or pairs[here[1]] == there[1]
                )
                in_place = (
                    in_place and (here[0] is None) == (there[0] is None) and (here[1] is None) == (there[1] is None)
                )
                single = in_place and alone[0][here] == 1 and alone[1][there] == 1
                least = ALIKE_ALONE if single else ALIKE_IN_PLACE if in_place else ALIKE_ELSEWHERE
                likeness = self.likeness(one[a], other[b])
                if single and known.STEPS.fullmatch(place):  # an action can become a command
                    likeness, least = max(likeness, self._wording(one[a], other[b])), ALIKE_WORDING
                if likeness >= least:
                    likely.append((likeness, in_place, -abs(a - b), a, b))
        for *_, a, b in sorted(likely, reverse=True):
            if a in gone and b in come:
                pairs[a] = b
                del gone[a]
                del come[b]

    def keys(self, place: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, str]:
        """Renamed keys: keys of `other`, with the name that they have in `one`."""
        gone = [key for key in one if key not in other]
        come = [key for key in other if key not in one]
        if not (gone and come and known.NAMED.fullmatch(place)) or len(gone) * len(come) > MOST_PAIRS:
            return {}
        least = ALIKE_KEYS_ALONE if len(gone) == len(come) == 1 else ALIKE_KEYS
        likely = []
        cargo = place.rpartition(".")[2] in known.CARGO_TABLES
        for old in gone:
            for new in come:
                if cargo:
                    if known.crate(old, one[old]) == known.crate(new, other[new]):
                        likely.append((1.0, old, new))
                    continue
                likeness = self._keys_alike(place, old, new, one[old], other[new])
                if likeness >= least:
                    likely.append((likeness, old, new))
        renamed: dict[str, str] = {}
        for _, old, new in sorted(likely, key=lambda pair: -pair[0]):
            if old not in renamed.values() and new not in renamed:
                renamed[new] = old
        return renamed

    def _keys_alike(self, place: str, old: str, new: str, before: Any, after: Any) -> float:
        if known.TOOLS.fullmatch(place) and SequenceMatcher(None, old, new).ratio() < ALIKE_KEYS:
            return 0
        if isinstance(before, (dict, list)):
            return self.likeness(before, after) if before and after and type(before) is type(after) else 0
        named = place.endswith(("scripts", "urls")) or ".entry-points." in f"{place}."
        return 1 if named and self._meanings.same(before, after) and len(str(before)) > 3 else 0

    def likeness(self, one: Any, other: Any) -> float:
        """The similarity of two values, from 0 to 1; names and actions have more weight than details."""
        if isinstance(one, dict) and isinstance(other, dict):
            shared, whole = 0.0, 0.0
            for key in one.keys() | other.keys():
                weight = NAME_WEIGHT if key in known.NAMES else 1.0
                if key in one and key in other:
                    shared += weight * self._share(key, one[key], other[key])
                    whole += weight
                else:
                    whole += weight / 2  # an added or deleted name has half the weight
            return shared / whole if whole else 1.0
        return self._share("", one, other)

    def _share(self, key: str, one: Any, other: Any) -> float:
        if self._meanings.same(one, other):
            return 1
        if key == "uses":
            one, other = (str(value).partition("@")[0] for value in (one, other))
        mine, new = self._words(one), self._words(other)
        return 2 * sum((mine & new).values()) / (sum(mine.values()) + sum(new.values()) or 1)

    def _wording(self, one: Any, other: Any) -> float:
        """The share of common words, under any key."""
        mine, new = (Counter(word for _, word in self._words(value).elements()) for value in (one, other))
        return 2 * sum((mine & new).values()) / (sum(mine.values()) + sum(new.values()) or 1)

    def _words(self, value: Any) -> Counter[tuple[str, str]]:
        """Each word of a value, with the keys on its path."""
        number = self._meanings.of(value)
        if number not in self._counted:
            self._counted[number] = Counter(_words(value))
        return self._counted[number]


def _equal(one: list[int], other: list[int]) -> dict[int, int]:
    """Pairs of equal items: those that each side has once, at any place; repeated ones in the same order."""
    counts = Counter(one), Counter(other)
    places = {number: at for at, number in enumerate(other)}
    pairs = {at: places[number] for at, number in enumerate(one) if counts[0][number] == 1 == counts[1].get(number, 0)}
    repeated = [
        [
            at
            for at, number in enumerate(side)
            if counts[0][number] and counts[1][number] and counts[0][number] + counts[1][number] > 2
        ]
        for side in (one, other)
    ]
    if repeated[0]:
        for a, b in aligned(one, other):
            if a not in pairs and one[a] in counts[1]:
                pairs[a] = b
        taken = {*pairs.values()}
        spare = defaultdict(list)
        for at in repeated[1]:
            if at not in taken:
                spare[other[at]].append(at)
        for at in repeated[0]:
            if at not in pairs and spare[one[at]]:
                pairs[at] = spare[one[at]].pop(0)
    return pairs


def _gaps(pairs: Mapping[int, int], length: int) -> list[tuple[int | None, int | None]]:
    """For each index, the nearest matched indices before and after it."""
    before: list[int | None] = []
    last = None
    for at in range(length):
        before.append(last)
        last = at if at in pairs else last
    behind: list[int | None] = []
    last = None
    for at in range(length - 1, -1, -1):
        behind.append(last)
        last = at if at in pairs else last
    return list(zip(before, reversed(behind), strict=True))


def _text_names(side: Sequence[Any], left: Left, requirements: bool, exact: bool) -> dict[int, Hashable]:
    """Names of strings: the slot of a feature, or a requirement's name, with its extras and marker if `exact`."""
    names: dict[int, Hashable] = {}
    for at in left:
        item = side[at]
        if not isinstance(item, str):
            continue
        if slot := known.SLOT.fullmatch(item):
            names[at] = ("slot", f"{slot[1] or ''}abi3-py3*")
        elif requirements and (parts := REQUIREMENT.fullmatch(item)):
            name = normalized(parts["name"])
            details = re.sub(r"\s|'|\"", "", parts["extras"] + parts["marker"]) if exact else ""
            names[at] = ("requirement", name, details)
    if not exact:  # a name without the details must be unique
        counts = Counter(names.values())
        names = {at: name for at, name in names.items() if counts[name] == 1}
    return names


def normalized(name: str) -> str:
    """A distribution's name, normalized according to PEP 503."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _words(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _words(item, f"{where}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _words(item, where)
    else:
        yield from ((where, word) for word in re.findall(r"[\w.]+", str(value)))
