"""The one thing that pyproject.toml cannot say: the version is the one in Cargo.toml."""

import sys
from pathlib import Path

from setuptools import setup

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

manifest = Path(__file__).with_name("Cargo.toml").read_text(encoding="utf-8")
setup(version=tomllib.loads(manifest)["package"]["version"])
