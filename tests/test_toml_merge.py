"""The merge engine: single rules, then properties on generated documents."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from copier_pyo3.merge.file import merge_toml as merge
from copier_pyo3.merge.model import Merged, Unmergeable


def merged(base: str, ours: str, theirs: str) -> Merged:
    return merge(*(dedent(text).removeprefix("\n") for text in (base, ours, theirs)))


def data(text: str) -> Any:
    return tomlkit.parse(text).unwrap()


# --- Folding: base empty -------------------------------------------------------------------------

CARGO = """
    [package]
    name = "x"

    [dependencies]
    pyo3 = "0.30"

    [profile.release]
    lto = "fat"
"""


def fold(manifest: str, fragment: str) -> str:
    result = merged("", manifest, fragment)
    assert not [decision for decision in result.decisions if decision.conflict]
    return result.text


def test_a_fragment_joins_its_tables() -> None:
    text = fold(
        CARGO,
        """
        # what all cores need
        [dependencies]
        pyo3 = { version = "0.30", features = ["abi3-py310"] }
        rayon = "1.12"  # data parallelism
        """,
    )
    assert text == dedent("""\
        [package]
        name = "x"

        [dependencies]
        pyo3 = { version = "0.30", features = ["abi3-py310"] }
        rayon = "1.12"  # data parallelism

        [profile.release]
        lto = "fat"
        """)


def test_a_sub_table_without_version_joins_a_dependency_written_as_string() -> None:
    text = fold(CARGO, '[dependencies.pyo3]\nfeatures = ["abi3-py310"]\n')
    text = fold(text, '[dependencies]\npyo3 = { features = ["foo"] }\n')
    assert 'pyo3 = { version = "0.30", features = ["abi3-py310", "foo"] }\n' in text
    assert fold(text, '[dependencies]\npyo3 = { features = ["foo"] }\n') == text


def test_a_new_table_goes_to_the_end_after_one_blank_line() -> None:
    text = fold(
        '[project]\nname = "x"\n\n\n[tool.maturin]\nmodule-name = "x._core"\n\n[x]\n',
        """
        # types
        [tool.mypy]  # strict
        strict = true

        [[tool.mypy.overrides]]
        module = "a"

        [tool.maturin]
        # only these
        features = ["a"]
        """,
    )
    assert text == dedent("""\
        [project]
        name = "x"


        [tool.maturin]
        module-name = "x._core"
        # only these
        features = ["a"]

        [x]

        # types
        [tool.mypy]  # strict
        strict = true

        [[tool.mypy.overrides]]
        module = "a"
        """)


def test_an_element_goes_behind_the_last_of_its_name() -> None:
    text = fold(
        '[[tool.mypy.overrides]]\nmodule = "a"\n# note\n\n[z]\n',
        '[[tool.mypy.overrides]]\nmodule = "b"\nstrict = true\n',
    )
    assert text == (
        '[[tool.mypy.overrides]]\nmodule = "a"\n# note\n\n[[tool.mypy.overrides]]\nmodule = "b"\nstrict = true\n\n[z]\n'
    )


def test_a_contradiction_names_the_key_and_both_values() -> None:
    result = merged("", CARGO, '[dependencies]\npyo3 = { version = "0.31", optional = true }\n')
    (decision,) = result.decisions
    assert decision.conflict
    assert decision.action == "kept ours"
    assert decision.path == "dependencies.pyo3.version"
    assert '"0.30"' in decision.detail
    assert '"0.31"' in decision.detail


def test_requirements_for_different_pythons_are_different_requirements() -> None:
    text = fold(
        """[project]\ndependencies = ['numpy>=1; python_version < "3.10"']\n""",
        """[project]\ndependencies = ['numpy>=2; python_version >= "3.10"']\n""",
    )
    assert text == (
        "[project]\ndependencies = ['numpy>=1; python_version < \"3.10\"', 'numpy>=2; python_version >= \"3.10\"']\n"
    )


# --- Updating: what the template changed ---------------------------------------------------------


def test_only_the_value_changes_and_the_line_keeps_its_shape() -> None:
    result = merged("a = 1 # one\n", "a   =  1 # my one\n\n# b\n", "a = 2 # two\n")
    assert result == Merged("a   =  2 # my one\n\n# b\n", ())


def test_a_comment_that_explains_the_value_changes_with_it() -> None:
    base = 'rev = "aaa"  # v1\n'
    assert merge(base, base + "mine = 1\n", 'rev = "bbb"  # v2\n').text == ('rev = "bbb"  # v2\nmine = 1\n')


def test_line_endings_byte_order_mark_and_a_missing_last_newline_stay() -> None:
    ours = "\ufeff[a]\r\nb = 1\r\n\r\n[c]\r\nd = 1"
    assert merge("", ours, "[c]\ne = 2\n").text == "\ufeff[a]\r\nb = 1\r\n\r\n[c]\r\nd = 1\r\ne = 2"


def test_a_key_deleted_by_the_template_goes_with_its_own_comments() -> None:
    base = "# about a\na = 1 # eol\n\n# about b\nb = 2\n\n# about c\nc = 3\n"
    theirs = "# about a\na = 1 # eol\n\n# about c\nc = 3\n"
    assert merge(base, base, theirs).text == theirs


def test_comments_of_the_user_outlive_the_key_they_stand_on() -> None:
    base = "# about a\na = 1 # eol\nb = 2\n"
    ours = "# about a\n# mine\na = 1 # really\nb = 2\n"
    assert merge(base, ours, "b = 2\n").text == "# mine\n# really\nb = 2\n"


def test_comments_of_the_user_in_an_array_outlive_it() -> None:
    base = '[x]\nk = 1\nsel = ["a", "b"]\n'
    ours = '[x]\nk = 1\nsel = [ # opening\n  "a", # mine\n  # why\n  "b",\n] # tail\n'
    comments = "# opening\n# mine\n# why\n"
    assert merge(base, ours, "[x]\nk = 1\n").text == f"[x]\nk = 1\n{comments}# tail\n"
    assert merge(base, ours, '[x]\nk = 1\nsel = "all"\n').text == f'[x]\nk = 1\n{comments}sel = "all" # tail\n'
    assert merge(ours, ours, "[x]\nk = 1\n").text == "[x]\nk = 1\n"


def test_elements_that_the_template_reorders_take_their_comments_along() -> None:
    base = '[[x]]\nname = "a"\nl = ["p"]\n\n[[x]]\nname = "b"\n\n[[x]]\nname = "c"\n\n[z]\n'
    ours = '[[x]]\nname = "a"\nl = [\n  "p", # mine\n]\n\n# of b\n[[x]]\nname = "b"\n\n[[x]]\nname = "c"\n\n[z]\n'
    theirs = '[[x]]\nname = "b"\nk = 1\n\n[[x]]\nname = "n"\n\n[[x]]\nname = "a"\nl = ["p"]\n\n[z]\n'
    assert merge(base, ours, theirs).text == (
        '# of b\n[[x]]\nname = "b"\nk = 1\n\n[[x]]\nname = "n"\n\n[[x]]\nname = "a"\nl = [\n  "p", # mine\n]\n\n[z]\n'
    )


def test_a_table_deleted_by_the_template_leaves_no_hole() -> None:
    base = "[a]\nx = 1\n\n# old\n[b]\ny = 1\n\n# deep\n[b.c]\nz = 1\n\n[d]\n"
    assert merge(base, base, "[a]\nx = 1\n\n[d]\n").text == "[a]\nx = 1\n\n[d]\n"
    assert merge(base, base, base.partition("[d]")[0]).text == base.removesuffix("\n[d]\n")


def test_what_the_user_changed_stays_though_the_template_deleted_it() -> None:
    result = merge("[a]\nx = 1\ny = 1\n", "[a]\nx = 2\ny = 1\n", "[a]\n")
    assert result.text == "[a]\nx = 2\n"
    assert [(d.path, d.action, d.conflict) for d in result.decisions] == [("a.x", "kept ours", True)]


def test_what_the_user_deleted_stays_deleted() -> None:
    result = merge(
        '[dependencies]\na = "1"\nb = "1"\n',
        '[dependencies]\nb = "1"\n',
        '[dependencies]\na = "2"\nb = "1"\nc = "1"\n',
    )
    assert result.text == '[dependencies]\nb = "1"\nc = "1"\n'
    (decision,) = result.decisions
    assert (decision.path, decision.action) == ("dependencies.a", "kept deleted")
    assert not decision.conflict


def test_both_changed_a_value_that_is_no_version() -> None:
    result = merge("[a]\nx = 'l'\n", "[a]\nx = 'm'\n", "[a]\nx = 'n'\n")
    assert result.text == "[a]\nx = 'm'\n"
    assert [(d.path, d.action, d.conflict) for d in result.decisions] == [("a.x", "kept ours", True)]


# --- Versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "base", "ours", "theirs", "expected"),
    [
        ("rust-version", "1.80", "1.85", "1.90", "1.90"),
        ("rust-version", "1.80", "1.90", "1.85", "1.90"),
        ("requires-python", ">=3.9", ">=3.10", ">=3.11", ">=3.11"),
        ("requires-python", ">=3.8", ">=3.10", ">=3.9", ">=3.10"),
        ("target-version", "py39", "py312", "py310", "py312"),
        ("target-version", "py39", "py310", "py311", "py311"),
        ("version", "0.1.0", "0.2.0-rc.1", "0.2.0", "0.2.0"),
        ("edition", "2018", "2021", "2024", "2024"),
        ("x", ">=1,<2", ">=1.2,<2", ">=1.4,<2", ">=1.4,<2"),
    ],
)
def test_the_higher_version_wins(key: str, base: str, ours: str, theirs: str, expected: str) -> None:
    result = merge(*(f'{key} = "{value}"\n' for value in (base, ours, theirs)))
    assert result.text == f'{key} = "{expected}"\n'
    assert not result.decisions[0].conflict


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ("a", "b", "c"),
        ("1", "2", "3"),  # not a version, because none is expected
        ("2026-01-01", "2026-02-02", "2026-03-03"),
        ("0.30", "=0.30.1", "0.31"),  # a pin is intended
        (">=1", ">=1,<2", ">=2"),  # a limit too
    ],
)
def test_no_version_wins(base: str, ours: str, theirs: str) -> None:
    result = merge(*(f'x = "{value}"\n' for value in (base, ours, theirs)))
    assert result.text == f'x = "{ours}"\n'
    assert result.decisions[0].conflict


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ('pyo3 = "0.29"', 'pyo3 = "0.30"'),
        ('pyo3 = "1"', 'pyo3 = "1"'),
        (
            'pyo3 = { version = "0.28", default-features = false }',
            'pyo3 = { version = "0.30", default-features = false }',
        ),
        ('pyo3.version = "0.28"\npyo3.x = 1', 'pyo3.version = "0.30"\npyo3.x = 1'),
        ('\n[dependencies.pyo3]\nversion = "0.28"', '\n[dependencies.pyo3]\nversion = "0.30"'),
        ('pyo3 = { git = "x" }', 'pyo3 = { git = "x" }'),
    ],
)
def test_a_cargo_dependency_is_one_thing_in_every_form(ours: str, expected: str) -> None:
    form = "[dependencies]\n{}\n".format
    assert merge(form('pyo3 = "0.28"'), form(ours), form('pyo3 = "0.30"')).text == form(expected)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        # the template did not change the version
        ('"3"', '{ version = "2", features = ["a"] }', '{ version = "3", features = ["b"] }', None),
        ('{ version = "3", features = ["b"] }', '"2"', '"3"', '"2"'),
        ('"3"', '"2"', '{ version = "3", features = ["b"] }', '{ version = "2", features = ["b"] }'),
        # the user's dependency has another source
        ('"3"', '{ git = "x" }', '{ version = "4", features = ["b"] }', '{ git = "x", features = ["b"] }'),
        ('"3"', "{ workspace = true }", '{ version = "3", optional = true }', "{ workspace = true, optional = true }"),
        (None, '{ path = "x" }', '"3"', '{ path = "x" }'),
        # but its version is still a version
        ('"3"', '{ path = "x", version = "3" }', '"4"', '{ path = "x", version = "4" }'),
    ],
)
def test_a_version_that_one_side_did_not_change(base: str | None, ours: str, theirs: str, expected: str | None) -> None:
    form = "[dependencies]\nx = {}\n".format
    result = merge(form(base) if base else "[dependencies]\n", form(ours), form(theirs))
    assert result.text == form(expected or '{ version = "2", features = ["a", "b"] }')
    elsewhere = "git" in ours or ours == '{ path = "x" }'
    assert [decision.action for decision in result.decisions] == ["kept ours"] * elsewhere


def test_the_template_turns_a_dependency_into_a_table() -> None:
    result = merged(
        '[dependencies]\npyo3 = "0.28"\n',
        "[dependencies]\npyo3 = '0.29' # mine\n",
        '[dependencies.pyo3]\nversion = "0.30"\nfeatures = ["x"]\n',
    )
    assert result.text == '[dependencies]\npyo3 = { version = "0.30", features = ["x"] } # mine\n'


# --- Arrays --------------------------------------------------------------------------------------


def test_items_are_merged_by_what_they_are() -> None:
    result = merged(
        """
        dependencies = [
            "Typing_Extensions>=4", # for 3.10
            "numpy>=1",
            "gone",
        ]
        """,
        """
        dependencies = [
            "Typing_Extensions>=4", # for 3.10
            # mine
            "numpy[all]>=1",
            "gone",
            "click"  # cli
        ]
        """,
        """
        dependencies = [
            "typing-extensions>=5",
            "numpy>=2",
            # fast
            "orjson", # json
        ]
        """,
    )
    assert result.text == dedent("""\
        dependencies = [
            "typing-extensions>=5", # for 3.10
            # mine
            "numpy[all]>=2",
            # fast
            "orjson", # json
            "click"  # cli
        ]
        """)
    assert not [decision for decision in result.decisions if decision.conflict]


def test_an_array_on_one_line_stays_on_one_line() -> None:
    base, theirs = 'x = ["a"]\n', 'x = [\n    "a",\n    "b", # b\n]\n'
    assert merge(base, 'x = ["a","z"]\n', theirs).text == 'x = ["a","b","z"]\n'
    assert merge(base, 'x = [ "a" ]\n', theirs).text == 'x = [ "a", "b" ]\n'
    assert merge("", "x = []\n", theirs).text == 'x = ["a", "b"]\n'
    assert merge('x = ["a", "b"]\n', 'x = ["a", "b", "c"]\n', 'x = ["b"]\n').text == 'x = ["b", "c"]\n'


def test_the_abi3_feature_is_one_slot() -> None:
    form = '[dependencies]\npyo3 = {{ version = "0.30", features = {} }}\n'.format
    result = merge(form('["abi3-py39"]'), form('["abi3-py39", "x"]'), form('["abi3-py311"]'))
    assert result.text == form('["abi3-py311", "x"]')
    result = merge(form('["abi3-py39"]'), form('["abi3-py312"]'), form('["abi3-py311"]'))
    assert result.text == form('["abi3-py312"]')
    assert result.decisions[0].path == "dependencies.pyo3.features[abi3-py3*]"


def test_an_array_of_tables_is_merged_by_name() -> None:
    result = merge(
        '[[bin]]\nname = "a"\npath = "a.rs"\n\n[[bin]]\nname = "b"\npath = "b.rs"\n',
        '[[bin]]\nname = "z"\npath = "z.rs"\n\n[[bin]]\nname = "b"\npath = "b.rs"\n\n'
        '# mine\n[[bin]]\nname = "a"\npath = "a.rs"\n',
        '[[bin]]\nname = "a"\npath = "src/a.rs"\n\n# new\n[[bin]]\nname = "c"\n',
    )
    assert result.text == (
        '[[bin]]\nname = "z"\npath = "z.rs"\n\n# mine\n[[bin]]\nname = "a"\npath = "src/a.rs"\n\n'
        '# new\n[[bin]]\nname = "c"\n'
    )


def test_tables_are_known_by_what_they_select() -> None:
    base = '[[x]]\nselect = "*a*"\nk = 1\n\n[[x]]\nselect = "*b*"\nk = 1\n'
    ours = base.replace("k = 1\n", "k = 1\ny = 5\n", 1)
    assert merge(base, ours, base.replace("k = 1", "k = 2")).text == ours.replace("k = 1", "k = 2")


def test_a_table_that_nothing_names_is_the_one_it_is_like() -> None:
    form = "x = [{}]\n".format
    base = form("{ a = 1, b = 1 }, { a = 2, b = 1 }")
    result = merge(base, form("{ a = 2, b = 1, c = 3 }, { a = 1, b = 1 }"), form("{ a = 1, b = 9 }, { a = 2, b = 9 }"))
    assert result == Merged(form("{ a = 2, b = 9, c = 3 }, { a = 1, b = 9 }"), ())


# --- Places --------------------------------------------------------------------------------------


def test_a_new_table_follows_its_neighbour() -> None:
    ours = "[a]\n\n[b]\nx = 1\n\n[b.c]\n\n[z]\n"
    assert merge("[a]\n[b]\n", ours, "[a]\n[b]\n[n]\ny = 1\n").text == (
        "[a]\n\n[b]\nx = 1\n\n[b.c]\n\n[n]\ny = 1\n\n[z]\n"
    )


def test_a_new_key_joins_its_dotted_relatives_or_its_inline_table() -> None:
    theirs = "[a.b]\nx = 1\ny = 2\n"
    base = "[a.b]\nx = 1\n"
    assert merge(base, "[a]\nb.x = 1\nz = 1\n", theirs).text == "[a]\nb.x = 1\nb.y = 2\nz = 1\n"
    assert merge(base, "a = {b={x=1}}\n", theirs).text == "a = {b={x=1, y = 2}}\n"


def test_a_new_key_at_the_root_stands_above_the_first_table() -> None:
    assert merge("", "# file\n\n# a\n[a]\n", "# k\nk = 1\n").text == "# file\n\n# k\nk = 1\n\n# a\n[a]\n"


def test_a_key_of_a_table_that_had_no_header_gets_one() -> None:
    ours = "[x]\n\n# lint\n[tool.ruff.lint]\nselect = []\n"
    assert merge("", ours, "# style\n[tool.ruff]\nline-length = 100\n").text == (
        "[x]\n\n# style\n[tool.ruff]\nline-length = 100\n\n# lint\n[tool.ruff.lint]\nselect = []\n"
    )


def test_tables_out_of_order() -> None:
    ours = "[a]\nx = 1\n\n[b]\n\n[a.c]\nz = 1\n"
    assert merge("[a]\nx = 1\n", ours, "[a]\nx = 2\ny = 3\n").text == ("[a]\nx = 2\ny = 3\n\n[b]\n\n[a.c]\nz = 1\n")


def test_a_table_left_empty_stays_a_table() -> None:
    result = merge("a.x = 1\na.y = 1\n", "a.x = 1\n", "a.y = 2\n")
    assert result.text == "a = {}\n"
    assert [d.action for d in result.decisions] == ["kept deleted"]


# --- The net -------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [("=", "", ""), ("", "a = 1\na = 1\n", ""), ("", "", "[a")])
def test_what_is_no_toml_is_refused(texts: tuple[str, str, str]) -> None:
    with pytest.raises(Unmergeable, match="is not valid TOML"):
        merge(*texts)


def test_a_wrong_edit_never_gets_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copier_pyo3.merge.toml_edit.Editor.rewrite", lambda *_: "a = 3\n")
    with pytest.raises(Unmergeable, match="does not have"):
        merge("a = 1\n", "a = 1\n", "a = 2\n")


# --- Laws ----------------------------------------------------------------------------------------

NAMES = [
    "name",
    "version",
    "dependencies",
    "dev-dependencies",
    "features",
    "tool",
    "a",
    "b",
    "c d",
    "é",
]
STRINGS = [
    "",
    "x",
    "1.0",
    "1.2.3",
    ">=3.9",
    "numpy>=1",
    "numpy",
    "Numpy[x]>=2; os_name=='nt'",
    "rich",
    "abi3-py39",
    "abi3-py310",
    "py311",
    'q"uote',
    "back\\slash",
    "two\nlines",
    "#no comment",
    "a,b]",
]
names = st.sampled_from(NAMES)
scalars = st.one_of(st.sampled_from(STRINGS), st.integers(-2, 3), st.booleans(), st.just(1.0))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(scalars, max_size=6),
        st.dictionaries(names, inner, max_size=3),
    ),
    max_leaves=6,
)
documents = st.dictionaries(
    names,
    st.one_of(
        values,
        st.dictionaries(names, st.one_of(values, st.dictionaries(names, values, max_size=3)), max_size=4),
        st.lists(st.dictionaries(names, values, max_size=3), min_size=1, max_size=3),
    ),
    max_size=5,
)


class Writer:
    """Writes data as TOML, in a random form and with some comments."""

    def __init__(self, choose: Callable[..., Any], mark: str) -> None:
        self.choose = choose
        self.mark = mark
        self.count = 0

    def comment(self) -> str:
        self.count += 1
        return f"# {self.mark}{self.count}"

    def above(self) -> str:
        return self.choose("", "", "", "\n", f"{self.comment()}\n", f"\n{self.comment()}\n\n")

    def tail(self) -> str:
        return self.choose("", "", f"  {self.comment()}") + "\n"

    def key(self, key: str) -> str:
        bare = set(key) <= set(string.ascii_letters + "-")
        return self.choose(key, f'"{key}"') if bare else f'"{key}"'

    def value(self, value: Any) -> str:
        if isinstance(value, dict):
            pairs = [f"{self.key(k)} = {self.value(v)}" for k, v in value.items()]
            return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
        if isinstance(value, list):
            items = [self.value(item) for item in value]
            style = self.choose("one", "tight", "tall", "tall", "short")
            if style == "tall":
                rows = [f"    {i},{self.choose('', f' {self.comment()}')}\n" for i in items]
                return "[\n" + "".join(self.choose("", f"    {self.comment()}\n") + r for r in rows) + "]"
            if style == "short":
                return "[\n  " + ",\n  ".join(items) + self.choose("", f" {self.comment()}") + "\n]"
            return "[" + (", " if style == "one" else ",").join(items) + "]"
        if isinstance(value, str) and not {"'", "\n"} & set(value) and self.choose(True, False):
            return f"'{value}'"
        return tomlkit.item(value).as_string()

    def pairs(self, table: dict[str, Any], prefix: str = "") -> str:
        text = ""
        for key, value in table.items():
            if isinstance(value, dict) and value and self.choose(True, False, False):
                text += self.pairs(value, f"{prefix}{self.key(key)}.")
            else:
                text += f"{self.above()}{prefix}{self.key(key)} = {self.value(value)}{self.tail()}"
        return text

    def table(self, path: list[str], table: dict[str, Any]) -> str:
        kinds = {
            key: self.choose("pair", "header", "header")
            if isinstance(value, dict)
            else self.choose("pair", "elements", "elements")
            if isinstance(value, list) and value and all(isinstance(i, dict) for i in value)
            else "pair"
            for key, value in table.items()
        }
        text = self.pairs({key: value for key, value in table.items() if kinds[key] == "pair"})
        for key, kind in kinds.items():
            here = [*path, self.key(key)]
            if kind == "header":
                inner = table[key]
                lean = inner and all(isinstance(v, dict) for v in inner.values())
                body = self.table(here, inner)
                bare = lean and body.lstrip(" #\n" + self.mark + string.digits).startswith("[")
                if not (bare and self.choose(True, False)):
                    text += f"{self.above()}[{'.'.join(here)}]{self.tail()}"
                text += body
            elif kind == "elements":
                for element in table[key]:
                    text += f"{self.above()}[[{'.'.join(here)}]]{self.tail()}{self.table(here, element)}"
        return text


@st.composite
def texts(draw: Any, mark: str = "c", source: Any = documents) -> str:
    text = Writer(lambda *options: draw(st.sampled_from(options)), mark).table([], draw(source))
    text = draw(st.sampled_from([text, text, text, text.replace("\n", "\r\n"), text.rstrip("\n"), "\ufeff" + text]))
    return text


def change(draw: Any, value: Any) -> Any:
    """The value with some parts changed, removed, or added."""
    if isinstance(value, dict):
        result = {k: change(draw, v) for k, v in value.items() if draw(st.integers(0, 5))}
        if not draw(st.integers(0, 2)):
            result[draw(names)] = draw(values)
        return result
    if isinstance(value, list):
        items = [change(draw, v) for v in value if draw(st.integers(0, 5))]
        if not draw(st.integers(0, 2)):
            items.insert(draw(st.integers(0, len(items))), draw(scalars))
        return items
    return value if draw(st.integers(0, 3)) else draw(scalars)


@st.composite
def triples(draw: Any) -> tuple[str, str, str]:
    base = draw(documents)
    one, other = change(draw, base), change(draw, base)

    def text(mark: str, value: Any) -> str:
        return draw(texts(mark, st.just(value)))

    return text("b", base), text("o", one), text("t", other)


law = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    max_examples=40,
)


def bare(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


@law
@given(texts(), texts())
def test_a_template_that_did_not_change_changes_nothing(base: str, ours: str) -> None:
    assert merge(base, ours, base).text == ours


@law
@given(texts(), texts())
def test_what_both_have_is_left_alone(base: str, ours: str) -> None:
    assert merge(base, ours, ours) == Merged(ours, ())


@law
@given(texts())
def test_folding_nothing_changes_nothing(ours: str) -> None:
    assert merge("", ours, "") == Merged(ours, ())


@law
@given(triples())
def test_without_edits_the_update_is_the_new_version(triple: tuple[str, str, str]) -> None:
    base, _, theirs = triple
    result = merge(base, base, theirs)
    assert data(bare(result.text)) == data(bare(theirs))
    assert not result.decisions


@law
@given(texts("o"), texts("f"))
def test_folding_twice_is_folding_once(ours: str, fragment: str) -> None:
    once = merge("", ours, fragment).text
    assert merge("", once, fragment).text == once


@law
@given(triples())
def test_no_comment_of_the_user_is_lost(triple: tuple[str, str, str]) -> None:
    base, ours, theirs = triple
    result = merge(base, ours, theirs)
    for comment in re.findall(r"# o\d+", ours):
        assert re.search(rf"{comment}\b", result.text)


def unordered(value: Any) -> Any:
    """The data with arrays as sets."""
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items()}
    return sorted(map(repr, map(unordered, value))) if isinstance(value, list) else value


@law
@given(texts("o"), texts("f"), texts("g"))
def test_the_order_of_options_does_not_matter(ours: str, one: str, other: str) -> None:
    def folded(*fragments: str) -> tuple[Any, bool]:
        text, conflict = ours, False
        for fragment in fragments:
            result = merge("", text, fragment)
            text, conflict = result.text, conflict or bool(result.decisions)
        return unordered(data(bare(text))), conflict

    forward, backward = folded(one, other), folded(other, one)
    assert forward == backward or forward[1] or backward[1]


def test_a_list_that_theirs_has_no_more_keeps_only_what_the_user_put_in() -> None:
    """So when an option is turned off, its feature is removed."""
    result = merged('f = ["abi3-py310"]\n', 'f = ["abi3-py310", "ours"]\n', "")
    assert data(result.text) == {"f": ["ours"]}
