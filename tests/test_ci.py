"""The question `ci`: the files of each choice, and the pipeline of GitLab, which must pass or fail.

gitlab-ci-local runs the pipeline without Docker. nox, cargo, maturin, zig, uv, and pytest are real; stand-ins (tests/actions/gitlab)
replace uploads, signatures, and GitLab's command line.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from copier.errors import CopierError

import workflow_cases
from conftest import Render
from copier_pyo3.migrations import ci as migration
from ship import commit, drop_missing_pythons, edit, gitlab, load_yaml, need, need_gitlab, only, run
from ship import render as rendered
from test_render import check_style

ON_GITLAB = {"repository_url": "https://gitlab.com/ada/tools/sample"}
WHEEL = "acted-0.1.0-cp310-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
EVERY = [*workflow_cases.LINUX, *workflow_cases.OTHERS, "pyodide"]
# Together they have each branch of the templates.
PIPELINES: dict[str, dict[str, Any]] = {
    "default": {},
    "self-managed": {"repository_url": "git@gitlab.example.org:ada/sample.git", "free_threading": True},
    "every": {"platforms": EVERY, "publish_to": "private", "version_source": "git-tag"},
    "cibuildwheel": {"build_backend": "setuptools-rust", "publish_to": "none", "abi3": False, "min_python": "3.14"},
    "index": {
        "publish_to": "private",
        "index_url": "https://packages.example.org/python",
        "extras": ["docker", "docs"],
    },
}


def files(project: Path) -> set[str]:
    return {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}


@pytest.mark.render
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://gitlab.com/ada/x", "gitlab"),
        ("https://gitlab.com/ada/tools/x.git", "gitlab"),
        ("git@gitlab.example.org:ada/x.git", "gitlab"),
        ("https://git.GitLab-corp.example:8443/ada/x", "gitlab"),
        ("https://github.com/gitlab/x", "github"),
        ("git@github.com:ada/gitlab.git", "github"),
        ("https://codeberg.org/ada/x", "github"),
    ],
)
def test_the_address_of_the_repository_sets_the_default(render: Render, address: str, expected: str) -> None:
    project = render("addressed", {"repository_url": address})
    assert load_yaml(project / ".copier-answers.yml")["ci"] == expected
    assert (project / ".gitlab-ci.yml").exists() == (expected == "gitlab")
    assert (project / ".github").exists() == (expected == "github")


@pytest.mark.render
@pytest.mark.parametrize("publish_to", ["pypi", "private", "none"])
@pytest.mark.parametrize("ci", ["gitlab", "none"])
def test_nothing_of_another_ci_is_left(render: Render, ci: str, publish_to: str) -> None:
    """With all platforms, and renovate.json."""
    index = {"index_url": "https://packages.example.org/python"} if publish_to == "private" else {}
    answers = {"ci": ci, "publish_to": publish_to, "dependency_updates": "renovate", "platforms": EVERY, **index}
    everything = {**ON_GITLAB, "extras": ["security-policy", "docker"], **answers}
    project = render("alone", everything)
    added = {"gitlab": {".gitlab-ci.yml", ".gitlab/release.py"}, "none": {"tools/release.py", "tools/wheels.yml"}}
    on_github = files(render("alone", {**everything, "ci": "github"}))
    assert files(project) - on_github == added[ci]
    assert all(name.startswith(".github/") for name in on_github - files(project))
    allowed = {"Cargo.toml", "CONTRIBUTING.md"}  # links to the template and to documentation
    for name in files(project) - allowed:
        text = (project / name).read_text(encoding="utf-8")
        assert not re.search(r"(?<!\w)\.github|\brelease\.yml|ependabot|GitHub", text), name
    assert "GitHub" not in (project / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.render
@pytest.mark.parametrize("ci", ["gitlab", "none"])
def test_dependabot_without_github_is_refused(ci: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, CopierError), match="choose renovate or none"):
        rendered(tmp_path / "project", ci=ci, dependency_updates="dependabot")


def test_existing_projects_stay_on_github() -> None:
    assert migration.answers({"repository_url": "https://gitlab.com/ada/x"})["ci"] == "github"
    assert migration.answers({"ci": "none"})["ci"] == "none"


@pytest.mark.parametrize("name", PIPELINES)
def test_no_judge_finds_anything(render: Render, name: str) -> None:
    """The schema of GitLab, sp-repo-review, and the linters of Python. gitlab-ci-local resolves `extends`."""
    need("check-jsonschema")
    need_gitlab()
    project = render("judged", {**ON_GITLAB, **PIPELINES[name]})
    run(project, "git", "init", "--quiet", "--initial-branch=main")
    run(project, "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", ".gitlab-ci.yml")
    if (project / "renovate.json").exists():
        run(project, "check-jsonschema", "--builtin-schema", "vendor.renovate", "renovate.json")
    listed = run(project, "gitlab-ci-local", "--list-csv-all").stdout
    jobs = {line.partition(";")[0] for line in listed.splitlines()}
    assert {"lint", "typing", "deny", "check-sdist", "plan", "sdist", "publish", "gitlab-release"} <= jobs
    check_style(project)
    run(project, "git", "add", "--all")
    run(project, "repo-review", ".")


@pytest.mark.parametrize("name", ["every", "cibuildwheel", "self-managed"])
def test_each_ci_plans_the_same_files(render: Render, name: str) -> None:
    """The commands that build wheels are the same, too: they come from one table."""
    plans = set()
    for ci in ("gitlab", "none", "github"):
        answers = {**ON_GITLAB, "platforms": EVERY, **PIPELINES[name], "dependency_updates": "none"}
        project = render("planned", {**answers, "version_source": "cargo", "ci": ci})
        for path, text in {"author@example.com": "ada@example.org", "A Python extension": "An extension"}.items():
            edit(project / "pyproject.toml", path, text)
        run(project, "cargo", "generate-lockfile", "--quiet")
        plans.add(run(project, "nox", "-s", "plan", CI="").stdout.partition("files: ")[2].partition("index: ")[0])
    (plan,) = plans
    assert plan.count("\n") > 2


# --- runs -------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    need_gitlab()
    project = rendered(tmp_path / "project", **{**ON_GITLAB, "project_name": "acted", "platforms": ["linux-x86_64"]})
    drop_missing_pythons(project)
    edit(project / ".gitlab-ci.yml", "    - uvx nox -s reproducible\n", "")  # takes minutes; test_linked.py runs it
    # As in the stand-in for GitHub's action: the advisories are on the network.
    edit(project / ".gitlab-ci.yml", "cargo deny --locked check\n", "cargo deny --locked check bans licenses sources\n")
    commit(project, "test: what this machine has")
    return project


def release(project: Path, tag: str = "v0.1.0") -> None:
    run(project, "nox", "--session", "release", "--", "0.1.0")
    run(project, "git", "tag", tag)


def test_the_default_branch_passes(project: Path, tmp_path: Path) -> None:
    ran = gitlab(project, tmp_path / "run")
    assert ran.succeeded, ran.log
    assert {name.partition(" ")[0].partition(":")[0] for name in ran.jobs} == {
        *("lint", "typing", "deny", "check-sdist", "test")
    }


def a_clippy_warning(project: Path) -> None:
    with (project / "src/distance.rs").open("a", encoding="utf-8") as file:
        file.write("\n/// Whether it is.\npub fn is_so(so: bool) -> bool {\n    so == true\n}\n")


def test_a_warning_fails_the_pipeline(project: Path, tmp_path: Path) -> None:
    a_clippy_warning(project)
    only(project / ".gitlab-ci.yml", "lint")  # test_the_default_branch_passes has all
    commit(project, "feat: harm")
    ran = gitlab(project, tmp_path / "run")
    assert [name for name in ran.jobs if ran.failed(name)] == ["lint"], ran.log
    assert len(ran.jobs) >= 5


@pytest.mark.system(
    "GitLab CI/CD",
    built="sdist and wheel by .gitlab-ci.yml",
    ran="the pipeline of a tag, with gitlab-ci-local; releases that must fail do",
    unverified="GitLab itself, images, and runners for other systems",
)
def test_a_tag_is_released(project: Path, tmp_path: Path) -> None:
    release(project)
    ran = gitlab(project, tmp_path / "run", tag="v0.1.0")
    assert ran.succeeded, ran.log
    assert list(ran.jobs) == ["plan", "licenses", "sdist", "linux-x86_64", "publish", "gitlab-release"]
    uploads, _, announced = ran.notes.partition("glab ")
    published = f"dist/{WHEEL} dist/{WHEEL}.publish.attestation dist/acted-0.1.0.tar.gz dist/acted-0.1.0.tar.gz.publish"
    assert uploads.startswith(
        f"uv publish --trusted-publishing always --check-url https://pypi.org/simple/ {published}"
    )
    assert announced.startswith(f"release create v0.1.0 dist/{WHEEL} dist/acted-0.1.0.tar.gz --repo ")
    assert "- First version." in announced


def a_missing_section(project: Path) -> None:
    run(project, "git", "tag", "v0.1.0")


def another_tag(project: Path) -> None:
    release(project)
    run(project, "git", "tag", "v0.2.0")


def a_stale_lock(project: Path) -> None:
    release(project)
    edit(project / "Cargo.lock", 'name = "acted"\nversion = "0.1.0"', 'name = "acted"\nversion = "0.0.9"')
    commit(project, "fix: harm")


def a_failing_test(project: Path) -> None:
    (project / "tests/test_new.py").write_text("def test_new() -> None:\n    assert 1 == 2\n", encoding="utf-8")
    commit(project, "feat: harm")
    release(project)


def a_lost_wheel(project: Path) -> None:
    """The build passes, but its wheel is not kept."""
    edit(project / ".gitlab-ci.yml", "paths: [dist/*.whl]", "paths: [dist/*.wheel]")
    commit(project, "ci: harm")
    release(project)


def another_wheel(project: Path) -> None:
    edit(project / ".gitlab-ci.yml", "--compatibility manylinux_2_17", "--compatibility manylinux_2_28")
    commit(project, "ci: harm")
    release(project)


@pytest.mark.parametrize(
    ("harm", "tag", "failing", "message"),
    [
        (another_tag, "v0.2.0", "plan", "the tag v0.2.0 does not match the version 0.1.0"),
        (a_missing_section, "v0.1.0", "plan", "CHANGELOG.md has no section [0.1.0]"),
        (a_stale_lock, "v0.1.0", "plan", "Cargo.lock is not up to date"),
        (a_failing_test, "v0.1.0", "sdist", "assert 1 == 2"),
        (another_wheel, "v0.1.0", "linux-x86_64", "the build did not create acted-0.1.0-cp310-abi3-manylinux2014"),
        (a_lost_wheel, "v0.1.0", "publish", f"-{WHEEL}"),
    ],
)
def test_a_release_that_must_fail(
    harm: Callable[[Path], None], tag: str, failing: str, message: str, project: Path, tmp_path: Path
) -> None:
    harm(project)
    ran = gitlab(project, tmp_path / "run", tag=tag)
    assert ran.failed(failing), ran.log
    assert message in ran.log
    assert ran.notes == ""
    assert not ran.jobs.get("publish")
    assert "gitlab-release" not in ran.jobs
