"""Stubs match the Rust code, edits by hand are kept, errors are found, and type checkers find the types."""

import re
from pathlib import Path

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
    """Run a session of the project. Returns the output."""
    done = run(["nox", "--error-on-missing-interpreters", "--session", session], cwd=project, check=check)
    return done.stdout + done.stderr


def rust(project: Path, module: str) -> str:
    """The parts of the Rust code that affect the stub."""
    sources = sorted((project / "src").glob("*.rs"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return re.sub(r'gil_used = \w+|name = "\w+"', "", text.replace(module, "module"))


def test_stubs_without_drift(render: Render) -> None:
    """Check every case, with one build for all that have the same Rust code, and the same PyO3 if possible."""
    groups: dict[str, list[Path]] = {}
    for name, answers in sorted(pairs.cases().items(), key=lambda case: len(case[1])):
        project = render(name, answers)
        groups.setdefault(rust(project, name.replace("-", "_")), []).append(project)
    tell(f"stubs: {sum(map(len, groups.values()))} cases, {len(groups)} builds")
    for projects in groups.values():
        manifest = projects[0] / "Cargo.toml"
        same = re.sub(r"abi3-py3\d+", "abi3-py310", manifest.read_text(encoding="utf-8"))
        manifest.write_text(same, encoding="utf-8")
        before = stub(projects[0]).read_text(encoding="utf-8")
        nox(projects[0], "stubs")
        assert stub(projects[0]).read_text(encoding="utf-8") == before
        for project in projects:
            assert stub(project).read_text(encoding="utf-8") == before, project


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_typing_finds_drift_and_edits_by_hand_stay(render: Render) -> None:
    """Change names, signatures, and types: in Rust, in the stub, and in both for definitions marked `# by hand`."""
    project = render("my-drift", {"sample": "minimal"})
    lib, types = project / "src" / "lib.rs", stub(project)
    written = types.read_text(encoding="utf-8")
    edit(lib, "fn distance(py: Python<'_>, first: Cow<'_, str>", "fn distance(py: Python<'_>, one: Cow<'_, str>")
    edit(lib, "distance(&first", "distance(&one")
    edit(types, "-> int:", "-> float:")  # stubtest accepts it, because a native function has no annotations
    said = nox(project, "typing", check=False)
    assert "-def distance(first: str, second: str) -> float:" in said
    assert "+def distance(one: str, second: str) -> int:" in said
    assert "is not what the Rust code says: run `nox -s stubs`" in said
    nox(project, "stubs")
    assert types.read_text(encoding="utf-8") == written.replace("first: str", "one: str")
    edit(types, "from typing import Final\n", "from typing import Final, Literal\n")
    edit(types, "-> int:", "-> Literal[0, 1, 2]:  # by hand")
    by_hand = types.read_text(encoding="utf-8")
    nox(project, "stubs")
    assert types.read_text(encoding="utf-8") == by_hand


@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
@pytest.mark.parametrize("kind", ["mixed", "extension"])
def test_types_are_found_in_editable_installs(render: Render, tmp_path: Path, kind: str, backend: str) -> None:
    """mypy and pyright find them, in the project and in other folders."""
    project = render(f"my-types-{backend}-{kind}", {"kind": kind, "build_backend": backend, "sample": "minimal"})
    run(["uv", "sync", "--quiet"], cwd=project)
    python = project / ".venv/bin/python"
    module = project.name.replace("-", "_")
    (tmp_path / "user.py").write_text(
        f"import {module}\n\nwrong: str = {module}.distance('a', 'b')\n", encoding="utf-8"
    )
    run([python, "-m", "mypy"], cwd=project)
    run(["pyright", "--pythonpath", python, "tests"], cwd=project)
    for checker in (["mypy", "--strict", "--python-executable", python], ["pyright", "--pythonpath", python]):
        done = run([*checker, "user.py"], cwd=tmp_path, check=False)
        assert done.returncode == 1
        assert re.search(r'has type "int"|"int" is not assignable to "str"', done.stdout), done.stdout
        assert "1 error" in done.stdout
