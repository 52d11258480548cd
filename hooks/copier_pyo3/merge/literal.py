"""Values as text, where there is none to copy: in TOML's words, which reports use, too."""

from __future__ import annotations

import re
from typing import Any

import tomlkit

LONGEST = 60


def quoted_key(key: str) -> str:
    """A key as TOML writes it."""
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else tomlkit.item(key).as_string()


def literal(value: Any) -> str:
    """A value as TOML on one line; YAML's null as reports show it."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        inner = ", ".join(f"{quoted_key(key)} = {literal(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return str(tomlkit.item(value).as_string())


def multiline(value: str, like: str) -> str:
    """A text over several lines as TOML, with the quotes and the first line break of another one."""
    raw = like.startswith("'''") and "'''" not in value and not value.endswith("'")
    text = str(tomlkit.string(value, literal=raw, multiline=True).as_string())
    return f"{text[:3]}\n{text[3:]}" if like[3:4] == "\n" else text


def brief(value: Any) -> str:
    """A value as reports show it."""
    text = literal(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def joined(*parts: str) -> str:
    """A place: project.dependencies[numpy]."""
    place, *keys = parts
    if len(parts) > 2 or not place:
        keys = [part for part in parts if part]
        return ".".join(quoted_key(key) for key in keys)
    return f"{place}.{quoted_key(keys[0])}"
