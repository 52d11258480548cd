"""Layers of the package: cli, then verbs, then generate, project, and migrations, then merge."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "hooks" / "copier_pyo3"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
# The other layers that each layer may import. Modules that are not listed may be imported anywhere (errors, version).
MAY: dict[str, set[str]] = {
    "merge": set(),
    "project": {"merge"},
    "generate": {"merge", "project"},
    "migrations": {"merge", "project"},
    "verbs": {"merge", "project", "generate", "migrations"},
    "__main__": {"cli"},
    "cli": {"merge", "project", "generate", "migrations", "verbs"},
}


def imported(path: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, also inside functions; `from a import b` gives a.b."""
    here = ("copier_pyo3", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{name.name}" for name in node.names)


def room(path: str) -> str:
    """The folder in the package, or the module if it is not in a folder."""
    return path.partition("/")[0].removesuffix(".py")


def test_every_module_has_a_room() -> None:
    assert {room(module) for module in MODULES} - {"__init__", "errors"} == MAY.keys()


@pytest.mark.parametrize("module", MODULES)
def test_arrows_go_down(module: str) -> None:
    here = room(module)
    for name in imported(PACKAGE / module):
        parts = name.split(".")
        if parts[0] == "copier_pyo3" and len(parts) > 1 and parts[1] in MAY and parts[1] != here:
            assert parts[1] in MAY.get(here, set()), f"{module} imports {name}"


@pytest.mark.parametrize("module", [module for module in MODULES if room(module) == "merge"])
def test_the_merge_stands_alone(module: str) -> None:
    """It only imports the standard library and the parsers, not even the package's errors."""
    for name in imported(PACKAGE / module):
        top = name.partition(".")[0]
        own = name.startswith("copier_pyo3.merge.")
        assert own or top in {*sys.stdlib_module_names, "yaml", "tomlkit"}, f"{module} imports {name}"
