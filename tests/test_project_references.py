"""References between the files of a project: an update reports those that it broke, and no others."""

from pathlib import Path
from typing import Any

import pytest

from conftest import run
from copier_pyo3.merge.project_references import brought_about
from small import CARGO, FILES, Template, commit, copier_pyo3, plain_update, replace, write

Files = dict[str, Any]
WORKFLOW = ".github/workflows/ci.yml"


def cargo(**tables: Any) -> Files:
    return {"Cargo.toml": {name.replace("_", "-"): table for name, table in tables.items()}}


def told(before: Files, after: Files, names_before: str = "", names_after: str = "") -> dict[str, str]:
    """The broken references, from the data of files and the names of other files."""
    return brought_about(before, {*before, *names_before.split()}, after, {*after, *names_after.split()})


MEMBER = cargo(workspace={"members": ["core", "crates/*"]})
USES = {
    WORKFLOW: {
        "jobs": {"a": {"steps": [{"uses": "./.github/actions/setup"}]}, "b": {"uses": "./.github/workflows/x.yml"}}
    }
}
ACTION, REUSED = ".github/actions/setup/action.yml", ".github/workflows/x.yml"


def pyo3(version: str, numpy: str = "0.30", other: str = "0.30") -> Files:
    return {
        **cargo(dependencies={"pyo3": {"version": version}, "rust-numpy": {"package": "numpy", "version": numpy}}),
        "core/Cargo.toml": {"build-dependencies": {"pyo3-build-config": other}},
    }


@pytest.mark.parametrize(
    ("before", "after", "names_before", "names_after", "says"),
    [
        ({}, MEMBER, "", "core/Cargo.toml", {}),
        ({}, MEMBER, "", "core/lib.rs", {"Cargo.toml": "workspace.members has core, which has no Cargo.toml"}),
        (MEMBER, MEMBER, "core/Cargo.toml", "", {"Cargo.toml": "workspace.members has core, which has no Cargo.toml"}),
        (MEMBER, MEMBER, "", "", {}),
        ({}, cargo(dependencies={"x": {"path": "x"}}), "", "", {"Cargo.toml": "dependencies.x has the path x, which has no Cargo.toml"}),
        ({}, cargo(dependencies={"x": {"path": "../x"}}), "", "", {}),
        ({}, USES, "", f"{ACTION} {REUSED}", {}),
        (USES, USES, f"{ACTION} {REUSED}", REUSED, {WORKFLOW: "uses ./.github/actions/setup, which does not exist"}),
        (USES, USES, f"{ACTION} {REUSED}", ACTION, {WORKFLOW: "uses ./.github/workflows/x.yml, which does not exist"}),
        (USES, USES, REUSED, REUSED, {}),
        (pyo3("0.30"), pyo3("0.30.1"), "", "", {}),
        (pyo3("0.30"), pyo3("0.31", numpy="0.31", other="0.31.2"), "", "", {}),
        (pyo3("0.30"), pyo3("0.31", numpy="0.31"), "", "",
         {"core/Cargo.toml": "build-dependencies.pyo3-build-config is still 0.30, which does not match pyo3 0.31"}),
        (pyo3("0.30"), pyo3("0.31", other="0.31"), "", "",
         {"Cargo.toml": "dependencies.numpy is still 0.30, which does not match pyo3 0.31"}),
        (pyo3("0.30", numpy="0.29"), pyo3("0.31", numpy="0.29", other="0.31"), "", "", {}),
    ],
)  # fmt: skip
def test_what_the_update_brought_about(
    before: Files, after: Files, names_before: str, names_after: str, says: dict[str, str]
) -> None:
    assert told(before, after, names_before, names_after) == says


@pytest.mark.parametrize("data", [None, [], "text", {"workspace": 1, "dependencies": [1], "target": "x", "jobs": [[]]}])
def test_data_of_any_shape_is_read(data: Any) -> None:
    assert told({}, {"Cargo.toml": data, WORKFLOW: data}) == {}


# --- with both commands --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The new version raises PyO3, and deletes an action and a crate."""
    made = Template(tmp_path_factory.mktemp("references") / "template")
    action = {".github/actions/setup/action.yml": "name: Set up\n", "core/Cargo.toml": '[package]\nname = "core"\n'}
    made.release("v1.0.0", action)
    made.release("v1.1.0", {CARGO: FILES[CARGO].replace('"0.30"', '"0.31"')})
    return made


@pytest.mark.parametrize("plain", [True, False], ids=["copier update", "copier-pyo3 update"])
def test_it_is_told_and_left(
    releases: Template, tmp_path: Path, plain: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    project = releases.make(tmp_path / "sample")
    replace(project / CARGO, "[profile.release]", '[workspace]\nmembers = ["core", "gone"]\n\n[profile.release]')
    write(project / "mine/Cargo.toml", '[build-dependencies]\npyo3-build-config = "0.30"\n')
    write(
        project / WORKFLOW,
        "jobs:\n  a:\n    steps:\n      - uses: ./.github/actions/setup\n      - uses: ./.github/actions/never\n",
    )
    commit(project)
    if plain:
        plain_update(project, "v1.1.0")
        said = capfd.readouterr().err
    else:
        done = copier_pyo3("update", project, "--vcs-ref", "v1.1.0")
        assert done.returncode == 1, done.stdout + done.stderr
        said = done.stdout
    assert f"{WORKFLOW}: " in said
    assert "uses ./.github/actions/setup, which does not exist" in said
    assert "workspace.members has core, which has no Cargo.toml" in said
    assert "mine/Cargo.toml: " in said
    assert "build-dependencies.pyo3-build-config is still 0.30, which does not match pyo3 0.31" in said
    assert "never" not in said
    assert "gone" not in said
    assert not run(["git", "ls-files", "--unmerged"], cwd=project).stdout
