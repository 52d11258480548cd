"""Migrations run from every older answers file, and the one to PyO3 0.30 makes old code compile."""

import shutil
import sys
from pathlib import Path
from textwrap import dedent

import copier
import pytest
import yaml
from packaging.version import Version

from conftest import ROOT, run
from copier_pyo3 import migrations
from copier_pyo3.migrations import pyo3_0_30

RELEASES = sorted((ROOT / "tests" / "releases").glob("*.yml"))
# Compiles with PyO3 0.29 (with a warning about the class), and not with 0.30.
OLD_CODE = """
use pyo3::prelude::*;

/// Given back by value.
#[derive(Clone)]
#[pyclass]
pub struct Point {
    x: f64,
}

/// Never taken by value.
#[pyclass(skip_from_py_object, frozen)]
#[derive(Clone)]
pub struct Fixed;

#[pyfunction]
pub fn x_of(point: Point) -> f64 {
    point.x
}

pub fn names(py: Python<'_>) -> PyResult<Bound<'_, pyo3::types::PyFrozenSet>> {
    let mut builder = pyo3::types::PyFrozenSetBuilder::new(py)?;
    builder.add("x")?;
    Ok(builder.finalize())
}
"""


def test_every_release_has_its_answers_file() -> None:
    """This ensures that the tests cover every migration that a project needs."""
    versions = {Version(path.stem) for path in RELEASES}
    assert versions
    assert all(any(old < Version(migration.VERSION) for old in versions) for migration in migrations.every())


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_every_migration_runs_from_every_older_answers_file(template: Path, tmp_path: Path, release: Path) -> None:
    repository, project = tmp_path / "template", tmp_path / "sample"
    shutil.copytree(template, repository)
    run(["git", "init", "--quiet"], cwd=repository)
    versions = repository / "versions.yml"
    now = versions.read_text("utf-8")
    versions.write_text(now.replace('"0.30.1"', '"0.29.3"'), encoding="utf-8")
    _commit(repository, release.stem)
    versions.write_text(now, encoding="utf-8")
    newest = f"v{max(Version(migration.VERSION) for migration in migrations.every())}"
    _commit(repository, newest)

    answers = yaml.safe_load(release.read_text("utf-8"))
    data = {name: value for name, value in answers.items() if not name.startswith("_")}
    copier.run_copy(str(repository), project, data=data, vcs_ref=release.stem, defaults=True, quiet=True, unsafe=True)
    with (project / "src/lib.rs").open("a", encoding="utf-8") as lib:
        lib.write("\npub mod ours;\n")
    (project / "src/ours.rs").write_text(OLD_CODE, encoding="utf-8")
    run(["git", "init", "--quiet"], cwd=project)
    _commit(project)

    done = run([sys.executable, "-m", "copier_pyo3.cli", "update", project], cwd=ROOT)
    assert f"Updated from {release.stem} to {newest}" in done.stdout
    assert "src/ours.rs: migrated to PyO3 0.30" in done.stdout
    run(["cargo", "check", "--quiet"], cwd=project, PYO3_PYTHON=sys.executable)
    assert "src/ours.rs: skip_from_py_object is now the default" in done.stdout
    code = (project / "src/ours.rs").read_text("utf-8")
    migrations.after(project, release.stem, newest)
    assert (project / "src/ours.rs").read_text("utf-8") == code, "a second run changes nothing"


def _commit(repository: Path, tag: str = "") -> None:
    run(["git", "add", "--all"], cwd=repository)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", "change"], cwd=repository)
    if tag:
        run(["git", "tag", tag], cwd=repository)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("#[pyclass]\n#[derive(Clone)]\nstruct A;\n", "#[pyclass(from_py_object)]\n#[derive(Clone)]\nstruct A;\n"),
        (
            '#[derive(Debug, Clone)]\n#[pyclass(module = "m")]\npub struct A;\n',
            '#[derive(Debug, Clone)]\n#[pyclass(from_py_object, module = "m")]\npub struct A;\n',
        ),
        ("#[pyclass(skip_from_py_object)]\nstruct A;\n", "#[pyclass]\nstruct A;\n"),
        ("#[pyclass(frozen, skip_from_py_object)]\nenum A {}\n", "#[pyclass(frozen)]\nenum A {}\n"),
        ("#[pyclass(skip_from_py_object)]\n#[derive(Clone)]\nstruct A;\n", None),
        ("#[pyclass(from_py_object)]\n#[derive(Clone)]\nstruct A;\n", None),
        ("#[pyclass]\nstruct A;\n\n#[derive(Clone)]\nstruct B;\n", None),
        ("use pyo3::types::PyMutex;\n", "use pyo3::sync::PyMutex;\n"),
        ("let x: pyo3::types::PyMutexGuard<'_, A>;\n", "let x: pyo3::sync::PyMutexGuard<'_, A>;\n"),
        ("use pyo3::types::PyMutexes;\n", None),
        (
            "#[pyo3::pyclass]\n#[derive(\n    Debug,\n    Clone,\n)]\nstruct A;\n",
            "#[pyo3::pyclass(from_py_object)]\n#[derive(\n    Debug,\n    Clone,\n)]\nstruct A;\n",
        ),
        (
            '#[pyclass(name = "J",\n    frozen)]\n#[derive(Clone)] pub struct A;\n',
            '#[pyclass(from_py_object, name = "J",\n    frozen)]\n#[derive(Clone)] pub struct A;\n',
        ),
        ("#[pyclass()]\n#[derive(Clone)]\nstruct A;\n", "#[pyclass(from_py_object)]\n#[derive(Clone)]\nstruct A;\n"),
        ("// #[pyclass]\n#[derive(Clone)]\nstruct A;\n", None),
        ("// #[derive(Clone)]\n#[pyclass]\nstruct A;\n", None),
    ],
)
def test_rust_is_rewritten_where_it_means_the_same(old: str, new: str | None) -> None:
    assert pyo3_0_30.rewritten(old) == (old if new is None else new)
    assert pyo3_0_30.rewritten(new or old) == (new or old)


def test_what_needs_thought_is_told(tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    (tmp_path / "Cargo.toml").write_text('[dependencies]\npyo3 = "0.30"\n', encoding="utf-8")
    code = "use pyo3::types::{PyDict, PyMutex};\nfn f(b: PyBuffer<u8>) { b.as_slice(py); }\n"
    (tmp_path / "lib.rs").write_text(code, encoding="utf-8")
    told = pyo3_0_30.files(tmp_path)
    assert (tmp_path / "lib.rs").read_text("utf-8") == code
    assert [line.split(":")[0] for line in told] == ["lib.rs", "lib.rs"]
    assert "pyo3::sync" in told[1]
    (tmp_path / "lib.rs").write_text("#[cfg_attr(py, pyo3::pyclass)]\n#[derive(Clone)]\nstruct A;\n", encoding="utf-8")
    assert "#[pyclass] in cfg_attr" in pyo3_0_30.files(tmp_path)[0]
    (tmp_path / "Cargo.toml").write_text('[dependencies]\npyo3 = "=0.29.3"\n', encoding="utf-8")
    assert pyo3_0_30.files(tmp_path) == [], "a project that keeps the older PyO3 keeps its code"


def test_code_that_is_not_the_projects_is_left_alone(tmp_path: Path) -> None:
    """Files that git ignores, a nested repository, and crates copied by cargo vendor."""
    run(["git", "init", "--quiet"], cwd=tmp_path)
    (tmp_path / "Cargo.toml").write_text('[dependencies]\npyo3 = "0.30"\n', encoding="utf-8")
    (tmp_path / ".gitignore").write_text("/ignored/\n", encoding="utf-8")
    for folder in ("ignored", "nested", "vendor/dep/src", "src"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "lib.rs").write_text("use pyo3::types::PyMutex;\n", encoding="utf-8")
    run(["git", "init", "--quiet"], cwd=tmp_path / "nested")
    (tmp_path / "vendor/dep/.cargo-checksum.json").write_text("{}", encoding="utf-8")
    assert [line.split(":")[0] for line in pyo3_0_30.files(tmp_path)] == ["src/lib.rs"]


def test_answers_are_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No migration renames a question yet, so the test adds one."""

    class Renamed:
        VERSION = "2.0"
        __name__ = "renamed"

        @staticmethod
        def answers(answers: dict[str, object]) -> dict[str, object]:
            return {("oldest_python" if name == "min_python" else name): value for name, value in answers.items()}

    monkeypatch.setattr(migrations, "every", lambda: [Renamed])
    path = tmp_path / ".copier-answers.yml"
    path.write_text(
        dedent("""\
        # Written by Copier.
        _commit: v1.0
        min_python: '3.10'
        """)
    )
    for old, new, name in (
        ("v2.0", "v3.0", "min_python"),
        ("v1.0", "v1.9", "min_python"),
        ("v1.0-3-gabcdef", "v2.0", "oldest_python"),
    ):
        migrations.before(tmp_path, path.name, old, new)
        assert yaml.safe_load(path.read_text("utf-8")) == {"_commit": "v1.0", name: "3.10"}
    assert path.read_text("utf-8").startswith("# Written by Copier.\n")
