"""Raises the versions of an existing project to the template's, as a change that the merge applies."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit

from copier_pyo3.merge.versions import higher, requirement
from copier_pyo3.project.inferring import oldest_python
from copier_pyo3.project.reading import Reading, at, listed, table

TABLES: Final = ("dependencies", "dev-dependencies", "build-dependencies")


def modernize(reading: Reading, theirs: Path, base: Path, versions: Mapping[str, str], hints: list[str]) -> None:
    """Add a change of the versions to both folders: base gets the project's versions, theirs the template's.

    Args:
        reading: the project.
        theirs: folder with the files of the template.
        base: folder with what the project is taken to have.
        versions: the template's versions, by crate or package; ``python`` is the oldest minor version of Python.
        hints: gets what is to be done by hand.
    """
    manifests = {*reading.files} & {reading.crate.path, "Cargo.toml"}
    for manifest in sorted(manifests):
        _raise_crates(reading, manifest, theirs, base, versions, hints)
    inherited = (reading.crate.pyo3() or {}).get("workspace") is True
    if inherited and not any(table(tomlkit.parse(reading.text(name)), "workspace") for name in manifests):
        hints.append(
            f"PyO3's version is in the Cargo.toml of the workspace, which stays: raise it there to {versions['pyo3']}"
        )
    if "pyproject.toml" in reading.files:
        _raise_packages(reading, theirs / "pyproject.toml", base / "pyproject.toml", versions, hints)
    if reading.setup:
        hints.append(f"setup.py and setup.cfg are not changed: raise python_requires to >=3.{versions['python']} there")
    hints.append(
        f"PyO3 {versions['pyo3']} may need changes in your Rust code: see https://pyo3.rs/v{versions['pyo3']}/migration"
    )
    if "Cargo.lock" in reading.files:
        hints.append("Cargo.lock has the old versions: run `cargo update -p pyo3`")


def _raise_crates(
    reading: Reading, manifest: str, theirs: Path, base: Path, versions: Mapping[str, str], hints: list[str]
) -> None:
    data = tomlkit.parse(reading.text(manifest)).unwrap()
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for place in [*((name,) for name in TABLES), ("workspace", "dependencies")]:
        for key, value in table(at(data, *place[:-1]), place[-1]).items():
            entry = {"version": value} if isinstance(value, str) else value
            crate = entry.get("package", key) if isinstance(entry, dict) else key
            if not isinstance(entry, dict) or crate not in versions or not isinstance(entry.get("version"), str):
                continue
            if higher(None, entry["version"], versions[crate], expected=True) == "ours":
                continue
            if re.search("(?<!>)=|<", entry["version"]):
                hints.append(f'{manifest}: {key} = "{entry["version"]}" stays: raise it to {versions[crate]} yourself')
                continue
            raised = dict(entry) | {"version": versions[crate]}
            if listed(entry.get("features")):
                raised["features"] = [_abi3(str(name), versions["python"]) for name in entry["features"]]
            for side, table_of in ((entry, old), (raised, new)):
                for name in place:
                    table_of = table_of.setdefault(name, {})
                table_of[key] = side["version"] if isinstance(value, str) else side
    for place in (("package",), ("workspace", "package")):
        rust = table(at(data, *place[:-1]), place[-1]).get("rust-version")
        if isinstance(rust, str) and higher(None, rust, versions["rust"], expected=True) == "theirs":
            for version, table_of in ((rust, old), (versions["rust"], new)):
                for name in place:
                    table_of = table_of.setdefault(name, {})
                table_of["rust-version"] = version
    if old != new:
        for folder, side in ((base, old), (theirs, new)):
            (folder / manifest).parent.mkdir(parents=True, exist_ok=True)
            (folder / manifest).write_bytes(tomlkit.dumps(side).encode())


def _abi3(feature: str, python: str) -> str:
    found = re.fullmatch(r"abi3-py3(\d+)", feature)
    return f"abi3-py3{python}" if found and int(found[1]) < int(python) else feature


def _raise_packages(reading: Reading, theirs: Path, base: Path, versions: Mapping[str, str], hints: list[str]) -> None:
    """Raise the build backend and requires-python, if they are lower."""
    requires = [str(item) for item in listed(reading.get("build-system", "requires"))]
    raised = [_raised(item, versions) for item in requires]
    stated, python, wanted = str(reading.get("project", "requires-python") or ""), "", int(versions["python"])
    if (oldest_python(stated) or wanted) < wanted:
        others = re.fullmatch(r"\s*>=\s*3\.\d+(?:\.\d+)?\s*(,.*)?", stated)
        if others and all(int(minor) > wanted for minor in re.findall(r"<\s*3\.(\d+)", stated)):
            python = f">=3.{wanted}{others[1] or ''}"
        else:
            hints.append(f'requires-python = "{stated}" stays: change it, so that it begins with 3.{wanted}')
    for path, items, limit in ((base, requires, stated), (theirs, raised, python)):
        changed: dict[str, Any] = {"build-system": {"requires": items}} if raised != requires else {}
        if python:
            changed["project"] = {"requires-python": limit}
        if changed:
            offered = path.read_text(encoding="utf-8") if path.is_file() else ""
            path.write_bytes(f"{tomlkit.dumps(changed)}\n{offered}".encode())


def _raised(item: str, versions: Mapping[str, str]) -> str:
    wanted = versions.get(re.split(r"[=<>~!\[;@ ]", item)[0])
    return requirement(item, item, wanted, settle=True) or item if wanted and _is_lower(item, wanted) else item


def _is_lower(mine: str, wanted: str) -> bool:
    limits = [re.sub(r"^[A-Za-z0-9_.-]+(\[.*?\])?", "", text).partition(";")[0] for text in (mine, wanted)]
    return not limits[0].strip() or higher(None, limits[0], limits[1], expected=True) != "ours"


def found_pyo3(reading: Reading) -> str:
    """The version of PyO3 in Cargo.lock, or else the one that Cargo.toml requires."""
    if "Cargo.lock" in reading.files:
        package = r'(?m)^name = "pyo3(?:-ffi)?"\r?\nversion = "([^"]+)"'  # parsing a large one takes seconds
        if found := re.search(package, reading.text("Cargo.lock")):
            return found[1]
    entry = reading.crate.pyo3() or {}
    return str(entry.get("version") or next((f"from {key}" for key in ("git", "path") if key in entry), "unknown"))


def is_older(found: str, wanted: str) -> bool:
    """Whether the minor version of PyO3 is lower than the template's."""
    have, want = (re.search(r"(\d+)\.(\d+)", text) for text in (found, wanted))
    return bool(have and want) and [*map(int, have.groups())] < [*map(int, want.groups())]  # type: ignore[union-attr]
