"""All knowledge of the merge about Cargo, PyO3, Python packaging, and GitHub, as tables.

A place is the dotted path of a value, with [label] for a list item: `dependencies.pyo3`, `jobs.test.steps[Lint]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .model import MISSING, Path, find

# --- lists -------------------------------------------------------------------------------------------

# Lists that are sets: no item repeats, and no item is the value of another.
SETS: Final = re.compile(
    r"(.*\.)?(classifiers|keywords|requires|dependencies|.*-dependencies|features|default-features|categories"
    r"|(extend-)?(select|ignore|include|exclude|fixable)|members|default-members)"
    r"|(.*\.)?(optional-dependencies|dependency-groups|features|per-file-ignores|extend-per-file-ignores)\.[^.]+"
)
# Lists of PEP 508 requirements.
REQUIREMENTS: Final = re.compile(
    r"(.*\.)?([^.]*dependencies|requires|[^.]*-requires)|(.*\.)?(optional-dependencies|dependency-groups)\.[^.]+"
)
SLOT: Final = re.compile(r"(.*\b)?abi3-(py3\d+)")  # a feature list has only one of these

# --- matching items of lists and keys of tables ----------------------------------------------------------

# Keys that identify a table in a list, the most reliable first.
NAMES: Final = ("id", "name", "path", "module", "target", "package-ecosystem", "repo", "uses", "select", "run")
# Tables whose keys are names that users choose, so a key can be renamed.
NAMED: Final = re.compile(
    r"jobs|target|dependency-groups|project\.(optional-dependencies|scripts|gui-scripts|urls|entry-points(\..+)?)|features|profile"
    r"|tool(\.[^.]+)*|.*dependencies|workspace\.dependencies|on\.workflow_(call|dispatch)\.inputs|jobs\.[^.]+\.strategy\.matrix|jobs\.[^.]+\.outputs|.*\bpatch\.[^.]+"
)
# In these tables, a key is the name of a tool: only a similar name is the same tool.
TOOLS: Final = re.compile(r"tool")
# Tables whose keys are independent, not parts of one thing.
COLLECTIONS: Final = re.compile(
    r"(.*\.)?([^.]*dependencies|dependency-groups|[^.]*scripts|[^.]*urls)|features|(.*\.)?entry-points\.[^.]+"
)
CARGO_TABLES: Final = ("dependencies", "dev-dependencies", "build-dependencies")
VERSION_KEYS: Final = re.compile(r".*(version|edition|python)")  # their values are versions, even "3"


def is_cargo_dependency(path: Path) -> bool:
    """Whether a table or string is a Cargo dependency; the lists in pyproject.toml are not."""
    return len(path) > 1 and path[-2] in CARGO_TABLES and path[0] != "project"


def crate(name: str, dependency: Any) -> str:
    """The crate of a Cargo dependency, which can have another key."""
    package = dependency.get("package") if isinstance(dependency, dict) else None
    return (package if isinstance(package, str) else name).replace("_", "-")


# --- one value written in two ways ---------------------------------------------------------------------

# If a string can be written instead of a table, the table's key for the string.
TEXT_FOR_TABLE: Final = (
    (re.compile(r"(.*\.)?(dependencies|dev-dependencies|build-dependencies)\.[^.]+"), "version"),
    (re.compile(r"jobs\.[^.]+\.environment"), "name"),
    (re.compile(r"jobs\.[^.]+\.container|jobs\.[^.]+\.services\.[^.]+"), "image"),
    (re.compile(r"(jobs\.[^.]+\.)?concurrency"), "group"),
)
TEXT_FOR_LIST: Final = re.compile(r"jobs\.[^.]+\.(needs|runs-on)|on\..*\.(branches|tags|paths|types)(-ignore)?")
KEYS_ALONE: Final = re.compile(r"on")  # a string, a list of names, or a table with these keys

# --- values that exclude each other --------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """Keys of a table that make one choice together: those that exist are the choice."""

    where: re.Pattern[str]
    keys: tuple[str, ...]
    kind: Callable[[Mapping[str, Any]], str]
    """Returns the kind of a table's choice. Choices of the same kind are merged key by key.

    Kinds with the same first word are too, if the template does not change its own.
    """
    shown: str = ""
    """The key that the report names, instead of the table."""


def _first_of(*kinds: str, otherwise: str = "") -> Callable[[Mapping[str, Any]], str]:
    return lambda table: next((kind for kind in kinds if kind in table), otherwise)


def _step(table: Mapping[str, Any]) -> str:
    return f"uses {str(table['uses']).partition('@')[0]}" if "uses" in table else "run"


def _license(table: Mapping[str, Any]) -> str:
    return type(table["license"]).__name__ if "license" in table else "none"


def _source(table: Mapping[str, Any]) -> str:
    kind = next((kind for kind in CARGO_SOURCE if kind in table), "version")
    return f"git {next((ref for ref in ('branch', 'tag', 'rev') if ref in table), '')}" if kind == "git" else kind


CARGO_SOURCE: Final = ("workspace", "git", "path", "registry", "registry-index")
CHOICES: Final = (
    Choice(
        re.compile(r"(.*\.)?(dependencies|dev-dependencies|build-dependencies)\.[^.]+|workspace\.package\..+"),
        (*CARGO_SOURCE, "version", "branch", "tag", "rev"),
        _source,
    ),
    Choice(
        re.compile(r"tool\.uv\.sources\.[^.]+"),
        ("git", "branch", "tag", "rev", "path", "editable", "workspace", "index", "url"),
        _first_of("git", "path", "workspace", "index", "url"),
    ),
    Choice(re.compile(r"project"), ("license", "license-files"), _license, shown="license"),
    Choice(re.compile(r"jobs\..*\.steps\.?\[.*\]|runs\.steps\.?\[.*\]"), ("uses", "with", "run", "shell"), _step),
)
# Tables that are one value if their keys differ; otherwise they are merged key by key.
ATOMS: Final = re.compile(r"project\.(license|readme)|jobs\.[^.]+\.runs-on|package\.[^.]+")

# Tables that are one value if they replaced a string.
ONE_FORM: Final = re.compile(r"(jobs\.[^.]+\.)?permissions")
# Tables of settings: if the template deletes one, the user's own settings are kept.
SETTINGS: Final = re.compile(r"tool\.[^.]+(\.[^.]+)?")
# Lists of steps: a step that replaces a single one at the same place can be the same step.
STEPS: Final = re.compile(r"(.*\.)?steps")

# --- functions over the tables ---------------------------------------------------------------------------


def set_lists(place: str) -> bool:
    """Whether the list at a place is a set."""
    return SETS.fullmatch(place) is not None


def cannot_inherit(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether the user's Cargo dependency has a key that Cargo does not allow with `workspace = true`.

    Cargo looks up the key in the workspace, not the package, and a member cannot turn off default features.
    """
    return any(key in ours and ours[key] != theirs.get(key) for key in ("package", "default-features"))


def text_key(place: str) -> str | None:
    """The key for a string at a place."""
    return next((key for where, key in TEXT_FOR_TABLE if where.fullmatch(place)), None)


def is_collection(place: str, table: object) -> bool:
    """Whether the keys of a table are independent."""
    return isinstance(table, dict) and (
        all(isinstance(item, dict) for item in table.values()) or COLLECTIONS.fullmatch(place) is not None
    )


def relocated(base: Any, ours: Any, theirs: Any) -> list[tuple[Path, Path, str, str]]:
    """Versions that the template raises, and that the user's file inherits from the workspace.

    Returns:
        For each: the place that the template raised; the place of the version in ours, or () if it is in another file; the
        template's old and new version.
    """
    found: list[tuple[Path, Path, str, str]] = []
    for table, place in _inheriting(ours):
        for name, value in table.items():
            path = (*place, name)
            old, new = (_version_at(side, path) for side in (base, theirs))
            if isinstance(value, dict) and value.get("workspace") is True and new and old and new != old:
                kind = "package" if place == ("package",) else "dependencies"
                there: Path = ("workspace", kind, name)
                kept = find(ours, there)
                if isinstance(kept, dict) and isinstance(kept.get("version"), str):
                    there, kept = (*there, "version"), kept["version"]
                in_theirs = find(theirs, ("workspace", kind, name)) is not MISSING
                if not in_theirs:
                    found.append((path, there if isinstance(kept, str) else (), old, new))
    return found


def moved(base: Any, side: Any) -> list[tuple[Path, Path]]:
    """Crates that a side moved to another table of dependencies, with their old and new paths."""
    before, after = _crates(base), _crates(side)
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    found = []
    for path in sorted(gone, key=str):
        targets = [other for other in come if other[-1] == path[-1]]
        if len(targets) == 1 and sum(other[-1] == path[-1] for other in gone) == 1:
            found.append((path, targets[0]))
    return found


def _crates(data: Any) -> dict[Path, Any]:
    places: list[Path] = [(name,) for name in CARGO_TABLES]
    targets = find(data, ("target",))
    if isinstance(targets, dict):
        places += [("target", target, name) for target in targets for name in CARGO_TABLES]
    tables = {place: find(data, place) for place in places}
    return {
        (*place, name): value
        for place, table in tables.items()
        if isinstance(table, dict)
        for name, value in table.items()
    }


def _inheriting(data: Any) -> list[tuple[dict[str, Any], Path]]:
    """The tables whose values can be inherited from the workspace."""
    places: list[Path] = [("package",), *((name,) for name in CARGO_TABLES)]
    targets = find(data, ("target",))
    if isinstance(targets, dict):
        places += [("target", target, name) for target in targets for name in CARGO_TABLES]
    return [(table, place) for place in places if isinstance(table := find(data, place), dict)]


def _version_at(data: Any, path: Path) -> str | None:
    value = find(data, path)
    value = value.get("version") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None
