"""The merges under tests/merge/: each case has base, ours, theirs and the expected text.

A text file holds the cases of one kind: `%%% name` starts a case and says why its result is right, then each `%%% file`
starts one of its files. NAME is the path of the merged file if it matters; each line of TOLD must be in the report; each line
of LEFT must be in what a person has to resolve. Cases are not folders because Copier checks out every file of this repository
for each copy. Only those that need other line endings are: there, WHY has the reason.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from copier_pyo3.merge.file import merge_file, tell

HOME = Path(__file__).with_name("merge")
FILE = re.compile(r"(base|ours|theirs|expected)\.\w+|NAME|TOLD|LEFT")

Case = dict[str, bytes]


def folders() -> Iterator[tuple[str, Case]]:
    """Each folder with the contents of its files."""
    for folder in sorted(path for path in HOME.iterdir() if path.is_dir()):
        yield folder.name, {path.name: path.read_bytes() for path in folder.iterdir()}


def packed() -> Iterator[tuple[str, Case]]:
    """The cases in text files."""
    for path in sorted(HOME.glob("*.txt")):
        parts = re.split(r"(?m)^%%% (.+)\n", path.read_bytes().decode("utf-8"))
        case: Case = {}
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if not FILE.fullmatch(name):
                case = {"WHY": text.encode()}
                yield name, case
            else:
                case[name] = text.encode()


def cases() -> list[tuple[str, Case]]:
    """All cases, those in text files without the empty line that ends each."""
    found = [*packed()]
    for _, case in found:
        last = [*case][-1]
        case[last] = re.sub(rb"\n\n\Z", b"\n", case[last])
    return [*folders(), *found]


CASES = cases()


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
