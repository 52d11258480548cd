"""Merges of real manifests: of the crates on this machine, and of the sdists of well-known packages.

Both sides get random changes, like those of users and templates. The seed is the file name.
"""

import os
import random
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import BUILD, ROOT, run
from copier_pyo3.merge.file import merge_toml as merge

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGES = [
    "anyio",
    "attrs",
    "black",
    "cattrs",
    "click",
    "fastapi",
    "flask",
    "hatch",
    "httpx",
    "jinja2",
    "nox",
    "pip",
    "poetry-core",
    "pydantic",
    "pytest",
    "rich",
    "starlette",
    "structlog",
    "trio",
    "twine",
    "uvicorn",
    "virtualenv",
]
BACKENDS = [
    "flit-core",
    "hatch-fancy-pypi-readme",
    "hatch-vcs",
    "hatchling",
    "pdm-backend",
    "poetry-core",
    "setuptools-scm",
]
LINE = re.compile(r"(?P<key>[A-Za-z][\w-]*) *= *(?P<value>[^#\n]+)\n")
HEADER = re.compile(r"\[[\w.\"'-]+\]\n")


def crates() -> list[Path]:
    """Manifests as their authors wrote them, and as Cargo normalized them."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    return sorted([*home.glob("registry/src/*/*/Cargo.toml"), *home.glob("registry/src/*/*/Cargo.toml.orig")])


def packages() -> list[Path]:
    """pyproject.toml in the sdist of each package, downloaded once."""
    folder = BUILD / "sdists"
    for name in PACKAGES:
        place = folder / name
        if not (place / "done").exists() and downloaded(name, place):
            with tarfile.open(next(place.glob("*.tar.gz"))) as archive:
                member = next(item for item in archive if re.fullmatch(r"[^/]+/pyproject\.toml", item.name))
                extracted = archive.extractfile(member)
                assert extracted is not None
                (place / "pyproject.toml").write_bytes(extracted.read())
            (place / "done").touch()
    return sorted(folder.glob("*/pyproject.toml"))


def downloaded(name: str, place: Path) -> bool:
    """Whether pip downloaded the sdist. To read its metadata, pip needs the build backend: one environment has most of them."""
    python = BUILD / "backends" / "bin" / "python"
    if not python.exists():
        run(["uv", "venv", "--quiet", BUILD / "backends"], cwd=ROOT)
        run(["uv", "pip", "install", "--quiet", "--python", python, "pip", *BACKENDS], cwd=ROOT)
    command = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", place, name]
    return any(run([*command, *each], cwd=ROOT, check=False).returncode == 0 for each in (["--no-build-isolation"], []))


# --- changes of the text, independent of the merge -------------------------------------------------------


def mutated(text: str, chance: random.Random, side: str) -> str:
    """Make one to three changes, except those that give invalid TOML."""
    for _ in range(chance.randint(1, 3)):
        change = chance.choice([_value, _item, _delete, _key, _table, _comment])
        new = change(text, chance, side)
        if _parses(new):
            text = new
    return text


def _parses(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _lines(text: str, chance: random.Random, pattern: str) -> tuple[list[str], int | None]:
    lines = text.splitlines(keepends=True)
    found = [number for number, line in enumerate(lines) if re.fullmatch(pattern, line)]
    return lines, chance.choice(found) if found else None


def _value(text: str, chance: random.Random, side: str) -> str:
    lines, at = _lines(text, chance, r'[\w-]+ *= *"[^"\\]*".*\n')
    if at is not None:
        lines[at] = re.sub(r'"[^"\\]*"', f'"{chance.randint(2, 90)}.{chance.randint(0, 9)}.0"', lines[at], count=1)
    return "".join(lines)


def _item(text: str, chance: random.Random, side: str) -> str:
    lines, at = _lines(text, chance, r'[\w-]+ *= *\[("[^"\\]*"(, )?)+\].*\n')
    if at is not None:
        lines[at] = lines[at].replace("]", f', "{side}-{chance.randint(0, 99)}"]', 1)
    return "".join(lines)


def _delete(text: str, chance: random.Random, side: str) -> str:
    lines, at = _lines(text, chance, LINE.pattern)
    if at is not None and "#" not in lines[at - 1]:
        del lines[at]
    return "".join(lines)


def _key(text: str, chance: random.Random, side: str) -> str:
    lines, at = _lines(text, chance, HEADER.pattern)
    if at is not None:
        lines.insert(at + 1, f'{side}-{chance.randint(0, 99)} = "1.0" # of {side}\n')
    return "".join(lines)


def _table(text: str, chance: random.Random, side: str) -> str:
    return f"{text.rstrip()}\n\n# {side}\n[tool.{side}-{chance.randint(0, 99)}]\nx = true\n"


def _comment(text: str, chance: random.Random, side: str) -> str:
    lines, at = _lines(text, chance, LINE.pattern)
    if at is not None and side == "ours":
        lines.insert(at, f"# a word of {side} {chance.randint(0, 99)}\n")
    return "".join(lines)


# --- the check --------------------------------------------------------------------------------------------


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values below keys; arrays as sets."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path, frozenset(map(repr, value)) if isinstance(value, list) else repr(value)


def judge(base: str, ours: str, theirs: str, result: str) -> None:
    old, mine, new, got = (dict(leaves(tomllib.loads(text))) for text in (base, ours, theirs, result))
    for path in old.keys() | mine.keys() | new.keys():
        values: list[Any] = [side.get(path) for side in (old, mine, new)]
        if any(path[: len(other)] == other for other in (old.keys() | mine.keys() | new.keys()) if other != path):
            continue  # a value on one side, a table on another
        if values[1] == values[0] and values[2] != values[0] and values[2] is not None:
            assert got.get(path) == values[2], path
        elif values[2] == values[0]:
            assert got.get(path) == values[1], path
        elif all(isinstance(value, frozenset) for value in values):
            wanted = (values[0] & values[1] & values[2]) | (values[1] - values[0]) | (values[2] - values[0])
            if not any("==" in item or ">" in item or "abi3" in item or "{" in item for item in wanted | values[0]):
                assert got.get(path) == wanted, path
    for comment in set(re.findall(r"(?m)^ *(#.*)$", ours)):
        assert comment in result, comment


def check(path: Path, git_folder: Path) -> tuple[bool, bool]:
    """Check a triple. Returns whether the merge reported a decision, and whether git left a conflict."""
    base = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    chance = random.Random(f"{path.parent.name}/{path.name}")
    ours, theirs = mutated(base, chance, "ours"), mutated(base, chance, "theirs")
    assert merge(base, ours, base).text == ours
    assert merge(base, ours, ours).text == ours
    assert dict(leaves(tomllib.loads(merge(base, base, theirs).text))) == dict(leaves(tomllib.loads(theirs)))
    result = merge(base, ours, theirs)
    judge(base, ours, theirs, result.text)
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (git_folder / name).write_text(text, encoding="utf-8", newline="\n")
    command = ["git", "merge-file", "--stdout", "ours", "base", "theirs"]
    git = subprocess.run(command, cwd=git_folder, capture_output=True, check=False)
    return any(decision.conflict for decision in result.decisions), git.returncode > 0


@pytest.mark.parametrize(
    ("kind", "files", "least"),
    [("Cargo.toml", crates, 50), ("pyproject.toml", packages, 15)],
    ids=["crates", "packages"],
)
def test_real_manifests(kind: str, files: Any, least: int, tmp_path: Path) -> None:
    paths = [path for path in files() if _parses(path.read_bytes().decode("utf-8", errors="replace"))]
    if len(paths) < least:
        pytest.skip(f"only {len(paths)} manifests are here: the registry's cache is empty, or PyPI is out of reach")
    decided, conflicts = 0, 0
    for path in paths:
        try:
            left, git_left = check(path, tmp_path)
        except Exception as error:
            raise AssertionError(f"{path}: {error!r}") from error
        decided, conflicts = decided + left, conflicts + git_left
    print(f"{kind}: {len(paths)} triples, {decided} with a value that both sides changed, git: {conflicts} in conflict")
    assert decided < conflicts
