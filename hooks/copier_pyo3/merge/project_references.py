"""Finds broken references from one file of a project to another file, or to a value in another file.

To add a kind, add a row to `KINDS`. For references inside of a file, see `references`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from .known import CARGO_TABLES, crate
from .versions import read_version

Files = Mapping[str, Any]
"""Plain data of each Cargo.toml and workflow, by its path in the project."""
Found = Iterator[tuple[str, str, str]]
"""The file, the reference (the same before and after an update), and a sentence about it."""

# Crates that must have the same minor version, such as 0.30, in the whole project.
SERIES: Final = ("pyo3", "pyo3-build-config", "pyo3-ffi", "pyo3-macros", "pyo3-async-runtimes", "numpy")


def brought_about(
    before: Files, names_before: Collection[str], after: Files, names_after: Collection[str]
) -> dict[str, str]:
    """A sentence for each file with a reference that the update broke.

    Args:
        before: plain data of the files before the update.
        names_before: the paths of all files in the project before the update.
        after: plain data of the files now.
        names_after: the paths of all files in the project now.
    """
    told: dict[str, list[str]] = {}
    for kind in KINDS:
        already = {(path, use) for path, use, _ in kind(before, names_before)}
        for path, use, sentence in kind(after, names_after):
            if (path, use) not in already and sentence not in told.get(path, ()):
                told.setdefault(path, []).append(sentence)
    return {path: "; ".join(sentences) for path, sentences in told.items()}


def _members(files: Files, names: Collection[str]) -> Found:
    """Members of a Cargo workspace; Cargo allows a pattern without matches."""
    for path, data in _manifests(files):
        workspace = _table(data, "workspace")
        for key in ("members", "default-members"):
            for member in workspace.get(key) or ():
                if isinstance(member, str) and not set(member) & set("*?["):
                    manifest = _joined(path, member, "Cargo.toml")
                    if manifest not in names:
                        yield path, f"{key} {member}", f"workspace.{key} has {member}, which has no Cargo.toml"


def _paths(files: Files, names: Collection[str]) -> Found:
    """Cargo dependencies in the project's folder."""
    for path, data in _manifests(files):
        for place, name, dependency in _dependencies(data):
            where = dependency.get("path") if isinstance(dependency, dict) else None
            manifest = _joined(path, where, "Cargo.toml") if isinstance(where, str) else ".."
            if manifest not in names and not manifest.startswith(".."):
                yield path, f"{place}.{name}", f"{place}.{name} has the path {where}, which has no Cargo.toml"


def _local_uses(files: Files, names: Collection[str]) -> Found:
    """Local workflows and actions in .github that a workflow uses; other paths may come from a checkout of another repository."""
    folders = {folder for name in names for folder in _folders(name)}
    for path, data in files.items():
        if not path.startswith(".github/"):
            continue
        for used in _uses(data):
            target = posixpath.normpath(used)
            if used.startswith("./.github/") and target not in names and target not in folders:
                yield path, used, f"uses {used}, which does not exist"


def _one_series(files: Files, names: Collection[str]) -> Found:
    """PyO3 and related crates, which must have the newest minor version of PyO3 in the project."""
    found = []
    for path, data in _manifests(files):
        for place, name, dependency in _dependencies(data):
            text = dependency.get("version") if isinstance(dependency, dict) else dependency
            version = read_version(text) if isinstance(text, str) else None
            if crate(name, dependency) in SERIES and version:
                found.append((path, place, crate(name, dependency), (*version.lowest[0], 0)[:2], text))
    newest = max(((series, text) for _, _, name, series, text in found if name == "pyo3"), default=None)
    for path, place, name, series, text in found:
        if newest and series < newest[0]:
            yield path, f"{place}.{name}", f"{place}.{name} is still {text}, which does not match pyo3 {newest[1]}"


KINDS: Final[tuple[Callable[[Files, Collection[str]], Found], ...]] = (_members, _paths, _local_uses, _one_series)


# --- helpers over plain data ----------------------------------------------------------------------------


def _manifests(files: Files) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, data in files.items():
        if posixpath.basename(path) == "Cargo.toml" and isinstance(data, dict):
            yield path, data


def _dependencies(data: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Each dependency, with its table."""
    tables = {name: _table(data, name) for name in CARGO_TABLES}
    tables["workspace.dependencies"] = _table(data, "workspace", "dependencies")
    for target, table in _table(data, "target").items():
        tables |= {f"target.{target}.{name}": _table(table, name) for name in CARGO_TABLES}
    for place, table in tables.items():
        for name, dependency in table.items():
            yield place, name, dependency


def _table(data: Any, *path: str) -> dict[str, Any]:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _uses(data: Any) -> Iterator[str]:
    """Every `uses:` of a workflow or an action."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "uses" and isinstance(value, str):
                yield value
            else:
                yield from _uses(value)
    elif isinstance(data, list):
        for item in data:
            yield from _uses(item)


def _joined(manifest: str, *parts: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(manifest), *parts))


def _folders(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name
