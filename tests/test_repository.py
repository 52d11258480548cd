"""This repository passes the checks that it requires of projects."""

import sys

from conftest import ROOT, run


def test_python_style_and_types() -> None:
    run(["ruff", "check", "."], cwd=ROOT)
    run(["ruff", "format", "--check", "."], cwd=ROOT)
    run([sys.executable, "-m", "mypy"], cwd=ROOT)
