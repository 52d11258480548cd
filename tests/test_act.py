"""Runs the generated workflows with act: valid projects pass, and each check fails if it must.

nox, cargo, maturin with zig, uv, pytest, abi3audit, and zizmor are real. Stand-ins replace the actions that need the network
(tests/actions/), GitHub's command-line tool, and cibuildwheel, which needs Docker.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from ship import ACTIONS, Run, act, commit, drop_missing_pythons, edit, need_act, only, render, run

NATIVE = {"platforms": ["linux-x86_64"], "project_name": "acted"}
BUILDERS = {
    "maturin": {},
    "cibuildwheel": {"build_backend": "setuptools-rust"},
    "maturin by cibuildwheel": {"wheel_builder": "cibuildwheel"},
}
WHEEL = {
    "maturin": "acted-0.1.0-cp310-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    "cibuildwheel": "acted-0.1.0-cp310-abi3-manylinux_2_28_x86_64.whl",
}
GATE = "CI passed"
PLAN = "Check the tag, version, changelog, and lock file"
PUBLISH = "Publish to PyPI"
GITHUB = "Release on GitHub"


def make(folder: Path, **answers: object) -> Path:
    need_act()
    project = render(folder, **{**NATIVE, **answers})
    drop_missing_pythons(project)
    if "cibuildwheel==" in (project / "pyproject.toml").read_text(encoding="utf-8"):
        pyproject = project / "pyproject.toml"
        text = pyproject.read_text(encoding="utf-8")
        start = text.index("cibuildwheel==")
        end = text.index('"', start)
        stand_in = f"cibuildwheel @ {(ACTIONS / 'cibuildwheel').as_uri()}"
        pyproject.write_text(text[:start] + stand_in + text[end:], encoding="utf-8")
    commit(project, "test: what this machine has")
    return project


@pytest.fixture(params=["maturin", "cibuildwheel"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project for each wheel builder."""
    return make(tmp_path / "project", **BUILDERS[request.param])


def release(project: Path, version: str) -> None:
    run(project, "nox", "--session", "release", "--", version)
    run(project, "git", "tag", f"v{version}")


def test_a_push_passes(project: Path, tmp_path: Path) -> None:
    ran = act(project, "ci.yml", tmp_path / "run")
    assert ran.succeeded, ran.log
    assert GATE in ran.jobs
    assert len(ran.jobs) >= 7


def a_failing_test(project: Path) -> None:
    (project / "tests/test_new.py").write_text("def test_new() -> None:\n    assert 1 == 2\n", encoding="utf-8")


def a_clippy_warning(project: Path) -> None:
    with (project / "src/distance.rs").open("a", encoding="utf-8") as file:
        file.write("\n/// Whether it is.\npub fn is_so(so: bool) -> bool {\n    so == true\n}\n")


def a_stale_lock(project: Path) -> None:
    edit(project / "Cargo.toml", 'version = "0.1.0"', 'version = "0.1.1"')


def a_weak_workflow(project: Path) -> None:
    edit(project / ".github/workflows/ci.yml", "persist-credentials: false", "persist-credentials: true")


@pytest.mark.parametrize(
    ("harm", "session", "failing", "builder"),
    [
        (a_failing_test, "test", ("Test on Python",), "cibuildwheel"),
        (a_clippy_warning, "lint", ("Format and clippy",), "maturin"),
        (a_stale_lock, "sdist", ("Build the sdist", "Crate licenses"), "cibuildwheel"),
        (a_weak_workflow, "none", ("Workflow security",), "maturin"),
    ],
)
def test_a_push_that_must_fail_fails_the_gate(
    harm: Callable[[Path], None], session: str, failing: tuple[str, ...], builder: str, tmp_path: Path
) -> None:
    project = make(tmp_path / "project", **BUILDERS[builder])
    harm(project)
    only(project / ".github/workflows/ci.yml", session)  # test_a_push_passes has all
    commit(project, "feat: harm")
    ran = act(project, "ci.yml", tmp_path / "run")
    failed = {name for name in ran.jobs if ran.failed(name)}
    assert any(name.startswith(failing[0]) for name in failed), ran.log
    assert {name for name in failed if not name.startswith(failing)} == {GATE}, ran.log
    assert len(ran.jobs) >= 7


@pytest.mark.system(
    "GitHub Actions",
    built="sdist and wheel by release.yml, with both builders and both build backends",
    ran="the workflows, with act and stand-ins for actions; releases that must fail do",
    unverified="GitHub itself, macOS, Windows",
)
@pytest.mark.parametrize("builder", BUILDERS)
def test_a_tag_is_released(builder: str, tmp_path: Path) -> None:
    project = make(tmp_path / "project", **BUILDERS[builder])
    release(project, "0.1.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.1.0")
    assert ran.succeeded, ran.log
    files = [WHEEL["maturin" if builder == "maturin" else "cibuildwheel"], "acted-0.1.0.tar.gz"]
    published, _, announced = ran.notes.partition("gh release create ")
    assert published.split("\n") == ["publish to PyPI", *files, ""]
    assert announced.startswith(f"v0.1.0 {' '.join(f'dist/{name}' for name in files)} --verify-tag")
    assert "- First version." in announced
    assert announced.rstrip().endswith("--prerelease=false")


@pytest.mark.parametrize("builder", ["maturin", "cibuildwheel"])
def test_the_version_comes_from_the_tag_and_a_prerelease_is_marked(builder: str, tmp_path: Path) -> None:
    project = make(tmp_path / "project", version_source="git-tag", **BUILDERS[builder])
    release(project, "1.0.0-rc.1")
    ran = act(project, "release.yml", tmp_path / "run", tag="v1.0.0-rc.1")
    assert ran.succeeded, ran.log
    assert "\nacted-1.0.0rc1.tar.gz\n" in ran.notes
    assert ran.notes.rstrip().endswith("--prerelease=true")


def nothing_is_published(ran: Run) -> bool:
    return ran.notes == "" and not ran.jobs.get(PUBLISH) and GITHUB not in ran.jobs


def test_a_tag_that_is_not_the_version(project: Path, tmp_path: Path) -> None:
    release(project, "0.1.0")
    run(project, "git", "tag", "--force", "v0.2.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.2.0")
    assert ran.failed(PLAN), ran.log
    assert "the tag v0.2.0 does not match the version 0.1.0" in ran.log
    assert nothing_is_published(ran)


def test_a_missing_changelog_section(project: Path, tmp_path: Path) -> None:
    run(project, "git", "tag", "v0.1.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.1.0")
    assert ran.failed(PLAN), ran.log
    assert "CHANGELOG.md has no section [0.1.0]" in ran.log
    assert nothing_is_published(ran)


def test_a_stale_lock(project: Path, tmp_path: Path) -> None:
    release(project, "0.1.0")
    edit(project / "Cargo.lock", 'name = "acted"\nversion = "0.1.0"', 'name = "acted"\nversion = "0.0.9"')
    commit(project, "fix: harm")
    run(project, "git", "tag", "--force", "v0.1.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.1.0")
    assert ran.failed(PLAN), ran.log
    assert "Cargo.lock is not up to date" in ran.log
    assert nothing_is_published(ran)


def test_a_license_that_is_not_allowed(tmp_path: Path) -> None:
    project = make(tmp_path / "project")
    edit(project / "deny.toml", '  "Apache-2.0",\n', "")
    edit(project / "deny.toml", '  "MIT",\n', "")
    commit(project, "build: harm")
    release(project, "0.1.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.1.0")
    assert ran.failed(PLAN), ran.log
    assert "license is not explicitly allowed" in ran.log
    assert nothing_is_published(ran)


def test_a_failing_test_keeps_the_wheel_back(project: Path, tmp_path: Path) -> None:
    a_failing_test(project)
    commit(project, "feat: harm")
    release(project, "0.1.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.1.0")
    assert ran.failed("Wheels for linux-x86_64"), ran.log
    assert nothing_is_published(ran)


@pytest.mark.parametrize(("harm", "builder"), [("lose", "maturin"), ("rename", "cibuildwheel")])
def test_a_wheel_that_is_missing_or_has_a_wrong_tag(harm: str, builder: str, tmp_path: Path) -> None:
    """The build does not notice it, but the publishing job checks the list of files."""
    project = make(tmp_path / "project", **BUILDERS[builder])
    release(project, "0.1.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.1.0", HARM=harm)
    assert ran.jobs["Wheels for linux-x86_64"], ran.log
    assert ran.failed(PUBLISH), ran.log
    assert nothing_is_published(ran)


def test_a_build_that_makes_another_wheel_than_expected(tmp_path: Path) -> None:
    project = make(tmp_path / "project")
    edit(project / ".github/workflows/release.yml", "--compatibility manylinux_2_17", "--compatibility manylinux_2_28")
    commit(project, "feat: harm")
    release(project, "0.1.0")
    ran = act(project, "release.yml", tmp_path / "run", tag="v0.1.0")
    assert ran.failed("Wheels for linux-x86_64"), ran.log
    assert "the build did not create acted-0.1.0-cp310-abi3-manylinux2014" in ran.log
    assert nothing_is_published(ran)
