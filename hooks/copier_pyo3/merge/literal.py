"""Values as TOML text, for reports and for values whose text cannot be copied."""

from __future__ import annotations

import re
from typing import Any

# tomlkit is imported only where it is needed: merging fragments does not need it, and each copy waits for the imports.
LONGEST = 60


def quoted_key(key: str) -> str:
    """A key as TOML writes it."""
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _written(key)


def literal(value: Any) -> str:
    """A value as TOML on one line; null, which only YAML has, as `null`."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        inner = ", ".join(f"{quoted_key(key)} = {literal(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return _written(value)


def multiline(value: str, like: str) -> str:
    """A multiline string as TOML, with the quotes and the first line break of another one."""
    import tomlkit

    raw = like.startswith("'''") and "'''" not in value and not value.endswith("'")
    text = str(tomlkit.string(value, literal=raw, multiline=True).as_string())
    return f"{text[:3]}\n{text[3:]}" if like[3:4] == "\n" else text


def brief(value: Any) -> str:
    """A value in the short form for reports."""
    text = literal(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def joined(*parts: str) -> str:
    """A place: project.dependencies[numpy]."""
    place, *keys = parts
    if len(parts) > 2 or not place:
        keys = [part for part in parts if part]
        return ".".join(quoted_key(key) for key in keys)
    return f"{place}.{quoted_key(keys[0])}"


def _written(value: Any) -> str:
    import tomlkit

    return str(tomlkit.item(value).as_string())
