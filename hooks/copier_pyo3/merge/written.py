"""What the merges of all formats share: the result keeps the line endings and the byte order mark of ours."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .model import Merged


def as_written(merge: Callable[[str, str, str], Merged], base: str, ours: str, theirs: str) -> Merged:
    bom = "\ufeff" if ours.startswith("\ufeff") else ""
    base, ours, theirs = (text.removeprefix("\ufeff") for text in (base, ours, theirs))
    crlf = "\r\n" in ours and not re.search(r"(?<!\r)\n", ours)
    base, theirs = (text.replace("\r\n", "\n") for text in (base, theirs))
    with _uncollected():
        merged = merge(base, ours.replace("\r\n", "\n") if crlf else ours, theirs)
    text = merged.text.replace("\n", "\r\n") if crlf else merged.text
    return Merged(bom + text, merged.decisions, merged.dangling)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Disable the cycle collector, which takes half of the time on long files: a merge leaves few cycles."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
