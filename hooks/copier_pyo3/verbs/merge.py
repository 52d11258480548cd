"""``copier-pyo3 merge``: merge three files, as a git merge driver."""

import sys
from pathlib import Path

from copier_pyo3.merge.file import in_markers, merge_file, merge_lines, tell, unreadable


def merge(base: Path, ours: Path, theirs: Path, name: str | None, out: Path | None, strict: bool) -> int:
    """Merge three files, as a git merge driver. The result is written to out if it is given, else to ours.

    Returns:
        0 if merged, 1 if conflict markers are left, 2 if the input is unusable and nothing was written.
    """
    name = name or str(ours)
    labels = ("ours", "base", "theirs")
    try:
        contents = [path.read_bytes() for path in (base, ours, theirs)]
    except OSError as error:
        print(f"copier-pyo3: cannot read {error.filename}: {error.strerror}.", file=sys.stderr)
        return 2
    for path, content in zip((base, ours, theirs), contents, strict=True):
        if problem := unreadable(name, content):
            print(f"copier-pyo3: {name}: cannot merge {path}: {problem}.", file=sys.stderr)
            return 2
    merged = merge_file(name, contents[0], contents[1], contents[2], labels)
    for decision in merged.decisions:
        print(f"copier-pyo3: {name}: {tell(decision)}", file=sys.stderr)
    content, left = merged.content, merged.left
    if strict and any(decision.conflict for decision in merged.decisions):
        by_lines, conflicts = merge_lines(contents[0], contents[1], contents[2], labels)
        left = in_markers(conflicts) if conflicts else "both sides changed the same value"
        content = by_lines if conflicts else content
    if left:
        print(f"copier-pyo3: {name}: resolve by hand: {left}", file=sys.stderr)
    try:
        (out or ours).write_bytes(content)
    except OSError as error:
        print(f"copier-pyo3: cannot write {error.filename}: {error.strerror}.", file=sys.stderr)
        return 2
    return 1 if left else 0
