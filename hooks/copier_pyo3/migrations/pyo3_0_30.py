"""PyO3 0.29 to 0.30: the merge has raised the manifest, this brings the Rust code along.

Rewritten are only texts that mean the same in one way: types that moved, and #[pyclass] options whose default changed.
What needs thought is told. Facts from PyO3's changelog of 0.30.0, read on 2026-11-21.
"""

import re
from pathlib import Path
from typing import Any, Final

from copier_pyo3.repository import walk
from copier_pyo3.toml_text import Unmergeable, read

VERSION: Final = "0.1.0"

MOVED: Final = {
    "PyMutex": "sync",
    "PyMutexGuard": "sync",
    "CapsuleName": "types::capsule",
    "PyCodeInput": "types::code",
    "PyFrozenSetBuilder": "types::frozenset",
    "PySendResult": "types::iterator",
    "PySliceIndices": "types::slice",
    "PyStringData": "types::string",
}
UNSOUND: Final = re.compile(r"\.(as_slice|as_mut_slice|as_fortran_slice|as_fortran_mut_slice)\(py\b")
# The attributes and comments above a struct or enum, each on one line.
ITEM: Final = re.compile(
    r"(?P<above>(?:[ \t]*(?:#\[[^\n]*\]|//[^\n]*)\n)+)(?=[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?(?:struct|enum)[ \t]+\w)"
)


def files(project: Path) -> list[str]:
    """Rewrite the Rust files; tell what was done, and what is left to do by hand."""
    if not _has_pyo3_0_30(project / "Cargo.toml"):
        return []
    told = []
    for path in walk(project):
        if path.suffix != ".rs":
            continue
        name = path.relative_to(project).as_posix()
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        new = rewritten(text)
        if new != text:
            path.write_bytes(new.encode("utf-8"))
            told.append(f"{name}: rewritten for PyO3 0.30 (types that moved, options of #[pyclass])")
        told += [f"{name}: {hint}" for hint in _hints(new)]
    return told


def rewritten(text: str) -> str:
    """The source for PyO3 0.30."""
    for name, module in MOVED.items():
        text = re.sub(rf"\bpyo3::types::{name}\b", f"pyo3::{module}::{name}", text)
    return ITEM.sub(lambda item: _options(item["above"]), text)


def _options(above: str) -> str:
    """Say what was the default: FromPyObject for a class that is Clone; drop what has become the default."""
    if not re.search(r"#\[pyclass\b", above):
        return above
    clone = re.search(r"#\[derive\([^)]*\bClone\b", above)
    if "skip_from_py_object" in above and not clone:
        above = re.sub(
            r"\(\s*skip_from_py_object\s*\)|,\s*skip_from_py_object\b|\bskip_from_py_object\s*,\s*", "", above
        )
    elif "from_py_object" not in above and clone:
        above = re.sub(r"#\[pyclass\(", "#[pyclass(from_py_object, ", above)
        above = re.sub(r"#\[pyclass\]", "#[pyclass(from_py_object)]", above)
    return above


def _hints(text: str) -> list[str]:
    hints = []
    if "PyBuffer" in text and UNSOUND.search(text):
        hints.append("PyBuffer::as_slice and its kin are unsound and deprecated: use copy_to_slice or as_slice_ptr")
    if (
        "skip_from_py_object" in text
    ):  # without it, a second run would take the class for one that wants the old default
        hints.append("skip_from_py_object has become the default of #[pyclass] and is deprecated: take it out")
    for group in re.findall(r"\bpyo3::types::\{([^}]*)\}", text):
        for name in MOVED.keys() & set(re.findall(r"\w+", group)):
            hints.append(f"{name} has moved: import it from pyo3::{MOVED[name]}")
    return hints


def _has_pyo3_0_30(manifest: Path) -> bool:
    try:
        data: Any = read(manifest.read_text(encoding="utf-8"), "Cargo.toml")
        pyo3 = data["dependencies"]["pyo3"]
        version = re.search(r"0\.(\d+)", pyo3 if isinstance(pyo3, str) else pyo3["version"])
    except (OSError, Unmergeable, KeyError, TypeError):
        return False
    return version is not None and int(version[1]) >= 30
