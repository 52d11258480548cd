"""Renders a version of the template with the answers of a project."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def render(
    template: str,
    folder: Path,
    answers: Mapping[str, Any],
    version: str | None,
    trust: bool,
    answers_file: str | None = None,
) -> None:
    """Render a version of the template without asking questions.

    Args:
        template: a folder or a git URL.
        folder: the target, created if it does not exist.
        answers: the contents of the answers file. Other questions get their default answers.
        version: a tag, commit, or branch of the template, or None for the newest.
        trust: run the template's tasks even if Copier's settings do not trust it.
        answers_file: path of the answers file, or None for the template's.

    Raises:
        UserError: the version does not exist, or it cannot be rendered with these answers.
    """
    import copier  # slow to import, and rarely needed at the end of an update

    from copier_pyo3.generate.asking import one_sentence

    data = {name: value for name, value in answers.items() if not name.startswith("_")}
    with (
        one_sentence(f"So {version or 'the newest version'} cannot be rendered.", template, version),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        copier.run_copy(
            template,
            folder,
            data=data,
            answers_file=answers_file,
            vcs_ref=version,
            defaults=True,
            overwrite=True,
            quiet=True,
            unsafe=trust,
        )
