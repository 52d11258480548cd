"""Properties of the merge of sequences, for all kinds of lists: numbers, options with values, steps of a workflow.

The steps have no words in common, so that they are not similar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copier_pyo3.merge.file import merge_toml, merge_yaml
from copier_pyo3.merge.model import Merged
from copier_pyo3.merge.sequence import arrange
from copier_pyo3.merge.toml_text import read

law = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
numbers = st.lists(st.integers(0, 9), unique=True, max_size=8)
repeated = st.lists(st.sampled_from(["-m", "-W", "-x", "slow", "error", "a"]), max_size=7)


def toml(values: list[Any]) -> str:
    return "x = [{}]\n".format(", ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values))


def steps(values: list[Any]) -> str:
    if not values:
        return "on: push\nsteps: []\n"
    return "on: push\nsteps:\n" + "".join(f"  - name: n{value}\n    run: r{value}\n" for value in values)


def of_toml(text: str) -> list[Any]:
    values: list[Any] = read(text, "")["x"]
    return values


def of_steps(text: str) -> list[Any]:
    return [int(step["name"][1:]) for step in yaml.safe_load(text)["steps"]]


Write = Callable[[list[Any]], str]
Read = Callable[[str], list[Any]]
Merge = Callable[[str, str, str], Merged]
KINDS: dict[str, tuple[Merge, Write, Read, Any]] = {
    "numbers": (merge_toml, toml, of_toml, numbers),
    "options": (merge_toml, toml, of_toml, repeated),
    "steps": (merge_yaml, steps, of_steps, numbers),
}


@pytest.mark.parametrize("kind", KINDS)
@law
@given(data=st.data())
def test_one_side_alone(kind: str, data: Any) -> None:
    merge, write, parse, lists = KINDS[kind]
    base, side = data.draw(lists), data.draw(lists)
    assert merge(write(base), write(side), write(base)).text == write(side)
    assert merge(write(base), write(side), write(side)).text == write(side)
    assert parse(merge(write(base), write(base), write(side)).text) == side  # in the template's order


@pytest.mark.parametrize("kind", ["numbers", "steps"])
@law
@given(data=st.data())
def test_both_sides(kind: str, data: Any) -> None:
    merge, write, parse, lists = KINDS[kind]
    base, ours, theirs = (data.draw(lists) for _ in range(3))
    result = parse(merge(write(base), write(ours), write(theirs)).text)
    kept = {item for item in base if item in ours and item in theirs}
    assert {*result} == kept | {*ours} - {*base} | {*theirs} - {*base}
    assert max(Counter(result).values(), default=1) == 1
    agree(result, ours, theirs)


@law
@given(repeated, repeated, repeated)
def test_nothing_new_is_lost_or_doubled_where_items_repeat(base: list[str], ours: list[str], theirs: list[str]) -> None:
    merged = merge_toml(toml(base), toml(ours), toml(theirs))
    result, old, mine, new = (Counter(side) for side in (of_toml(merged.text), base, ours, theirs))
    if not any(decision.conflict for decision in merged.decisions):
        assert not result - (mine | new) - ((mine - old) + (new - old) + old)
        for item in mine.keys() | new.keys():
            assert result[item] >= min(mine[item], new[item]) - (old[item] - min(old[item], mine[item], new[item]))


@law
@given(numbers, numbers, numbers)
def test_arrange(base: list[int], ours: list[int], theirs: list[int]) -> None:
    order, moved = arrange(base, ours, theirs)
    assert sorted(order) == sorted({*ours, *theirs})
    assert moved <= {*base} & {*ours} & {*theirs}
    agree(order, ours, theirs)


def agree(result: list[Any], ours: list[Any], theirs: list[Any]) -> None:
    """If both sides agree on the order of two items, the result has this order."""
    shared = [item for item in result if item in ours and item in theirs]
    for one, other in combinations(shared, 2):
        assert ours.index(one) < ours.index(other) or theirs.index(one) < theirs.index(other), (one, other)
