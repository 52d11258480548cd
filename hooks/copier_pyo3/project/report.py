"""The report of an update, and the final check of manifests and workflows."""

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

from copier_pyo3.merge.file import unreadable
from copier_pyo3.merge.project_references import brought_about
from copier_pyo3.project.repository import GitError, Repository

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomlkit as tomllib


@dataclass
class Report:
    """The report of an update."""

    told: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    """Files that the merge deleted; they can be missing in the temporary work tree."""
    before: str | None = None
    """The commit with the user's files that the merge used, if one was given."""

    def print(self) -> None:
        """Print the report on stderr, like Copier's messages."""
        for line in self.told:
            print(f"  {line}", file=sys.stderr)
        for path, why in sorted(self.left.items()):
            print(f"  {path}: RESOLVE BY HAND: {why}", file=sys.stderr)


def check(repository: Repository, before: str, report: Report) -> None:
    """Check that changed files can be parsed and that references to other files are valid.

    Problems that existed before the update are not reported.
    """
    new = repository.paths("ls-files", "--others", "--exclude-standard", "-z")
    changed = {*repository.paths("diff", "--name-only", "--relative", "-z", before, "--"), *new}
    for name in sorted(changed - report.left.keys()):
        path = repository.project / name
        known = path.suffix == ".toml" or name.startswith((".github/", ".pre-commit"))
        if path.suffix not in (".toml", ".yml", ".yaml") or not known or path.is_symlink() or not path.is_file():
            continue
        if (problem := unreadable(name, path.read_bytes())) and not _was_unreadable(repository, before, name):
            report.left[name] = problem
    for name, sentence in _broken_references(repository, before, new).items():
        told = report.left.get(name)
        report.left[name] = f"{told}; {sentence}" if told else sentence


def _was_unreadable(repository: Repository, before: str, name: str) -> bool:
    try:
        return unreadable(name, repository.git("show", f"{before}:./{name}")) is not None
    except GitError:  # there was none
        return False


def _broken_references(repository: Repository, before: str, new: Iterable[str]) -> dict[str, str]:
    old = repository.tree(before).files
    deleted = repository.paths("diff", "--name-only", "--relative", "--diff-filter=D", "-z", "HEAD", "--")
    names = ({*repository.paths("ls-files", "-z"), *new}) - {*deleted}
    blobs = {name: blob for name, blob in old.items() if blob.is_file and _refers(name)}
    contents = repository.contents(blobs.values()) if blobs else {}
    was = {name: contents[blob.oid] for name, blob in blobs.items()}
    now = {
        name: (repository.project / name).read_bytes()
        for name in names
        if _refers(name) and _is_there(repository, name)
    }
    if was == now and old.keys() == names:
        return {}
    return brought_about(_data(was), old.keys(), _data(now), names)


def _refers(name: str) -> bool:
    return name.rpartition("/")[2] == "Cargo.toml" or (name.startswith(".github/") and name.endswith((".yml", ".yaml")))


def _is_there(repository: Repository, name: str) -> bool:
    return (repository.project / name).is_file()


def _data(contents: Mapping[str, bytes]) -> dict[str, Any]:
    """The parsed files. Only workflows that use files of the project are parsed, because parsing YAML is slow."""
    data = {}
    for name, content in contents.items():
        with suppress(ValueError, yaml.YAMLError):
            if name.endswith(".toml"):
                data[name] = tomllib.loads(content.decode("utf-8").replace("\r\n", "\n"))
            elif b"./.github/" in content:
                data[name] = yaml.safe_load(content.decode("utf-8"))
    return data
