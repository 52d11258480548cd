"""What a version of the template asks of projects made by an older one, beyond new files.

A module here is one migration, named after what it does. It has VERSION, the template's version that brings it, and one
or both of:

    answers(answers: dict[str, Any]) -> dict[str, Any]   before the new version asks and renders: a question renamed
    files(project: Path) -> list[str]                    after the merge: small safe rewrites; returns what to tell

Both are run on each update from a version before VERSION to VERSION or later, and may meet a project that needs nothing.
"""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import yaml
from packaging.version import InvalidVersion, Version

from copier_pyo3.errors import UserError


def before(project: Path, answers_file: str, old_version: str, new_version: str) -> None:
    """Bring the answers file to what the new version asks.

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
        raise UserError(f"{answers_file} cannot be migrated: {error}") from error


def after(project: Path, old_version: str, new_version: str) -> list[str]:
    """Rewrite the project's files; returns what was done and what is to do by hand."""
    told: list[str] = []
    for migration in between(old_version, new_version):
        if hasattr(migration, "files"):
            told += migration.files(project)
    return told


def between(old_version: str, new_version: str) -> list[ModuleType]:
    """The migrations that an update from one version to the other has to run, oldest first."""
    old, new = _version(old_version), _version(new_version)
    return [module for module in every() if old < Version(module.VERSION) <= new]


def every() -> list[ModuleType]:
    """All migrations, by version."""
    names = [info.name for info in pkgutil.iter_modules(__path__)]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return sorted(modules, key=lambda module: (Version(module.VERSION), module.__name__))


def _version(text: str) -> Version:
    """A tag, or git's description of a later commit: v1.2-3-gabcdef."""
    try:
        return Version(text)
    except InvalidVersion:
        tag, _, rest = text.rpartition("-g")[0].rpartition("-")
        try:
            return Version(f"{tag}.post{rest}")
        except InvalidVersion:
            return Version("0")
