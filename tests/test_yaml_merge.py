"""The merge of workflows and hooks that both sides changed."""

from __future__ import annotations

from textwrap import dedent

import pytest

from copier_pyo3.merge.file import merge_file, tell
from copier_pyo3.merge.file import merge_yaml as merge
from copier_pyo3.merge.model import Merged, Unmergeable
from copier_pyo3.merge.yaml_text import parse


def merged(base: str, ours: str, theirs: str) -> Merged:
    return merge(*(dedent(text).removeprefix("\n") for text in (base, ours, theirs)))


def told(result: Merged) -> list[tuple[str, str, str, bool]]:
    return [(one.path, one.action, one.detail, one.conflict) for one in result.decisions]


# --- Reports and errors --------------------------------------------------------------------------


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
        ("a: {{ matrix.timeout }}\n", "a key that is a mapping or a list"),
        ("a: 2024-02-30\n", "it is not YAML: day"),
        ("a: [\n", "it is not YAML: while parsing"),
        ("a: 1\na: 2\n", "a duplicate key"),
        ("a: &a 1\n", "touches a YAML anchor, alias or tag"),
        ("a: 1\r\nb: 1\n", "several kinds of line breaks"),
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


def test_a_merge_by_lines_without_conflict_is_told() -> None:
    base, theirs = b"a: &v 1\nb: 1\nc: 1\nd: 1\n", b"a: &v 2\nb: 1\nc: 1\nd: 1\n"
    merged = merge_file("x.yml", base, base.replace(b"d: 1", b"d: 2"), theirs)
    assert merged.content == b"a: &v 2\nb: 1\nc: 1\nd: 2\n"
    assert [*map(tell, merged.decisions)] == ["merged by lines (the change touches a YAML anchor, alias or tag)"]
    assert not merged.left


# --- Matching items ------------------------------------------------------------------------------


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
    assert told(result) == [("[cargo test --all].run", "kept ours", detail, True)]


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
            name: b
        - uses: actions/upload-artifact@v5
          with:
            name: a
            retention-days: 1
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


# --- Comments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("t: 20 # x\nz: 1\n", "t: 25 # y\n", "t: 25 # y\nz: 1\n"),
        ("t: 20 # slow on arm\n", "t: 25 # y\n", "t: 25 # slow on arm\n"),
        ("t: 20 # mine\n", "t: |\n  25\n", "# mine\nt: |\n  25\n"),
        ("z: 1\nt: 20 # mine\n", "t: '25' # of 30\n", "z: 1\nt: '25' # mine\n"),
    ],
)
def test_a_comment_of_the_user_behind_a_value_stays(ours: str, theirs: str, expected: str) -> None:
    assert merge("t: 20 # x\n", ours, theirs) == Merged(expected, ())


def test_comments_of_the_user_outlive_what_they_stand_on() -> None:
    base = dedent("""\
        jobs:
          a:
            steps:
              # first
              - name: One
                run: one # o

              # second
              - name: Two
                # what it runs
                run: two # t
                shell: bash

              - name: Three
        """)
    theirs = base[: base.index("      # second")] + base[base.index("      - name: Three") :]
    assert merge(base, base, theirs).text == theirs
    ours = base.replace("# second\n", "# second\n      # Ours: for IT\n").replace("# t\n", "# ticket 77\n")
    assert merge(base, ours, theirs).text == dedent("""\
        jobs:
          a:
            steps:
              # first
              - name: One
                run: one # o

              # Ours: for IT
              # ticket 77

              - name: Three
        """)
    ours = "# mine\na: |- # as well\n  # text\nb: 1\n"
    assert merge("a: |-\n  # text\nb: 1\n", ours, "b: 1\n").text == "# mine\n# as well\nb: 1\n"


def test_a_new_entry_stands_behind_the_comments_of_the_one_before() -> None:
    result = merge("- id: a\n", "- id: a\n  x: 1\n  # end of a\n# end\n", "- id: a\n- id: b\n")
    assert result.text == "- id: a\n  x: 1\n  # end of a\n- id: b\n# end\n"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        # the comment of a pin is its version
        ("a/b@a # v1.0", "a/b@a # v1.0", "a/b@d # v1.2", "  uses: a/b@d # v1.2"),
        ("a/b@a # v1.0", "a/b@c # v1.1", "a/b@d # v1.2", "  uses: a/b@d # v1.2"),
        ("a/b@a # v1.0", "a/b@c # v1.5", "a/b@d # v1.2", "  uses: a/b@c # v1.5"),
        ("a/b@v1", "a/b@v1", "a/b@d # v1.2", "  uses: a/b@d # v1.2"),
        ("a/b@a # v1.0", "a/b@a # v1.0", "a/b@v2", "  uses: a/b@v2"),
        ("a/b@v1", "a/b@v1 # why", "a/b@d # v1.2", "  uses: a/b@d # v1.2 # why"),
        # others are just comments
        ("./a", "./a # mine", "./a", "  uses: ./a # mine"),
        ("./a", "./a # mine", "./b", "  uses: ./b # mine"),
        ("./a # x", "./a # x", "./b # y", "  uses: ./b # y"),
    ],
)
def test_pinned_actions_beside_another_change(base: str, ours: str, theirs: str, expected: str) -> None:
    form = "- name: n\n  uses: {}\n  x: {}\n".format
    rest = "\n  x: 2\n  y: 1\n"
    assert merge(form(base, 1), form(ours, 1) + "  y: 1\n", form(theirs, 2)).text == "- name: n\n" + expected + rest


# --- Places --------------------------------------------------------------------------------------


def test_what_ends_at_one_line_is_put_in_from_the_inside_out() -> None:
    base = "jobs:\n  a:\n    steps:\n    - name: A\n      run: a\n"
    theirs = base + "      shell: bash\n    - name: B\n    needs: b\n  b:\n    steps: []\nz: 1\n"
    ours = base.replace("run: a\n", "run: a --mine\n")
    assert merge(base, ours, theirs).text == theirs.replace("run: a\n", "run: a --mine\n")


def test_a_new_first_entry_takes_the_place_of_one_that_goes() -> None:
    base = "a: 1\n\nb: 1\n\nc: 1\n"
    assert merge(base, base.replace("c: 1", "c: 2"), "n: 1\n\nb: 1\n\nc: 1\n").text == "n: 1\n\nb: 1\n\nc: 2\n"


FORMS = (" 5", ' "x"', "", " [1, 2]", " {a: 1}", "\n@  b: 1\n@  # on c\n@  c: []", "\n@- 1\n@- d: 1", " |\n@ x\n@   y")


@pytest.mark.parametrize("theirs", FORMS)
@pytest.mark.parametrize("ours", FORMS)
def test_a_value_takes_any_other_form_and_the_indent(ours: str, theirs: str) -> None:
    def text(indent: str, form: str) -> str:
        return f"a:\n@x:{form}\n@y: 1\n".replace("@", indent)

    result = merge(text("  ", ours), "# mine\n" + text("  ", ours), text("    ", theirs))
    assert result == Merged("# mine\n" + text("  ", theirs), ())


@pytest.mark.parametrize("one", FORMS)
@pytest.mark.parametrize("other", FORMS)
def test_laws(one: str, other: str) -> None:
    base, changed = (f"# a\na:{form}\nz: 1 # b\n".replace("@", "") for form in (one, other))
    assert merge(base, changed, base) == Merged(changed, ())
    assert merge(base, changed, changed) == Merged(changed, ())
    assert parse(merge(base, base, changed).text) == parse(changed)


def test_the_first_key_of_an_item_goes_and_a_list_over_lines_changes() -> None:
    base = "- a: 1\n  b: 1\n- on: [\n    x, # mine\n    y,\n  ]\n"
    ours = base.replace("  b: 1\n", "  b: 1 # b\n")
    result = merge(base.replace(" # mine", ""), ours, "- b: 1\n- on: [x, z]\n")
    assert result.text == "- b: 1 # b\n- on: [\n    x, # mine\n    z,\n  ]\n"


def test_a_new_item_is_not_written_over_one_that_goes_from_another_place() -> None:
    result = merge("- run: x\n- id: b\n", "- run: x\n- id: b\n  z: 1\n", "- id: b\n- run: y y\n")
    assert result.text == "- id: b\n  z: 1\n- run: y y\n"


def test_a_list_that_the_template_empties_is_empty() -> None:
    base = "s:\n  - run: x\nz: 1\n"
    assert merge(base, base + "y: 1\n", "s: []\nz: 1\n").text == "s: []\nz: 1\ny: 1\n"
