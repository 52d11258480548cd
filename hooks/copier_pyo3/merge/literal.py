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


def brief(value: Any) -> str:
    """A value as reports show it."""
    text = literal(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
