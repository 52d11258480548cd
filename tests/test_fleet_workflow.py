"""The workflows that `copier-pyo3 fleet workflow` prints: linters, and runs with act; Renovate's copier manager."""

import json
import re
import shutil
from pathlib import Path

import pytest

from conftest import ROOT, run
from git_host import USER, serving
from ship import WORKFLOWS, act, need
from small import NEW, Template, commit, copier_pyo3, replace
from test_workflows import judge

# What Renovate 44.121 runs with `allowScripts` and without `ignoreScripts` (lib/modules/manager/copier/artifacts.ts).
RENOVATE = ["copier", "update", "--skip-answered", "--defaults", "--trust", "--answers-file"]


@pytest.fixture(scope="module")
def package(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of an organization's copy of this repository."""
    fork, out = tmp_path_factory.mktemp("fork") / "fork", tmp_path_factory.mktemp("wheel")
    shutil.copytree(template, fork, ignore=shutil.ignore_patterns("tests", "docs"))
    replace(
        fork / "pyproject.toml",
        "https://github.com/copier-pyo3/copier-pyo3",
        "git@git.example.org:platform/template.git",
    )
    run(["uv", "build", "--quiet", "--wheel", "--out-dir", out], cwd=fork)
    (made,) = out.glob("*.whl")
    return made


def put(folder: Path, name: str, package: Path | None = None) -> None:
    """Write a workflow as the documentation says, and let it use this package."""
    text = copier_pyo3("fleet", "workflow", name).stdout
    pinned = re.search(r"^  COPIER_PYO3: (git\+https://\S+@v\d\S+)$", text, re.MULTILINE)
    assert pinned
    path = folder / WORKFLOWS / f"{name}.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(pinned[1], str(package or pinned[1])), encoding="utf-8")


@pytest.mark.parametrize("name", ["fleet", "resolve"])
def test_no_linter_finds_anything(name: str, tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    put(tmp_path, name)
    judge(tmp_path)


def test_a_copy_of_this_repository_prints_its_own_address(package: Path, tmp_path: Path) -> None:
    """uv installs from a URL, so `git@host:path` becomes one."""
    need("uv")
    printed = run(["uvx", "--from", package, "copier-pyo3", "fleet", "workflow"], cwd=tmp_path).stdout
    assert re.search(r"COPIER_PYO3: git\+ssh://git@git\.example\.org/platform/template\.git@v\d", printed)


def test_a_sharded_list_gives_one_report(package: Path, tmp_path: Path) -> None:
    """Three projects in two parts: each part is a job, and the report has all three. A part that fails hides no other."""
    need("act", "node", "uv")
    template = Template(tmp_path / "template")
    template.release("v1.0.0", {})
    template.release("v1.1.0", NEW)
    for name, version in (("argon", "v1.0.0"), ("boron", "v1.1.0"), ("neon", "v1.1.0")):
        template.make(tmp_path / name, version)
    shutil.rmtree(tmp_path / "neon")
    team = tmp_path / "team"
    put(team, "fleet", package)
    names = ("argon", "boron", "neon")
    text = "".join(f'[[project]]\nsource = "{(tmp_path / name).as_uri()}"\n' for name in names)
    (team / "fleet.toml").write_text(text, encoding="utf-8")
    replace(team / WORKFLOWS / "fleet.yml", 'SHARDS: "4"', 'SHARDS: "2"')
    run(["git", "init", "--quiet"], cwd=team)
    commit(team)
    token = "ghp_only_for_this_test"
    ran = act(team, "fleet.yml", tmp_path / "run", event="schedule", secrets={"FLEET_TOKEN": token})
    assert ran.succeeded, ran.log
    assert sorted(name for name in ran.jobs if "part" in name) == ["Projects, part 1/2-1", "Projects, part 2/2-2"]
    assert "One report" in ran.jobs
    artifacts = tmp_path / "run" / "artifacts"
    parts = [json.loads(path.read_text()) for path in sorted(artifacts.glob("fleet-part-*/*.json"))]
    assert [[each["name"] for each in part["projects"]] for part in parts] == [["argon", "neon"], ["boron"]]
    html = (artifacts / "fleet-report/fleet.html").read_text(encoding="utf-8")
    states = dict(re.findall(r'data-name="(\w+)" data-state="([\w ]+)"', html))
    assert states == {"argon": "behind", "boron": "up to date", "neon": "unreachable"}
    assert token not in html + "".join(path.read_text() for path in artifacts.glob("fleet-part-*/*.json"))


def layer(folder: Path) -> Template:
    """An organization's extra layer: a template without tasks, so that plain Copier merges line by line."""
    made = Template(folder, migrations=False)
    (folder / "copier.yml").write_text("_subdirectory: template\n", encoding="utf-8")
    shutil.rmtree(folder / "hooks")
    return made


TABLE = '[tool.team]\nowner = "platform"\nlevel = 1\n'


def test_resolve_in_renovates_pull_request(package: Path, tmp_path: Path) -> None:
    """Renovate commits conflict markers in a TOML file, and the workflow resolves them and pushes to the branch."""
    need("act", "node", "uv")
    template = layer(tmp_path / "layer")
    files = dict.fromkeys(("Cargo.toml", "pyproject.toml", "src/lib.rs", ".gitignore"))
    files |= dict.fromkeys(("README.md", "python/{{ module_name }}/__init__.py"))
    template.release("v1.0.0", {**files, "team.toml": TABLE})
    template.release("v1.1.0", {**files, "team.toml": TABLE.replace("level = 1", "level = 2")})
    project = template.make(tmp_path / "project")
    replace(project / "team.toml", "level = 1\n", 'level = 1\ncolor = "green"\n')
    put(project, "resolve", package)
    # act itself checks out the work tree, but not if there is a ref.
    ref = "          ref: ${{ github.event.pull_request.head.ref }}\n"
    replace(project / WORKFLOWS / "resolve.yml", ref, "")
    commit(project)
    run(["git", "clone", "--quiet", "--bare", project, tmp_path / "host.git"], cwd=tmp_path)
    run(["git", "remote", "add", "origin", tmp_path / "host.git"], cwd=project)
    run(["git", "checkout", "--quiet", "-b", "renovate/copier"], cwd=project)
    run([*RENOVATE, ".copier-answers.yml", "--vcs-ref", "v1.1.0"], cwd=project)
    commit(project)
    assert "<<<<<<<" in (project / "team.toml").read_text(encoding="utf-8")
    name = "team/project"
    head = {"ref": "renovate/copier", "repo": {"full_name": name}}
    about = {"pull_request": {"head": head}}
    done = act(project, "resolve.yml", tmp_path / "run", event="pull_request", about=about, GITHUB_REPOSITORY=name)
    assert done.jobs == {"Resolve the conflicts of the update": True}, done.log
    pushed = run(["git", "show", "renovate/copier:team.toml"], cwd=tmp_path / "host.git").stdout
    assert pushed == '[tool.team]\nowner = "platform"\nlevel = 2\ncolor = "green"\n'


def test_the_preset_for_renovate(tmp_path: Path) -> None:
    need("renovate-config-validator")
    preset = ROOT / "docs/renovate-copier.json"
    assert "ignoreScripts" in preset.read_text(encoding="utf-8")
    shutil.copy(preset, tmp_path / "renovate.json")
    run(["renovate-config-validator", "--strict"], cwd=tmp_path)


def test_renovate_finds_new_versions(tmp_path: Path) -> None:
    """With the preset and host rules, of a tag; not of a commit between two tags."""
    need("renovate-config-validator", "node")
    renovate = Path(str(shutil.which("renovate-config-validator"))).resolve().with_name("renovate.js")
    template = tmp_path / "host/platform/template.git"
    run(["git", "init", "--quiet", "--bare", template], cwd=tmp_path)
    tree = run(["git", "commit-tree", "-m", "x", run(["git", "mktree"], cwd=template).stdout.strip()], cwd=template)
    for tag in ("v1.0.0", "v1.1.0"):
        run(["git", "tag", tag, tree.stdout.strip()], cwd=template)
    project = tmp_path / "project"
    project.mkdir()
    run(["git", "init", "--quiet"], cwd=project)
    shutil.copy(ROOT / "docs/renovate-copier.json", project / "renovate.json")
    token = "token-only-for-this-test"
    with serving(tmp_path / "host", token) as url:
        # Both answers files are read: the template's, with a tag, and the layer's, with a commit between two tags.
        for name, version in (("", "v1.0.0"), (".organization", "v1.0.0-3-gabcdef0")):
            answers = f"_commit: {version}\n_src_path: {url}/platform/template.git\n"
            (project / f".copier-answers{name}.yml").write_text(answers, encoding="utf-8")
        commit(project)
        done = run(
            ["node", renovate, "--platform=local", "--dry-run=lookup"],
            cwd=project,
            RENOVATE_HOST_RULES=json.dumps([{"matchHost": url, "username": USER, "password": token}]),
            RENOVATE_BASE_DIR=str(tmp_path / "renovate"),
            LOG_LEVEL="debug",
        )
    assert done.stdout.count('"newValue": "v1.1.0"') == 1
    assert done.stdout.count('"skipReason": "invalid-value"') == 1
    assert token not in done.stdout + done.stderr


def test_without_scripts_renovate_cannot_update(tmp_path: Path) -> None:
    """`allowScripts` is necessary: without --trust, Copier refuses the template's task and changes nothing."""
    template = Template(tmp_path / "template")
    template.release("v1.0.0", {})
    template.release("v1.1.0", NEW)
    project = template.make(tmp_path / "project")
    command = [word for word in RENOVATE if word != "--trust"]
    settings = tmp_path / "settings.yml"  # trusts nothing
    settings.write_text("{}\n", encoding="utf-8")
    refused = run(
        [*command, ".copier-answers.yml", "--vcs-ref", "v1.1.0"],
        cwd=project,
        check=False,
        COPIER_SETTINGS_PATH=str(settings),
    )
    assert refused.returncode != 0
    assert "--trust" in refused.stdout + refused.stderr
    assert run(["git", "status", "--porcelain"], cwd=project).stdout == ""
