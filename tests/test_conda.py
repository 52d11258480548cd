"""The extra `conda`: the recipe, and the package that rattler-build makes from it."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, Render, run
from ship import edit, need

KINDS: dict[str, dict[str, Any]] = {
    "abi3": {},
    "every Python": {"abi3": False, "min_python": "3.12", "features": ["numpy"]},
    "setuptools-rust": {"build_backend": "setuptools-rust", "kind": "extension", "license": "MIT OR Apache-2.0"},
    "git tag": {"version_source": "git-tag", "license": "proprietary"},
}
CHECK = ["nox", "-s", "conda"]


def committed(project: Path) -> Path:
    """The project in a git repository with a tag, and Cargo.lock."""
    run(["cargo", "generate-lockfile"], cwd=project)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "start"], ["tag", "v0.1.0"]):
        run(["git", *command], cwd=project)
    return project


def test_recipes_are_valid(render: Render, tmp_path: Path) -> None:
    """By rattler-build's parser, and its rendering for each Python. One environment checks all recipes."""
    need("uv")
    project = committed(render("packed", {"extras": ["conda"]}))
    assert "the recipe is valid" in run(CHECK, cwd=project, CI="").stderr
    python = project / ".nox/conda/bin/python"
    for name, answers in KINDS.items():
        other = render("packed", {"extras": ["conda"], **answers})
        backend = str(answers.get("build_backend", "maturin"))
        run([python, "conda/build.py", backend], cwd=other, VERSION="1.0")
        recipe = yaml.safe_load((other / "conda/recipe.yaml").read_text(encoding="utf-8"))
        assert ("python-abi3" in recipe["requirements"]["host"]) == answers.get("abi3", True), name
        assert all(
            (other / file).exists() for file in recipe["about"]["license_file"] if file != "THIRD-PARTY-LICENSES.yml"
        )

    edit(project / "conda/recipe.yaml", "    - maturin >=1.16,<2\n", "")
    lacks = run([*CHECK, "-R"], cwd=project, check=False, CI="")
    assert lacks.returncode == 1
    assert "the host requirements in conda/recipe.yaml lack maturin: add it" in lacks.stdout + lacks.stderr
    edit(project / "conda/recipe.yaml", "requirements:\n  build", "requirement:\n  build")
    unknown = run([*CHECK, "-R"], cwd=project, check=False, CI="")
    assert unknown.returncode == 1
    assert "unknown top-level field 'requirement'" in unknown.stdout + unknown.stderr


@pytest.mark.system(
    "conda",
    built="the package from the sdist, by rattler-build, with stand-ins for conda-forge's packages",
    ran="the imports and the tests of the package, in new environments",
    unverified="conda-forge's own packages, macOS, Windows: its channel cannot be reached here",
)
def test_a_package_is_built_from_the_sdist(render: Render, tmp_path: Path) -> None:
    need("cargo", "uv")
    if "SLOW" not in os.environ:
        pytest.skip("builds for a minute: set SLOW=1; docs/extras.md has the last result")
    if sys.version_info < (3, 11):
        pytest.skip("the stand-in for maturin has no tomli, which Python 3.10 needs")
    newest = f"3.{min(sys.version_info.minor, 14)}"
    project = committed(render("packed", {"extras": ["conda"], "min_python": newest}))
    run(CHECK, cwd=project, CI="")
    python, channel = project / ".nox/conda/bin/python", tmp_path / "channel"
    run([python, "-m", "ensurepip"], cwd=tmp_path)
    run([python, ROOT / "tests/conda_stand_ins.py", channel, sys.executable], cwd=tmp_path)
    done = run([*CHECK, "-R", "--", channel.as_uri()], cwd=project, CI="")
    assert "sha256 of dist/packed-0.1.0.tar.gz" in done.stdout
    assert "17 passed" in done.stdout

    (package,) = (project / "build/conda/linux-64").glob("packed-0.1.0-*.conda")
    code = "import sys, json, rattler_build as r; p = r.Package.from_file(sys.argv[1]); print(json.dumps([p.noarch, p.files]))"
    noarch, files = json.loads(run([python, "-c", code, package], cwd=tmp_path).stdout)
    assert noarch == "python"
    assert "site-packages/packed/_core.abi3.so" in files

    edit(project / "tests/test_distance.py", '("kitten", "sitting", 3)', '("kitten", "sitting", 4)')
    shutil.rmtree(project / "build")
    failed = run([*CHECK, "-R", "--", channel.as_uri()], cwd=project, check=False, CI="")
    assert failed.returncode == 1
