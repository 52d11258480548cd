"""A small template with several versions and the real hooks, whose updates take a third of the time."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import copier

from conftest import ROOT, run

CLI = [sys.executable, "-m", "copier_pyo3.cli"]
CARGO, PYPROJECT, ANSWERS, CODE = "Cargo.toml", "pyproject.toml", ".copier-answers.yml", "src/lib.rs"

QUESTIONS = """---
project_name: {type: str, default: sample}
module_name: {type: str, default: sample}
kind: {type: str, default: mixed}
build_backend: {type: str, default: maturin}
abi3: {type: bool, default: true}
free_threading: {type: bool, default: false}
"""
FILES = {
    "{{_copier_conf.answers_file}}.jinja": "{{ _copier_answers | to_nice_yaml }}",
    ".gitignore": "*.so\n*.pyd\n/target/\n",
    CARGO: """[package]
name = "sample"
version = "0.1.0"

[dependencies]
pyo3 = { version = "0.30", features = ["abi3"] }

[profile.release]
strip = true
""",
    PYPROJECT: """[build-system]
requires = ["maturin>=1.15,<2"]

[project]
name = "sample"
""",
    CODE: "// One.\n\n// Two.\n",
    "README.md": "# Sample\n\nText.\n",
    "python/{{ module_name }}/__init__.py": "from ._core import *\n",
}
NEW = {
    CARGO: FILES[CARGO].replace('"0.30"', '"0.30.1"'),
    PYPROJECT: FILES[PYPROJECT].replace("1.15", "1.16"),
}
NEWER = {**NEW, CARGO: NEW[CARGO].replace("strip = true", "opt-level = 3\nstrip = true")}


def settings(migrations: bool = True) -> str:
    """The tasks and the migrations in copier.yml."""
    text = (ROOT / "copier.yml").read_text(encoding="utf-8")
    names = ("_tasks", "_migrations") if migrations else ("_tasks",)
    found = [re.search(rf"^{name}:\n(?:  .*\n)+", text, re.MULTILINE) for name in names]
    return "_subdirectory: template\n" + "".join(each[0] for each in found if each) + QUESTIONS


class Template:
    """A repository with versions of a template."""

    def __init__(self, folder: Path, migrations: bool = True) -> None:
        """Create it without versions."""
        self.folder = folder
        shutil.copytree(ROOT / "hooks", folder / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "copier.yml").write_text(settings(migrations), encoding="utf-8")
        run(["git", "init", "--quiet"], cwd=folder)

    def release(self, tag: str, files: Mapping[str, str | bytes | None]) -> None:
        """Commit and tag a version with FILES and these files, without those that are None."""
        shutil.rmtree(self.folder / "template", ignore_errors=True)
        for name, content in {**FILES, **files}.items():
            if content is not None:
                write(self.folder / "template" / name, content)
        commit(self.folder)
        run(["git", "tag", tag], cwd=self.folder)

    def make(self, folder: Path, version: str = "v1.0.0", **answers: Any) -> Path:
        """Create and commit a project."""
        options: Any = {"vcs_ref": version, "defaults": True, "quiet": True, "unsafe": True}
        copier.run_copy(str(self.folder), folder, data=answers, **options)
        run(["git", "init", "--quiet"], cwd=folder)
        commit(folder)
        return folder


def write(path: Path, content: str | bytes) -> None:
    """Write a file and its folders, without newline conversion."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text, which must exist; an empty text means the end of the file."""
    text = path.read_bytes().decode()
    assert old in text
    write(path, text.replace(old, new) if old else text + new)


def commit(repository: Path) -> None:
    """Commit all."""
    run(["git", "add", "--all"], cwd=repository)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", "change"], cwd=repository)


def plain_update(project: Path, version: str, conflict: Literal["inline", "rej"] = "inline", **answers: Any) -> None:
    """`copier update --trust --defaults`, in this process."""
    options: Any = {"defaults": True, "overwrite": True, "quiet": True, "unsafe": True, "skip_answered": True}
    copier.run_update(project, data=answers, vcs_ref=version, conflict=conflict, **options)


def copier_pyo3(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The console script."""
    return run([*CLI, *arguments], cwd=ROOT, check=False, **env)


# Runs the console script, and does something at the Nth call of a function: of `update`, or what moves the files of all verbs.
_AT = """
import os, sys
import copier_pyo3.cli, copier_pyo3.project.moves as moves, copier_pyo3.verbs.update as update
name, at = sys.argv[1], int(sys.argv[2])
module = update if hasattr(update, name) else moves
real, calls = getattr(module, name), 0
def counted(*arguments, **options):
    global calls
    calls += 1
    if calls == at:
        {act}
    return real(*arguments, **options)
setattr(module, name, counted)
sys.exit(copier_pyo3.cli.main(sys.argv[3:]))
"""
KILL = _AT.format(act="os._exit(9)")
FULL = _AT.format(act='raise OSError(28, "No space left on device", "somewhere")')


def broken_off(script: str, name: str, at: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The console script with KILL or FULL."""
    return run([sys.executable, "-c", script, name, at, *arguments], cwd=ROOT, check=False)
