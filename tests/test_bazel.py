"""The extra `bazel`: its files are formatted, and with SLOW=1, Bazel builds the module and runs the demo."""

import os
from pathlib import Path
from typing import Any

import pytest

from conftest import Render, run
from ship import edit, need


def with_bazel(folder: Path) -> dict[str, Any]:
    """A PATH with a stand-in for Bazel, which prints its arguments."""
    folder.mkdir()
    (folder / "bazel").write_text('#!/bin/sh\necho "bazel $*"\n', encoding="utf-8")
    (folder / "bazel").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("kind", ["mixed", "extension"])
def test_buildifier_finds_nothing(render: Render, tmp_path: Path, kind: str) -> None:
    """It is real; only Bazel is a stand-in."""
    need("node", "npx")
    project = render("built-by-bazel", {"extras": ["bazel"], "kind": kind})
    command, env = ["nox", "--no-venv", "-s", "bazel"], with_bazel(tmp_path / "bin")
    edit(project / "noxfile.py", '    session.install(*group("bazel"))\n', "")  # node is here
    assert "bazel test //...\n" in run(command, cwd=project, **env).stdout
    if kind == "mixed":
        edit(project / "BUILD.bazel", '    name = "core",\n', '  name = "core",\n')
        done = run(command, cwd=project, check=False, **env)
        assert done.returncode == 1
        assert "BUILD.bazel # reformat" in done.stdout + done.stderr
        assert "bazel test" not in done.stdout


@pytest.mark.system(
    "bazel",
    built="the native module and the package, by Bazel 7.7.1 and rules_rust_pyo3 0.73.0",
    ran="the demo, by bazel test",
    unverified="the Bazel Central Registry, which does not answer here: the modules came from their repositories, Python from Debian",
)
@pytest.mark.parametrize("kind", ["mixed", "extension"])
def test_bazel_builds_and_tests(render: Render, kind: str) -> None:
    if "SLOW" not in os.environ:
        pytest.skip("builds for minutes: SLOW=1 pytest tests/test_bazel.py; docs/extras.md has the last result")
    need("bazel", "node", "npx")
    project = render("built-by-bazel", {"extras": ["bazel"], "kind": kind})
    done = run(["nox", "-s", "bazel"], cwd=project)
    assert "//:demo" in done.stdout + done.stderr
    assert "PASSED" in done.stdout + done.stderr
