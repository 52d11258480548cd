"""Merges one file, by what it is: TOML and YAML by their meaning, other text line by line as git does."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from copier_pyo3 import toml_merge, yaml_merge
from copier_pyo3.toml_identity import same
from copier_pyo3.toml_merge import Decision, Merged, Unmergeable
from copier_pyo3.toml_text import read

LABELS: Final = ("before updating", "last update", "after updating")  # as Copier writes them


@dataclass(frozen=True)
class MergedFile:
    """The bytes to write, what was decided, and why a person has to look, if one has to."""

    content: bytes
    decisions: tuple[Decision, ...] = ()
    left: str | None = None


def merge_file(name: str, base: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str, str] = LABELS) -> MergedFile:
    """Apply the change from base to theirs onto ours; what cannot be settled is left in git's markers.

    Args:
        name: the file's path, for its kind.
        base: what both came from; empty if both added the file.
        ours: the user's file.
        theirs: the template's file.
        labels: what markers say of ours, base and theirs.
    """
    if any(b"\0" in content for content in (base, ours, theirs)):
        return MergedFile(ours, left="a binary file that both sides changed: it is yours, the template's was not taken")
    by_lines, conflicts = merge_lines(base, ours, theirs, labels)
    kind = _kind(name)
    if kind is None:
        return MergedFile(by_lines, left=_markers(conflicts) if conflicts else None)
    merge, parse = kind
    try:
        texts = [content.decode("utf-8") for content in (base, ours, theirs)]
        merged = merge(*texts)
        if not conflicts and _means(parse, by_lines, merged.text):
            return MergedFile(by_lines, merged.decisions)  # it brings the template's new comments too
        return MergedFile(merged.text.encode("utf-8"), merged.decisions)
    except (Unmergeable, UnicodeDecodeError) as error:
        why = f"not merged by its meaning ({error})"
        if conflicts:
            return MergedFile(by_lines, left=f"{why}: {_markers(conflicts)}")
        if problem := unreadable(name, by_lines):
            return MergedFile(by_lines, left=f"{why}, and the merge by lines is wrong: {problem}")
        return MergedFile(by_lines, (Decision("", "merged by lines", str(error), conflict=False),))


def unreadable(name: str, content: bytes) -> str | None:
    """Why the content is no valid TOML or YAML; None if it is, or is neither by its name."""
    kind = _kind(name)
    try:
        if kind:
            kind[1](content.decode("utf-8"))
    except (Unmergeable, ValueError) as error:
        return str(error)
    return None


_Kind = tuple[Callable[[str, str, str], Merged], Callable[[str], Any]]


def _kind(name: str) -> _Kind | None:
    suffix = PurePosixPath(name).suffix
    if suffix == ".toml":
        return toml_merge.merge, lambda text: read(text.removeprefix("\ufeff"), "the file")
    if suffix in (".yml", ".yaml"):
        return yaml_merge.merge, yaml_merge.parse
    return None


def _means(parse: Callable[[str], Any], content: bytes, text: str) -> bool:
    try:
        return same(parse(content.decode("utf-8")), parse(text))
    except (Unmergeable, ValueError):
        return False


def _markers(conflicts: int) -> str:
    return f"{conflicts} place{'s' if conflicts > 1 else ''} in git's conflict markers"


def merge_lines(base: bytes, ours: bytes, theirs: bytes, labels: tuple[str, str, str]) -> tuple[bytes, int]:
    """What `git merge-file` makes of it, and the number of conflicts."""
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-") as folder:
        paths = [Path(folder, name) for name in ("ours", "base", "theirs")]
        if b"\r\n" in ours:  # text of the template has plain newlines
            base, theirs = (content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for content in (base, theirs))
        for path, content in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(content)
        command = [
            "git",
            "merge-file",
            "--stdout",
            *(word for label in labels for word in ("-L", label)),
            *map(str, paths),
        ]
        done = subprocess.run(command, capture_output=True, check=False)
    if not 0 <= done.returncode < 128:
        raise Unmergeable(done.stderr.decode(errors="replace").strip())
    return done.stdout, done.returncode


def tell(decision: Decision) -> str:
    """One line about a decision."""
    where = f"{decision.path}: " if decision.path else ""
    return f"{where}{decision.action} ({decision.detail})"


def main_merge(base: Path, ours: Path, theirs: Path, name: str | None, out: Path | None, strict: bool) -> int:
    """Merge three files, as git calls a merge driver: the result goes to ours, or to out.

    Returns:
        0 merged; 1 left for a person, with markers as git leaves them; 2 unusable input, nothing written.
    """
    name = name or str(ours)
    labels = ("ours", "base", "theirs")
    try:
        contents = [path.read_bytes() for path in (base, ours, theirs)]
    except OSError as error:
        print(f"copier-pyo3: {error.filename} cannot be read: {error.strerror}.", file=sys.stderr)
        return 2
    for path, content in zip((base, ours, theirs), contents, strict=True):
        if problem := unreadable(name, content):
            print(f"copier-pyo3: {name}: {path} cannot be used: {problem}.", file=sys.stderr)
            return 2
    merged = merge_file(name, contents[0], contents[1], contents[2], labels)
    for decision in merged.decisions:
        print(f"copier-pyo3: {name}: {tell(decision)}", file=sys.stderr)
    content, left = merged.content, merged.left
    if strict and any(decision.conflict for decision in merged.decisions):
        by_lines, conflicts = merge_lines(contents[0], contents[1], contents[2], labels)
        left = _markers(conflicts) if conflicts else "both sides changed the same value"
        content = by_lines if conflicts else content
    if left:
        print(f"copier-pyo3: {name}: left for you: {left}", file=sys.stderr)
    try:
        (out or ours).write_bytes(content)
    except OSError as error:
        print(f"copier-pyo3: {error.filename} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2
    return 1 if left else 0
