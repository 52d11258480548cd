"""The one thing that pyproject.toml cannot say: the version is the one in Cargo.toml."""

import re
from pathlib import Path

from setuptools import setup

manifest = Path(__file__).with_name("Cargo.toml").read_text(encoding="utf-8")
package = manifest.partition("[package]")[2].partition("\n[")[0]
setup(version=re.findall(r'^version = "(.+?)"', package, re.MULTILINE)[0])
