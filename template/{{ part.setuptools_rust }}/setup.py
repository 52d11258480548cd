"""Settings that pyproject.toml does not support: the version, and the profile of editable installs."""

import os
import re
import sys
from pathlib import Path

from setuptools import setup

# By default, setuptools-rust does not optimize editable installs.
if "editable_wheel" in sys.argv:
    os.environ.setdefault("SETUPTOOLS_RUST_CARGO_PROFILE", "editable")

manifest = Path(__file__).with_name("Cargo.toml").read_text(encoding="utf-8")
package = manifest.partition("[package]")[2].partition("\n[")[0]
setup(version=re.findall(r'^version = "(.+?)"', package, re.MULTILINE)[0])
