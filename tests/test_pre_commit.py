"""pre-commit passes on a fresh project of each kind, in the environments that it creates for the hooks.

GitHub is not always reachable, so git uses repositories on this machine. They have the same hooks as those on GitHub, and
install the same tools from PyPI, in the versions that the project specifies.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import BUILD, Render, run

# For each repository: the package that it installs, and the used hooks in its .pre-commit-hooks.yaml.
PYTHON = {"types_or": ["python", "pyi"], "require_serial": True}
TEXT = {"types": ["text"]}
UPSTREAM: Mapping[str, tuple[str, Mapping[str, Mapping[str, Any]]]] = {
    "pre-commit/pre-commit-hooks": (
        "pre-commit-hooks",
        {
            "check-added-large-files": {},
            "check-case-conflict": {},
            "check-merge-conflict": TEXT,
            "check-toml": {"types": ["toml"]},
            "check-yaml": {"types": ["yaml"]},
            "end-of-file-fixer": TEXT,
            "trailing-whitespace": {"entry": "trailing-whitespace-fixer", **TEXT},
        },
    ),
    "astral-sh/ruff-pre-commit": (
        "ruff",
        {
            "ruff-check": {"entry": "ruff check --force-exclude", **PYTHON},
            "ruff-format": {"entry": "ruff format --force-exclude", **PYTHON},
        },
    ),
    "pre-commit/mirrors-mypy": (
        "mypy",
        {"mypy": {**PYTHON, "args": ["--ignore-missing-imports", "--scripts-are-modules"]}},
    ),
    "codespell-project/codespell": ("codespell", {"codespell": TEXT}),
}


def hooks(folder: Path, config: Path) -> dict[str, str]:
    """Create the repositories with the tags in the project's configuration. Returns the environment variables."""
    settings: dict[str, str] = {}
    for used in yaml.safe_load(config.read_text(encoding="utf-8"))["repos"]:
        if used["repo"] == "local":
            continue
        name, tag = used["repo"].removeprefix("https://github.com/"), used["rev"]
        package, known = UPSTREAM[name]
        place = folder / name / tag
        manifest = [
            {"id": hook, "name": hook, "entry": hook, "language": "python", **more} for hook, more in known.items()
        ]
        if not (place / ".git").exists():
            place.mkdir(parents=True)
            (place / ".pre-commit-hooks.yaml").write_text(json.dumps(manifest), encoding="utf-8")
            setup = f"from setuptools import setup\nsetup(name='hook', install_requires=['{package}=={tag[1:]}'])\n"
            (place / "setup.py").write_text(setup, encoding="utf-8")
            for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=hooks"], ["tag", tag]):
                run(["git", *command], cwd=place)
        settings |= {f"url.{place.as_uri()}.insteadOf": used["repo"]}
    environment = {"PRE_COMMIT_HOME": str(folder / "home"), "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def commit(project: Path) -> None:
    """The project of a user before the first run."""
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=Start"]):
        run(["git", *command], cwd=project)


@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
@pytest.mark.parametrize("kind", ["mixed", "extension"])
def test_pre_commit_passes(render: Render, kind: str, backend: str) -> None:
    """Run all hooks on all files. The checked files import numpy."""
    features = ["numpy"] if kind == "mixed" else []
    project = render("my-hooks", {"kind": kind, "build_backend": backend, "features": features})
    commit(project)
    environment = hooks(BUILD / "pre-commit", project / ".pre-commit-config.yaml")
    said = run(["pre-commit", "run", "--all-files"], cwd=project, check=True, **environment).stdout
    assert len(re.findall(r"\.Passed$", said, re.MULTILINE)) == 13, said
    assert run(["git", "status", "--porcelain"], cwd=project).stdout in ("", "?? Cargo.lock\n")


def test_pre_commit_finds_a_dependency_that_it_was_not_told(render: Render) -> None:
    """The message has its name."""
    project = render("my-hooks", {"features": ["numpy"]})
    config = project / ".pre-commit-config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(", numpy]", "]"), encoding="utf-8")
    commit(project)
    environment = hooks(BUILD / "pre-commit", config)
    done = run(["pre-commit", "run", "mypy", "--all-files"], cwd=project, check=False, **environment)
    assert done.returncode == 1
    assert 'module named "numpy"' in done.stdout
