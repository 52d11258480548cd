"""A version of the template, rendered with the answers of a project."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def render(template: str, folder: Path, answers: Mapping[str, Any], version: str | None) -> None:
    """Render a version of the template, asking nothing.

    Args:
        template: its home: a folder or a git address.
        folder: where the files go; made if it is not there.
        answers: as the answers file has them; what the version asks beyond them gets its default.
        version: a tag, a commit or a branch of the template; the newest if it is None.

    Raises:
        UserError: the version is not there, or it cannot be rendered with these answers.
    """
    import copier  # slow to import, and seldom needed at the end of an update

    from copier_pyo3.generate.asking import one_sentence

    data = {name: value for name, value in answers.items() if not name.startswith("_")}
    with (
        one_sentence(f"So {version or 'the newest version'} cannot be rendered again.", template, version),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        copier.run_copy(
            template, folder, data=data, vcs_ref=version, defaults=True, overwrite=True, quiet=True, unsafe=True
        )
