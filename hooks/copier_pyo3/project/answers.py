"""The answers file of a project: which template made it, in which version, with which answers."""

from pathlib import Path
from typing import Any, Final

import yaml

from copier_pyo3.errors import UserError

ANSWERS: Final = ".copier-answers.yml"


def answers_path(project: Path, answers_file: str) -> Path:
    """Where the answers file is.

    Raises:
        UserError: it is not there, or named by an absolute path.
    """
    path = project / answers_file
    if Path(answers_file).is_absolute():
        raise UserError(f"{answers_file} is an absolute path: name the answers file as seen from the project's folder.")
    if not path.is_file():
        raise UserError(f"there is no {answers_file} in {project}: it is no project of this template.")
    return path


def read_answers(content: bytes, name: str) -> dict[str, Any]:
    """The answers, with _commit and _src_path among them.

    Args:
        content: the file's bytes.
        name: its path, for messages.

    Raises:
        UserError: it is not what Copier writes.
    """
    try:
        answers = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{name} is not YAML in UTF-8: put it back as Copier wrote it.") from error
    if not isinstance(answers, dict) or not {"_commit", "_src_path"} <= answers.keys():
        raise UserError(f"{name} does not say which template made the project (_src_path, _commit): was it edited?")
    return answers
