"""Three-way merge of whole projects: matches the files of the three versions, then merges their contents."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from .blob import Blob, Tree
from .file import merge_file, tell
from .model import Unmergeable, find
from .toml_text import read


class Store(Protocol):
    """Where the trees are stored: a git repository, see `project.repository`."""

    def moves(self, old: Tree, new: Tree) -> dict[str, str]:
        """Renamed files with similar contents, by old path."""

    def contents(self, blobs: Iterable[Blob]) -> dict[str, bytes]:
        """The contents of the blobs by oid."""


@dataclass
class Outcome:
    """The changes to the user's project, and the report."""

    written: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Mode and content by path."""
    deleted: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    """The decisions, one line each."""
    left: dict[str, str] = field(default_factory=dict)
    """Files to resolve by hand, with the reason."""
    elsewhere: list[tuple[str, tuple[str, str]]] = field(default_factory=list)
    """Lines to report unless another file of the project has this crate in this version."""
    stages: dict[str, dict[int, Blob]] = field(default_factory=dict)
    """Base (1), ours (2), and theirs (3) of the files with conflict markers."""


@dataclass(frozen=True)
class _Sides:
    """One file in each version; None where it does not exist."""

    path: str
    base: Blob | None
    ours: Blob | None
    theirs: Blob | None
    our_path: str


def merge_trees(store: Store, base: Tree, ours: Tree, theirs: Tree, skip: set[str]) -> Outcome:
    """Apply the template's change, from base to theirs, to the user's project.

    Files that one side moved are merged with the file at the other path. A file that the user edited and the template
    deleted is kept.

    Args:
        store: where the trees are stored.
        base: the rendering of the template's old version.
        ours: the user's project.
        theirs: the rendering of the template's new version.
        skip: paths to leave unchanged.
    """
    outcome = Outcome()
    sides = [side for side in _pair(store, base, ours, theirs, outcome) if not {side.path, side.our_path} & skip]
    wanted = [blob for side in sides for blob in (side.base, side.ours, side.theirs) if blob and blob.is_file]
    contents = store.contents(wanted) if wanted else {}
    for side in sides:
        _merge(side, contents, outcome)
    outcome.told += _not_raised(store, ours, outcome)
    return outcome


def _not_raised(store: Store, ours: Tree, outcome: Outcome) -> list[str]:
    """The lines about versions in the workspace's Cargo.toml that the merge of that file has not raised."""
    if not outcome.elsewhere:
        return []
    manifests = {path: blob for path, blob in ours.files.items() if PurePosixPath(path).name == "Cargo.toml"}
    contents = store.contents(manifests.values())
    texts = {path: contents[blob.oid] for path, blob in manifests.items()}
    texts |= {path: content for path, (_, content) in outcome.written.items() if path in manifests}
    raised = set()
    for text in texts.values():
        with suppress(Unmergeable, UnicodeDecodeError):
            tables = find(
                read(text.decode("utf-8").removeprefix("\ufeff"), "a manifest"), ("workspace", "dependencies")
            )
            for name, value in tables.items() if isinstance(tables, dict) else ():
                raised.add((name, value.get("version") if isinstance(value, dict) else value))
    return [line for line, wanted in outcome.elsewhere if wanted not in raised]


def _pair(store: Store, base: Tree, ours: Tree, theirs: Tree, outcome: Outcome) -> Iterator[_Sides]:
    """The files that differ between base and theirs, matched between the three versions."""
    our_moves = {old: new for old, new in store.moves(base, ours).items() if new not in theirs.files}
    their_moves = {old: new for old, new in store.moves(base, theirs).items() if new not in ours.files}
    moved_to = set()
    for path, blob in base.files.items():
        our_path, their_path = our_moves.get(path, path), their_moves.get(path, path)
        mine, new = ours.files.get(our_path), theirs.files.get(their_path)
        if their_path != path:
            moved_to.add(their_path)
        if new == blob and their_path == path:
            continue
        target = their_path if mine and our_path == path else our_path
        if mine and their_path != path and our_path != path:
            outcome.told.append(f"{our_path}: kept where you moved {path}; the template moved it to {their_path}")
        yield _Sides(target, blob, mine, new, our_path)
    for path, new in theirs.files.items():
        if path in base.files or path in moved_to:
            continue
        mine = ours.files.get(path)
        if mine is None and (other := clash(path, ours.files)):
            outcome.told.append(f"{path}: new in the template, but not added, because you have {other}")
            continue
        yield _Sides(path, None, mine, new, path)


def clash(path: str, others: Iterable[str]) -> str | None:
    """One of the other paths that cannot exist together with path: a file where path needs a folder, or the reverse."""
    return next((other for other in others if other.startswith(f"{path}/") or path.startswith(f"{other}/")), None)


def _merge(side: _Sides, contents: Mapping[str, bytes], outcome: Outcome) -> None:
    path, base, ours, theirs = side.path, side.base, side.ours, side.theirs
    if theirs and not theirs.is_file and theirs != base:
        outcome.told.append(f"{path}: not added, because it is a symbolic link in the template")
        return
    unedited = base is not None and ours is not None and ours.mode == base.mode and _alike(ours, base, contents)
    if ours is None:
        if theirs and base is None:
            outcome.written[path] = (theirs.mode, contents[theirs.oid])
        elif theirs and theirs != base:
            outcome.told.append(f"{path}: kept deleted; the template changed it")
        return
    if theirs is None:
        if unedited:
            outcome.deleted.add(side.our_path)
        else:
            outcome.told.append(f"{path}: kept with your edits; the template no longer has it")
        return
    if not (ours.is_file and theirs.is_file):
        if theirs != base:
            outcome.told.append(f"{side.our_path}: kept your symbolic link; the template changed the file")
        return
    if path != side.our_path and not unedited:
        outcome.told.append(f"{path}: the template moved {side.our_path} here; your edits were kept")
    mode = theirs.mode if base and ours.mode == base.mode else ours.mode
    if ours.oid == theirs.oid or (base and base.oid == theirs.oid):
        result = contents[ours.oid]
    elif base and base.oid == ours.oid:
        result = contents[theirs.oid]
    elif base and _alike(ours, base, contents):
        result = re.sub(rb"(?<!\r)\n", b"\r\n", contents[theirs.oid])
    elif _alike(ours, theirs, contents):
        result = contents[ours.oid]
    else:
        result = _merged(side, ours, theirs, contents, outcome)
    if path != side.our_path:
        outcome.deleted.add(side.our_path)
    if (path, mode, result) != (side.our_path, ours.mode, contents.get(ours.oid)):
        outcome.written[path] = (mode, result)


def _alike(one: Blob, other: Blob, contents: Mapping[str, bytes]) -> bool:
    """Whether two files have the same contents, apart from line endings."""
    if one.oid == other.oid or not (one.is_file and other.is_file):
        return one.oid == other.oid
    texts = contents[one.oid], contents[other.oid]
    if any(b"\0" in text for text in texts):
        return False
    return texts[0].replace(b"\r\n", b"\n") == texts[1].replace(b"\r\n", b"\n")


def _merged(side: _Sides, ours: Blob, theirs: Blob, contents: Mapping[str, bytes], outcome: Outcome) -> bytes:
    """Merge a file that both sides changed."""
    texts = (contents[side.base.oid] if side.base else b"", contents[ours.oid], contents[theirs.oid])
    if any(b"\0" in text for text in texts):
        outcome.told.append(f"{side.path}: kept your version of this binary file; the template also changed it")
        return texts[1]
    merged = merge_file(side.path, *texts)
    for decision in merged.decisions:
        line = f"{side.path}: {tell(decision)}"
        if decision.elsewhere:
            outcome.elsewhere.append((line, decision.elsewhere))
        else:
            outcome.told.append(line)
    if merged.left:
        outcome.left[side.path] = merged.left
    if merged.markers:
        stages = {1: side.base, 2: ours, 3: theirs}
        outcome.stages[side.path] = {stage: blob for stage, blob in stages.items() if blob}
    return merged.content
