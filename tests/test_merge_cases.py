"""The merges under tests/merge/: each case has base, ours, theirs and the expected text.

A text file holds the cases of one kind: `%%% name` starts a case and says why its result is right, then each `%%% file`
starts one of its files. NAME is the path of the merged file if it matters; each line of TOLD must be in the report; each line
of LEFT must be in what a person has to resolve. A file can be followed by `(CRLF)` or `(no final newline)`. Cases are not
folders because Copier checks out every file of this repository for each copy.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from copier_pyo3.merge.file import merge_file, tell

HOME = Path(__file__).with_name("merge")
HEAD = re.compile(r"(?m)(?:^\n)?^%%% (.+)\n")
FILE = re.compile(r"((?:base|ours|theirs|expected)\.\w+|NAME|TOLD|LEFT)(?: \((CRLF|no final newline)\))?")

Case = dict[str, bytes]


def cases() -> Iterator[tuple[str, Case]]:
    """The name and the files of each case."""
    for path in sorted(HOME.glob("*.txt")):
        parts = HEAD.split(path.read_text(encoding="utf-8"))
        case: Case = {}
        for head, text in zip(parts[1::2], parts[2::2], strict=True):
            if found := FILE.fullmatch(head):
                name, how = found.groups()
                if how == "CRLF":
                    text = text.replace("\n", "\r\n")
                elif how:
                    text = text.removesuffix("\n")
                case[name] = text.encode()
            else:
                case = {}
                yield head, case


CASES = [*cases()]


def test_names_are_unique() -> None:
    assert len({name for name, _ in CASES}) == len(CASES) >= 249


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_case(case: Case) -> None:
    suffix = next(Path(name).suffix for name in case if name.startswith("base."))
    usual = ".github/workflows/ci.yml" if suffix == ".yml" else "merge.toml"
    base, ours, theirs, expected = (case[f"{side}{suffix}"] for side in ("base", "ours", "theirs", "expected"))
    merged = merge_file(case.get("NAME", usual.encode()).decode().strip(), base, ours, theirs)
    assert merged.content.decode() == expected.decode()
    report = "\n".join([*map(tell, merged.decisions), merged.left or ""])
    for line in case.get("TOLD", b"").decode().splitlines():
        assert line in report
    if "LEFT" in case:
        assert merged.left is not None
        for line in case["LEFT"].decode().splitlines():
            assert line in merged.left
