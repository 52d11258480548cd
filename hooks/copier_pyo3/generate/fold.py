"""Merges the fragments of each option into the files of a generated project.

An option adds to ``Cargo.toml`` with a fragment ``Cargo.toml.d/<option>.toml``, as services do with ``conf.d``. TOML fragments
are merged; other fragments, such as parts of workflows, are appended. A JSON fragment has a workflow's environment, and the labels
of runners that replace GitHub's. So the files need no Jinja for the options. The steps in a fragment ``.step`` go into each job that checks
out the project and sets up uv.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from copier_pyo3.errors import UserError
from copier_pyo3.merge.model import Unmergeable
from copier_pyo3.merge.toml_edit import merge_toml as merge  # not by way of merge.file: each fold would import YAML


def fold(project: Path, arguments: Sequence[str]) -> None:
    """Merge ``<name>.d/*`` into each file, sorted by name, and remove the folders.

    All files are merged before the first one is written. A second run changes nothing.

    Args:
        project: folder of the generated project.
        arguments: as in copier.yml: paths relative to project; no other file is changed. ``--without=`` has a list, with
            commas, of what an adopted project has instead. Its tables, such as ``pyproject.toml:tool.ruff``, are removed.

    Raises:
        UserError: a fragment contradicts the file or an earlier fragment, or a file cannot be read.
    """
    names = [argument for argument in arguments if not argument.startswith("--")]
    lists = (argument.removeprefix("--without=") for argument in arguments if argument not in names)
    places = [place for each in lists for place in each.split(",")]
    folders = {project / name: folder for name in names if (folder := project / f"{name}.d").is_dir()}
    texts = {path: _folded(path, sorted(folder.iterdir())) for path, folder in folders.items()}
    for name in names:  # no other file, whatever a hostile answers file says
        dropped = [place.removeprefix(f"{name}:") for place in places if place.startswith(f"{name}:")]
        if dropped and (project / name).is_file():
            texts[project / name] = without(texts.get(project / name) or _read(project / name), dropped)
    for path, text in texts.items():
        _replace(path, text)
    for folder in folders.values():
        for fragment in folder.iterdir():
            fragment.unlink()
        folder.rmdir()


def without(text: str, places: Iterable[str]) -> str:
    """A TOML text without some of its tables and keys.

    Args:
        text: the text.
        places: dotted paths; those that do not exist are ignored.
    """
    import tomlkit

    document = tomlkit.parse(text)
    for place in places:
        holders: list[Any] = [document]
        *tables, key = place.split(".")
        for name in tables:
            holders.append(holders[-1].get(name, {}))
        holders[-1].pop(key, None)
        for holder, name in zip(reversed(holders[:-1]), reversed(tables), strict=True):
            if name in holder and not holder[name]:
                del holder[name]
    return tomlkit.dumps(document)


def _folded(path: Path, fragments: Sequence[Path]) -> str:
    text = _read(path)
    if path.suffix == ".toml":
        for fragment in fragments:
            text = _merged(path, text, fragment)
        return text
    parts = "".join(_read(fragment) for fragment in fragments if fragment.suffix not in (".json", ".step"))
    for fragment in (fragment for fragment in fragments if fragment.suffix == ".json"):
        import json

        settings = json.loads(_read(fragment))
        text, parts = (_with_runners(part, settings["runners"]) for part in (text, parts))
        if env := settings["env"]:
            parts += "\nenv: # of every job\n" + "".join(f"  {name}: {value}\n" for name, value in env.items())
    for fragment in (fragment for fragment in fragments if fragment.suffix == ".step"):
        text, parts = (_with_steps(part, _read(fragment)) for part in (text, parts))
    return text if text.endswith(parts) else text + parts  # an interrupted run may have appended them


def _with_runners(workflow: str, runners: Mapping[str, str | list[str]]) -> str:
    """Replace GitHub's labels of runners, in `runs-on:` and in the matrix."""
    mine = {label: f"[{', '.join(new)}]" if isinstance(new, list) else new for label, new in runners.items()}
    label = re.compile(r"(\b(?:runs-on|runner): +)([\w.-]+)(?=[\s,}]|$)")
    return label.sub(lambda found: found[1] + mine.get(found[2], found[2]), workflow)


def _with_steps(workflow: str, steps: str) -> str:
    """Insert the steps after those that check out the project and set up uv."""
    step = r"      - uses: {}@.*\n(?: {{8}}.*\n)*"
    setup = re.compile(step.format("actions/checkout") + step.format("astral-sh/setup-uv"))
    return setup.sub(lambda found: found[0] if steps in workflow else found[0] + steps, workflow)


def _merged(path: Path, text: str, fragment: Path) -> str:
    name = f"{fragment.parent.name}/{fragment.name}"
    try:
        merged = merge(base="", ours=text, theirs=_read(fragment))
    except Unmergeable as error:
        raise UserError(f"cannot merge {name} into {path.name}: {error}") from error
    contradictions = [decision for decision in merged.decisions if decision.conflict]
    if contradictions:
        told = "; ".join(f"{decision.path}: {decision.detail}" for decision in contradictions)
        raise UserError(f"{name} contradicts {path.name} ({told}): use the same value in both.")
    return merged.text


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path} as UTF-8 text: {error}") from error


def _replace(path: Path, text: str) -> None:
    """Write the file atomically."""
    new = path.with_name(f".{path.name}.{os.getpid()}")  # not tempfile, which is slow to import
    try:
        new.write_bytes(text.encode("utf-8"))
        new.chmod(path.stat().st_mode)
        new.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}.") from error
