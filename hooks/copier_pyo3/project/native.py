"""Native modules that builds leave in the source tree: Python imports the first whose suffix it knows, old or new."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from copier_pyo3.project.report import Report
from copier_pyo3.project.repository import Repository

# Answers on which it depends how the native module's file is called, or what writes it.
DECISIVE: Final = ("module_name", "kind", "build_backend", "abi3", "free_threading")


def stale(repository: Repository, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Native modules that the old answers built and the new ones no longer replace, by path.

    Only what git ignores, in the folder of the package: what is tracked is somebody's.
    """
    if all(old.get(name) == new.get(name) for name in DECISIVE):
        return []
    folder, name = _place(old)
    listed = repository.paths("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", folder or ".")
    files = re.compile(re.escape(f"{folder}/" if folder else "") + re.escape(name) + r"(\.[\w-]+)?\.(so|pyd)")
    return sorted(path for path in listed if files.fullmatch(path))


def remove_stale(repository: Repository, path: str, report: Report) -> None:
    """Remove one of them, and say so."""
    try:
        (repository.project / path).unlink(missing_ok=True)
        report.told.append(f"{path}: removed, it was built with the old answers: build again before you import")
    except OSError as error:  # on Windows, while a Python has it imported
        report.left[path] = f"built with the old answers, and cannot be removed ({error.strerror}): remove it by hand"


def side_by_side(project: Path, answers: Mapping[str, Any], suffixes: list[str]) -> list[str]:
    """Native modules in the source tree that one Python could import, by path.

    Args:
        project: its folder.
        answers: that made it.
        suffixes: of the Python, as `importlib.machinery.EXTENSION_SUFFIXES` has them.
    """
    folder, name = _place(answers)
    paths = (Path(folder, name + suffix) for suffix in suffixes)
    return sorted(path.as_posix() for path in paths if (project / path).is_file())


def _place(answers: Mapping[str, Any]) -> tuple[str, str]:
    """Folder and name of the native module."""
    module = str(answers.get("module_name", ""))
    return ("python", module) if answers.get("kind") == "extension" else (f"python/{module}", "_core")
