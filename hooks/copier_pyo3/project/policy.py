"""An organization's policy: keys that manifests must have, files that must exist, and locked answers."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomlkit as tomllib


@dataclass(frozen=True)
class Policy:
    """What every project must have."""

    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By path of a TOML file: the value of each key, which is written as in TOML (``tool.ruff.line-length``).

    None is any value; of a list, the items must be in the project's list.
    """
    files: tuple[str, ...] = ()
    """Paths; `*` and `?` match any text and character."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """Values of answers, if the project has these answers."""


def violations(
    policy: Policy, files: Iterable[str], read: Callable[[str], bytes], answers: Mapping[str, Any]
) -> Iterator[str]:
    """A sentence for each violation.

    Args:
        policy: the policy.
        files: the paths of the project's files.
        read: returns the content of one of the files.
        answers: the project's answers, or nothing.
    """
    names = {*files}
    for pattern in policy.files:
        if not any(fnmatchcase(name, pattern) for name in names):
            yield f"{pattern}: there is no such file"
    for name, keys in policy.keys.items():
        if name not in names:
            yield f"{name}: there is no such file"
            continue
        try:
            content = tomllib.loads(read(name).decode("utf-8"))
        except ValueError:  # also of UTF-8
            yield f"{name}: it is not valid TOML"
            continue
        for key, wanted in keys.items():
            if problem := _problem(content, path_of(key), wanted):
                yield f"{name}: {key} {problem}"
    for name, wanted in policy.answers.items():
        if name in answers and answers[name] != wanted:
            yield f"answer {name} is {_shown(answers[name])}; the organization requires {_shown(wanted)}"


def path_of(key: str) -> list[str]:
    """The parts of a key as in TOML: with dots between them, in quotes if they have dots.

    Raises:
        ValueError: it is not a key of TOML.
    """
    parts, table = [], tomllib.loads(f"{key} = 0")
    while isinstance(table, Mapping):
        ((part, table),) = table.items()
        parts.append(str(part))
    return parts


def _problem(content: Any, path: list[str], wanted: Any) -> str | None:
    requires = "" if wanted is None else f"; the policy requires {_shown(wanted)}"
    for part in path:
        if not isinstance(content, Mapping) or part not in content:
            return f"is missing{requires}"
        content = content[part]
    if wanted is None or (content == wanted and isinstance(content, bool) == isinstance(wanted, bool)):  # True == 1
        return None
    if isinstance(wanted, list) and isinstance(content, list):
        missing = [item for item in wanted if item not in content]
        return f"does not have {', '.join(map(_shown, missing))}" if missing else None
    return f"is {_shown(content)}{requires}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
