"""Third-party checkers report no problems for the default project and one project of each kind and backend."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import BUILD, Render, environment, interpreters, run, tell, wheel

CASES: Mapping[str, Mapping[str, Any]] = {
    "judged": {},
    "judged-setuptools": {"build_backend": "setuptools-rust"},
    "judged-extension": {"kind": "extension", "publish_to": "none"},
    "judged-extension-setuptools": {"kind": "extension", "build_backend": "setuptools-rust"},
    "judged-application": {"kind": "application"},
    "judged-everything": {"profiling": True, "free_threading": True, "features": ["async", "numpy", "parallel"]},
}


@pytest.fixture(scope="module", params=CASES)
def project(request: pytest.FixtureRequest, render: Render) -> Path:
    """The project after its first commit."""
    folder = render(request.param, CASES[request.param])
    run(["cargo", "generate-lockfile"], cwd=folder)
    run(["git", "init", "--quiet"], cwd=folder)
    run(["git", "add", "--all"], cwd=folder)
    run(["git", "commit", "--quiet", "--message", "Start"], cwd=folder)
    return folder


@pytest.fixture(scope="module")
def distributions(project: Path) -> list[Path]:
    """The wheel, built with the newest Python on this machine, and the sdist."""
    newest = max(interpreters())
    run([environment(newest), "-m", "pip", "install", "--quiet", "build"], cwd=project)
    run([environment(newest), "-m", "build", "--sdist", "--no-isolation", "--outdir", "dist", "."], cwd=project)
    return [wheel(project, newest), *(project / "dist").glob("*.tar.gz")]


@pytest.fixture(scope="module")
def installed(project: Path, distributions: list[Path]) -> Path:
    """The interpreter of an environment with the wheel and the project's typing group."""
    folder = BUILD / "judges" / project.name
    python = folder / "bin" / "python"
    run([interpreters()[max(interpreters())], "-m", "venv", "--clear", folder], cwd=project)
    pip = [python, "-m", "pip", "install", "--quiet"]
    run([*pip, "--upgrade", "pip"], cwd=project)
    run([*pip, "--group", "typing", distributions[0]], cwd=project)
    return python


def test_sp_repo_review(project: Path) -> None:
    done = run(["repo-review", "--format", "json", "."], cwd=project, check=False)
    checks = json.loads(done.stdout)["checks"]
    failed = {name: check["err_msg"] for name, check in checks.items() if check["result"] is False}
    assert len(checks) > 40
    ignored = [name for name, check in checks.items() if check["skip_reason"]]
    tell(f"{_module(project)}: sp-repo-review {len(checks)} checks, {len(failed)} failed, ignored {ignored}")
    assert failed == {}
    for name, check in checks.items():
        assert not check["skip_reason"] or len(check["skip_reason"]) > 15, f"{name} is ignored without a reason"


def test_metadata(project: Path, distributions: list[Path]) -> None:
    run(["validate-pyproject", "pyproject.toml"], cwd=project)
    run(["twine", "check", "--strict", *distributions], cwd=project)
    run(["check-wheel-contents", distributions[0]], cwd=project)
    done = run(["pyroma", "."], cwd=project)
    assert "Final rating: 10/10" in done.stdout + done.stderr


def test_python_style_and_types(project: Path, installed: Path) -> None:
    run(["ruff", "check", "--no-cache", "."], cwd=project)
    run(["ruff", "format", "--no-cache", "--check", "."], cwd=project)
    run(["codespell", "README.md", "CHANGELOG.md", "src", "tests", "examples"], cwd=project)
    run([installed, "-m", "mypy", "--strict"], cwd=project)
    module = _module(project)
    run([installed, "-m", "mypy.stubtest", module], cwd=project.parent)


def _module(project: Path) -> str:
    return next(
        line.partition('"')[2].rstrip('"')
        for line in (project / "noxfile.py").read_text(encoding="utf-8").splitlines()
        if line.startswith("MODULE = ")
    )


def test_rust(project: Path) -> None:
    run(["cargo", "fmt", "--all", "--check"], cwd=project)
    run(["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], cwd=project)
    done = run(["cargo", "test", "--workspace", "--locked"], cwd=project)
    assert "3 passed" in done.stdout


def test_nox_runs_all_of_it(render: Render) -> None:
    """`nox` without arguments; nox skips Pythons that are missing on this machine."""
    project = render("judged", {})
    # Settings of users that must not reach the sessions: https://github.com/PyO3/pyo3/issues/4841
    done = run(
        ["nox", "--default-venv-backend", "venv", "--no-error-on-missing-interpreters"],
        cwd=project,
        PYO3_PYTHON="/nonexistent/python",
        PYO3_CONFIG_FILE="/nonexistent/config",
        PIP_USER="1",
    )
    said = done.stdout + done.stderr
    assert "* lint: success" in said
    assert "* typing: success" in said
    assert "* test-3." in said
