"""Line endings of files from an update: the same as in the project's other files, unless git decides."""

import re
from collections.abc import Iterable

from copier_pyo3.merge.blob import Tree
from copier_pyo3.merge.tree import Outcome
from copier_pyo3.project.repository import Repository


def follow(repository: Repository, base: Tree, ours: Tree, outcome: Outcome, answers_file: str) -> None:
    """Convert new files to CRLF if all of the template's text files have CRLF in the user's commit.

    Files that the user added do not count: tools such as Cargo always write LF.
    """
    new = [path for path, (_, content) in outcome.written.items() if path not in ours.files and _has_lf(content)]
    known = [ours.files[path] for path in ours.files.keys() & base.files.keys() - {answers_file}]
    if not new or _git_decides(repository):
        return
    texts = repository.contents(blob for blob in known if blob.is_file).values()
    if not _all_crlf(texts):
        return
    for path in _undecided(repository, new):
        mode, content = outcome.written[path]
        outcome.written[path] = (mode, crlf(content))


def follow_answers(repository: Repository, before: bytes, answers_file: str) -> None:
    """Do the same for the answers file, which Copier writes.

    Args:
        repository: the project's.
        before: the committed contents of the file.
        answers_file: its path.
    """
    path = repository.project / answers_file
    if _all_crlf([before]) and _has_lf(content := path.read_bytes()) and not _git_decides(repository):
        path.write_bytes(crlf(content))


def crlf(content: bytes) -> bytes:
    """The text with CRLF line endings."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", content)


def _has_lf(content: bytes) -> bool:
    return b"\n" in content and b"\r\n" not in content and b"\0" not in content


def _all_crlf(contents: Iterable[bytes]) -> bool:
    texts = [content for content in contents if b"\n" in content and b"\0" not in content]
    return bool(texts) and not any(re.search(rb"(?<!\r)\n", text) for text in texts)


def _git_decides(repository: Repository) -> bool:
    return repository.found("config", "--get", "core.autocrlf").strip() in (b"true", b"input")


def _undecided(repository: Repository, paths: Iterable[str]) -> list[str]:
    """The paths whose line endings no git attribute sets."""
    fields = iter(repository.paths("check-attr", "-z", "text", "eol", "--", *paths))
    decided = {path for path, _, value in zip(fields, fields, fields, strict=True) if value != "unspecified"}
    return [path for path in paths if path not in decided]
