"""``fleet.toml``: the projects of an organization."""

import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from copier_pyo3.errors import UserError
from copier_pyo3.project.home import ADDRESS, without_password

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomlkit as tomllib

EXAMPLE: Final = '[[project]]\nsource = "https://github.com/example/alpha"'


@dataclass(frozen=True)
class Project:
    """One project of the fleet."""

    name: str
    """Unique, and usable as the name of a file."""
    source: str
    """A git address, or an absolute path."""
    folder: str
    """The project's folder in the repository, with slashes, or "" for the whole repository."""

    def described(self) -> dict[str, Any]:
        """The fields for output, without a password."""
        return {"name": self.name, "source": without_password(self.source), "folder": self.folder}


@dataclass(frozen=True)
class Fleet:
    """The contents of the file."""

    organization: str | None
    """The organization's file, as in `new --org`; a path is absolute."""
    projects: tuple[Project, ...]


def read_fleet(path: Path) -> Fleet:
    """Read the list of projects. Paths in it are relative to its folder.

    Raises:
        UserError: the file does not exist, or something in it is wrong or unknown.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows write a mark
    except OSError as error:
        raise UserError(
            f"cannot read {path} ({error.strerror}): list your projects in it, or pass another file with --file."
        ) from error
    except ValueError as error:  # also of TOML and UTF-8
        raise UserError(f"{path} is not valid TOML ({error}): fix the file.") from error
    here = path.absolute().parent
    _need_known(path, content, {"org", "project"}, "at the top")
    organization = _text(path, content, "org")
    entries = content.get("project", [])
    if not isinstance(entries, list) or not entries:
        raise UserError(f"{path} has no projects: add a table for each, such as\n{EXAMPLE}")
    projects = [_project(path, here, entry) for entry in entries]
    names = [project.name.casefold() for project in projects]  # some systems do not distinguish names of files by case
    if twice := next((project.name for project in projects if names.count(project.name.casefold()) > 1), None):
        raise UserError(f'{path} has two projects "{twice}": add a different `name` to one of them.')
    places = Counter((project.source, project.folder) for project in projects)
    if same := [project.name for project in projects if places[project.source, project.folder] > 1]:
        raise UserError(f"{path} has one project twice, as {same[0]} and {same[1]}: remove one of them.")
    return Fleet(_located(here, organization) if organization else None, tuple(projects))


def part_of(projects: tuple[Project, ...], shard: tuple[int, int] | None) -> tuple[Project, ...]:
    """The projects of a shard: every n-th, from the i-th.

    Args:
        projects: all projects.
        shard: the pair (i, n) with i from 1 to n, or None for all projects.
    """
    return projects[shard[0] - 1 :: shard[1]] if shard else projects


def listed(file: Path, shards: int, shard: tuple[int, int] | None) -> dict[str, Any]:
    """The projects in fleet.toml, and the names of shards that divide them.

    Args:
        file: path of fleet.toml.
        shards: how many shards there can be. There are never more than projects.
        shard: only list the projects of this shard.

    Raises:
        UserError: the file is not valid.
    """
    projects = part_of(read_fleet(file).projects, shard)
    count = max(1, min(shards, len(projects)))
    names = [f"{number}/{count}" for number in range(1, count + 1)]
    return {"schema": 1, "projects": [project.described() for project in projects], "shards": names}


def _project(path: Path, here: Path, entry: Any) -> Project:
    if not isinstance(entry, Mapping):
        raise UserError(f"{path}: a project is a table: write\n{EXAMPLE}")
    _need_known(path, entry, {"source", "folder", "name"}, "in [[project]]")
    source = _text(path, entry, "source").rstrip("/")
    if not source:
        raise UserError(f"{path}: a project has no `source`: add the address of its git repository, or a path.")
    folder = (_text(path, entry, "folder")).replace("\\", "/").strip("/").removeprefix("./")
    if ".." in folder.split("/"):
        raise UserError(f'{path}: the folder "{folder}" is not in the repository: write it without "..".')
    folder = "" if folder == "." else folder
    last = re.split(r"[/\\:]", source)[-1].removesuffix(".git")
    name = _text(path, entry, "name") or re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(filter(None, (last, folder))))
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name):
        raise UserError(f'{path}: a project cannot be named "{name}": use up to 100 letters, digits, ".", "_" and "-".')
    return Project(name, _located(here, source), folder)


def _located(here: Path, source: str) -> str:
    """The address, or the absolute path."""
    return source if ADDRESS.fullmatch(source) and not (here / source).exists() else str(here / source)


def _text(path: Path, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise UserError(f'{path}: `{key}` is a text: write {key} = "...".')
    return str(value)  # without tomlkit's type


def _need_known(path: Path, table: Mapping[str, Any], known: set[str], where: str) -> None:
    if strange := sorted(table.keys() - known):
        raise UserError(f"{path}: unknown key `{strange[0]}` {where}: use {', '.join(sorted(known))}.")
