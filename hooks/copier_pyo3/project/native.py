"""Native modules that builds leave in the source tree. Python imports the first suffix that it knows, old or new."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from copier_pyo3.project.report import Report
from copier_pyo3.project.repository import Repository

# Answers that change the file name of the native module, or the tool that writes it.
DECISIVE: Final = ("module_name", "kind", "build_backend", "abi3", "free_threading")


def stale(repository: Repository, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Paths of native modules built with the old answers, which a build with the new answers does not replace.

    Only files in the package's folder that git ignores.
    """
    if all(old.get(name) == new.get(name) for name in DECISIVE):
        return []
    folder, name = _place(old)
    listed = repository.paths("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", folder or ".")
    files = re.compile(re.escape(f"{folder}/" if folder else "") + re.escape(name) + r"(\.[\w-]+)?\.(so|pyd)")
    return sorted(path for path in listed if files.fullmatch(path))


def remove_stale(repository: Repository, path: str, report: Report) -> None:
    """Remove such a module, and report it."""
    try:
        (repository.project / path).unlink(missing_ok=True)
        report.told.append(f"{path}: removed, because it was built with the old answers; rebuild before you import")
    except OSError as error:  # on Windows, while a Python has it imported
        report.left[path] = f"built with the old answers and could not be removed ({error.strerror}): delete it"


def side_by_side(project: Path, answers: Mapping[str, Any], suffixes: list[str]) -> list[str]:
    """Paths of native modules in the source tree that a Python could import.

    Args:
        project: folder of the project.
        answers: the project's answers.
        suffixes: `importlib.machinery.EXTENSION_SUFFIXES` of that Python.
    """
    folder, name = _place(answers)
    paths = (Path(folder, name + suffix) for suffix in suffixes)
    return sorted(path.as_posix() for path in paths if (project / path).is_file())


def _place(answers: Mapping[str, Any]) -> tuple[str, str]:
    """The folder and the name of the native module."""
    module = str(answers.get("module_name", ""))
    return ("python", module) if answers.get("kind") == "extension" else (f"python/{module}", "_core")
