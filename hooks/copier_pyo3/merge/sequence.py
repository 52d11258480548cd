"""Three-way merge of sequences: finds the order of a merged list's items.

Items are numbers here: equal numbers are the same item, on any side. All functions take nearly linear time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from heapq import heappop, heappush
from typing import Final, TypeVar

T = TypeVar("T", bound=Hashable)

SMALL: Final = 300  # maximum length for quadratic algorithms


def arrange(base: Sequence[int], ours: Sequence[int], theirs: Sequence[int]) -> tuple[list[int], set[int]]:
    """The order of all items of ours and theirs. Neither has an item twice.

    Items that one side moved are where that side has them. A new item of theirs goes before its nearest later neighbor, or
    else after its nearest earlier one. If both sides agree on the order of two items, the result has this order.

    Returns:
        The items in order; and the items that both sides moved to different places, which are where ours has them.
    """
    moved_ours, moved_theirs = _moved(base, ours), _moved(base, theirs)
    both = moved_ours & moved_theirs
    if both:
        shared = {*ours} & {*theirs}
        if [item for item in ours if item in shared] == [item for item in theirs if item in shared]:
            both = set()
    follow = moved_theirs - moved_ours
    chain = _Chain(item for item in ours if item not in follow)
    for place in range(len(theirs) - 1, -1, -1):
        item = theirs[place]
        if item in chain:
            continue
        if place + 1 < len(theirs):
            chain.insert_before(theirs[place + 1], item)
        else:
            earlier = next((theirs[at] for at in range(place - 1, -1, -1) if theirs[at] in chain), None)
            chain.insert_behind(earlier, item)
    order = chain.items()
    if moved_theirs and (moved_ours or {*ours} & {*theirs} - {*base}):
        order = _agreeing(order, ours, theirs)
    return order, both


def _moved(base: Sequence[int], side: Sequence[int]) -> set[int]:
    """The smallest set of items whose moves explain the order of a side."""
    places = {item: place for place, item in enumerate(base)}
    known = [item for item in side if item in places]
    kept = longest_increasing([places[item] for item in known])
    return set(known) - {known[index] for index in kept}


def longest_increasing(values: Sequence[int]) -> list[int]:
    """Indices of a longest increasing subsequence of distinct values."""
    tails: list[int] = []
    ends: list[int] = []  # the index of each tail
    before: list[int] = []
    for index, value in enumerate(values):
        length = bisect_left(tails, value)
        if length == len(tails):
            tails.append(value)
            ends.append(index)
        else:
            tails[length], ends[length] = value, index
        before.append(ends[length - 1] if length else -1)
    kept = []
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.append(index)
        index = before[index]
    return kept[::-1]


class _Chain:
    """A linked list that finds and inserts items in constant time."""

    def __init__(self, items: Iterable[int]) -> None:
        self._next: dict[int | None, int | None] = {}
        self._previous: dict[int | None, int | None] = {}
        last: int | None = None
        for item in items:
            self._link(last, item)
            last = item
        self._link(last, None)

    def _link(self, one: int | None, other: int | None) -> None:
        self._next[one], self._previous[other] = other, one

    def __contains__(self, item: int) -> bool:
        return item in self._next

    def insert_before(self, place: int, item: int) -> None:
        before = self._previous[place]
        self._link(before, item)
        self._link(item, place)

    def insert_behind(self, place: int | None, item: int) -> None:
        """Insert the item after a place, or at the end."""
        place = self._previous[None] if place is None else place
        after = self._next[place]
        self._link(place, item)
        self._link(item, after)

    def items(self) -> list[int]:
        found = []
        item = self._next[None]
        while item is not None:
            found.append(item)
            item = self._next[item]
        return found


def _agreeing(order: list[int], ours: Sequence[int], theirs: Sequence[int]) -> list[int]:
    """The order, changed where it contradicts the order of two items that both sides agree on."""
    mine, new = ({item: place for place, item in enumerate(side)} for side in (ours, theirs))
    shared = [item for item in order if item in mine and item in new]
    if len(shared) > SMALL:
        return order
    before: dict[int, set[int]] = {
        item: {other for other in shared if mine[other] < mine[item] and new[other] < new[item]} for item in shared
    }
    wish = {item: place for place, item in enumerate(shared)}
    ready: list[tuple[int, int]] = []
    waiting = {item: len(before[item]) for item in shared}
    for item, count in waiting.items():
        if not count:
            heappush(ready, (wish[item], item))
    right: list[int] = []
    while ready:
        _, item = heappop(ready)
        right.append(item)
        for other in shared:
            if item in before[other]:
                waiting[other] -= 1
                if not waiting[other]:
                    heappush(ready, (wish[other], other))
    put = iter(right)
    return [next(put) if item in before else item for item in order]


# --- merge by position, for lists with repeated items ------------------------------------------------


def diff3(
    base: Sequence[T], ours: Sequence[T], theirs: Sequence[T], strict: bool = False
) -> tuple[list[tuple[int | None, int | None]], bool]:
    """Merge by position, like diff3.

    Args:
        base: the common ancestor.
        ours: one side.
        theirs: the other side.
        strict: whether different insertions at one place are a conflict, as for lines of text.

    Returns:
        Each item of the result by its index in ours and in theirs (None if a side does not have it); and whether both sides
        replaced the same items with different ones, in which case ours is kept.
    """
    in_ours, in_theirs = dict(aligned(base, ours)), dict(aligned(base, theirs))
    anchors = [(at, in_ours[at], in_theirs[at]) for at in in_ours if at in in_theirs]
    merged: list[tuple[int | None, int | None]] = []
    conflict = False
    done = (0, 0, 0)
    for anchor in [*anchors, (len(base), len(ours), len(theirs))]:
        spans = [range(start, stop) for start, stop in zip(done, anchor, strict=True)]
        old, mine, new = ([side[at] for at in span] for side, span in zip((base, ours, theirs), spans, strict=True))
        if mine == new:
            merged += zip(spans[1], spans[2], strict=True)
        elif mine == old:
            merged += [(None, at) for at in spans[2]]
        elif new == old:
            merged += [(at, None) for at in spans[1]]
        else:
            last = anchor[0] == len(base)
            gone_here, gone_there = _deleted(in_ours, in_theirs, spans[0]), _deleted(in_theirs, in_ours, spans[0])
            both_gone = any(at not in in_ours and at not in in_theirs for at in spans[0])
            kept_ours = [at for at in spans[1] if at not in gone_here]
            kept_theirs = [at for at in spans[2] if at not in gone_there]
            if strict or (both_gone and kept_ours and kept_theirs):
                conflict = True
                merged += [(at, None) for at in spans[1]]
            elif gone_here and not gone_there and not both_gone:  # theirs replaced these
                first = min(gone_here)
                merged += [(at, None) for at in kept_ours if at < first]
                merged += [(None, at) for at in kept_theirs]
                merged += [(at, None) for at in kept_ours if at > first]
            elif gone_there and not gone_here and not both_gone:
                first = min(gone_there)
                merged += [(None, at) for at in kept_theirs if at < first]
                merged += [(at, None) for at in kept_ours]
                merged += [(None, at) for at in kept_theirs if at > first]
            elif last:
                merged += [*((None, at) for at in kept_theirs), *((at, None) for at in kept_ours)]
            else:
                merged += [*((at, None) for at in kept_ours), *((None, at) for at in kept_theirs)]
        if anchor[0] < len(base):
            merged.append(anchor[1:])
        done = (anchor[0] + 1, anchor[1] + 1, anchor[2] + 1)
    return merged, conflict


def _deleted(here: dict[int, int], there: dict[int, int], span: range) -> set[int]:
    """Indices on one side of the items that the other side deleted."""
    return {here[at] for at in span if at in here and at not in there}


def aligned(one: Sequence[T], other: Sequence[T]) -> list[tuple[int, int]]:
    """Pairs of indices of equal items, in increasing order on both sides."""
    pairs: list[tuple[int, int]] = []
    jobs = [(0, len(one), 0, len(other))]
    while jobs:
        low, high, start, stop = jobs.pop()
        while low < high and start < stop and one[low] == other[start]:
            pairs.append((low, start))
            low, start = low + 1, start + 1
        while low < high and start < stop and one[high - 1] == other[stop - 1]:
            high, stop = high - 1, stop - 1
            pairs.append((high, stop))
        if low == high or start == stop:
            continue
        if high - low <= SMALL and stop - start <= SMALL:
            blocks = SequenceMatcher(None, one[low:high], other[start:stop], autojunk=False).get_matching_blocks()
            pairs += [(low + a + i, start + b + i) for a, b, size in blocks for i in range(size)]
            continue
        counts, others = Counter(one[low:high]), Counter(other[start:stop])
        places = {other[at]: at for at in range(start, stop)}
        unique = [
            (at, places[one[at]]) for at in range(low, high) if counts[one[at]] == 1 and others.get(one[at], 0) == 1
        ]
        kept = [unique[index] for index in longest_increasing([there for _, there in unique])]
        if not kept:
            continue  # too long, and without unique items: treat them as replaced
        for at, there in kept:
            jobs.append((low, at, start, there))
            pairs.append((at, there))
            low, start = at + 1, there + 1
        jobs.append((low, high, start, stop))
    return sorted(pairs)
