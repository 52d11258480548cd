"""Folds the TOML that each option brings into the manifests of a generated project.

An option adds to ``Cargo.toml`` by a fragment ``Cargo.toml.d/<option>.toml``, as services do with ``conf.d``.
"""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from copier_pyo3.errors import UserError
from copier_pyo3.toml_merge import Unmergeable, merge


def fold(project: Path, manifests: Iterable[str]) -> None:
    """Fold ``<manifest>.d/*.toml`` into each manifest, in the order of their names, and remove the folder.

    Nothing is written before every manifest is known to be right, and a second run changes nothing.

    Args:
        project: folder of the generated project.
        manifests: paths of the manifests, relative to it; no other file is touched.

    Raises:
        UserError: a fragment contradicts the manifest or an earlier fragment, or one of them cannot be read.
    """
    folded = {project / manifest: folder for manifest in manifests if (folder := project / f"{manifest}.d").is_dir()}
    texts = {manifest: _folded_text(manifest, folder) for manifest, folder in folded.items()}
    for manifest, text in texts.items():
        _replace(manifest, text)
        for fragment in _fragments(folded[manifest]):
            fragment.unlink()
        folded[manifest].rmdir()


def _fragments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"))


def _folded_text(manifest: Path, folder: Path) -> str:
    text = _read(manifest)
    for fragment in _fragments(folder):
        try:
            merged = merge(base="", ours=text, theirs=_read(fragment))
        except Unmergeable as error:
            raise UserError(f"{folder.name}/{fragment.name} does not fold into {manifest.name}: {error}") from error
        contradictions = [decision for decision in merged.decisions if decision.conflict]
        if contradictions:
            told = "; ".join(f"{decision.path}: {decision.detail}" for decision in contradictions)
            raise UserError(
                f"{folder.name}/{fragment.name} contradicts {manifest.name} ({told}): make the two say the same."
            )
        text = merged.text
    return text


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as UTF-8 text: {error}") from error


def _replace(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as new:
            new.write(text.encode("utf-8"))
        shutil.copymode(path, new.name)
        Path(new.name).replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
