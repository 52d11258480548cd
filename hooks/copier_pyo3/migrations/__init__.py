"""Migrations: changes to existing projects that a new version of the template needs, besides new files.

Each module here is one migration. It has VERSION, the version of the template that introduces it, and one or both of:

    answers(answers: dict[str, Any]) -> dict[str, Any]   run before the new version is rendered, for example to rename a question
    files(project: Path) -> list[str]                    run after the merge: small safe rewrites; returns lines for the report

Both run on each update from a version before VERSION to VERSION or later. The project may need no changes.
"""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import yaml
from packaging.version import InvalidVersion, Version

from copier_pyo3.errors import UserError


def before(project: Path, answers_file: str, old_version: str, new_version: str) -> None:
    """Migrate the answers file to the new version.

    Raises:
        UserError: the answers file cannot be read or written.
    """
    path = project / answers_file
    try:
        text = path.read_text(encoding="utf-8")
        answers = old = yaml.safe_load(text)
        for migration in between(old_version, new_version):
            if hasattr(migration, "answers"):
                answers = migration.answers(dict(answers))
        if answers != old:
            head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
            path.write_bytes((head + yaml.safe_dump(answers, allow_unicode=True, sort_keys=True)).encode("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"cannot migrate {answers_file}: {error}") from error


def after(project: Path, old_version: str, new_version: str) -> list[str]:
    """Migrate the project's files. Returns lines for the report: changes made, and changes to make by hand."""
    told: list[str] = []
    for migration in between(old_version, new_version):
        if hasattr(migration, "files"):
            told += migration.files(project)
    return told


def between(old_version: str, new_version: str) -> list[ModuleType]:
    """The migrations for an update from old_version to new_version, oldest first."""
    old, new = _version(old_version), _version(new_version)
    return [module for module in every() if old < Version(module.VERSION) <= new]


def every() -> list[ModuleType]:
    """All migrations, sorted by version."""
    names = [info.name for info in pkgutil.iter_modules(__path__)]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return sorted(modules, key=lambda module: (Version(module.VERSION), module.__name__))


def _version(text: str) -> Version:
    """Parse a tag, or the output of git describe, such as v1.2-3-gabcdef."""
    try:
        return Version(text)
    except InvalidVersion:
        tag, _, rest = text.rpartition("-g")[0].rpartition("-")
        try:
            return Version(f"{tag}.post{rest}")
        except InvalidVersion:
            return Version("0")
