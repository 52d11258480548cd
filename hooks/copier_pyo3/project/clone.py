"""Temporary clones of projects, made without questions."""

import os
import subprocess
from pathlib import Path
from typing import Any

from copier_pyo3.errors import UserError, why_git_failed
from copier_pyo3.project.answers import ANSWERS, LAYER_ANSWERS, read_answers
from copier_pyo3.project.fleet_file import Project
from copier_pyo3.project.home import ADDRESS, scrubbed
from copier_pyo3.project.repository import Repository


class UnreachableError(UserError):
    """The repository of a project or of a template cannot be cloned."""


class BrokenError(UserError):
    """The repository can be cloned, but what is in it is not a project that can be read."""


def ask_nothing() -> None:
    """Let git fail instead of asking for a password, or waiting for a host that does not answer.

    Credential helpers and GIT_ASKPASS work, and keys without a passphrase.
    """
    for name, value in (("TERMINAL_PROMPT", "0"), ("HTTP_LOW_SPEED_LIMIT", "1"), ("HTTP_LOW_SPEED_TIME", "60")):
        os.environ.setdefault(f"GIT_{name}", value)
    configured = subprocess.run(["git", "config", "core.sshCommand"], capture_output=True, check=False).stdout
    if not configured and "GIT_SSH" not in os.environ:
        os.environ.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=60")


def clone(project: Project, place: Path, whole: bool = False) -> Repository:
    """Clone the repository of a project. Returns the project's folder in the clone.

    A local repository is only read: its work tree and its git directory do not change.

    Args:
        project: the project. A path can be a folder in a repository.
        place: the folder of the clone, which does not exist.
        whole: clone the history, too, and depend on nothing outside of the clone.

    Raises:
        UnreachableError: git cannot clone it. The message has git's reason, without passwords.
        BrokenError: there is no such folder, or no commit.
    """
    source, folder = local(project) or (project.source, project.folder)
    if not ADDRESS.fullmatch(source) or Path(source).exists():
        if not Path(source).exists():
            raise UnreachableError(f"there is no folder {source}")
        options = ["--no-hardlinks"] if whole else ["--shared"]
    else:
        options = [] if whole else ["--depth=1", "--no-tags"]
    command = ["git", "clone", "--quiet", *options, "--", source.removeprefix("git+"), str(place)]
    env = os.environ if whole else os.environ | {"GIT_LFS_SKIP_SMUDGE": "1"}  # large files are not compared
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        reason = scrubbed(why_git_failed(done.stderr.decode(errors="replace")))
        raise UnreachableError(f"cannot clone {scrubbed(source)} ({reason})")
    if not (place / folder).is_dir():
        raise BrokenError(f"there is no folder {folder} in it")
    repository = Repository(place / folder)
    if not repository.found("rev-parse", "--verify", "--quiet", "HEAD"):
        raise BrokenError("it has no commits")
    return repository


def recorded(repository: Repository) -> dict[str, dict[str, Any]]:
    """The answers of the last commit by the name of their file: the template's, and the organization's layer's.

    Raises:
        BrokenError: a file was not written by Copier.
    """
    files = repository.tree("HEAD").files
    try:
        # Not from the work tree, where the file can be a link to any file.
        return {
            name: read_answers(repository.git("show", f"HEAD:./{name}"), name)
            for name in (ANSWERS, LAYER_ANSWERS)
            if name in files
        }
    except UserError as error:
        raise BrokenError(str(error)) from error


def uncommitted(project: Project) -> list[str]:
    """The uncommitted changes of a project that is in a local work tree, from `git status`, which writes nothing."""
    found = local(project)
    if not found:
        return []
    command = ["git", "--no-optional-locks", "status", "--porcelain", "--", found[1] or "."]
    done = subprocess.run(command, cwd=found[0], capture_output=True, check=False)
    return os.fsdecode(done.stdout).splitlines()


def local(project: Project) -> tuple[str, str] | None:
    """The top folder of the work tree of a local project, and the project's folder in it."""
    if not Path(project.source).is_dir():
        return None
    command = ["git", "rev-parse", "--show-toplevel", "--show-prefix"]
    done = subprocess.run(command, cwd=project.source, capture_output=True, check=False)
    if done.returncode:  # a bare repository, or none
        return None
    top, _, prefix = os.fsdecode(done.stdout).removesuffix("\n").partition("\n")
    return top, f"{prefix}{project.folder}".strip("/")
