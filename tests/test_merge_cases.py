"""The merges under tests/merge/: each a folder with base, ours, theirs and the expected text; WHY tells the story.

NAME is the file's name if it is no ordinary one; each line of TOLD has to be in the report; LEFT is there if a person has to
look, and each of its lines has to be in what is left.
"""

from pathlib import Path

import pytest

from copier_pyo3.merge.file import merge_file, tell

CASES = sorted(path for path in Path(__file__).with_name("merge").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_case(case: Path) -> None:
    suffix = next(case.glob("base.*")).suffix
    name = case / "NAME"
    usual = ".github/workflows/ci.yml" if suffix == ".yml" else "merge.toml"
    base, ours, theirs, expected = (
        (case / f"{side}{suffix}").read_bytes() for side in ("base", "ours", "theirs", "expected")
    )
    merged = merge_file(name.read_text(encoding="utf-8").strip() if name.exists() else usual, base, ours, theirs)
    assert merged.content.decode() == expected.decode()
    report = "\n".join([*map(tell, merged.decisions), merged.left or ""])
    for line in _lines(case / "TOLD"):
        assert line in report
    if (case / "LEFT").exists():
        assert merged.left is not None
        for line in _lines(case / "LEFT"):
            assert line in merged.left


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
