"""Stubs come from the Rust code: those of the template without drift, edits kept, errors found; types are found by checkers."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import pairs
from conftest import Render, run, tell


def stub(project: Path) -> Path:
    """The file that `nox -s stubs` writes."""
    text = (project / "noxfile.py").read_text(encoding="utf-8")
    found = re.search(r'^STUB = Path\("(.+)"\)', text, re.MULTILINE)
    assert found
    return project / found[1]


def nox(project: Path, session: str, check: bool = True) -> str:
    """Run a session of the project; what it says."""
    done = run(["nox", "--session", session], cwd=project, check=check)
    return done.stdout + done.stderr


def rust(project: Path, module: str) -> str:
    """The Rust code, without what has no effect on a stub."""
    sources = sorted((project / "src").glob("*.rs"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return re.sub(r'gil_used = \w+|name = "\w+"', "", text.replace(module, "module"))


def test_stubs_without_drift(render: Render) -> None:
    """For every case: one build for those with the same Rust code, and by preference the same PyO3."""
    groups: dict[str, list[Path]] = {}
    for name, answers in sorted(pairs.cases().items(), key=lambda case: len(case[1])):
        project = render(name, answers)
        groups.setdefault(rust(project, name.replace("-", "_")), []).append(project)
    tell(f"stubs: {sum(map(len, groups.values()))} cases, {len(groups)} builds")
    for projects in groups.values():
        manifest = projects[0] / "Cargo.toml"
        same = re.sub(r'abi3-py3\d+', "abi3-py310", manifest.read_text(encoding="utf-8"))
        manifest.write_text(same, encoding="utf-8")
        before = stub(projects[0]).read_text(encoding="utf-8")
        nox(projects[0], "stubs")
        assert stub(projects[0]).read_text(encoding="utf-8") == before
        for project in projects:
            assert stub(project).read_text(encoding="utf-8") == before, project
