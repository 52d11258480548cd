"""Merges lists: as sequences of identified items, or by position if items repeat or are options with values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import known
from .literal import brief
from .match import Pairs
from .model import MISSING, Node, Path, Rename
from .sequence import aligned, arrange, diff3

if TYPE_CHECKING:
    from .plan import Plan


def merge_lists(
    plan: Plan, place: str, base: list[Any], ours: list[Any], theirs: list[Any], at: Path, src: Path
) -> Node:
    """Merge lists as sequences of identified items, or by position if items repeat or are options with values."""
    if not known.set_lists(place) and _goes_by_position(base, ours, theirs):
        return _by_position(plan, place, base, ours, theirs, at, src)
    in_ours = plan.match.items(place, base, ours)
    in_theirs = plan.match.items(place, base, theirs)
    _prefer_names(plan, place, ours, theirs, in_ours, in_theirs)
    ids = _numbered(len(base), in_ours, in_theirs, len(ours), len(theirs))
    new_ours = [number for number in range(len(ours)) if number not in in_ours]
    new_theirs = [number for number in range(len(theirs)) if number not in in_theirs]
    alike = plan.match.items(
        place, [ours[number] for number in new_ours], [theirs[number] for number in new_theirs], by_likeness=False
    )
    for there, here in alike.items():
        ids[1][new_theirs[there]] = ids[0][new_ours[here]]
    olds = dict(enumerate(base))
    mine = {number: place_in_ours for place_in_ours, number in enumerate(ids[0])}
    new = {number: place_in_theirs for place_in_theirs, number in enumerate(ids[1])}
    merged: dict[int, Node] = {}
    for number in dict.fromkeys([*ids[0], *ids[1]]):
        sides = (
            olds.get(number, MISSING),
            ours[mine[number]] if number in mine else MISSING,
            theirs[new[number]] if number in new else MISSING,
        )
        shown = next(side for side in (sides[1], sides[2], sides[0]) if side is not MISSING)
        item_place = f"{place}{label(shown)}"
        node = plan.value(item_place, *sides, (*at, mine.get(number, -1)), (*src, new.get(number, -1)), place)
        if node is not None:
            merged[number] = node
            _note_id(plan, item_place, sides[0], node.data)
    _tell_replaced(plan, place, base, ours, theirs, in_ours, in_theirs)
    order, contested = arrange(
        [number for number in range(len(base)) if number in merged],
        [number for number in ids[0] if number in merged],
        [number for number in ids[1] if number in merged],
    )
    if contested and not known.set_lists(place):
        labels = ", ".join(label(merged[number].data) for number in sorted(contested))
        plan.decide(place, "kept ours", f"both sides moved {labels}", conflict=True)
    items = [merged[number] for number in order]
    return Node([item.data for item in items], at, src, items=items)


def _prefer_names(plan: Plan, place: str, ours: list[Any], theirs: list[Any], in_ours: Pairs, in_theirs: Pairs) -> None:
    """Remove matches with base by similarity if the other side added the same item."""
    loose = (
        [at for at in range(len(ours)) if at in in_ours.loose],
        [at for at in range(len(theirs)) if at in in_theirs.loose],
    )
    new = (
        [at for at in range(len(ours)) if at not in in_ours],
        [at for at in range(len(theirs)) if at not in in_theirs],
    )
    for at in plan.match.items(place, [theirs[n] for n in new[1]], [ours[n] for n in loose[0]], by_likeness=False):
        del in_ours[loose[0][at]]
    for at in plan.match.items(place, [ours[n] for n in new[0]], [theirs[n] for n in loose[1]], by_likeness=False):
        del in_theirs[loose[1][at]]


def _tell_replaced(
    plan: Plan,
    place: str,
    base: list[Any],
    ours: list[Any],
    theirs: list[Any],
    in_ours: dict[int, int],
    in_theirs: dict[int, int],
) -> None:
    """Report items that both sides replaced with different ones: the result has both."""
    if known.set_lists(place):
        return
    sides = [(side, {old: new for new, old in pairs.items()}) for side, pairs in ((ours, in_ours), (theirs, in_theirs))]
    for at, item in enumerate(base):
        if any(at in there for _, there in sides) or isinstance(item, (dict, list)):
            continue
        puts = [_put_instead(side, there, at, len(base)) for side, there in sides]
        if all(puts) and puts[0] != puts[1]:
            mine, new = (", ".join(map(brief, put)) for put in puts)
            plan.decide(f"{place}{label(item)}", "kept both", f"the file has {mine} instead, the template {new}")


def _by_position(
    plan: Plan, place: str, base: list[Any], ours: list[Any], theirs: list[Any], at: Path, src: Path
) -> Node:
    """Merge like diff3: first options with their values, then, if both sides changed one of these, single items."""
    if not base:  # the common items are the base
        pairs = aligned([*map(plan.meanings.of, ours)], [*map(plan.meanings.of, theirs)])
        base = [ours[mine] for mine, _ in pairs]
    groups = [_options(side) for side in (base, ours, theirs)]
    olds, mines, news = (
        [tuple(plan.meanings.of(side[i]) for i in span) for span in spans]
        for side, spans in zip((base, ours, theirs), groups, strict=True)
    )
    merged, conflict = diff3(olds, mines, news)
    flat: list[tuple[int | None, int | None]] = []
    for mine, new in merged:
        if mine is not None:
            flat += [(at_ours, None) for at_ours in groups[1][mine]]
        elif new is not None:
            flat += [(None, at_theirs) for at_theirs in groups[2][new]]
    if conflict:
        old, our, their = ([*map(plan.meanings.of, side)] for side in (base, ours, theirs))
        flat, conflict = diff3(old, our, their)
    if conflict:
        plan.decide(place, "kept ours", f"the file has {brief(ours)}, the template {brief(theirs)}", conflict=True)
    items = [
        Node(ours[mine], (*at, mine)) if mine is not None else Node(theirs[new or 0], None, (*src, new or 0))
        for mine, new in flat
    ]
    return Node([item.data for item in items], at, src, items=items)


def _note_id(plan: Plan, place: str, base: Any, merged: Any) -> None:
    if isinstance(base, dict) and isinstance(merged, dict) and base.get("id") not in (None, merged.get("id")):
        plan.renames.append(Rename(place, str(base["id"]), str(merged.get("id", ""))))


def label(item: Any) -> str:
    """The label of a list item in a place: [numpy], [abi3-py3*], [src/lib.rs]."""
    if isinstance(item, dict):
        key = next((key for key in known.NAMES if key in item), None)
        item = item if key is None else item[key]
        if key == "uses":
            item = str(item).partition(" #")[0]
    if isinstance(item, str):
        if slot := known.SLOT.fullmatch(item):
            return f"[{slot[1] or ''}abi3-py3*]"
        first = item.partition("\n")[0]
        return f"[{first if len(first) <= 60 else first[:57] + '...'}]"
    return f"[{brief(item)}]"


def _numbered(
    length: int, in_ours: dict[int, int], in_theirs: dict[int, int], ours: int, theirs: int
) -> tuple[list[int], list[int]]:
    """A number for each item of ours and theirs: its index in base, or a new number."""
    mine = [in_ours.get(at, length + at) for at in range(ours)]
    return mine, [in_theirs.get(at, length + ours + at) for at in range(theirs)]


def _goes_by_position(*sides: list[Any]) -> bool:
    """Whether items repeat, or some are options with values."""
    for side in sides:
        if not all(isinstance(item, (str, int, float)) for item in side):
            return False
    return any(len({*map(repr, side)}) < len(side) or any(len(span) > 1 for span in _options(side)) for side in sides)


def _put_instead(side: list[Any], there: dict[int, int], at: int, length: int) -> list[Any]:
    """What a side has between the neighbors of an item that it deleted."""
    start = there.get(at - 1, -1 if at == 0 else None)
    stop = there.get(at + 1, len(side) if at + 1 == length else None)
    return side[start + 1 : stop] if start is not None and stop is not None else []


def _options(side: list[Any]) -> list[range]:
    """The indices of the items in groups: an option and the values after it."""
    starts = [
        at
        for at, item in enumerate(side)
        if not at or _is_option(item) or not any(_is_option(other) for other in side[max(0, at - 1) : at])
    ]
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], len(side)], strict=False)]


def _is_option(item: Any) -> bool:
    return isinstance(item, str) and item.startswith("-") and item != "-"
