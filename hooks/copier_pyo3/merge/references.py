"""References by name inside of a file: updates them when the target is renamed, and finds those without a target.

To add a kind, add a row to `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from .match import normalized
from .model import Decision, Node, Rename, find, same
from .plan import Plan
from .versions import REQUIREMENT

Use = tuple[str, str]
"""The place of a reference, and the name of its target."""
Scope = tuple[str, Any]
"""The place and the data where names are valid, such as one job for the ids of its steps."""


@dataclass(frozen=True)
class Kind:
    """A kind of reference."""

    what: str
    """The target, in words."""
    scopes: Callable[[Any], Iterable[Scope]]
    """Returns the parts of a document where such names are valid."""
    targets: Callable[[Any], set[str] | None]
    """Returns the names in a scope, or None if they are not known."""
    uses: Callable[[Any], Iterable[Use]]
    """Returns the references in a scope."""
    renamed: Callable[[Any, str, str], Any]
    """Returns the scope's data with the name changed in its references."""
    where: re.Pattern[str]
    """Matches the place of a `Rename` of such a target, relative to the scope."""


def merged(base: Any, ours: Any, theirs: Any) -> tuple[Node, tuple[Decision, ...], tuple[str, ...]]:
    """Merge plain data, and update references to renamed targets.

    A first plan finds the renames. Then the references in all three versions are changed to the final names, and the final
    plan is made.

    Returns:
        The merged tree; all decisions; and a sentence for each reference that lost its target.
    """
    plan = Plan(settle_versions=bool(base))
    node = plan.merge(base, ours, theirs)
    told: list[Decision] = []
    if plan.renames:
        followed = [_followed(side, plan.renames) for side in (base, ours, theirs)]
        if any(after is not side for after, side in zip(followed, (base, ours, theirs), strict=True)):
            plan = Plan(settle_versions=bool(base))
            node = plan.merge(*followed)
            told = _told(plan.renames, ours, followed[1])
    before = {*dangling(ours)}
    found = dict.fromkeys(line for line in dangling(node.data) if line not in before)
    return node, (*plan.decisions, *told), tuple(found)


def _followed(data: Any, renames: list[Rename]) -> Any:
    """A side with its references changed to the final names; the same object if none changed."""
    for rename in renames:
        data = _follow(data, rename)
    return data


def _follow(data: Any, rename: Rename) -> Any:
    for kind in KINDS:
        for place, scope in kind.scopes(data):
            if place and not rename.place.startswith((f"{place}.", f"{place}[")):
                continue
            if kind.where.fullmatch(rename.place.removeprefix(place).removeprefix(".")):
                after = kind.renamed(scope, rename.old, rename.new)
                if not same(after, scope):
                    data = _with(data, place, after)
    return data


def _told(renames: list[Rename], ours: Any, followed: Any) -> list[Decision]:
    if followed is ours:
        return []
    return [
        Decision(rename.place, "followed the rename", f"{rename.old} is {rename.new} now")
        for rename in renames
        if _follow(ours, rename) is not ours
    ]


def _with(data: Any, place: str, part: Any) -> Any:
    """A document with a part replaced, at a place of at most two keys."""
    if not place:
        return part
    key, _, rest = place.partition(".")
    return {**data, key: _with(data[key], rest, part)}


def dangling(data: Any) -> Iterator[str]:
    """A sentence for each reference in a document that has no target."""
    for kind in KINDS:
        for place, scope in kind.scopes(data):
            names = kind.targets(scope)
            if names is None:
                continue
            for where, name in kind.uses(scope):
                if name not in names:
                    shown = ".".join(filter(None, (place, where)))
                    yield f"{shown} refers to {kind.what} {name}, which does not exist"
    yield from _apart(data)


# --- helpers over plain data ----------------------------------------------------------------------------


def _table(data: Any, *path: str) -> dict[str, Any]:
    value = find(data, path)
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _strings(data: Any, place: str = "") -> Iterator[Use]:
    """Every string with its place."""
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _strings(value, f"{place}.{key}".removeprefix("."))
    elif isinstance(data, list):
        for value in data:
            yield from _strings(value, place)


def _mapped(data: Any, change: Callable[[str], str]) -> Any:
    """The data with every string changed."""
    if isinstance(data, str):
        return change(data)
    if isinstance(data, dict):
        return {key: _mapped(value, change) for key, value in data.items()}
    return [_mapped(value, change) for value in data] if isinstance(data, list) else data


def _named(context: str) -> tuple[Callable[[Any], Iterable[Use]], Callable[[Any, str, str], Any]]:
    """References in GitHub expressions, such as `steps.NAME.`."""

    def uses(scope: Any) -> Iterator[Use]:
        for place, text in _strings(scope):
            if "${{" in text or place.endswith("if"):
                for found in re.finditer(rf"(?<![\w.-]){context}\.([\w-]+)", text):
                    yield place, found[1]

    def renamed(scope: Any, old: str, new: str) -> Any:
        pattern = rf"(?<![\w.-]){context}\.{re.escape(old)}(?![\w-])"
        return _mapped(scope, lambda text: re.sub(pattern, f"{context}.{new}", text) if context in text else text)

    return uses, renamed


def _in_lists(data: Any, path: Iterable[str], old: str, new: str) -> Any:
    """The data with a name changed in the list or string at a path; `*` means every key."""
    key, *rest = path if not isinstance(path, str) else [path]
    if not isinstance(data, dict):
        return data
    keys = [*data] if key == "*" else [key] if key in data else []
    changed = dict(data)
    for name in keys:
        value = data[name]
        changed[name] = (
            _in_lists(value, rest, old, new)
            if rest
            else _mapped(value, lambda text: new if text == old else text)
            if isinstance(value, (str, list))
            else value
        )
    return changed


# --- workflows -------------------------------------------------------------------------------------------


def _jobs(data: Any) -> Iterator[Scope]:
    for name, job in _table(data, "jobs").items():
        if isinstance(job, dict):
            yield f"jobs.{name}", job


def _workflow(data: Any) -> Iterator[Scope]:
    if _table(data, "jobs"):
        yield "", data


def _job_uses(data: Any) -> Iterator[Use]:
    for place, job in _jobs(data):
        for name in _list(job.get("needs")):
            yield f"{place}.needs", str(name)
        for where, name in _named("needs")[0](job):
            yield f"{place}.{where}", name


def _job_renamed(data: Any, old: str, new: str) -> Any:
    data = _in_lists(data, ("jobs", "*", "needs"), old, new)
    return _named("needs")[1](data, old, new)


def _step_ids(job: Any) -> set[str]:
    return {str(step["id"]) for step in _list(job.get("steps")) if isinstance(step, dict) and "id" in step}


def _matrix(job: Any) -> set[str] | None:
    matrix = find(job, ("strategy", "matrix"))
    if not isinstance(matrix, dict):
        return None
    include = matrix.get("include", [])
    if not isinstance(include, list):
        return None  # computed by another job
    return {*map(str, matrix)} | {str(key) for entry in include if isinstance(entry, dict) for key in entry}


def _matrix_renamed(job: Any, old: str, new: str) -> Any:
    """Change the expressions, and the keys of the entries in `include` and `exclude`."""
    job = _named("matrix")[1](job, old, new)
    matrix = find(job, ("strategy", "matrix"))
    if not isinstance(matrix, dict):
        return job
    changed = dict(matrix)
    for key in ("include", "exclude"):
        if isinstance(matrix.get(key), list):
            changed[key] = [
                {new if name == old else name: value for name, value in entry.items()}
                if isinstance(entry, dict)
                else entry
                for entry in matrix[key]
            ]
    return {**job, "strategy": {**job["strategy"], "matrix": changed}}


def _matrix_uses(job: Any) -> Iterator[Use]:
    yield from _named("matrix")[0](job)


def _outputs(data: Any) -> set[str]:
    return {f"{name}.{output}" for name, job in _table(data, "jobs").items() for output in _table(job, "outputs")}


def _output_uses(data: Any) -> Iterator[Use]:
    for place, text in _strings(data):
        for found in re.finditer(r"(?<![\w.-])needs\.([\w-]+)\.outputs\.([\w-]+)", text):
            job = _table(data, "jobs", found[1])
            if job and "uses" not in job:
                yield place, f"{found[1]}.{found[2]}"


def _output_renamed(data: Any, old: str, new: str) -> Any:
    one, other = (name.split(".") for name in (old, new))
    pattern = rf"(?<![\w.-])needs\.{re.escape(one[0])}\.outputs\.{re.escape(one[1])}(?![\w-])"
    return _mapped(data, lambda text: re.sub(pattern, f"needs.{other[0]}.outputs.{other[1]}", text))


# --- pyproject.toml ----------------------------------------------------------------------------------------


def _whole(data: Any) -> Iterator[Scope]:
    if isinstance(data, dict):
        yield "", data


def _groups(data: Any) -> set[str] | None:
    return {normalized(name) for name in _table(data, "dependency-groups")}


def _group_uses(data: Any) -> Iterator[Use]:
    for name, group in _table(data, "dependency-groups").items():
        for item in _list(group):
            if isinstance(item, dict) and isinstance(item.get("include-group"), str):
                yield f"dependency-groups.{name}", normalized(item["include-group"])
    for name in _list(find(data, ("tool", "uv", "default-groups"))):
        if name != "all":
            yield "tool.uv.default-groups", normalized(str(name))


def _group_renamed(data: Any, old: str, new: str) -> Any:
    data = _in_lists(data, ("tool", "uv", "default-groups"), old, new)
    groups = {
        name: [
            {**item, "include-group": new}
            if isinstance(item, dict) and normalized(str(item.get("include-group", ""))) == old
            else item
            for item in group
        ]
        if isinstance(group, list)
        else group
        for name, group in _table(data, "dependency-groups").items()
    }
    return {**data, "dependency-groups": groups} if groups else data


def _extras(data: Any) -> set[str] | None:
    return {normalized(name) for name in _table(data, "project", "optional-dependencies")}


def _extra_uses(data: Any) -> Iterator[Use]:
    own = normalized(str(_table(data, "project").get("name", "")))
    lists = {
        **{
            f"project.optional-dependencies.{k}": v for k, v in _table(data, "project", "optional-dependencies").items()
        },
        **{f"dependency-groups.{k}": v for k, v in _table(data, "dependency-groups").items()},
    }
    for place, items in lists.items():
        for item in _list(items):
            parts = REQUIREMENT.fullmatch(item) if isinstance(item, str) else None
            if parts and own and normalized(parts["name"]) == own:
                for extra in re.findall(r"[\w.-]+", parts["extras"]):
                    yield place, normalized(extra)


def _extra_renamed(data: Any, old: str, new: str) -> Any:
    own = normalized(str(_table(data, "project").get("name", "")))

    def change(text: str) -> str:
        parts = REQUIREMENT.fullmatch(text)
        if not parts or normalized(parts["name"]) != own:
            return text
        extras = re.sub(r"[\w.-]+", lambda found: new if normalized(found[0]) == old else found[0], parts["extras"])
        return f"{parts['name']}{extras}{parts['versions']}{parts['marker']}"

    changed = dict(data)
    if "dependency-groups" in data:
        changed["dependency-groups"] = _mapped(data["dependency-groups"], change)
    project = data["project"]
    changed["project"] = {**project, "optional-dependencies": _mapped(project["optional-dependencies"], change)}
    return changed


# --- Cargo.toml ---------------------------------------------------------------------------------------------

CARGO_TABLES: Final = ("dependencies", "dev-dependencies", "build-dependencies")


def _crate(data: Any) -> Iterator[Scope]:
    if _table(data, "package") or _table(data, "features"):
        yield "", data


def _dependencies(data: Any) -> dict[str, Any]:
    tables = [_table(data, name) for name in CARGO_TABLES]
    tables += [_table(target, name) for target in _table(data, "target").values() for name in CARGO_TABLES]
    return {name: value for table in tables for name, value in table.items()}


def _features(data: Any) -> set[str] | None:
    found = {*_table(data, "features"), "default"}
    for name, dependency in _dependencies(data).items():
        found |= {f"{name}/", f"dep:{name}"}
        said = any(f"dep:{name}" in _list(names) for names in _table(data, "features").values())
        if isinstance(dependency, dict) and dependency.get("optional") is True and not said:
            found.add(name)  # the implicit feature
    return found


def _feature_uses(data: Any) -> Iterator[Use]:
    places = {f"features.{name}": names for name, names in _table(data, "features").items()}
    for kind in ("bin", "example", "test", "bench"):
        for target in _list(data.get(kind)):
            if isinstance(target, dict):
                places[f"{kind}[{target.get('name', '')}].required-features"] = target.get("required-features", [])
    for place, names in places.items():
        for name in _list(names):
            if isinstance(name, str):
                owner, slash, _ = name.partition("/")
                yield place, f"{owner.removesuffix('?')}/" if slash else name


def _feature_renamed(data: Any, old: str, new: str) -> Any:
    def change(text: str) -> str:
        found = re.fullmatch(rf"(dep:)?{re.escape(old)}(\??/.+)?", text)
        return f"{found[1] or ''}{new}{found[2] or ''}" if found else text

    changed = dict(data)
    for kind in ("features", "bin", "example", "test", "bench"):
        if kind == "features" and "features" in data:
            changed[kind] = _mapped(data[kind], change)
        elif isinstance(data.get(kind), list):
            changed[kind] = [
                {**target, "required-features": _mapped(target["required-features"], change)}
                if isinstance(target, dict) and "required-features" in target
                else target
                for target in data[kind]
            ]
    return changed


def _workspace(data: Any) -> Iterator[Scope]:
    if _table(data, "workspace"):
        yield "", data


def _inherited(data: Any) -> set[str] | None:
    return {*_table(data, "workspace", "dependencies")}


def _inheriting(data: Any) -> Iterator[Use]:
    for table in CARGO_TABLES:
        for name, dependency in _table(data, table).items():
            if isinstance(dependency, dict) and dependency.get("workspace") is True:
                yield f"{table}.{name}", name


def _inherit_renamed(data: Any, old: str, new: str) -> Any:
    return data  # the key itself is the name


def _profiles(data: Any) -> set[str] | None:
    return {*_table(data, "profile"), "dev", "release", "test", "bench"}


def _profile_uses(data: Any) -> Iterator[Use]:
    for name, profile in _table(data, "profile").items():
        if isinstance(profile, dict) and isinstance(profile.get("inherits"), str):
            yield f"profile.{name}.inherits", profile["inherits"]


# PyO3 and the crates that need the same minor version, because they link one libpython or share PyO3's types.
FAMILY: Final = ("pyo3", "pyo3-build-config", "pyo3-ffi", "pyo3-macros", "pyo3-async-runtimes", "numpy")


def _apart(data: Any) -> Iterator[str]:
    """A sentence for each crate whose minor version differs from PyO3's."""
    minors: dict[str, str] = {}
    tables = _dependencies(data) | _table(data, "workspace", "dependencies") if isinstance(data, dict) else {}
    for name, dependency in tables.items():
        package = dependency.get("package", name) if isinstance(dependency, dict) else name
        version = dependency.get("version") if isinstance(dependency, dict) else dependency
        found = re.match(r"[\^=~ ]*(0\.\d+)", version) if isinstance(version, str) else None
        if package in FAMILY and found:
            minors[package] = found[1]
    for name, minor in minors.items():
        if "pyo3" in minors and minor != minors["pyo3"]:
            yield f"{name} {minor} does not match pyo3 {minors['pyo3']}: they need the same minor version"


KINDS: Final = (
    Kind("the job", _workflow, lambda data: {*_table(data, "jobs")}, _job_uses, _job_renamed, re.compile("jobs")),
    Kind("the step", _jobs, _step_ids, *_named("steps"), re.compile(r"steps\[.*\]")),
    Kind("the matrix key", _jobs, _matrix, _matrix_uses, _matrix_renamed, re.compile(r"strategy\.matrix")),
    Kind("the output", _workflow, _outputs, _output_uses, _output_renamed, re.compile(r"jobs\.[^.]+\.outputs")),
    Kind("the dependency group", _whole, _groups, _group_uses, _group_renamed, re.compile("dependency-groups")),
    Kind("the extra", _whole, _extras, _extra_uses, _extra_renamed, re.compile(r"project\.optional-dependencies")),
    Kind("the feature", _crate, _features, _feature_uses, _feature_renamed, re.compile(r"features|.*dependencies")),
    Kind("the workspace dependency", _workspace, _inherited, _inheriting, _inherit_renamed, re.compile("(?!)")),
    Kind(
        "the profile",
        _whole,
        _profiles,
        _profile_uses,
        lambda data, old, new: _in_lists(data, ("profile", "*", "inherits"), old, new),
        re.compile("profile"),
    ),
)
