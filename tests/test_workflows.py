"""Linters of workflows report no problems for generated projects and this repository; all pins are valid."""

import re
import sys
from pathlib import Path

import pytest
from copier.errors import CopierError

import workflow_cases
from conftest import Render
from ship import ACTIONS, ROOT, USES, WORKFLOWS, load_yaml, need, run, text_of_workflows
from ship import render as rendered
from test_render import check_style

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PINS = tomllib.loads((Path(__file__).with_name("actions.toml")).read_text(encoding="utf-8"))


@pytest.fixture(params=workflow_cases.cases())
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return rendered(tmp_path / "project", project_name="sample-ext", **workflow_cases.cases()[request.param])


def test_each_pair_of_answers_is_in_a_case() -> None:
    assert workflow_cases.missing_pairs() == set()


def judge(folder: Path) -> None:
    """Check that no linter reports a problem in .github/."""
    need("actionlint", "shellcheck", "zizmor", "check-jsonschema")
    workflows = [str(path) for path in sorted((folder / WORKFLOWS).glob("*.yml"))]
    assert workflows
    run(folder, "zizmor", "--offline", "--no-ignores", "--persona", "auditor", "--quiet", ".github")
    run(folder, "actionlint", "-shellcheck=shellcheck")
    run(folder, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    if (dependabot := folder / ".github/dependabot.yml").exists():
        run(folder, "check-jsonschema", "--builtin-schema", "vendor.dependabot", str(dependabot))
    if (renovate := folder / "renovate.json").exists():
        run(folder, "check-jsonschema", "--builtin-schema", "vendor.renovate", str(renovate))


def test_no_judge_finds_anything(project: Path) -> None:
    judge(project)
    run(project, "repo-review", ".")


def test_every_case_is_formatted(render: Render) -> None:
    check_style(*(render("sample-ext", answers) for answers in workflow_cases.cases().values()))


def rows(project: Path) -> list[dict[str, str]]:
    """The matrix of the job `wheels` in release.yml."""
    workflow = load_yaml(project / WORKFLOWS / "release.yml")
    made: list[dict[str, str]] = workflow["jobs"]["wheels"]["strategy"]["matrix"]["include"]
    return made


def test_the_plan_is_one_that_the_workflow_can_follow(project: Path) -> None:
    """Each row has a runner that actionlint knows, and each wheel has a valid name."""
    if (project / "version_from_git.py").exists():
        run(project, "git", "tag", "v0.1.0")
    planned = run(project, "nox", "-s", "plan").stdout
    fields = dict(re.findall(r"^(\w+): (.*(?:\n(?!\w+: |nox > ).*)*)", planned, re.MULTILINE))
    chosen = load_yaml(project / ".copier-answers.yml")["platforms"]
    names = [row["name"] for row in rows(project)]
    assert list(dict.fromkeys(re.sub("-(cp314t|abi3t)$", "", name) for name in names)) == chosen
    assert len(names) == len(set(names))
    labels = {"ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "macos-15-intel", "windows-2025", "windows-11-arm"}
    assert {row["runner"] for row in rows(project)} <= labels
    files = fields["files"].split()
    assert files == sorted(set(files))
    assert len(files) == 1 + sum(len(row["abi"].split()) for row in rows(project))
    wheel = re.compile(r"sample_ext-0\.1\.0-cp3\d+-(abi3|abi3\.abi3t|cp3\d+t?)-[a-z0-9_.]+\.whl")
    assert [name for name in files if not wheel.fullmatch(name)] == ["sample_ext-0.1.0.tar.gz"]


def test_a_row_says_all_that_its_wheel_needs(tmp_path: Path) -> None:
    """Check each platform with maturin."""
    every = [*workflow_cases.LINUX, *workflow_cases.OTHERS]
    project = rendered(tmp_path / "project", project_name="sample-ext", platforms=every)
    for row in rows(project):
        words = row["build"].split()
        assert words[:2] == ["maturin", "build"]
        assert {"--release", "--locked", "--out"} < set(words)
        assert words[words.index("--target") + 1] == row["target"]
        system = row["name"].partition("-")[0]
        assert row.get("needs") == {"macos": "macOS", "windows": "Windows"}.get(system)
        if system in ("linux", "musl"):
            assert f"{words[words.index('--compatibility') + 1]}_" in row["tag"]
            assert "--zig" in words
        assert row["test"]


def test_what_belongs_to_an_option_comes_with_it(tmp_path: Path) -> None:
    plain = text_of_workflows(rendered(tmp_path / "plain"))
    for word in ("cibuildwheel", "qemu", "container", "pyodide", "cp314t", "version_from_git"):
        assert word not in plain
    emulated = text_of_workflows(rendered(tmp_path / "emulated", platforms=["linux-s390x"]))
    assert "docker/setup-qemu-action" in emulated
    assert "container: linux/s390x" in emulated


def test_where_ci_tests(tmp_path: Path) -> None:
    """On Windows on ARM, uv needs the processor as an argument, and has no Python older than 3.11."""
    platforms = ["linux-x86_64", "macos-arm64", "windows-x64", "windows-x86", "windows-arm64"]
    project = rendered(tmp_path / "project", project_name="sample-ext", platforms=platforms, abi3=False)
    matrix = load_yaml(project / WORKFLOWS / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["include"]
    assert [(row["runner"], row["python"]) for row in matrix] == [
        ("ubuntu-24.04", "3.10"),
        ("ubuntu-24.04", "3.15"),
        ("macos-15", "3.15"),
        ("windows-2025", "3.15"),
        ("windows-11-arm", "cpython-3.15-windows-aarch64"),
    ]
    (arm,) = (row for row in rows(project) if row["name"] == "windows-arm64")
    assert re.findall(r"(cp\d+)-cp\d+", arm["abi"]) == ["cp311", "cp312", "cp313", "cp314", "cp315"]
    assert arm["test"].split()[0] == "cpython-3.11-windows-aarch64"


def all_workflows() -> list[Path]:
    """All workflow files and fragments in the template and in this repository."""
    return sorted(
        path
        for folder in (ROOT / "template", ROOT / "hooks", ROOT / WORKFLOWS)
        for path in folder.rglob("*.yml")
        if "uses: " in path.read_text()
    )


@pytest.mark.parametrize("path", all_workflows(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pin_is_the_one_in_the_table(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    uses = list(USES.finditer(text))
    assert len(uses) == text.count("uses:")
    for match in uses:
        pin = PINS[match["action"]]
        assert (match["sha"], match["version"]) == (pin["sha"], pin["version"]), match[0]
        assert re.fullmatch("[0-9a-f]{40}", match["sha"])


def test_every_input_is_one_that_the_action_has() -> None:
    checked = 0
    for path in all_workflows():
        part = load_yaml(path)  # a workflow, jobs, or steps
        jobs = [{"steps": part}] if isinstance(part, list) else part.get("jobs", part).values()
        for step in (step for job in jobs for step in job.get("steps", [])):
            if "uses" in step:
                known = PINS[step["uses"].partition("@")[0]]["inputs"]
                assert set(step.get("with", {})) <= set(known), f"{path}: {step['uses']}"
                checked += 1
    assert checked > 20


def test_every_stand_in_is_for_an_action_in_use() -> None:
    used = {match["action"] for path in all_workflows() for match in USES.finditer(path.read_text(encoding="utf-8"))}
    assert used == set(PINS)
    stand_ins = {str(path.parent.relative_to(ACTIONS)) for path in ACTIONS.glob("*/*/action.yml")}
    # act checks out itself. The page is published only on GitHub; its build is the command that test_page_engine.py runs.
    assert stand_ins == used - {"actions/checkout", "actions/upload-pages-artifact", "actions/deploy-pages"}


def test_no_judge_finds_anything_in_this_repository() -> None:
    judge(ROOT)


def test_renovate_reads_its_configuration(tmp_path: Path) -> None:
    need("renovate-config-validator")
    project = rendered(tmp_path / "project", dependency_updates="renovate")
    run(project, "renovate-config-validator", "--strict")


def test_workflows_of_the_rendered_project_hold_no_jinja(tmp_path: Path) -> None:
    text = text_of_workflows(rendered(tmp_path / "project"))
    assert "{%" not in text
    assert re.findall(r"(?<!\$)\{\{", text) == []


@pytest.mark.parametrize(
    ("answers", "help_"),
    [
        ({"platforms": []}, "choose at least one"),
        ({"platforms": ["linux-x86_64", "linux-s390x"], "features": ["numpy"]}, "drop numpy or linux-s390x"),
        ({"platforms": ["pyodide"], "features": ["parallel"]}, "drop pyodide or parallel"),
        (
            {"platforms": ["musl-x86_64"], "kind": "application", "embedding": "one-file"},
            "choose linux-x86_64, or embedding=system",
        ),
        ({"build_backend": "setuptools-rust", "wheel_builder": "maturin"}, "choose wheel_builder=cibuildwheel"),
        ({"publish_to": "private", "index_url": "packages.example.org"}, "write an https URL"),
        ({"publish_to": "private", "index_url": "http://packages.example.org"}, "write an https URL"),
        ({"publish_to": "private", "index_url": "https://packages.example.org/"}, "write an https URL"),
        ({"publish_to": "private"}, "index_url"),
        ({"license": "proprietary", "publish_to": "pypi"}, "proprietary projects cannot be published on PyPI"),
    ],
)
def test_refused_answers(answers: dict[str, object], help_: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, CopierError), match=help_):
        rendered(tmp_path / "project", **answers)
