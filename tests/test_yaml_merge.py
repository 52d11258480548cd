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


# --- Which item is which -------------------------------------------------------------------------


def test_a_step_without_a_name_is_known_by_what_it_runs() -> None:
    result = merged(
        """
        - name: A
        - run: cargo test
          env:
            A: 1
        """,
        """
        - name: A
        - run: cargo test
          env:
            A: 1
            B: 2
        """,
        """
        - name: A
        - run: cargo test
          env:
            A: 2
        """,
    )
    assert result.text == "- name: A\n- run: cargo test\n  env:\n    A: 2\n    B: 2\n"
    result = merge(
        "- run: cargo test\n- id: b\n", "- run: cargo test --all\n- id: b\n", "- run: cargo test -q\n- id: b\n"
    )
    assert result.text == "- run: cargo test --all\n- id: b\n"
    detail = 'the file has "cargo test --all", the template "cargo test -q"'
    assert told(result) == [("[cargo test].run", "kept ours", detail, True)]


def test_of_an_action_used_twice_each_step_is_the_one_it_is_like() -> None:
    result = merged(
        """
        - name: A
        - uses: actions/upload-artifact@v4
          with:
            name: a
        - uses: actions/upload-artifact@v4
          with:
            name: b
        """,
        """
        - name: A
        - uses: actions/upload-artifact@v4
          with:
            name: mine
        - uses: actions/upload-artifact@v4
          with:
            name: a
            retention-days: 1
        - uses: actions/upload-artifact@v4
          with:
            name: b
        """,
        """
        - name: A
        - uses: actions/upload-artifact@v5
          with:
            name: b
        - uses: actions/upload-artifact@v5
          with:
            name: a
        """,
    )
    assert result.text == dedent("""\
        - name: A
        - uses: actions/upload-artifact@v4
          with:
            name: mine
        - uses: actions/upload-artifact@v5
          with:
            name: a
            retention-days: 1
        - uses: actions/upload-artifact@v5
          with:
            name: b
        """)
    assert not result.decisions


def test_local_repositories_of_hooks_are_not_doubled() -> None:
    base = dedent("""\
        repos:
          - repo: local
            hooks:
              - id: a
                entry: a
          - repo: local
            hooks:
              - id: b
                entry: b
        """)
    ours = base.replace("entry: a\n", "entry: a\n        args: [x]\n")
    assert merge(base, ours, base.replace("entry: a\n", "entry: a --new\n")).text == dedent("""\
        repos:
          - repo: local
            hooks:
              - id: a
                entry: a --new
                args: [x]
          - repo: local
            hooks:
              - id: b
                entry: b
        """)
    result = merge(base, base[: base.rindex("  - repo")], base.replace("entry: b\n", "entry: b --new\n"))
    assert result.text == "repos:\n  - repo: local\n    hooks:\n      - id: a\n        entry: a\n"
    assert [(one.path, one.action) for one in result.decisions] == [("repos[local]", "kept deleted")]


def test_entries_of_a_matrix_that_are_alike_are_the_same() -> None:
    result = merged(
        """
        include:
          - os: linux
            python: "3.10"
          - os: mac
            python: "3.10"
        """,
        """
        include:
          - os: linux # fast
            python: "3.10"
          - os: mac
            python: "3.10"
            flags: x
        """,
        """
        include:
          - os: linux
            python: "3.11"
          - os: mac
            python: "3.11"
          - os: win
            python: "3.11"
        """,
    )
    assert result.text == dedent("""\
        include:
          - os: linux # fast
            python: "3.11"
          - os: mac
            python: "3.11"
            flags: x
          - os: win
            python: "3.11"
        """)


def test_what_only_one_side_has_left_is_no_change_of_what_the_other_has() -> None:
    result = merge(
        "- {os: linux, python: 1}\n- {os: mac, python: 1}\n",
        "- {os: linux, python: 1}\n- {os: zos, python: 2}\n",
        "- {os: linux, python: 1}\n- {os: win, python: 3}\n",
    )
    assert parse(result.text) == [
        {"os": "linux", "python": 1},
        {"os": "win", "python": 3},
        {"os": "zos", "python": 2},
    ]
