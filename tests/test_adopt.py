"""`copier-pyo3 adopt`, on the projects in tests/adopt: nothing of the user is lost, and the project still builds."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from conftest import ROOT, environment, install, run, wheel
from edits import CHANGES, older_versions
from small import CLI, KILL, broken_off, commit, copier_pyo3, plain_update, replace, write

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = ROOT / "tests" / "adopt"
BRANCH = "adopt-copier-pyo3"
# The files that are merged. All others of the user stay, byte for byte.
MERGED = {
    "Cargo.toml",
    "pyproject.toml",
    "deny.toml",
    ".gitignore",
    ".pre-commit-config.yaml",
    "dependabot.yml",
    "MANIFEST.in",
}
# Profiles in the environment win over those of the manifests: one quick build of PyO3 is enough for all projects.
QUICK = {
    "OPT_LEVEL": "0",
    "DEBUG": "false",
    "LTO": "off",
    "STRIP": "none",
    "OVERFLOW_CHECKS": "false",
    "CODEGEN_UNITS": "16",
}
SLOW = "builds for minutes: SLOW=1 pytest tests/test_adopt.py; docs/adopt.md has the last result"


@dataclass(frozen=True)
class Example:
    """A project of tests/adopt: see its README."""

    name: str
    content: Mapping[str, Any]

    def write(self, folder: Path) -> Path:
        """Create the project, and commit it."""
        folder.mkdir(parents=True)
        if make := self.content.get("make"):
            folder.rmdir()
            run([sys.executable if part == "PYTHON" else part for part in make], cwd=folder.parent)
            (folder.parent / make[-1]).rename(folder)
        for path, text in self.content.get("files", {}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode(self.content.get("encoding", "utf-8")))
        run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder)
        if remote := self.content.get("remote"):
            run(["git", "remote", "add", "origin", remote], cwd=folder)
        commit(folder)
        return folder / str(self.content.get("project", ""))


def examples() -> Mapping[str, Example]:
    """All examples by name. A file with `files` is one project; the others have several."""
    found = {}
    for path in sorted(FOLDER.glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, each in ({path.stem: content} if "files" in content else content).items():
            found[name] = Example(name, each)
    return found


EXAMPLES = examples()
ADOPTED = [name for name, example in EXAMPLES.items() if "refused" not in example.content]
REFUSED = [name for name, example in EXAMPLES.items() if "refused" in example.content]


@pytest.fixture(scope="session")
def releases(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a repository with v1.0.0, and v1.1.0 with many changes."""
    repository = Path(shutil.copytree(template, tmp_path_factory.mktemp("releases") / "template"))
    run(["git", "init", "--quiet"], cwd=repository)
    older_versions(repository)
    commit(repository)
    run(["git", "tag", "v1.0.0"], cwd=repository)
    CHANGES[1](repository)
    replace(repository / "template/noxfile.py.jinja", "import nox\n", "import nox  # the template's\n")
    replace(repository / "template/deny.toml", "", "\n# Of the template.\n")
    replace(repository / "licenses/MPL-2.0.txt", "Mozilla", "The Mozilla")
    commit(repository)
    run(["git", "tag", "v1.1.0"], cwd=repository)
    return repository


def adopt(project: Path, releases: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return copier_pyo3("adopt", project, "--template", releases, "--vcs-ref", "v1.0.0", *options)


def files(project: Path) -> dict[str, bytes]:
    """The files that git does not ignore."""
    names = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=project).stdout.split("\0")
    return {name: (project / name).read_bytes() for name in names if name}


def everything(repository: Path) -> dict[str, Any]:
    """The files, the branches, and the index."""
    told = [
        run(["git", *command], cwd=repository).stdout
        for command in (["for-each-ref"], ["status", "--short"], ["branch"])
    ]
    return {**files(repository), "git": told, "worktrees": run(["git", "worktree", "list"], cwd=repository).stdout}


# --- what the user had is still there ------------------------------------------------------------------


def lost(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """The places of values that are not in the result: a table keeps its keys, an array its items in their order."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after[key], f"{place}.{key}") if key in after else [f"{place}.{key}"]
    elif isinstance(before, list) and isinstance(after, list):
        rest = iter(after)
        yield from (f"{place}: {item}" for item in before if not any(not [*lost(item, other)] for other in rest))
    elif before != after:
        yield f"{place}: {before!r} is {after!r}"


def lines_lost(before: str, after: str) -> list[str]:
    """The lines that the result does not have in the same order."""
    rest = iter(after.splitlines())
    return [line for line in before.splitlines() if line not in rest]


def comments(text: str) -> list[str]:
    """The comments of a TOML or YAML text; no value in these projects has a number sign after a space."""
    found = (line.partition("#")[2] for line in text.splitlines() if line.startswith("#") or " #" in line)
    return [comment.strip() for comment in found if comment.strip()]


def check_kept(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    for path, content in before.items():
        assert path in after, f"{path} is deleted"
        if after[path] == content:
            continue
        name = Path(path).name
        assert name in MERGED, f"{path} is changed"
        old, new = content.decode("utf-8"), after[path].decode("utf-8")
        if name.endswith((".toml", ".yml", ".yaml")):
            read = tomllib.loads if name.endswith(".toml") else yaml.safe_load
            assert not list(lost(read(old), read(new))), path
            assert not lines_lost("\n".join(comments(old)), "\n".join(comments(new))), path
        else:
            assert not lines_lost(old, new), path


def answers(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ADOPTED)
def test_adopted(name: str, releases: Path, tmp_path: Path) -> None:
    """Nothing is lost, the answers are right, and what is added is in the plan. Then there is nothing to do."""
    example = EXAMPLES[name]
    project = example.write(tmp_path / "project")
    old = files(project)
    done = adopt(project, releases, "--yes")
    assert done.returncode == 0, done.stderr
    check_kept(old, files(project))
    assert "mode change" not in run(["git", "diff", "--summary", "HEAD"], cwd=project).stdout
    assert run(["git", "branch", "--show-current"], cwd=project).stdout == f"{BRANCH}\n"
    assert run(["git", "worktree", "list"], cwd=project).stdout.count("\n") == 1
    got = answers(project)
    assert {key: got.get(key) for key in example.content["answers"]} == example.content["answers"]
    assert got["_commit"] == "v1.0.0"
    for question in example.content.get("asked", []):
        assert re.search(rf"^  {question}: .*\((the default:|instead of )", done.stdout, re.MULTILINE), question
    if "pyo3" in example.content:
        assert f": PyO3 {example.content['pyo3']}" in done.stdout
    for key in example.content.get("without", []):
        table, name = key.split(".")
        assert name not in tomllib.loads((project / "pyproject.toml").read_text("utf-8")).get(table, {}), key
    for path in sorted(files(project).keys() - old.keys()):
        assert Path(path).parts[0] not in ("src", "python", "tests", "examples", "benches"), f"{path} is of the sample"
        assert f"  {path}\n" in done.stdout, f"{path} is not in the plan"

    commit(project)
    again = everything(project)
    assert adopt(project, releases, "--check").stdout.startswith("Nothing to do")
    assert everything(project) == again


@pytest.mark.parametrize("name", ["edits", "monorepo", "uv-init"])
def test_check_changes_nothing(name: str, releases: Path, tmp_path: Path) -> None:
    """`--check` shows the plan that `--yes` shows."""
    project = EXAMPLES[name].write(tmp_path / "project")
    before = everything(project)
    done = adopt(project, releases, "--check")
    assert done.returncode == 0, done.stderr
    assert everything(project) == before
    assert done.stdout.rstrip() in adopt(project, releases, "--yes").stdout


def built(name: str) -> Any:
    skip = EXAMPLES[name].content["build"] == "slow" and "SLOW" not in os.environ
    return pytest.param(name, marks=pytest.mark.skipif(skip, reason=SLOW))


@pytest.mark.parametrize("name", [built(name) for name in ADOPTED if "build" in EXAMPLES[name].content])
def test_the_same_names_before_and_after(
    name: str, releases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project built a wheel before, and builds one after. Both have the same files and names."""
    for setting, value in QUICK.items():
        monkeypatch.setenv(f"CARGO_PROFILE_RELEASE_{setting}", value)
    minor = sys.version_info.minor
    project = EXAMPLES[name].write(tmp_path / "after")
    before = Path(shutil.copytree(tmp_path / "after", tmp_path / "before")) / project.relative_to(tmp_path / "after")
    assert adopt(project, releases, "--yes").returncode == 0
    wheels: dict[Path, tuple[str, list[str], dict[str, list[str]]]] = {}
    for folder in (before, project):
        made = wheel(folder, minor)
        site = tmp_path / f"site-{len(wheels)}"
        install(made, minor, site)
        with zipfile.ZipFile(made) as archive:
            inside = sorted(path for path in archive.namelist() if ".dist-info/" not in path)
        names = "import importlib, json, sys; print(json.dumps([x for x in dir(importlib.import_module(sys.argv[1])) if x[0] != '_']))"
        told = {}
        for module in EXAMPLES[name].content["names"]:
            told[module] = json.loads(
                run([environment(minor), "-c", names, module], cwd=site, PYTHONPATH=str(site)).stdout
            )
        wheels[folder] = (made.name, inside, told)
    assert wheels[before] == wheels[project]
    for module, names in EXAMPLES[name].content["names"].items():
        assert set(names) <= set(wheels[project][2][module])


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, releases: Path, tmp_path: Path) -> None:
    """The error is one sentence, and nothing is changed."""
    example = EXAMPLES[name]
    project = example.write(tmp_path / "project")
    before = everything(project)
    done = adopt(project, releases, "--yes")
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("copier-pyo3: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert example.content["refused"] in done.stderr
    assert everything(project) == before


# --- one project in all situations ---------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return EXAMPLES["pure"].write(tmp_path / "project")


@pytest.fixture(scope="module")
def result(releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The files after adopting that project."""
    project = EXAMPLES["pure"].write(tmp_path_factory.mktemp("result") / "project")
    assert adopt(project, releases, "--yes").returncode == 0
    return files(project)


def test_a_saved_plan_is_applied(project: Path, releases: Path, result: Mapping[str, bytes], tmp_path: Path) -> None:
    plan = project / "pläne" / "plan.json"  # no uncommitted change
    before = everything(project)
    plan.parent.mkdir()
    done = adopt(project, releases, "--plan", plan, "--data", "author_name=Emmy Noether")
    assert done.returncode == 0, done.stderr
    shutil.move(plan.parent, tmp_path)
    assert everything(project) == before
    shutil.move(tmp_path / "pläne", project)
    done = copier_pyo3("adopt", project, "--plan", plan)
    assert done.returncode == 0, done.stderr
    plan.unlink()
    got = files(project)
    assert got.keys() == result.keys()
    assert answers(project)["author_name"] == "Emmy Noether"
    assert {path for path in got if got[path] != result[path]} == {".copier-answers.yml", "LICENSE"}


def test_a_saved_plan_is_for_one_commit(project: Path, releases: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert adopt(project, releases, "--plan", plan).returncode == 0
    replace(project / "README.md", "", "More.\n")
    commit(project)
    before = everything(project)
    done = copier_pyo3("adopt", project, "--plan", plan)
    assert done.returncode == 1
    assert "save a new plan" in done.stderr
    assert everything(project) == before


PLAN = {"head": "", "template": None, "vcs_ref": None, "answers_file": "a.yml", "modernize": False, "organization": ""}
WRONG: list[dict[str, Any]] = [{"answers": []}, {"answers": {}, "template": 5}]
PLANS = [json.dumps({**PLAN, "digest": "", **wrong}) for wrong in WRONG]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"head": "0123"}', "not a plan", *PLANS, "[" * 100_000])
def test_a_file_that_is_not_a_plan_stays(project: Path, text: str, tmp_path: Path) -> None:
    write(tmp_path / "notes", text)
    done = copier_pyo3("adopt", project, "--plan", tmp_path / "notes")
    assert done.returncode == 1
    assert "is not a plan of `copier-pyo3 adopt`" in done.stderr
    assert (tmp_path / "notes").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("answer", ["adopted=", "adopted_without=[]"])
def test_what_adopting_decides_is_no_answer(answer: str, project: Path) -> None:
    """Without these answers, the sample would be added."""
    done = copier_pyo3("adopt", project, "--yes", "--data", answer)
    assert done.returncode == 1
    assert answer.partition("=")[0] in done.stderr
    assert not run(["git", "status", "--short"], cwd=project).stdout


def test_a_template_that_is_not_for_existing_projects(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "template/copier.yml", "project_name: {type: str}\n")
    write(tmp_path / "template/sample.py", "1\n")
    done = copier_pyo3("adopt", project, "--yes", "--template", tmp_path / "template")
    assert done.returncode == 1
    assert "no question `adopted`" in done.stderr
    assert not run(["git", "status", "--short"], cwd=project).stdout


def test_files_that_not_every_parser_reads(releases: Path, tmp_path: Path) -> None:
    """A byte order mark, and the conflict markers of a merge in Cargo.lock; also a pin, which stays."""
    project = EXAMPLES["setup-py"].write(tmp_path / "project")
    replace(project / "rust/encode/Cargo.toml", '"0.30"', '"=0.29.0"')
    for name in ("setup.py", "rust/encode/Cargo.toml"):
        write(project / name, "\ufeff" + (project / name).read_text(encoding="utf-8"))
    write(project / "Cargo.lock", "<<<<<<< HEAD\n")
    commit(project)
    done = adopt(project, releases, "--check", "--modernize")
    assert done.returncode == 0, done.stderr
    assert "project_name: geo-hash (setup.py" in done.stdout
    assert 'rust/encode/Cargo.toml: pyo3 = "=0.29.0" stays' in done.stdout


@pytest.mark.parametrize(
    "situation", ["changes", "no commit", "no repository", "a branch", "a merge", "an answers file"]
)
def test_nothing_is_changed_if_the_repository_is_not_ready(situation: str, project: Path, releases: Path) -> None:
    words = {
        "changes": "uncommitted changes (M README.md)",
        "no commit": "has no commits",
        "no repository": "git",
        "a branch": f"git branch -D {BRANCH}",
        "a merge": "in the middle of a merge",
        "an answers file": "copier-pyo3 update",
    }[situation]
    if situation == "changes":
        replace(project / "README.md", "", "More.\n")
    elif situation == "a branch":
        run(["git", "branch", BRANCH], cwd=project)
    elif situation == "a merge":
        run(["git", "switch", "--quiet", "--create", "other"], cwd=project)
        commit(project)
        run(["git", "switch", "--quiet", "main"], cwd=project)
        run(["git", "merge", "--quiet", "--no-ff", "--no-commit", "other"], cwd=project)
    elif situation == "an answers file":
        write(project / ".copier-answers.yml", "_commit: v1.0.0\n_src_path: https://example.org/template.git\n")
        commit(project)
    else:
        shutil.rmtree(project / ".git")
        if situation == "no commit":
            run(["git", "init", "--quiet"], cwd=project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".git" not in path.parts}
    done = adopt(project, releases, "--yes")
    assert done.returncode == 1
    assert words in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert {
        path: path.read_bytes() for path in project.rglob("*") if path.is_file() and ".git" not in path.parts
    } == before


@pytest.mark.parametrize(("name", "at"), [("save", 1), ("_move", 1), ("_move", 3)])
def test_killed(name: str, at: int, project: Path, releases: Path, result: Mapping[str, bytes]) -> None:
    """The next run finishes, or starts again; then the result is complete."""
    options = ("adopt", project, "--template", releases, "--vcs-ref", "v1.0.0", "--yes")
    before = files(project)
    assert broken_off(KILL, name, at, *options).returncode == 9
    if name == "save":
        assert files(project) == before
    if (name, at) == ("_move", 3):
        before = files(project)
        done = copier_pyo3(*options[:-1], "--check")
        assert (done.returncode, files(project)) == (1, before)
        assert "interrupted" in done.stderr
    done = copier_pyo3(*options)
    assert done.returncode == 0, done.stderr
    assert files(project) == result
    assert run(["git", "branch", "--show-current"], cwd=project).stdout == f"{BRANCH}\n"
    assert run(["git", "worktree", "list"], cwd=project).stdout.count("\n") == 1
    assert not (project / ".git/copier-pyo3").exists()


@pytest.mark.parametrize("agreed", [True, False])
def test_on_a_terminal(agreed: bool, releases: Path, tmp_path: Path) -> None:
    """Only what no file says is asked. The plan comes before the last question."""
    project = EXAMPLES["old"].write(tmp_path / "project")
    before = everything(project)
    program, *rest = CLI
    options = [*rest, "adopt", str(project), "--template", str(releases), "--vcs-ref", "v1.0.0"]
    with pexpect.spawn(
        program, options, cwd=str(tmp_path), encoding="utf-8", timeout=60, dimensions=(200, 200)
    ) as child:
        child.expect("Repository URL")
        assert "Project name" not in (child.before or "")
        child.send("\r")
        child.expect("Publish releases to")
        child.send("\r")
        child.expect("Files to add")
        child.expect(BRANCH)
        child.send("y" if agreed else "n")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0
    if agreed:
        assert answers(project)["repository_url"] == "https://github.com/example/oldtimer"
    else:
        assert everything(project) == before


def test_without_a_terminal(project: Path, releases: Path) -> None:
    before = everything(project)
    done = adopt(project, releases)
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert everything(project) == before


# --- afterwards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "plain"), [("pure", True), ("edits", True), ("monorepo", False)])
def test_updates(name: str, plain: bool, releases: Path, tmp_path: Path) -> None:
    """An update brings what is new in the files that the template added, and nothing of the sample."""
    project = EXAMPLES[name].write(tmp_path / "project")
    old = files(project)
    assert adopt(project, releases, "--yes").returncode == 0
    commit(project)
    adopted = files(project)
    if plain:
        plain_update(project, "v1.1.0")
    else:
        done = copier_pyo3("update", project, "--vcs-ref", "v1.1.0")
        assert done.returncode == 0, done.stdout + done.stderr
    got = files(project)
    assert answers(project)["_commit"] == "v1.1.0"
    check_kept(old, got)
    assert not got.keys() - adopted.keys()
    assert not run(["git", "ls-files", "--unmerged"], cwd=project).stdout
    if name == "edits":  # files that stayed when the project was adopted
        changed = {path for path in got if got[path] != adopted[path]}
        assert changed <= {".copier-answers.yml", "pyproject.toml"}
    if name == "pure":
        assert "id: check-ast" in got[".pre-commit-config.yaml"].decode()
        assert b'"ruff==0.17.5"' in got["pyproject.toml"]


def test_modernize(releases: Path, tmp_path: Path) -> None:
    """The versions are raised, and the plan names what is left for the user. Without the option, they stay."""
    project = EXAMPLES["old"].write(tmp_path / "project")
    manifests = {name: tomllib.loads((project / name).read_text("utf-8")) for name in ("Cargo.toml", "pyproject.toml")}
    versions = yaml.safe_load((ROOT / "versions.yml").read_text(encoding="utf-8"))["versions"]["default"]
    done = copier_pyo3("adopt", project, "--yes", "--modernize")
    assert done.returncode == 0, done.stderr
    cargo, pyproject = (tomllib.loads((project / name).read_text("utf-8")) for name in manifests)
    assert cargo["dependencies"]["pyo3"]["version"] == versions["pyo3"]
    assert cargo["dependencies"]["pyo3"]["features"] == ["extension-module", "abi3-py310"]
    assert pyproject["project"]["requires-python"] == ">=3.10,<4"
    assert pyproject["build-system"]["requires"] == [f"maturin>={versions['maturin']},<2"]
    assert answers(project)["min_python"] == "3.10"
    assert cargo["package"] == manifests["Cargo.toml"]["package"]
    assert "/migration" in done.stdout
