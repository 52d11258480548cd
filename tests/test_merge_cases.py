"""The merges under tests/merge/, each with base, ours, theirs and the expected text; WHY tells the story.

NAME is the file's name if it is no ordinary one; each line of TOLD has to be in the report; LEFT is there if a person has to
look, and each of its lines has to be in what is left. A folder is one case. Further cases of the same kinds are in the text
files beside the folders, for Copier checks out every file of a template with each copy: `%%% name` begins a case, and then
each of its files.
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
    """The cases in the text files."""
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


def test_there_are_folders_to_read() -> None:
    assert len([*folders()]) >= 80
    assert len({name for name, _ in CASES}) == len(CASES)


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
