"""Three-way merge of TOML that edits the user's own text.

Two halves that know nothing of each other meet in `merge`:

* the plan (`Plan`) merges base, ours and theirs as plain data and notes every decision;
* the editor (`toml_edit`) changes the text of ours until it means the planned data, copying what is
  new from the text of theirs. A line with no reason to change is never written again.

The edited text is then read once more. If it does not mean exactly what was planned, `merge` raises
`Unmergeable` and nothing wrong gets out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .toml_edit import Editor
from .identity import (
    MISSING,
    REQUIREMENT,
    VERSION_ELSEWHERE,
    Key,
    Path,
    higher,
    is_cargo_dependency,
    is_collection,
    is_requirement,
    item_keys,
    same,
)
from .toml_text import Unmergeable, comments_of, literal, quoted_key, read

__all__ = ["Decision", "Merged", "Unmergeable", "merge"]

Action: TypeAlias = Literal[
    "kept ours", "kept deleted", "kept higher version", "took higher version", "merged by lines"
]


@dataclass(frozen=True)
class Decision:
    """What was done where both sides had changed the same thing."""

    path: str
    """Empty for the whole file."""
    action: Action
    detail: str
    conflict: bool
    """True when no rule settles it, so that a person should look."""


@dataclass(frozen=True)
class Merged:
    """The text to write, and what had to be decided to get there."""

    text: str
    decisions: tuple[Decision, ...]


def merge(base: str, ours: str, theirs: str) -> Merged:
    """Apply the change from base to theirs onto the text of ours.

    An empty base means that everything in theirs is new: options are folded and existing projects
    adopted this way, and a difference is then never settled by taking the higher version.

    Raises:
        Unmergeable: an input is no valid TOML, or the edited text does not mean the merged data.
    """
    bom = "\ufeff" if ours.startswith("\ufeff") else ""
    crlf = "\r\n" in ours and not re.search(r"(?<!\r)\n", ours)
    base, ours, theirs = (text.removeprefix("\ufeff") for text in (base, ours, theirs))
    base, theirs = (text.replace("\r\n", "\n") for text in (base, theirs))
    ours = ours.replace("\r\n", "\n") if crlf else ours
    old, mine, new = read(base, "the base"), read(ours, "the file"), read(theirs, "the new version")
    plan = Plan(settle_versions=bool(old))
    wanted = plan.table((), old, mine, new)
    if not same(wanted, mine):
        known = comments_of(base)
        editor = Editor(ours, theirs, new, known, dropped=known - comments_of(theirs))
        ours = editor.rewrite(mine, wanted)
        if not same(read(ours, "the merged text"), wanted):
            raise Unmergeable("the merged text does not mean the merged data")
    return Merged(bom + (ours.replace("\n", "\r\n") if crlf else ours), tuple(plan.decisions))


class Plan:
    """Merges plain data and keeps the list of decisions."""

    def __init__(self, settle_versions: bool) -> None:
        self.settle_versions = settle_versions
        self.decisions: list[Decision] = []

    def value(self, path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        """The merged value, or MISSING where there shall be none."""
        if same(ours, theirs) or same(base, theirs):
            return ours
        if same(base, ours):
            return theirs
        if ours is MISSING or theirs is MISSING:
            return self._deleted(path, base, ours, theirs)
        kinds = {type(ours), type(theirs)}
        if is_cargo_dependency(path) and dict in (type(base), *kinds) and kinds <= {str, dict}:
            return self._cargo(path, base, ours, theirs)
        if kinds == {dict}:
            return self.table(path, base if isinstance(base, dict) else {}, ours, theirs)
        if kinds == {list}:
            return self._array(path, base if isinstance(base, list) else [], ours, theirs)
        if kinds == {str}:
            return self._string(path, base, ours, theirs)
        return self._conflict(path, ours, theirs)

    def table(self, path: Path, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
        """Key by key, in the order of ours."""
        sides = (base, ours, theirs)
        merged = {
            key: self.value((*path, key), *(side.get(key, MISSING) for side in sides)) for key in {**ours, **theirs}
        }
        return {key: value for key, value in merged.items() if value is not MISSING}

    def _deleted(self, path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        """One side deleted what the other one changed."""
        left = theirs if ours is MISSING else ours
        if is_collection(path, base) and isinstance(left, dict):
            sides = ({} if side is MISSING else side for side in (base, ours, theirs))
            return self.table(path, *sides) or MISSING
        if theirs is MISSING and isinstance(base, list) and isinstance(ours, list):
            return self._array(path, base, ours, []) or MISSING  # the user's own items stay
        if theirs is MISSING:
            return self._conflict(path, ours, theirs)
        self._decide(path, "kept deleted", f"the file has it no more, the template has {_brief(theirs)}")
        return MISSING

    def _cargo(self, path: Path, base: Any, ours: Any, theirs: Any) -> Any:
        """A Cargo dependency `"1.0"` is the table `{ version = "1.0" }`."""
        old, mine, new = (
            {"version": side} if isinstance(side, str) else side if isinstance(side, dict) else {}
            for side in (base, ours, theirs)
        )
        if "version" not in mine and mine.keys() & VERSION_ELSEWHERE:
            new = {key: value for key, value in new.items() if key != "version"}
            old = {key: value for key, value in old.items() if key != "version"}
        merged = self.table(path, old, mine, new)
        return merged["version"] if isinstance(ours, str) and [*merged] == ["version"] else merged

    def _array(self, path: Path, base: list[Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
        """As sets, in the order of ours; what is new stands behind its neighbour in theirs."""
        keys = item_keys(path, base, ours, theirs)
        sides = [dict(zip(k, v, strict=True)) for k, v in zip(keys, (base, ours, theirs), strict=True)]
        _, our_items, their_items = sides

        def merged_item(key: Key) -> Any:
            items = [side.get(key, MISSING) for side in sides]
            shown = next(item for item in items if item is not MISSING)
            return self.value((*path, _label(key, shown)), *items)

        merged = {key: merged_item(key) for key in our_items}
        order = [key for key in our_items if merged[key] is not MISSING]
        place = len(order)
        for key in their_items:
            if key not in our_items:
                merged[key] = merged_item(key)
                if merged[key] is not MISSING:
                    order.insert(place, key)
            if key in order:
                place = order.index(key) + 1
        return [merged[key] for key in order]

    def _string(self, path: Path, base: Any, ours: str, theirs: str) -> str:
        """Two versions: the higher one. Two forms of a requirement: part by part."""
        parts = [REQUIREMENT.fullmatch(s) if isinstance(s, str) else None for s in (base, ours, theirs)]
        if parts[1] and parts[2] and is_requirement(path):
            merged = self._requirement(path, parts)
        else:
            winner = higher(path, base, ours, theirs) if self.settle_versions else None
            merged = None if winner is None else ours if winner == "ours" else theirs
        if merged is None:
            return str(self._conflict(path, ours, theirs))
        action: Action = "kept higher version" if merged == ours else "took higher version"
        self._decide(path, action, f"the file has {_brief(ours)}, the template {_brief(theirs)}")
        return merged

    def _requirement(self, path: Path, sides: list[re.Match[str] | None]) -> str | None:
        """A PEP 508 requirement that both sides changed; None if a part contradicts itself."""
        merged = ""
        for part in REQUIREMENT.groupindex:
            base, ours, theirs = (side[part] if side else None for side in sides)
            if ours is None or theirs is None:
                return None
            if part == "name" or theirs in (ours, base):
                merged += ours
            elif base == ours:
                merged += theirs
            else:
                winner = higher(path, base, ours, theirs) if self.settle_versions else None
                if winner is None:
                    return None
                merged += ours if winner == "ours" else theirs
        return merged

    def _conflict(self, path: Path, ours: Any, theirs: Any) -> Any:
        new = "has it no more" if theirs is MISSING else _brief(theirs)
        detail = f"the file has {_brief(ours)}, the template {new}"
        self._decide(path, "kept ours", detail, conflict=True)
        return ours

    def _decide(self, path: Path, action: Action, detail: str, conflict: bool = False) -> None:
        self.decisions.append(Decision(_shown(path), action, detail, conflict))


def _label(key: Key, item: Any) -> str:
    """How a path shows an array's item: [numpy], [abi3-py3*], [src/lib.rs]."""
    if key[0] == "table":
        item = item[key[1]]
    shown = item if isinstance(item, str) and "\n" not in item else _brief(item)
    return f"[{key[1] if key[0] in ('slot', 'requirement') else shown}]"


def _shown(path: Path) -> str:
    """project.dependencies[numpy]"""
    return "".join(part if part.startswith("[") else f".{quoted_key(part)}" for part in map(str, path)).removeprefix(
        "."
    )


def _brief(value: Any) -> str:
    text = literal(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
