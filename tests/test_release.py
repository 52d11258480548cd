"""`nox -s release` in temporary repositories: its results and its errors."""

import datetime
import re
from pathlib import Path
from typing import Any

import pytest

from ship import commit, edit, render, run

PLACEHOLDERS = {
    "author_email": "author@example.com",
    "description": "A Python extension module written in Rust",
    "repository_url": "https://github.com/example/sample-ext",
}


def section(changelog: str, version: str) -> str:
    """The section of a version, below Unreleased and with today's date (or yesterday's, around midnight)."""
    day = datetime.date.today()
    headings = [f"\n## [Unreleased]\n\n## [{version}] - {day - datetime.timedelta(age)}\n" for age in (0, 1)]
    (found,) = (heading for heading in headings if heading in changelog)
    return changelog.partition(found)[2].partition("\n## ")[0]


def release(project: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of `nox -s release`."""
    return nox(project, "release", *arguments)


def nox(project: Path, session: str, *arguments: str, **environment: str) -> tuple[int, str]:
    result = run(project, "nox", "--session", session, "--", *arguments, check=False, **environment)
    return result.returncode, result.stdout


def tag(project: Path, version: str) -> None:
    """Run the second step, which the first one prints."""
    git(project, "tag", f"v{version}")


def git(project: Path, *arguments: str) -> str:
    return run(project, "git", *arguments).stdout.strip()


def versions(project: Path) -> tuple[str, str]:
    """The versions in Cargo.toml and in Cargo.lock."""
    patterns = {"Cargo.toml": r'(?m)^version = "(.*?)"', "Cargo.lock": r'name = "sample-ext"\nversion = "(.*?)"'}
    found = [re.search(pattern, (project / name).read_text("utf-8")) for name, pattern in patterns.items()]
    first, second = (match[1] if match else "" for match in found)
    return first, second


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("release") / "project", project_name="sample-ext")


@pytest.fixture
def project(rendered: Path, tmp_path: Path) -> Path:
    """A new repository for each test."""
    run(tmp_path, "git", "clone", "--quiet", str(rendered), "project")
    return tmp_path / "project"


def test_first_release_a_patch_a_minor_and_a_prerelease(project: Path) -> None:
    for version, message, heading in [
        ("0.1.0", "feat(stats): median", "### Added\n\n- Start\n- Median"),
        ("0.1.1", "fix: an empty list is an error", "### Fixed\n\n- An empty list is an error"),
        ("0.2.0", "perf!: faster sums", "### Faster\n\n- **Breaking:** Faster sums"),
        ("1.0.0-rc.1", "Something without a type", "### Changed\n\n- Something without a type"),
    ]:
        commit(project, message)
        code, output = release(project, version)
        assert code == 0, output
        assert versions(project) == (version, version)
        assert git(project, "tag", "--list", f"v{version}") == ""
        assert git(project, "log", "-1", "--format=%s") == f"chore(release): {version}"
        assert git(project, "status", "--porcelain") == ""
        run(project, "cargo", "tree", "--locked", "--quiet", "--depth=0")
        changelog = (project / "CHANGELOG.md").read_text("utf-8")
        assert heading in section(changelog, version)
        assert f"git tag v{version}\n    git push --atomic origin HEAD v{version}" in output
        tag(project, version)
    assert changelog.count("\n## [") == 5
    assert changelog.count("- First version.") == 1  # the lines under Unreleased, in the first release
    assert nox(project, "plan", "v1.0.0-rc.1")[0] == 0


def test_dry_run_shows_everything_and_changes_nothing(project: Path) -> None:
    before = state(project)
    code, output = release(project, "0.2.0", "--dry-run")
    assert code == 0
    for line in ('-version = "0.1.0"', '+version = "0.2.0"', "+## [0.2.0] - 20"):
        assert line in output
    assert state(project) == before


@pytest.mark.parametrize(
    ("answers", "version"),
    [
        ({"profiling": True}, "0.2.0"),
        ({"version_source": "git-tag"}, "0.2.0"),
        ({"build_backend": "setuptools-rust"}, "0.2.0"),
    ],
    ids=["workspace", "git-tag", "setuptools-rust"],
)
def test_other_projects(answers: dict[str, Any], version: str, tmp_path: Path) -> None:
    project = render(tmp_path / "project", project_name="sample-ext", **answers)
    code, output = release(project, version)
    assert code == 0, output
    from_git = answers.get("version_source") == "git-tag"
    assert versions(project) == (("0.0.0-dev.0",) * 2 if from_git else (version, version))
    tag(project, version)
    assert nox(project, "plan", f"v{version}")[0] == 0
    commit(project, "fix: one thing")
    code, output = release(project, "0.1.9")
    assert code != 0
    assert "0.1.9 is lower than the current version 0.2." in output


def test_a_commit_goes_by_its_type_and_not_by_what_begins_like_one(project: Path) -> None:
    for message in (
        "feat(stats)!: median", "refactor!: other names", "build(deps)!: Rust 1.90", "ci: faster", "cite the paper",
        "fixture for floats", "performance of sums", "Merge pull request #3 from me/it", "Merge branch 'it'",
        "Merge two lists", "WIP", "wip: more", "fixup! feat: median", "Update README", "Wipe the cache", "",
    ):  # fmt: skip
        commit(project, message)
    code, output = release(project, "0.2.0")
    assert code == 0, output
    lines = section((project / "CHANGELOG.md").read_text("utf-8"), "0.2.0").split("\n")
    assert [line for line in lines if line] == [
        *("- First version.", "### Added", "- Start", "- **Breaking:** Median"),
        *("### Changed", "- **Breaking:** Other names", "- **Breaking:** Rust 1.90"),
        *("- Cite the paper", "- Fixture for floats", "- Performance of sums", "- Merge two lists", "- Wipe the cache"),
    ]


def test_line_ends_of_windows_are_kept(project: Path) -> None:
    names = ("CHANGELOG.md", "Cargo.toml", "Cargo.lock")
    for name in names:
        (project / name).write_bytes((project / name).read_bytes().replace(b"\n", b"\r\n"))
    commit(project, "build: as a checkout on Windows has them")
    code, output = release(project, "0.2.0")
    assert code == 0, output
    assert versions(project) == ("0.2.0", "0.2.0")
    for name in names:
        content = (project / name).read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n"), name


def test_notes_are_edited_before_the_tag(project: Path) -> None:
    commit(project, "feat: median")
    assert release(project, "0.2.0")[0] == 0
    edit(project / "CHANGELOG.md", "- Median", "- `median`, for lists of any length.")
    git(project, "commit", "--quiet", "--amend", "--all", "--no-edit")
    tag(project, "0.2.0")
    code, output = nox(project, "plan", "v0.2.0")
    assert code == 0
    assert "- `median`, for lists of any length." in output


def test_a_project_named_like_an_indirect_dependency(tmp_path: Path) -> None:
    project = render(tmp_path / "project", project_name="heck")
    edit(project / "Cargo.toml", 'version = "0.1.0"', 'version = "0.6.0"')
    git(project, "rm", "--quiet", "--cached", "Cargo.lock")
    run(project, "cargo", "update", "--quiet", "--workspace")
    commit(project, "feat: begin at 0.6.0")
    locked = (project / "Cargo.lock").read_text("utf-8")
    code, output = release(project, "0.7.0")
    assert code == 0, output
    expected = locked.replace('name = "heck"\nversion = "0.6.0"', 'name = "heck"\nversion = "0.7.0"')
    assert (project / "Cargo.lock").read_text("utf-8") == expected


def test_no_placeholder_reaches_an_index(tmp_path: Path) -> None:
    project = render(tmp_path / "project", project_name="sample-ext", **PLACEHOLDERS)
    for session, *arguments in (["release", "0.2.0"], ["plan"], ["doctor"]):
        code, output = nox(project, session, *arguments)
        assert code != 0
        for placeholder in ("@example.com", "github.com/example/", PLACEHOLDERS["description"]):
            assert placeholder in output


def test_no_lock_is_told_as_that(project: Path) -> None:
    (project / "Cargo.lock").unlink()
    for session in ("plan", "sdist"):
        code, output = nox(project, session)
        assert code != 0
        assert "Cargo.lock is missing: run `cargo generate-lockfile`" in output


def test_a_changelog_cannot_set_other_outputs(project: Path, tmp_path: Path) -> None:
    harm = "## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\nEND-OF-VALUE\nprerelease<<x\ntrue\nx\n"
    edit(project / "CHANGELOG.md", "## [Unreleased]\n", harm)
    assert nox(project, "plan", "v0.1.0", GITHUB_OUTPUT=str(tmp_path / "output"))[0] == 0
    lines = (tmp_path / "output").read_text("utf-8").splitlines()
    ends = {line.partition("<<")[2] for line in lines if line.startswith(("notes<<", "files<<", "index<<"))}
    (end,) = ends
    assert len(end) >= 32
    assert lines.count(end) == 4
    assert "prerelease<<x" in lines[lines.index(f"notes<<{end}") : lines.index(f"files<<{end}")]


def test_an_index_that_is_only_read_from_is_none_to_publish_on(project: Path) -> None:
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[tool.uv.index]]\nname = "mirror"\nurl = "https://mirror.example.org/simple"\nexplicit = true\n')
    assert "index: \n" in nox(project, "plan")[1]


def state(project: Path) -> tuple[str, ...]:
    """The commit, the tags, and the uncommitted changes."""
    return tuple(git(project, *words.split()) for words in ("rev-parse HEAD", "tag", "status --porcelain", "diff"))


def change_a_file(project: Path) -> None:
    edit(project / "README.md", "# sample-ext", "# Sample")


def tag_it(project: Path) -> None:
    git(project, "tag", "v0.2.0")


def make_the_lock_stale(project: Path) -> None:
    edit(project / "Cargo.lock", 'name = "sample-ext"\nversion = "0.1.0"', 'name = "sample-ext"\nversion = "0.0.9"')
    commit(project, "chore: harm")


def write_the_section(project: Path) -> None:
    edit(project / "CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2020-02-02\n")
    commit(project, "docs: too early")


def drop_unreleased(project: Path) -> None:
    edit(project / "CHANGELOG.md", "## [Unreleased]\n", "")
    commit(project, "docs: no heading")


def refuse_commits(project: Path) -> None:
    hook = project / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)


def leave_the_branch(project: Path) -> None:
    git(project, "checkout", "--quiet", "--detach")


@pytest.mark.parametrize(
    ("prepare", "version", "reason"),
    [
        (change_a_file, "0.2.0", "commit your changes first (git status)"),
        (tag_it, "0.2.0", "the tag v0.2.0 exists"),
        (make_the_lock_stale, "0.2.0", "Cargo.lock is not up to date"),
        (write_the_section, "0.2.0", "already has a section [0.2.0]"),
        (drop_unreleased, "0.2.0", "has no line `## [Unreleased]`"),
        (refuse_commits, "0.2.0", "git commit"),
        (leave_the_branch, "0.2.0", "HEAD is not on a branch"),
        (None, "0.0.9", "0.0.9 is lower than the current version 0.1.0"),
        (None, "0.1.0-rc.1", "0.1.0-rc.1 is lower than the current version 0.1.0"),
        (None, "v1.2.3", "write 1.2.3"),
        *((None, version, "write X.Y.Z, or X.Y.Z-rc.1") for version in (
            "1.2", "1.2.3.4", "01.2.3", "1.2.3rc1", "1.2.3-rc1", "1.2.3-post.1", "1.2.3-0", "1.2.3-beta.1.2",
            "1.2.3-nightly.20260101", "1.2.3+local",
        )),
    ],
)  # fmt: skip
def test_refusals(prepare: Any, version: str, reason: str, project: Path) -> None:
    if prepare:
        prepare(project)
    before = state(project)
    code, output = release(project, version)
    assert code != 0
    assert reason in output
    assert "Traceback" not in output
    assert state(project) == before
