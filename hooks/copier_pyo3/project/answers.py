"""The answers file of a project: the template, its version, and the answers."""

from pathlib import Path
from typing import Any, Final

import yaml

from copier_pyo3.errors import UserError

ANSWERS: Final = ".copier-answers.yml"
LAYER_ANSWERS: Final = ".copier-answers.organization.yml"  # of the organization's template on top: see docs/fleet.md


def answers_path(project: Path, answers_file: str) -> Path:
    """The path of the answers file.

    Raises:
        UserError: the file does not exist, or answers_file is an absolute path.
    """
    path = project / answers_file
    if Path(answers_file).is_absolute():
        raise UserError(f"{answers_file} is an absolute path: use a path relative to the project's folder.")
    if not path.is_file():
        raise UserError(f"there is no {answers_file} in {project}: the folder was not created from this template.")
    return path


def read_answers(content: bytes, name: str) -> dict[str, Any]:
    """The answers, including _commit and _src_path.

    Args:
        content: the file's contents.
        name: its path, for messages.

    Raises:
        UserError: the file was not written by Copier.
    """
    try:
        answers = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{name} is not YAML in UTF-8: restore it from git.") from error
    except RecursionError as error:
        raise UserError(f"{name} is nested too deep: restore it from git.") from error
    if not isinstance(answers, dict) or not {"_commit", "_src_path"} <= answers.keys():
        raise UserError(f"{name} has no _src_path or no _commit, which name the template: restore it from git.")
    return answers
