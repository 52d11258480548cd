"""PyO3 0.29 to 0.30: migrates the Rust code; the merge updates the manifest.

This only makes changes that keep the meaning: moved types, and #[pyclass] options whose default changed. It reports other
changes to make by hand. Source: the changelog of PyO3 0.30.0, read on 2026-11-21.
"""

import re
from pathlib import Path
from typing import Any, Final

from copier_pyo3.merge.model import Unmergeable
from copier_pyo3.merge.toml_text import read
from copier_pyo3.project.repository import Repository

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
# An attribute, which can span several lines; a comment.
ATTRIBUTE: Final = r"#\[(?:[^\[\]]|\[[^\[\]]*\])*\]"
COMMENT: Final = r"//[^\n]*\n"
# Attributes and comments above a struct or enum.
ITEM: Final = re.compile(
    rf"(?P<above>(?:(?:{ATTRIBUTE}|{COMMENT})\s*)+)(?=(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum)\s+\w)"
)
PYCLASS: Final = re.compile(r"#\[\s*(?P<name>(?:pyo3::)?pyclass)\s*(?:\((?P<options>.*)\))?\s*\]", re.DOTALL)


def files(project: Path) -> list[str]:
    """Rewrite the Rust files. Returns lines for the report: changes made, and changes to make by hand."""
    repository = Repository(project)
    project = repository.project
    if not _has_pyo3_0_30(project / "Cargo.toml"):
        return []
    told = []
    for path in repository.files():
        if path.suffix != ".rs" or _is_vendored(path, project):
            continue
        name = path.relative_to(project).as_posix()
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        new = rewritten(text)
        if new != text:
            path.write_bytes(new.encode("utf-8"))
            told.append(f"{name}: migrated to PyO3 0.30 (moved types, #[pyclass] options)")
        told += [f"{name}: {hint}" for hint in _hints(new)]
    return told


def rewritten(text: str) -> str:
    """The source code migrated to PyO3 0.30."""
    for name, module in MOVED.items():
        text = re.sub(rf"\bpyo3::types::{name}\b", f"pyo3::{module}::{name}", text)
    return ITEM.sub(lambda item: _options(item["above"]), text)


def _options(above: str) -> str:
    """Add from_py_object, the old default for Clone classes; remove the option that is now the default."""
    clone = _is_clone(above)

    def attribute(found: re.Match[str]) -> str:
        whole: str = found[0]
        pyclass = PYCLASS.fullmatch(whole)
        if pyclass is None:
            return whole
        options = (pyclass["options"] or "").strip()
        if re.search(r"\bskip_from_py_object\b", options):
            if not clone:
                options = re.sub(r",\s*skip_from_py_object\b|\bskip_from_py_object\b\s*,?\s*", "", options)
        elif clone and not re.search(r"\bfrom_py_object\b", options):
            options = f"from_py_object, {options}" if options else "from_py_object"
        if options == (pyclass["options"] or "").strip():
            return whole
        return f"#[{pyclass['name']}({options})]" if options else f"#[{pyclass['name']}]"

    return re.sub(f"{COMMENT}|{ATTRIBUTE}", attribute, above)


def _is_clone(above: str) -> bool:
    return re.search(r"\bderive\([^)]*\bClone\b", re.sub(COMMENT, "", above)) is not None


def _is_vendored(path: Path, project: Path) -> bool:
    """Whether the file is in a crate copied by `cargo vendor`, whose checksums do not allow changes."""
    return any((parent / ".cargo-checksum.json").exists() for parent in path.parents if project in parent.parents)


def _hints(text: str) -> list[str]:
    hints = []
    for item in ITEM.finditer(text):
        if re.search(r"\bcfg_attr\(.*\bpyclass\b", item["above"], re.DOTALL) and _is_clone(item["above"]):
            hints.append("#[pyclass] in cfg_attr: a Clone class needs from_py_object to be passed by value")
    if "PyBuffer" in text and UNSOUND.search(text):
        hints.append(
            "PyBuffer::as_slice and similar methods are unsound and deprecated: use copy_to_slice or as_slice_ptr"
        )
    if (
        "skip_from_py_object" in text
    ):  # without it, a second run would take the class for one that wants the old default
        hints.append("skip_from_py_object is now the default of #[pyclass] and is deprecated: remove it")
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
