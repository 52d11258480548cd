"""What one side has at another place: a crate in another table, a version in the workspace, a setting in another section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import known
from .literal import joined
from .match import ALIKE_KEYS
from .model import MISSING, Node, Path, find

if TYPE_CHECKING:
    from .plan import Plan


def relocate(plan: Plan, base: Any, ours: Any, theirs: Any) -> tuple[Any, Any, Any]:
    """Change base and theirs to have things where the user has them: a crate in another table, a version in the workspace."""
    for old, new in _moved(plan, base, theirs):
        base = _put(_put(base, new, find(base, old)), old, MISSING)
        if find(ours, old) is not MISSING and find(ours, new) is MISSING:
            ours = _put(_put(ours, new, find(ours, old)), old, MISSING)
            plan.places[new] = old
    moved = _moved(plan, base, ours)
    for old, new in [*moved, *_along(base, ours, theirs, moved)]:
        base = _put(_put(base, new, find(base, old)), old, MISSING)
        theirs = _put(_put(theirs, new, find(theirs, old)), old, MISSING)
    for path, there, before, after in known.relocated(base, ours, theirs) if plan.settle_versions else []:
        shown = joined(*map(str, path))
        mine = find(ours, path)
        base, theirs = (_put(side, path, mine) for side in (base, theirs))
        if not there:
            plan.decide(
                shown,
                "kept ours",
                f"the file inherits it from the workspace, the template raises {before} to {after}: raise it there",
                conflict=True,
                elsewhere=(str(path[-1]), after),
            )
            continue
        base, theirs = _put(base, there, before), _put(theirs, there, after)
    return base, ours, theirs


def _along(base: Any, ours: Any, theirs: Any, moved: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """What theirs added next to settings, if ours moved all of these to another table."""
    found = []
    for source, target in dict.fromkeys((old[:-1], new[:-1]) for old, new in moved):
        tables = [find(side, source) for side in (base, ours, theirs)]
        before, mine, new = (table if isinstance(table, dict) else {} for table in tables)
        stayed = [key for key in before if key in mine and not isinstance(mine[key], dict)]
        if not stayed and source[:1] == ("tool",):
            found += [
                ((*source, key), (*target, key)) for key in new if key not in before and not isinstance(new[key], dict)
            ]
    return found


def _moved(plan: Plan, base: Any, side: Any) -> list[tuple[Path, Path]]:
    """What a side moved to another table: crates, and settings of a tool, matched one to one by key and similarity."""
    found = known.moved(base, side)
    for tool in find(side, ("tool",)) if isinstance(find(side, ("tool",)), dict) else ():
        before, after = (dict(_inside(find(data, ("tool", tool)), ("tool", tool))) for data in (base, side))
        gone = [path for path in before if path not in after and (path[:-1] in after or len(path) == 3)]
        come = [path for path in after if path not in before]
        for old in gone:
            likely = [
                new for new in come if new[-1] == old[-1] and plan.match.likeness(before[old], after[new]) >= ALIKE_KEYS
            ]
            if len(likely) == 1:
                found.append((old, likely[0]))
    return found


def take_from(node: Node, new: Path, old: Path) -> None:
    """Let the node at a path, and its children, use the text that ours has at another path."""
    if node.ours is not None and node.ours[: len(new)] == new:
        node.ours = (*old, *node.ours[len(new) :])
    if node.ours is not None and len(node.ours) < len(new):
        node.expand()
    for _, child in node.children():
        take_from(child, new, old)


def _put(data: Any, path: Path, value: Any) -> Any:
    """Plain data with another value at a path; the original is not changed."""
    if not path:
        return value
    table = dict(data) if isinstance(data, dict) else {}
    inner = _put(table.get(str(path[0]), MISSING), path[1:], value)
    if inner is MISSING:
        table.pop(str(path[0]), None)
    else:
        table[str(path[0])] = inner
    return table


def _inside(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """All values below a path that are reached by keys only."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*path, key), value
            yield from _inside(value, (*path, key))
