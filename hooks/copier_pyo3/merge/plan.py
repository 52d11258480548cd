"""The plan of a merge: merges base, ours, and theirs as plain data into a tree of nodes, and records the decisions.

It does not use the text, so it works for every format. Knowledge of Cargo and GitHub is in `known`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import known
from .lists import merge_lists
from .literal import brief, joined
from .match import Matcher
from .model import MISSING, Action, Decision, Meanings, Node, Path, Rename
from .places import relocate, take_from
from .sequence import diff3
from .versions import PIN, higher, newer_pin, pin_version, requirement


class Plan:
    """Merges plain data.

    Args:
        settle_versions: whether the higher of two versions wins. Not for the fragments of options, which must agree.
    """

    def __init__(self, settle_versions: bool) -> None:
        self.settle_versions = settle_versions
        self.decisions: list[Decision] = []
        self.renames: list[Rename] = []
        self.places: dict[Path, Path] = {}  # the path in ours of what the template moved, by the new path
        self.meanings = Meanings()
        self.match = Matcher(self.meanings)

    def merge(self, base: Any, ours: Any, theirs: Any) -> Node:
        """The merged tree of whole documents."""
        base, ours, theirs = relocate(self, base, ours, theirs)
        node = self.value("", base, ours, theirs, (), ()) or Node({}, (), ())
        for new, old in self.places.items():
            take_from(node, new, old)
        return node

    # --- any value -----------------------------------------------------------------------------------

    def value(
        self, place: str, base: Any, ours: Any, theirs: Any, at: Path, src: Path, within: str = ""
    ) -> Node | None:
        """The merged value, or None if the result has no such value.

        Args:
            place: dotted path, for `known` and the report.
            base: the old value, or MISSING.
            ours: the user's value, or MISSING.
            theirs: the template's value, or MISSING.
            at: path of the value in ours.
            src: path of the value in theirs.
            within: place of the list, if the value is an item.
        """
        same = self.meanings.same
        if same(ours, theirs) or same(base, theirs):
            return None if ours is MISSING else Node(ours, at, src)
        if ours is MISSING and base is MISSING:
            return Node(theirs, None, src)
        forms = self._one_form(place, base, ours, theirs)
        if forms and same(base, ours):
            return Node(theirs, at, src)
        if forms:
            return self._merge_forms(place, ours, theirs, forms, at, src)
        if ours is MISSING or theirs is MISSING:
            return self._deleted(place, base, ours, theirs, at, src)
        unchanged = same(base, ours)
        kinds = {type(ours), type(theirs)}
        if kinds == {dict}:
            before = base if isinstance(base, dict) else {}
            apart = ours.keys() != theirs.keys() and known.ATOMS.fullmatch(place)
            apart = apart or (base is not MISSING and not isinstance(base, dict) and known.ONE_FORM.fullmatch(place))
            if not (apart and not unchanged):
                return self.table(place, before, ours, theirs, at, src)
        if kinds == {list}:
            return merge_lists(self, place, base if isinstance(base, list) else [], ours, theirs, at, src)
        if unchanged:
            return Node(theirs, at, src)
        if kinds == {str}:
            return self._string(place, base, ours, theirs, at, src, within)
        return self._conflict(place, ours, theirs, at, src)

    def _deleted(self, place: str, base: Any, ours: Any, theirs: Any, at: Path, src: Path) -> Node | None:
        """Merge a value that one side deleted."""
        if theirs is MISSING and self.meanings.same(base, ours):
            return None
        left = theirs if ours is MISSING else ours
        if known.is_collection(place, base) and isinstance(left, dict):
            before, mine, new = ({} if side is MISSING else side for side in (base, ours, theirs))
            node = self.table(place, before, mine, new, at, src)
            if ours is MISSING:
                node.ours = None
            return node if node.data else None
        if theirs is MISSING and isinstance(base, dict) and isinstance(ours, dict) and known.SETTINGS.fullmatch(place):
            return self._settings_left(place, base, ours, at)
        if theirs is MISSING and isinstance(base, list) and isinstance(ours, list):
            node = merge_lists(self, place, base, ours, [], at, src)  # keep the user's own items
            return node if node.data else None
        if theirs is MISSING:
            return self._conflict(place, ours, theirs, at, src)
        self.decide(place, "kept deleted", f"the file no longer has it, the template has {brief(theirs)}")
        return None

    def _settings_left(self, place: str, base: dict[str, Any], ours: dict[str, Any], at: Path) -> Node | None:
        """Keep the user's own settings in a table that the template deleted."""
        table = {
            key: Node(value, (*at, key))
            for key, value in ours.items()
            if not self.meanings.same(value, base.get(key, MISSING))
        }
        for key in table.keys() & base.keys():
            self._conflict(joined(place, key), ours[key], MISSING, (*at, key), ())
        return Node({key: node.data for key, node in table.items()}, at, None, table) if table else None

    # --- one value written in two ways ---------------------------------------------------------------

    def _one_form(self, place: str, base: Any, ours: Any, theirs: Any) -> list[Any] | None:
        """The three values in one form, if they are in several forms that are known to be equivalent."""
        sides = [base, ours, theirs]
        kinds = {type(side) for side in sides if side is not MISSING and side is not None}
        if len(kinds) < 2 or not kinds <= {str, list, dict} or ours is MISSING or theirs is MISSING:
            return None
        if (key := known.text_key(place)) and kinds == {str, dict}:
            return [{key: side} if isinstance(side, str) else side for side in sides]
        if known.TEXT_FOR_LIST.fullmatch(place) and kinds == {str, list}:
            return [[side] if isinstance(side, str) else side for side in sides]
        if known.KEYS_ALONE.fullmatch(place):
            if dict in kinds:
                return [_keys(side) for side in sides]
            return [[side] if isinstance(side, str) else side for side in sides]
        return None

    def _merge_forms(self, place: str, ours: Any, theirs: Any, forms: list[Any], at: Path, src: Path) -> Node | None:
        """Merge in one form, then use the user's form if it can express the result."""
        base, mine, new = forms
        node = self.value(place, base, mine, new, at, src)
        if node is None or mine is ours:
            if node is not None and new is not theirs and not self.meanings.same(node.data, mine):
                _forget_theirs(node)
            return node
        if self.meanings.same(node.data, mine):
            return Node(ours, at, src)
        if self.meanings.same(node.data, new):
            return Node(theirs, at, src)
        if known.KEYS_ALONE.fullmatch(place) and isinstance(node.data, dict) and not any(node.data.values()):
            own = ours if isinstance(ours, list) else []
            items = [Node(key, (*at, own.index(key)) if key in own else None) for key in node.data]
            return Node([item.data for item in items], at, None, items=items)
        if isinstance(ours, str) and isinstance(node.data, dict):
            key = known.text_key(place)
            if key and [*node.data] == [key]:
                return Node(node.data[key], at, (*src, key) if new is theirs else src)
            node.wrapped = key
        if new is not theirs:
            _forget_theirs(node)
        return node

    # --- tables --------------------------------------------------------------------------------------

    def table(
        self, place: str, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], at: Path, src: Path
    ) -> Node:
        """Merge key by key, in the order of ours; new keys go next to their neighbors in theirs."""
        base, theirs = self._choose(place, base, ours, theirs)
        in_ours, in_theirs = self.match.keys(place, base, ours), self.match.keys(place, base, theirs)
        both_new = {}
        if place.rpartition(".")[2] in known.CARGO_TABLES:  # two keys can be the same crate
            new_here = ({k: v for k, v in side.items() if k not in base} for side in (ours, theirs))
            both_new = self.match.keys(place, *new_here)
        our_key = {old: new for new, old in in_ours.items()}
        names: dict[str, tuple[str, str, str]] = {}  # the merged key -> its key in base, ours and theirs
        for key in ours:
            old = in_ours.get(key, key)
            new = next((k for k, was in in_theirs.items() if was == old), old)
            new = next((k for k, was in both_new.items() if was == key), new) if key not in base else new
            final = (
                self._new_name(place, old, key, new) if {key, new} != {old} and new in theirs and old in base else key
            )
            names[final] = (old, key, new)
        taken = {new for _, _, new in names.values()}
        for key in theirs:
            old = in_theirs.get(key, key)
            mine = our_key.get(old, old)
            if key not in taken and mine not in ours and key not in names:
                names[key] = (old, mine, key)
        merged: dict[str, Node] = {}
        for final, (old, mine, new) in names.items():
            sides = (base.get(old, MISSING), ours.get(mine, MISSING), theirs.get(new, MISSING))
            node = self.value(joined(place, final), *sides, (*at, mine), (*src, new))
            self._note_rename(place, final, {old, mine, new}, base)
            if node is None and final != old in base and mine not in ours and self.meanings.same(sides[0], sides[2]):
                self.decide(
                    joined(place, final), "kept deleted", f"the file no longer has it, the template renamed {old}"
                )
            if node is not None:
                merged[final] = node
        self._static_or_dynamic(place, ours, merged)
        order = self._order_keys(merged, names, base, ours, theirs)
        return Node({key: merged[key].data for key in order}, at, src, table={key: merged[key] for key in order})

    def _note_rename(self, place: str, final: str, names: set[str], base: dict[str, Any]) -> None:
        if names & base.keys():
            self.renames += [Rename(place, name, final) for name in sorted(names - {final})]

    def _new_name(self, place: str, old: str, mine: str, new: str) -> str:
        if mine not in (old, new) and new != old:
            self.decide(joined(place, mine), "kept ours", f"you renamed {old} to {mine}, the template to {new}")
            return mine
        return new if mine == old else mine

    @staticmethod
    def _order_keys(
        merged: dict[str, Node],
        names: dict[str, tuple[str, str, str]],
        base: dict[str, Any],
        ours: dict[str, Any],
        theirs: dict[str, Any],
    ) -> list[str]:
        """The keys of ours; each new one before its nearest later neighbor in theirs, or else after its nearest earlier one.

        Without a base, new keys go to the end.
        """
        kept = [key for key in merged if names[key][1] in ours]
        if not base:
            return kept + [key for key in merged if names[key][1] not in ours]
        by_theirs = {names[key][2]: key for key in merged}
        before: dict[str, list[str]] = {}
        waiting: list[str] = []
        for key in [by_theirs[key] for key in theirs if key in by_theirs]:
            if names[key][1] in ours:
                before[key] = waiting
                waiting = []
            else:
                waiting.append(key)
        earlier = [by_theirs[key] for key in theirs if key in by_theirs and names[by_theirs[key]][1] in ours]
        last = earlier[-1] if earlier else None
        order = [key for mine in kept for key in (*before.get(mine, ()), mine, *(waiting if mine == last else ()))]
        return order if last else order + waiting

    def _choose(
        self, place: str, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Base and theirs without the keys that contradict the user's choice."""
        for choice in known.CHOICES:
            if not choice.where.fullmatch(place):
                continue
            sides = [{key: side[key] for key in choice.keys if key in side} for side in (base, ours, theirs)]
            old, mine, new = sides
            if not (mine and new) or self.meanings.same(new, old):
                continue
            kinds = [choice.kind(side) for side in sides]
            if self.meanings.same(mine, old) and not (kinds[2] == "workspace" and known.cannot_inherit(ours, theirs)):
                continue
            if "uses" in mine and "uses" in new and self.meanings.same({**new, "uses": 0}, {**old, "uses": 0}):
                continue  # another action with the same inputs
            if kinds[1] == kinds[2] or (kinds[2] == kinds[0] and kinds[1].split()[0] == kinds[0].split()[0]):
                continue
            both_have_versions = "version" in mine and "version" in new and kinds[1] == "path"
            keys = [key for key in choice.keys if not (key == "version" and both_have_versions)]
            if any(key in new for key in keys) and any(mine.get(key) != new.get(key) for key in keys):
                shown = ({key: side[key] for key in keys if key in side} for side in (mine, new))
                texts = [brief(side) for side in shown]
                swapped = kinds[1] == kinds[0] and kinds[0] != kinds[2]
                detail = f"the file has {texts[0]}, the template {texts[1]}"
                self.decide(
                    joined(place, choice.shown) if choice.shown else place, "kept ours", detail, conflict=swapped
                )
            base = _with(base, keys, mine)
            theirs = _with(theirs, keys, mine)
        return base, theirs

    def _static_or_dynamic(self, place: str, ours: dict[str, Any], merged: dict[str, Node]) -> None:
        """A field is static or dynamic, not both (PEP 621). Keep the user's choice."""
        dynamic = merged.get("dynamic")
        if place != "project" or dynamic is None or not isinstance(dynamic.data, list):
            return
        both_ways = [field for field in ours.get("dynamic", []) if field in ours]
        for field in [field for field in dynamic.data if field in merged and field not in ("dynamic", *both_ways)]:
            if field in ours.get("dynamic", []) and field not in ours:
                self.decide(
                    f"project.{field}",
                    "kept ours",
                    f"the file has it as dynamic, the template has {brief(merged[field].data)}",
                )
                del merged[field]
            else:
                self.decide(
                    f"project.{field}",
                    "kept ours",
                    f"the file has {brief(merged[field].data)}, the template has it as dynamic",
                )
                dynamic.expand()
                dynamic.items = [item for item in dynamic.items or [] if item.data != field]
                dynamic.data = [item.data for item in dynamic.items]
        if not dynamic.data and "dynamic" not in ours:
            del merged["dynamic"]

    # --- texts ---------------------------------------------------------------------------------------

    def _string(self, place: str, base: Any, ours: str, theirs: str, at: Path, src: Path, within: str) -> Node:
        """Merge strings: the higher of two versions; requirements part by part."""
        last = place.rpartition(".")[2]
        if last == "uses":
            return self._pin(place, base, ours, theirs, at, src)
        merged = None
        if known.REQUIREMENTS.fullmatch(within):
            merged = requirement(base, ours, theirs, self.settle_versions)
        elif self.settle_versions:
            parts = place.split(".")
            expected = known.VERSION_KEYS.fullmatch(last) or (len(parts) > 1 and parts[-2] in known.CARGO_TABLES)
            winner = higher(base, ours, theirs, bool(expected))
            merged = None if winner is None else ours if winner == "ours" else theirs
        if merged is None and (text := _by_lines(base, ours, theirs)) is not None:
            return Node(text, at, src)
        if merged is None:
            return self._conflict(place, ours, theirs, at, src)
        self._decide_higher(place, ours, theirs, merged == ours)
        return Node(merged, at, src)

    def _pin(self, place: str, base: Any, ours: str, theirs: str, at: Path, src: Path) -> Node:
        """Merge pinned actions by the versions in the comments after them."""
        winner = newer_pin(ours, theirs)
        if winner is None:
            return self._conflict(place, ours, theirs, at, src)
        shown = [version_of(side) for side in (ours, theirs)]
        action: Action = "kept higher version" if winner == "ours" else "took higher version"
        if shown[0] != shown[1]:
            self.decide(place, action, f"the file has {shown[0]}, the template {shown[1]}")
        elif winner == "ours":
            self.decide(place, "kept ours", f"the file has {brief(ours)}, the template {brief(theirs)}")
        return Node(ours if winner == "ours" else theirs, at, src)

    # --- decisions -----------------------------------------------------------------------------------

    def _decide_higher(self, place: str, ours: str, theirs: str, kept: bool) -> None:
        action: Action = "kept higher version" if kept else "took higher version"
        self.decide(place, action, f"the file has {brief(ours)}, the template {brief(theirs)}")

    def _conflict(self, place: str, ours: Any, theirs: Any, at: Path, src: Path) -> Node:
        new = "no longer has it" if theirs is MISSING else brief(theirs)
        self.decide(place, "kept ours", f"the file has {brief(ours)}, the template {new}", conflict=True)
        return Node(ours, at, src)

    def decide(
        self,
        place: str,
        action: Action,
        detail: str,
        conflict: bool = False,
        elsewhere: tuple[str, str] | None = None,
    ) -> None:
        """Record a decision."""
        self.decisions.append(Decision(place, action, detail, conflict, elsewhere))


def version_of(pin: str) -> str:
    """The version of a pinned action, for the report."""
    found = PIN.fullmatch(pin)
    numbers = pin_version(found) if found else None
    return ".".join(map(str, numbers)) if numbers else pin


def _keys(value: Any) -> Any:
    """A string or a list of names as a table with these keys."""
    if isinstance(value, str):
        return {value: None}
    return {str(key): None for key in value} if isinstance(value, list) else value


def _forget_theirs(node: Node) -> None:
    """Do not copy from theirs, which has another form."""
    node.theirs = None
    for _, child in node.children():
        _forget_theirs(child)


def _with(table: dict[str, Any], keys: Iterable[str], other: dict[str, Any]) -> dict[str, Any]:
    """A table with the values that another table has for some keys, at the place of the first of these keys."""
    own = {key: other[key] for key in other if key in keys}
    changed: dict[str, Any] = {}
    for key, value in table.items():
        if key in keys:
            changed |= own
        else:
            changed[key] = value
    return changed | own


def _by_lines(base: Any, ours: str, theirs: str) -> str | None:
    """Merge a multiline string, if the sides changed it at different places."""
    if not isinstance(base, str) or "\n" not in ours or "\n" not in theirs:
        return None
    old, mine, new = (text.splitlines(keepends=True) for text in (base, ours, theirs))
    merged, conflict = diff3(old, mine, new, strict=True)
    lines = (mine[here] if here is not None else new[there or 0] for here, there in merged)
    return None if conflict else "".join(lines)
