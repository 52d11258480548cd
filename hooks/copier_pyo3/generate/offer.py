"""What the template offers to a project that has its own code and build.

What is not offered is removed from the template's files, and listed in the answer `adopted_without`, so that all later renderings
are without it, too. What is left is merged from an empty base.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import tomlkit

from copier_pyo3.generate.fold import without
from copier_pyo3.generate.modernize import modernize
from copier_pyo3.project.inferring import OLDEST, oldest_python, unfit
from copier_pyo3.project.reading import Reading, at, license_file, table
from copier_pyo3.project.repository import Repository

# Files that do the same as one of the template.
_SAME: Final = {
    "CHANGELOG.md": re.compile(r"(docs/)?(change(log|s)|history|news|release[-_]?notes)(\.\w+)?", re.IGNORECASE),
    "deny.toml": re.compile(r"(\.cargo/|\.)deny\.toml"),
    ".pre-commit-config.yaml": re.compile(r"\.pre-commit-config\.yml|prek\.toml|lefthook\.ya?ml"),
    ".github/dependabot.yml": re.compile(
        r"\.github/dependabot\.yaml|(\.github/)?renovate\.json5?|\.renovaterc(\.json)?"
    ),
}
# Files that only work where the nox sessions do.
_WITH_NOX: Final = re.compile(
    r"noxfile\.py|\.pre-commit-config\.yaml|deny\.toml|\.(github|gitlab)/release\.py|.*workflows/.*|\.gitlab-ci\.yml"
)
_SETTINGS: Final = ("setup.cfg", "tox.ini", "noxfile.py", "Makefile", "justfile", ".pre-commit-config.yaml")


@dataclass
class Offer:
    """What is offered, and what is not, with the reasons."""

    declined: dict[str, str] = field(default_factory=dict)
    """Files of the template that the project does not get."""
    without: list[str] = field(default_factory=list)
    """The same and the tables of TOML files, as in the answer `adopted_without`."""
    settings: list[str] = field(default_factory=list)
    """What pyproject.toml gets, as dotted paths."""
    hints: list[str] = field(default_factory=list)
    """What the user has to do by hand."""


def offer(
    reading: Reading,
    theirs: Path,
    base: Path,
    answers_file: str,
    knows_license: bool,
    versions: Mapping[str, str] | None,
) -> Offer:
    """Remove from the template's files what the project has or cannot use, and record that in the answers file.

    Args:
        reading: the project.
        theirs: folder with the template's files, which are changed in place.
        base: the folder to create: what the merge takes for an earlier version.
        answers_file: path of the answers file, which is always added.
        knows_license: whether the project says which license it has.
        versions: the versions to raise the project's to, by crate and package; None to leave them.
    """
    made = Offer()
    base.mkdir()
    names = {name.lower(): name for name in reading.files}
    for path in sorted(path for path in theirs.rglob("*") if path.is_file()):
        name = path.relative_to(theirs).as_posix()
        if name == answers_file:
            continue
        if name == ".gitignore":
            _offer_lines(reading, path, base / name)
            made.without.append(name)  # only once: later updates could not merge the two lists line by line
        elif name in ("pyproject.toml", "Cargo.toml"):
            _offer_tables(reading, path, made)
        elif why := _why_not(reading, name, names, knows_license):
            made.declined[name] = why
            made.without.append(name)
            path.unlink()
    if versions is not None:
        modernize(reading, theirs, base, versions, made.hints)
    made.without.sort()
    _record(theirs / answers_file, made.without)
    return made


def _record(path: Path, without: list[str]) -> None:
    """Write the answer `adopted_without`, which is empty so far."""
    lines = "".join(f"- {json.dumps(name) if re.search('[^A-Za-z0-9_./:-]', name) else name}\n" for name in without)
    text = path.read_text(encoding="utf-8")
    path.write_bytes(
        text.replace(
            "adopted_without: []\n", f"adopted_without:\n{lines}" if lines else "adopted_without: []\n"
        ).encode()
    )


def _why_not(reading: Reading, name: str, names: Mapping[str, str], knows_license: bool) -> str:
    """Why a file of the template is not added; "" if it is."""
    if mine := names.get(name.lower()):
        return "yours stays" if mine == name else f"you have {mine}"
    if name.startswith("LICENSE"):
        mine = license_file(reading.files)
        return f"you have {mine}" if mine else "" if knows_license else "no file gives both the license and its holder"
    if name in _SAME and (mine := next(filter(_SAME[name].fullmatch, reading.files), "")):
        return f"you have {mine}"
    if name == ".pre-commit-config.yaml" and reading.inner:
        return "pre-commit reads it only at the top of the repository"
    if _WITH_NOX.fullmatch(name) and (why := unfit(reading)):
        return f"it needs the nox sessions of the template, and {why}"
    return ""


# --- .gitignore ------------------------------------------------------------------------------------


def _offer_lines(reading: Reading, path: Path, base: Path) -> None:
    """Offer the patterns that match no file of the project and that its list does not have."""
    mine = (reading.project / path.name).read_bytes() if path.name in reading.files else b""
    known = {line.strip().strip("/") for line in mine.decode("utf-8", "replace").splitlines()}
    lines_of_template = path.read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines_of_template if line.strip("/ ") and line[0] != "#"]
    repository = Repository(reading.project)

    def tracked(some: list[str]) -> bool:
        return bool(
            repository.paths("ls-files", "-z", "--cached", "--ignored", *(f"--exclude={each}" for each in some))
        )

    added = [line for line in patterns if line.strip("/") not in known and line != "uv.lock"]
    if tracked(added):
        added = [line for line in added if not tracked([line])]
    end = b"\r\n" if b"\r\n" in mine else b"\n"
    gap = end * (2 - mine.endswith(b"\n")) if mine else b""
    new = b"".join(line.encode() + end for line in ["# Rust and Python", *added]) if added else b""
    if mine:
        _write(base, mine)
    path.write_bytes(mine + (gap + new if new else b""))


# --- pyproject.toml --------------------------------------------------------------------------------


def _offer_tables(reading: Reading, path: Path, made: Offer) -> None:
    """Offer the groups of tools and the settings that the project lacks, and that cannot break its build or its tests."""
    name, text = path.name, path.read_text(encoding="utf-8")
    data = tomlkit.parse(text).unwrap()
    places: list[tuple[str, ...]] = []
    if name == "Cargo.toml" and reading.crate.path == name:
        places = [("dependencies",)]  # so that updates raise PyO3, which --modernize has raised
    elif name == "pyproject.toml" and name in reading.files and not unfit(reading):
        places = [*_lacking(reading, data)]
    if not places:
        made.without.append(name)
        path.unlink()
        return
    for requirement in _pinned(data, places):
        package = re.split(r"[=<>~!\[;@ ]", requirement)[0]
        if package in _named(reading) or (_floor(reading) or OLDEST) < OLDEST:
            text = text.replace(f'"{requirement}"', f'"{package}"')  # another version could contradict the project's
    declined = [".".join(place) for place in _declined(data, places)]
    made.without += [f"{name}:{place}" for place in declined]
    made.settings += [".".join(place) for place in places if name == "pyproject.toml"]
    path.write_bytes(without(text, declined).encode())
    if name == "Cargo.toml":
        path.unlink()  # what is raised now is in the change that `modernize` makes


def _declined(
    data: Mapping[str, Any], places: list[tuple[str, ...]], at: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The largest tables that have none of the places in them."""
    for key, value in data.items():
        here = (*at, key)
        if here in places:
            continue
        if any(place[: len(here)] == here for place in places):
            yield from _declined(value, places, here)
        else:
            yield here


def _lacking(reading: Reading, data: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    groups = table(data, "dependency-groups")
    mine = {re.sub(r"[-_.]+", "-", name).lower() for name in table(reading.pyproject, "dependency-groups")}
    added = [name for name in groups if name not in mine and name != "dev"]
    yield from (("dependency-groups", name) for name in added)
    if "dev" not in mine and reading.get("tool", "uv", "dev-dependencies") is None:
        yield "dependency-groups", "dev"
    if "release" in added and not at(reading.pyproject, "tool", "uv", "dependency-groups", "release"):
        yield "tool", "uv", "dependency-groups"
    if at(data, "tool", "git-cliff") and reading.get("tool", "git-cliff") is None and "cliff.toml" not in reading.files:
        yield "tool", "git-cliff"
    if reading.get("tool", "uv", "cache-keys") is None and _is_laid_out_alike(reading):
        yield "tool", "uv", "cache-keys"
    for tool in ("ruff", "mypy") if not reading.inner else ():  # the nearest settings win, and others can be above
        if not re.search(rf"\b{tool}\b", _settings(reading)):
            yield "tool", tool


def _is_laid_out_alike(reading: Reading) -> bool:
    """Whether all sources that a build reads are where the template has them."""
    crate = reading.crate
    paths = [
        value for value in table(crate.data, "dependencies").values() if isinstance(value, dict) and "path" in value
    ]
    plain = crate.path == "Cargo.toml" and "src/lib.rs" in reading.files and "path" not in table(crate.data, "lib")
    return plain and not paths and "members" not in crate.workspace and "setup.py" not in reading.files


def _settings(reading: Reading) -> str:
    """The texts of the project that could run or configure a tool."""
    named = [
        name
        for name in reading.files
        if re.fullmatch(r"\.?(ruff|mypy)\.(toml|ini)|(requirements.*|.*/requirements.*)\.txt", name)
    ]
    texts = [reading.text(name) for name in ("pyproject.toml", *_SETTINGS) if name in reading.files]
    return "\n".join([*texts, *reading.workflows.values(), *named, *map(reading.text, named)])


def _pinned(data: Mapping[str, Any], paths: list[tuple[str, ...]]) -> set[str]:
    """The requirements with a version in the groups that are offered."""
    groups = [table(data, "dependency-groups").get(path[1]) for path in paths if path[0] == "dependency-groups"]
    return {item for group in groups for item in group or [] if isinstance(item, str) and re.search("[=<>~]", item)}


def _named(reading: Reading) -> set[str]:
    """The names of all packages that the project requires somewhere in pyproject.toml."""
    tables = [table(reading.pyproject, "dependency-groups"), table(reading.get("project"), "optional-dependencies")]
    lists = [items for each in tables for items in each.values()]
    lists += [reading.get("project", "dependencies")]
    lists += [
        reading.get("tool", "uv", key)
        for key in ("dev-dependencies", "constraint-dependencies", "override-dependencies")
    ]
    items = [item for each in lists if isinstance(each, list) for item in each if isinstance(item, str)]
    return {re.sub(r"[-_.]+", "-", re.split(r"[=<>~!\[;@ ]", item)[0]).lower() for item in items}


def _floor(reading: Reading) -> int | None:
    return oldest_python(str(reading.get("project", "requires-python") or ""))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
