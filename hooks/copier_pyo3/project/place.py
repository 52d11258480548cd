"""What is at the place of a new project: files of a fresh clone, and a Cargo workspace around it."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from copier_pyo3.errors import UserError
from copier_pyo3.project.repository import work_tree

# What GitHub, GitLab, and others add to a new repository.
_OF_A_HOST: Final = re.compile(
    r"(readme|licen[cs]e|copying|notice|changelog|contributing|code_of_conduct|security|codeowners)([._-].*)?"
    r"|\.git(ignore|attributes|hub|lab|ea)|\.editorconfig",
    re.IGNORECASE,
)


# --- a fresh clone ---------------------------------------------------------------------------------


def existing_files(folder: Path, but: str = "") -> list[str]:
    """The files in the folder of a new project, which are kept.

    Args:
        folder: the project's folder.
        but: name of a file or folder in it that does not count.

    Raises:
        UserError: the folder is a file, cannot be read, or is not empty, unless it is a clean git repository with only
            such files as a host creates.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file: choose a new folder.")
        inside = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise UserError(f"cannot read {folder} ({error.strerror}): choose a new folder.") from error
    if not (names := inside - {".git", but}):
        return []
    if ".git" in inside and all(map(_OF_A_HOST.fullmatch, names)) and work_tree(folder) == folder.resolve():
        excluded = [f":(exclude,literal){but}"] if but else []
        command = ["git", "status", "--porcelain", "--ignored", "--", ".", *excluded]
        if not subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout:
            paths = (path for name in sorted(names) for path in (folder / name, *(folder / name).rglob("*")))
            return [path.relative_to(folder).as_posix() for path in paths if not path.is_dir()]
    raise UserError(f"{folder} is not empty: choose a new folder. Nothing was changed.")


def license_of(folder: Path, existing: list[str], texts: Path) -> str | None:
    """The license whose text is in one of the existing files.

    Args:
        folder: the project's folder.
        existing: the files in it.
        texts: the folder with a text for each license, such as ``MIT.txt``.
    """
    for name in filter(_is_license, existing):
        known = {text.stem: _alike(folder / name, text) for text in texts.glob("*.txt")}
        if known and max(known.values()) > 0.8:
            return max(known, key=lambda license: known[license])
    return None


def keep(folder: Path, existing: list[str], rendered: Path, license: str) -> list[str]:
    """Replace files of the template with the existing ones before they are moved to the project's folder.

    .gitignore gets the lines of both.

    Args:
        folder: the project's folder.
        existing: the files in it.
        rendered: folder with the files of the template.
        license: the answer.

    Returns:
        What was kept.

    Raises:
        UserError: the existing license is another one.
    """
    kept = []
    texts = [path for path in rendered.iterdir() if _is_license(path.name)]
    for name in existing:
        mine, new = folder / name, rendered / name
        if _is_license(name):
            if texts and max(_alike(mine, text) for text in texts) < 0.8:
                raise UserError(
                    f"{mine} is not the text of {license}: answer with another license, or remove the file. "
                    "Nothing was changed."
                )
            kept.append(name)
        elif name == ".gitignore":
            lines = mine.read_text(encoding="utf-8").splitlines()
            added = [line for line in new.read_text(encoding="utf-8").splitlines() if line and line not in lines]
            new.write_bytes("".join(f"{line}\n" for line in [*lines, "", *added]).encode())
            kept.append(f"the lines of {name}")
        elif new.exists():
            new.unlink()
            kept.append(name)
    if any(map(_is_license, existing)):
        for text in texts:
            text.unlink()
    return kept


def _is_license(name: str) -> bool:
    return name.startswith("LICENSE")  # as in `license-files` of pyproject.toml


def _alike(one: Path, other: Path) -> float:
    """How many of the words are in both texts, from 0 to 1."""
    words = [
        {*re.findall(r"[a-z]{3,}", path.read_text(encoding="utf-8", errors="replace").lower())} for path in (one, other)
    ]
    return len(words[0] & words[1]) / (len(words[0] | words[1]) or 1)


# --- a Cargo workspace -----------------------------------------------------------------------------


def need_no_cargo_workspace(folder: Path) -> None:
    """Check that no Cargo workspace has the folder of a new project as a member, or requires that it is one.

    Cargo uses only the workspace's Cargo.lock and profiles, but the project's builds and releases use the project's.

    Raises:
        UserError: a workspace does not exclude the folder, or its Cargo.toml cannot be read.
    """
    for parent in folder.parents:
        manifest = parent / "Cargo.toml"
        if not manifest.is_file():
            continue
        try:
            workspace = tomlkit.parse(manifest.read_text(encoding="utf-8")).unwrap().get("workspace")
        except (OSError, ValueError, TOMLKitError) as error:
            raise UserError(f"cannot read {manifest} ({error}), and Cargo reads it, too: fix it.") from error
        if workspace is None:
            continue
        if not _excludes(workspace, parent, folder):
            path = folder.relative_to(parent).as_posix()
            raise UserError(
                f"{folder} is in the Cargo workspace {manifest}, but the project needs its own Cargo.lock and profiles: "
                f'add "{path}" to `exclude` in [workspace] and commit, or choose another folder (see docs/monorepos.md '
                "of copier-pyo3). Nothing was written."
            )
        return  # Cargo stops at the first workspace


def _excludes(workspace: Mapping[str, Any], root: Path, folder: Path) -> bool:
    """As Cargo decides it: a folder in `members`, without wildcards, cannot be excluded."""

    def named(key: str) -> bool:
        return any(folder.is_relative_to(root / path) for path in workspace.get(key, []))

    return named("exclude") and not named("members")
