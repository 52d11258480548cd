"""Appends to a file of a generated project the part that the chosen option brings.

An option ends ``release.yml`` by a part of its own, ``release.yml.d/<name>.yml``: so workflow files need no Jinja,
and bots and linters read each part as it is.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path


def append(project: Path, files: Iterable[str]) -> None:
    """Append ``<file>.d/*`` to each file, in the order of their names, and remove the folder.

    Args:
        project: folder of the generated project.
        files: paths relative to it.
    """
    for name in files:
        parts = project / f"{name}.d"
        if parts.is_dir():
            texts = [part.read_bytes() for part in [project / name, *sorted(parts.iterdir())]]
            (project / name).write_bytes(b"\n".join(texts))
            shutil.rmtree(parts)
