"""Templates that are fetched once for many projects, and their renderings. Processes can share the folder."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import filelock
from packaging.version import InvalidVersion, Version

from copier_pyo3.errors import why_git_failed
from copier_pyo3.generate.render import render
from copier_pyo3.project.clone import UnreachableError
from copier_pyo3.project.home import as_copier, as_git, scrubbed, without_password


@dataclass(frozen=True)
class Template:
    """A template's repository: a mirror, or the local repository."""

    address: str
    """As Copier understands it."""
    repository: Path
    """A local git repository with all its versions."""
    is_mirror: bool

    @cached_property
    def releases(self) -> list[str]:
        """The tags that Copier takes for releases, oldest first."""
        versions = {
            tag: version for tag in self._lines("tag") if (version := _parsed(tag)) and not version.is_prerelease
        }
        return sorted(versions, key=lambda tag: versions[tag])

    @property
    def newest(self) -> str:
        """The version that an update goes to.

        Raises:
            UnreachableError: it is an empty repository, or a folder that is none.
        """
        if self.releases:
            return self.releases[-1]
        if not (described := self._lines("describe", "--tags", "--always", "HEAD")):
            raise UnreachableError(
                f"the template {without_password(self.address)} is not a git repository with commits"
            )
        return described[0]

    def behind(self, version: str) -> int | None:
        """How many releases are newer, or commits if there are no releases. None if it is not known.

        Args:
            version: as `_commit` in an answers file: a tag, or the output of `git describe`.
        """
        if not self.releases:
            counted = self._lines("rev-list", "--count", "--end-of-options", f"{version}..HEAD")
            return int(counted[0]) if counted else None
        known = _parsed(version) or _parsed(version.rsplit("-", 2)[0])
        if not known:
            if not self._lines("rev-parse", "--verify", "--quiet", "--end-of-options", f"{version}^{{commit}}"):
                return None
            known = max(filter(None, map(_parsed, self._lines("tag", f"--merged={version}"))), default=None)
        return sum(known is None or Version(tag) > known for tag in self.releases)

    def checkout(self, folder: Path) -> None:
        """Write the files of the newest version to a new folder."""
        clone = ["clone", "--quiet", "--shared", "--no-checkout", "--", str(self.repository), str(folder)]
        version = self.newest if self.releases else "HEAD"
        for command in (clone, ["-C", str(folder), "checkout", "--quiet", "--detach", version]):
            done = subprocess.run(["git", *command], capture_output=True, check=False)
            if done.returncode:
                raise _unreachable(self.address, done.stderr)

    def _lines(self, *arguments: str) -> list[str]:
        done = subprocess.run(["git", *arguments], cwd=self.repository, capture_output=True, check=False)
        return [] if done.returncode else os.fsdecode(done.stdout).splitlines()


def _parsed(tag: str) -> Version | None:
    try:
        return Version(tag)
    except InvalidVersion:
        return None


def _unreachable(address: str, stderr: bytes) -> UnreachableError:
    reason = scrubbed(why_git_failed(stderr.decode(errors="replace")))
    return UnreachableError(f"cannot reach the template {without_password(address)} ({reason})")


class Fetched:
    """The folder with the templates and renderings of one run."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which other processes can use, too."""
        self.folder = folder
        self._known: dict[str, Template] = {}

    def template(self, address: str) -> Template:
        """The template, which is fetched the first time.

        Raises:
            UnreachableError: git cannot clone it, now or the first time.
        """
        address = as_copier(address)
        if address not in self._known:
            self._known[address] = self._fetch(address)
        return self._known[address]

    def _fetch(self, address: str) -> Template:
        url = as_git(address)
        if Path(url).expanduser().is_dir():
            return Template(address, Path(url).expanduser().absolute(), is_mirror=False)
        mirror = self.folder / f"{_key(url)}.git"
        failed = mirror.with_suffix(".failed")
        with filelock.FileLock(mirror.with_suffix(".lock")):
            if failed.exists():
                raise _unreachable(address, failed.read_bytes())
            if not mirror.exists():
                command = ["git", "clone", "--quiet", "--mirror", "--", url, str(mirror)]
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
                if done.returncode:
                    failed.write_bytes(done.stderr)
                    raise _unreachable(address, done.stderr)
        return Template(address, mirror, is_mirror=True)

    @contextmanager
    def instead_of_network(self, *addresses: str) -> Iterator[None]:
        """Let Copier's git read these templates from this folder. The addresses that Copier records do not change."""
        import plumbum  # Copier's; it has its own copy of the environment

        first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
        changes = {"COPIER_CACHE_DIR": str(self.folder / f"copier-{os.getpid()}")}  # Copier does not lock its cache
        for template in filter(lambda template: template.is_mirror, map(self.template, addresses)):
            # Without .git, because both forms are used, and git finds a folder with either.
            changes[f"GIT_CONFIG_KEY_{first}"] = f"url.{template.repository.with_suffix('').as_posix()}.insteadOf"
            changes[f"GIT_CONFIG_VALUE_{first}"] = as_git(template.address).removesuffix(".git")
            first += 1
        changes["GIT_CONFIG_COUNT"] = str(first)
        before = {name: os.environ.get(name) for name in changes}
        os.environ.update(changes)
        try:
            with plumbum.local.env(**changes):
                yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})

    def rendering(self, parts: Sequence[tuple[str, Mapping[str, Any], bool]]) -> Path:
        """The folder with templates that are rendered, one over the other, at the recorded versions.

        Args:
            parts: for each template, the path of the answers file, its contents, and whether the template's code may run
                although Copier's settings do not trust it.

        Raises:
            UserError: a template cannot be fetched or rendered.
        """
        folder = self.folder / _key(json.dumps(parts, sort_keys=True, default=str))
        with filelock.FileLock(folder.with_suffix(".lock")):
            if not folder.exists():
                unfinished = folder.with_suffix(".new")
                shutil.rmtree(unfinished, ignore_errors=True)
                for name, answers, trust in parts:
                    address = as_copier(str(answers["_src_path"]))
                    with self.instead_of_network(address):
                        render(address, unfinished / "project", answers, str(answers["_commit"]), trust, name)
                unfinished.rename(folder)
        return folder / "project"


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
