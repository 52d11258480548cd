"""The merge of YAML: what becomes of workflows and hooks that both sides changed."""

from __future__ import annotations

from textwrap import dedent

import pytest

from copier_pyo3.toml_merge import Merged
from copier_pyo3.yaml_merge import Unmergeable, merge, parse


def merged(base: str, ours: str, theirs: str) -> Merged:
    return merge(*(dedent(text).removeprefix("\n") for text in (base, ours, theirs)))


def told(result: Merged) -> list[tuple[str, str, str, bool]]:
    return [(one.path, one.action, one.detail, one.conflict) for one in result.decisions]


# --- What is told, and what is refused -----------------------------------------------------------


def test_null_and_dates_are_told() -> None:
    base = "on:\n  push:\n    branches: [main]\n"
    result = merge(base, "on:\n  push:\n", "on:\n  push:\n    branches: [main, x]\n")
    assert result.text == "on:\n  push:\n"
    detail = 'the file has null, the template { branches = ["main", "x"] }'
    assert told(result) == [("on.push", "kept ours", detail, True)]
    result = merge("a: 1\n", "a: {b: [null]}\n", "a: 2024-02-28\n")
    assert told(result) == [("a", "kept ours", "the file has { b = [null] }, the template 2024-02-28", True)]


@pytest.mark.parametrize(
    ("ours", "why"),
    [
        ("a: {{ matrix.timeout }}\n", "a mapping or a list for a key"),
        ("a: 2024-02-30\n", "it is not YAML: day"),
        ("a: [\n", "it is not YAML: while parsing"),
        ("a: 1\na: 2\n", "a key twice"),
        ("a: &a 1\n", "anchors or tags"),
        ("a: 1\r\n", "carriage returns"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(ours: str, why: str) -> None:
    with pytest.raises(Unmergeable, match=why):
        merge("a: 1\n", ours, "a: 2\n")


@pytest.mark.parametrize("text", ["a: {{ matrix.timeout }}\n", "a: 2024-02-30\n", "a: [\n"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Unmergeable, match="it is not YAML"):
        parse(text)


def test_a_byte_order_mark_stays() -> None:
    base, theirs = "on: [a]\nb: 1\n", "on: [a, b]\nb: 2\n"
    assert merge(base, "\ufeffon: [a, z] # x\nb: 1\n", theirs).text == "\ufeffon: [a, b, z] # x\nb: 2\n"
    assert merge("\ufeff" + base, base + "c: 1\n", "\ufeff" + theirs).text == theirs + "c: 1\n"
