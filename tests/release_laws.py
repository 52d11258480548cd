"""Properties of every update, checked only with the files, without knowledge of the merge.

Each check yields a sentence for each error.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from conftest import run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Sides:
    """The files of an update by path: the old template's, the user's, the new template's, and the result."""

    base: Mapping[str, bytes]
    ours: Mapping[str, bytes]
    theirs: Mapping[str, bytes]
    result: Mapping[str, bytes]
    moved: Mapping[str, str] = field(default_factory=dict)
    """Where a file of base is in the result."""

    def of(self, path: str) -> tuple[str | None, str | None, str | None, str | None]:
        """Base, ours, theirs, and the result of a file with this path in base."""
        new = self.moved.get(path, path)
        order = ((self.base, path, new), (self.ours, path, new), (self.theirs, path, new), (self.result, new, path))
        base, ours, theirs, result = (side.get(one, side.get(other)) for side, one, other in order)
        return _text(base), _text(ours), _text(theirs), _text(result)


def text(content: bytes) -> str:
    """A file's text with LF line endings."""
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n")


def _text(content: bytes | None) -> str | None:
    return None if content is None else text(content)


def files(folder: Path) -> dict[str, bytes]:
    """All files that git tracks or would add."""
    names = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"], cwd=folder)
    paths = [name for name in names.stdout.split("\0") if name]
    return {name: (folder / name).read_bytes() for name in paths if (folder / name).is_file()}


# --- do all files parse --------------------------------------------------------------------------------------


class _Unique(yaml.SafeLoader):
    """Rejects duplicate keys."""


def _mapping(loader: _Unique, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    if twice := [key for key, count in Counter(map(str, keys)).items() if count > 1]:
        raise yaml.YAMLError(f"{twice} twice in line {node.start_mark.line + 1}")
    return loader.construct_mapping(node, deep=True)


_Unique.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(path: str, content: str) -> Any:
    """The data of a TOML or YAML file; None for other files."""
    if path.endswith(".toml"):
        return tomllib.loads(content)
    return yaml.load(content, _Unique) if path.endswith((".yml", ".yaml")) else None


def unreadable(sides: Sides) -> Iterator[str]:
    """Invalid TOML and YAML, and conflict markers."""
    for path, content in sides.result.items():
        if path.endswith((".toml", ".yml", ".yaml")):
            if re.search(rb"^(<<<<<<<|=======\r?$|>>>>>>>)", content, re.MULTILINE):
                yield f"{path}: markers"
            try:
                load(path, text(content))
            except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
                yield f"{path}: {error}"
        if path.endswith(".rej"):
            yield f"{path}: is there"


def refused_by_cargo(project: Path) -> Iterator[str]:
    """Violations of Cargo's rules for workspaces."""
    done = run(["cargo", "metadata", "--no-deps", "--offline", "--format-version=1"], cwd=project, check=False)
    if done.returncode or "warning" in done.stderr:
        yield f"cargo: {done.stderr.strip()}"


def line_ends(sides: Sides) -> Iterator[str]:
    """Files with LF in a project with CRLF line endings."""
    if any(b"\r\n" in content for content in sides.ours.values()):
        for path, content in sides.result.items():
            if re.search(rb"(?<!\r)\n", content) and path != ".copier-answers.yml":
                yield f"{path}: line ends of Unix"


# --- is anything lost ----------------------------------------------------------------------------------------


def _free(line: str, both: tuple[str, ...]) -> bool:
    return not line.strip() or any(part in line for part in both)


def lost_lines(sides: Sides, both: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Lost lines of the user that the template did not change; lines that the template added or deleted."""
    for path in sides.base.keys() | sides.ours.keys() | sides.theirs.keys():
        if path in sides.moved.values() or path == ".copier-answers.yml":
            continue
        texts = sides.of(path)
        old, mine, new, got = (Counter((side or "").splitlines()) for side in texts)
        if texts[1] is None and texts[0] is not None:
            if texts[3] is not None:
                yield f"{path}: deleted by the user, and there again"
            continue
        if texts[3] is None:
            if texts[2] is not None or texts[1] != texts[0]:
                yield f"{path}: lost"
            continue
        free = both.get(path, ())
        for line in mine:
            if not _free(line, free) and new[line] >= old[line] and got[line] < mine[line]:
                yield f"{path}: the user's {line.strip()!r} is there {got[line]} times, not {mine[line]}"
        for line in new:
            if not _free(line, free) and not old[line] and not got[line]:
                yield f"{path}: the template's new {line.strip()!r} is not there"
        for line in old:
            if not _free(line, free) and not new[line] and got[line]:
                yield f"{path}: {line.strip()!r}, which the template took away, is still there"


def lost_values(sides: Sides, both: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """If only one side changed a value of a table, the result has it, including the order of lists."""
    for path in sides.base.keys() & sides.ours.keys() & sides.theirs.keys() & sides.result.keys():
        if sides.base[path] == sides.ours[path] and sides.result[path] != sides.theirs[path]:
            yield f"{path}: the user has not touched it, and it is not the template's"
        try:
            data = [load(path, str(side)) for side in sides.of(path)]
        except (tomllib.TOMLDecodeError, yaml.YAMLError):
            continue  # reported by `unreadable`
        for place in _values(*data):
            if not any(part in place for part in both.get(path, ())):
                yield f"{path}: {place}"


def _values(base: Any, ours: Any, theirs: Any, result: Any, place: str = "") -> Iterator[str]:
    if all(isinstance(side, dict) for side in (base, ours, theirs, result)):
        for key in base.keys() & ours.keys() & theirs.keys() & result.keys():
            yield from _values(base[key], ours[key], theirs[key], result[key], f"{place}.{key}")
    elif base == ours and result != theirs:
        yield f"{place} is not the template's, though the user left it alone: {result!r}"
    elif base == theirs and result != ours:
        yield f"{place} is not the user's, though the template left it alone: {result!r}"


# --- do all references have a target -------------------------------------------------------------------------


def _workflows(side: Mapping[str, bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, content in side.items():
        if path.startswith(".github/workflows/"):
            yield path, load(path, text(content))


def _same_step(step: Mapping[str, Any]) -> str:
    return str(step["uses"]).partition("@")[0] if "uses" in step else str(step.get("run"))


def twice(sides: Sides) -> Iterator[str]:
    """Duplicate steps, by command and by name: a job has them more often than any job of either side."""
    most: Counter[tuple[str, str]] = Counter()
    for side in (sides.ours, sides.theirs):
        for path, workflow in _workflows(side):
            for job in workflow["jobs"].values():
                counts = Counter((path, what) for step in job.get("steps", []) for what in _names(step))
                most |= counts
    for path, workflow in _workflows(sides.result):
        for name, job in workflow["jobs"].items():
            counts = Counter((path, what) for step in job.get("steps", []) for what in _names(step))
            for (_, what), count in counts.items():
                if count > max(1, most[path, what]):
                    yield f"{path}: {what!r} is {count} times in {name}"


def _names(step: Mapping[str, Any]) -> set[str]:
    return {_same_step(step), *(f"{key}: {step[key]}" for key in ("name", "id") if key in step)}


def dangling(sides: Sides) -> Iterator[str]:
    """References to jobs, ids, outputs, matrix keys, and dependency groups that do not exist."""
    for path, workflow in _workflows(sides.result):
        jobs = workflow["jobs"]
        for name, job in jobs.items():
            needs = job.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            written = yaml.safe_dump(job, width=10_000)
            ids = {step["id"] for step in job.get("steps", []) if "id" in step}
            matrix = job.get("strategy", {}).get("matrix", {})
            include = matrix.get("include", [])
            keys = set(matrix) | ({key for entry in include for key in entry} if isinstance(include, list) else set())
            yield from (f"{path}: {name} needs {other}, which is no job" for other in needs if other not in jobs)
            if len(needs) > len({*needs}):
                yield f"{path}: {name} needs a job twice: {needs}"
            for other in re.findall(r"\bneeds\.([\w-]+)\.", written):
                if other not in needs:
                    yield f"{path}: {name} asks for needs.{other}, which it does not need"
            for other, output in re.findall(r"\bneeds\.([\w-]+)\.outputs\.([\w-]+)", written):
                if output not in jobs.get(other, {}).get("outputs", {}):
                    yield f"{path}: {name} asks for the output {output} of {other}"
            for step in re.findall(r"\bsteps\.([\w-]+)\.", written):
                if step not in ids:
                    yield f"{path}: {name} asks for the step {step}"
            for key in re.findall(r"\bmatrix\.([\w-]+)", written):
                if key not in keys and isinstance(include, list):
                    yield f"{path}: {name} asks for matrix.{key}"
    pyproject = tomllib.loads(text(sides.result["pyproject.toml"]))
    groups = pyproject["dependency-groups"]
    for name, group in groups.items():
        for item in group:
            if isinstance(item, dict) and item["include-group"] not in groups:
                yield f"pyproject.toml: the group {name} includes {item['include-group']}, which is not there"
    for name in pyproject.get("tool", {}).get("uv", {}).get("default-groups", []):
        if name not in groups:
            yield f"pyproject.toml: {name} is a default group, and not there"


# --- is the report true --------------------------------------------------------------------------------------

ACTIONS = "kept ours|kept both|kept deleted|kept higher version|took higher version|followed the rename|merged by lines"
DECISION = re.compile(rf"(?P<path>[^:]+): (?:(?P<place>.+?): )?(?P<action>{ACTIONS}) \((?P<detail>.*)\)")
TWO = re.compile(r"the file (?:has )?(?P<ours>.*), the template (?:has )?(?P<theirs>.*)")
GONE = "no longer has it"


def untrue(sides: Sides, told: list[str], left: Mapping[str, str]) -> Iterator[str]:
    """Sentences in the report that are false, or that this check does not know."""
    for line in told:
        if why := _untrue(sides, line):
            yield f"the report says {line!r}, but {why}"
    for path, why in left.items():
        markers = len(re.findall("^<<<<<<< ", text(sides.result.get(path, b"")), re.MULTILINE))
        if found := re.search(r"(\d+) places? with conflict markers", why):
            if int(found[1]) != markers:
                yield f"the report says {path}: {why!r}, but there are {markers}"
        elif not re.search("refers to|does not match", why):
            yield f"the report says {path}: {why!r}, which this check does not know"
    for path, content in sides.result.items():
        if re.search(rb"^<<<<<<< ", content, re.MULTILINE) and path not in left:
            yield f"the report does not say that {path} has markers"


def _untrue(sides: Sides, line: str) -> str | None:
    if found := re.fullmatch(r"(\S+): the template moved (\S+) here; your edits were kept", line):
        right = found[1] in sides.result and found[2] not in sides.result and found[2] in sides.base
        return None if right and sides.base[found[2]] != sides.ours[found[2]] else "it is not so"
    if found := re.fullmatch(r"(\S+): kept deleted; the template changed it", line):
        gone = found[1] in sides.base and found[1] not in sides.ours and found[1] not in sides.result
        return None if gone and sides.base[found[1]] != sides.theirs.get(found[1]) else "it is not so"
    if found := re.fullmatch(r"(\S+): kept with your edits; the template no longer has it", line):
        return None if found[1] in sides.result and found[1] not in sides.theirs else "it is not so"
    found = DECISION.fullmatch(line)
    if not found:
        return "this check does not know such a sentence"
    path, place, action, detail = found["path"], found["place"] or "", found["action"], found["detail"]
    old = next((old for old, new in sides.moved.items() if new == path), path)
    texts = sides.of(old)
    if action == "merged by lines":
        return None if _git_merges(*texts) else "git does not merge it so"
    base, ours, theirs, result = (load(path, side) if side is not None else None for side in texts)
    if action == "followed the rename":
        before, after = re.fullmatch(r"(\S+) is (\S+) now", detail).groups()  # type: ignore[union-attr]
        names = {*_all_names(result)}
        return None if after in names and before not in names else f"{before} is there, or {after} is not"
    if found := re.fullmatch(r"you renamed (\S+) to (\S+), the template to (\S+)", detail):
        sets = [{*_all_names(side)} for side in (base, ours, theirs, result)]
        right = found[1] in sets[0] - sets[1] - sets[2] and found[2] in sets[1] and found[3] in sets[2]
        return None if right and found[2] in sets[3] else "it is not so"
    if found := re.fullmatch("both sides moved (.*)", detail):
        sets = [
            {label for item in _at(side, place) for label in _labels(item)} for side in (base, ours, theirs, result)
        ]
        wanted = {*re.findall(r"\[(.*?)\](?:, |$)", found[1])}
        return None if wanted <= set.intersection(*sets) else "not all have these"
    if found := re.fullmatch(
        r"the file inherits it from the workspace, the template raises (\S+) to (\S+): .*", detail
    ):
        if found[1] not in str(base) or found[2] not in str(theirs) or "workspace" not in str(_at(result, place)):
            return "it is not so"
        crates = _at(load("Cargo.toml", text(sides.result["Cargo.toml"])), "workspace.dependencies")
        return "that is done" if found[2] in str(crates[place.rpartition(".")[2]]) else None
    if found := re.fullmatch(r"the file no longer has it, the template renamed (\S+)", detail):
        sets = [{*_all_names(side)} for side in (base, ours, theirs, result)]
        renamed = found[1] in sets[0] and found[1] not in sets[1] | sets[2] | sets[3]
        return None if renamed and _at(theirs, place) is not None and _at(result, place) is None else "it is not so"
    found = TWO.fullmatch(detail)
    if not found:
        return "this check does not know such a sentence"
    mine, new = found["ours"], found["theirs"]
    if mine == GONE:
        if _at(ours, place) is not None:
            return f"the file has {place}"
        step = _at(theirs, place) or _at(base, place)
        if isinstance(step, dict) and ".steps" in place:
            job = _at(ours, place.partition(".steps")[0]) or {}
            if any(_names(step) & _names(other) for other in job.get("steps", [])):
                return "the job has that step"
        above, before = (_at(side, place.rpartition(".")[0]) for side in (ours, base))
        for key, value in above.items() if isinstance(above, dict) and isinstance(before, dict) else ():
            if key not in before and value == _at(base, place):
                return f"the file has it as {key}"
        if action == "kept deleted" and _at(result, place) is not None:
            return f"the result has {place}"
    elif not _has(ours, mine, texts[1]):
        return f"the file has no {mine}"
    elif action in ("kept ours", "kept both", "kept higher version") and not _has(result, mine, texts[3]):
        return f"the result has no {mine}"
    if new == GONE:
        return f"the template has {place}" if _at(theirs, place) is not None else None
    if not _has(theirs, new, texts[2]):
        return f"the template has no {new}"
    if action in ("took higher version", "kept both") and not _has(result, new, texts[3]):
        return f"the result has no {new}"
    return None


def _git_merges(base: str | None, ours: str | None, theirs: str | None, result: str | None) -> bool:
    with TemporaryDirectory() as folder:
        for name, side in (("ours", ours), ("base", base), ("theirs", theirs)):
            Path(folder, name).write_text(side or "", encoding="utf-8", newline="")
        done = subprocess.run(
            ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=folder, capture_output=True, check=False
        )
    return done.returncode == 0 and done.stdout.decode() == result


def _at(data: Any, place: str) -> Any:
    """The value at a dotted place with [labels], or None if it is not found."""
    if not place:
        return data
    if place.startswith("["):
        for end in [at for at, letter in enumerate(place) if letter == "]"]:
            label, rest = place[1:end], place[end + 1 :].removeprefix(".")
            for item in data if isinstance(data, list) else ():
                if label in _labels(item) and (found := _at(item, rest)) is not None:
                    return found
        return None
    if isinstance(data, dict):
        for key, value in data.items():
            for name in (str(key), f'"{key}"', f"'{key}'"):
                if place == name or place.startswith((f"{name}.", f"{name}[")):
                    found = _at(value, place[len(name) :].removeprefix("."))
                    if found is not None:
                        return found
    return None


def _labels(item: Any) -> set[str]:
    if not isinstance(item, dict):
        return {str(item), re.split(r"[<>=!~;\[ ]", str(item))[0]}
    return {str(value).partition(" #")[0] for value in item.values()} | {
        str(value).partition("@")[0] for value in item.values()
    }


def _has(data: Any, shown: str, whole: str | None) -> bool:
    """Whether a value from a report, which can be truncated, is anywhere in the data."""
    short = shown.removesuffix("...")
    if short != shown:
        words = re.findall(r"[\w./:-]{3,}", short)[:-1]
        return all(word in (whole or "") for word in words)
    try:
        value = tomllib.loads(f"x = {shown}")["x"]
    except tomllib.TOMLDecodeError:
        return shown in (whole or "")  # a version from a comment
    return any(_covers(other, value) for other in _every(data)) or shown.strip('"') in (whole or "")


def _covers(one: Any, value: Any) -> bool:
    if isinstance(one, dict) and isinstance(value, dict):
        return value.items() <= one.items()
    return type(one) is type(value) and bool(one == value)


def _every(data: Any) -> Iterator[Any]:
    yield data
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    for item in inner:
        yield from _every(item)


def _all_names(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        yield from map(str, data)
        yield from (str(data[key]) for key in ("id", "name", "include-group") if key in data)
        for value in data.values():
            yield from _all_names(value)
    elif isinstance(data, list):
        for item in data:
            yield from _all_names(item)
