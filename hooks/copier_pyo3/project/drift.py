"""How a project's files differ from what the template wrote."""

import difflib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from copier_pyo3.merge.blob import Blob, Tree
from copier_pyo3.project.repository import Repository

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomlkit as tomllib

# The project's code and texts, which the template starts and everyone edits.
OWN: Final = re.compile(
    r"(src|crates|profiler|python|tests|examples|benches|benchmarks|docs)/.*|(README|CHANGELOG)\.md"
)
# Only from the first digit of a number: with a long one, it would otherwise take minutes.
VERSION: Final = re.compile(r"\b[0-9a-f]{40}\b|v?(?<!\d)\d+(\.\d+)+\S*|v\d+\b")
LONGEST_DIFF: Final = 200  # lines
LARGEST: Final = 500_000  # bytes of a file whose lines are compared


@dataclass(frozen=True)
class Drift:
    """A file that differs."""

    path: str
    how: str
    """edited, versions (only numbers of versions differ), line endings, mode, or deleted."""
    expected: bool
    """Whether it is an edit that every living project makes: its code and texts, versions, additions to manifests."""
    diff: str
    """A unified diff from the template's file to the project's, without its first two lines."""


def drift(repository: Repository, rendered: Tree, skip: set[str], adopted: Tree | None) -> Iterator[Drift]:
    """The template's files that differ in the last commit. Files that only the project has do not count.

    Args:
        repository: the project's repository.
        rendered: the template's files, in the repository's objects.
        skip: paths that are not compared.
        adopted: the project's files when it was adopted, if it was. What it kept or declined then is expected.
    """
    mine = repository.tree("HEAD").files
    differing = {path for path, blob in rendered.files.items() if mine.get(path) != blob} - skip
    kept = adopted.files if adopted else {}
    trees = (rendered.files, mine, kept)
    blobs = [tree[path] for path in differing for tree in trees if path in tree and tree[path].is_file]
    contents = repository.contents(blobs) if blobs else {}
    for path in sorted(differing):
        found = _compared(path, rendered.files[path], mine.get(path), contents)
        if adopted and not found.expected:
            before, now = kept.get(path), mine.get(path)
            as_adopted = before == now or (before is not None and _compared(path, before, now, contents).expected)
            found = replace(found, expected=as_adopted)
        yield found


def _compared(path: str, old: Blob, new: Blob | None, contents: Mapping[str, bytes]) -> Drift:
    own = bool(OWN.fullmatch(path))
    if new is None:
        return Drift(path, "deleted", own, "")
    if old.oid == new.oid:
        return Drift(path, "mode", own, f"mode {old.mode} -> {new.mode}")
    return _edited(path, contents.get(old.oid, b""), contents.get(new.oid, b""), own)


def _edited(path: str, old: bytes, new: bytes, own: bool) -> Drift:
    if old.replace(b"\r\n", b"\n") == new.replace(b"\r\n", b"\n"):
        return Drift(path, "line endings", True, "")
    try:
        before, after = old.decode("utf-8"), new.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return Drift(path, "edited", own, "")
    if VERSION.sub("0", before) == VERSION.sub("0", after):
        return Drift(path, "versions", True, _diff(before, after))
    return Drift(path, "edited", own or _only_added(path, before, after), _diff(before, after))


def _diff(before: str, after: str) -> str:
    if len(before) + len(after) > LARGEST:
        return ""
    lines = [*difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")][2:]
    cut = [f"({len(lines) - LONGEST_DIFF} more lines)"] if len(lines) > LONGEST_DIFF else []
    return "\n".join([*lines[:LONGEST_DIFF], *cut])


def _only_added(path: str, before: str, after: str) -> bool:
    """Whether a TOML file has all of the template's values, apart from versions."""
    if Path(path).suffix != ".toml":
        return False
    try:
        return _has(tomllib.loads(after), tomllib.loads(before))
    except ValueError:
        return False


def _has(mine: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(mine, Mapping) and all(key in mine and _has(mine[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(mine, list) and all(any(_has(item, each) for item in mine) for each in wanted)
    if isinstance(wanted, str) and isinstance(mine, str):
        return VERSION.sub("0", wanted) == VERSION.sub("0", mine)
    return bool(mine == wanted) and isinstance(mine, bool) == isinstance(wanted, bool)  # True == 1
