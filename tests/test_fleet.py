"""``copier-pyo3 fleet`` on many local repositories: states, policies, updates, and what can go wrong."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from conftest import ROOT, run
from small import ANSWERS, CARGO, CLI, CODE, NEW, NEWER, PYPROJECT, Template, commit, copier_pyo3, replace, write

README = {"README.md": "# Sample\n\nOther text.\n"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Three releases; the last one changes the text of README.md."""
    made = Template(tmp_path_factory.mktemp("template") / "template")
    made.release("v1.0.0", {})
    made.release("v1.1.0", NEW)
    made.release("v1.2.0", {**NEWER, **README})
    return made


@pytest.fixture(scope="module")
def made(template: Template, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A project of each version."""
    folder = tmp_path_factory.mktemp("made")
    return {version: template.make(folder / version, version) for version in ("v1.0.0", "v1.1.0", "v1.2.0")}


def listed(file: Path, sources: Iterable[str | Path], more: str = "") -> Path:
    tables = (f"[[project]]\nsource = {json.dumps(str(source))}\n" for source in sources)
    write(file, more + "".join(tables))
    return file


def fleet(verb: str, file: Path, *arguments: str, code: int = 0, **env: str) -> dict[str, Any]:
    """The JSON that a command prints."""
    done = copier_pyo3("fleet", verb, "--file", file, "--json", *arguments, **env)
    assert done.returncode == code, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def by_name(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in report["projects"]}


def digest(folder: Path) -> dict[str, tuple[int, str]]:
    """The mode and the content of every file, with those in .git."""
    paths = [path for path in sorted(folder.rglob("*")) if not path.is_dir()]
    return {
        path.relative_to(folder).as_posix(): (
            path.lstat().st_mode,
            hashlib.sha256(b"link" if path.is_symlink() else path.read_bytes()).hexdigest(),
        )
        for path in paths
    }


# --- the states of 100 repositories ------------------------------------------------------------------


class Fleet:
    """Local repositories with the state that is expected of each."""

    def __init__(self, folder: Path, made: dict[str, Path]) -> None:
        """Start without repositories."""
        self.folder = folder
        self.made = made
        self.expected: dict[str, list[str]] = {}
        self.tables: list[str] = []

    def add(self, name: str, *states: str, version: str = "v1.2.0", source: str = "", folder: str = "") -> Path:
        """Add a project: a copy of one of this version, unless its source is elsewhere."""
        place = self.folder / name
        if not source:
            shutil.copytree(self.made[version], place, symlinks=True)
        self.expected[name] = list(states)
        self.tables.append(
            f"[[project]]\nname = {json.dumps(name)}\nsource = {json.dumps(source or name)}\n"
            + (f"folder = {json.dumps(folder)}\n" if folder else "")
        )
        return place

    def edited(self, name: str, *states: str, path: str, text: str, version: str = "v1.2.0") -> None:
        """Add a project with a committed edit."""
        place = self.add(name, *states, version=version)
        write(place / path, text)
        commit(place)


@pytest.fixture(scope="module")
def hundred(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """100 projects."""
    found = Fleet(tmp_path_factory.mktemp("hundred"), made)
    for number in range(40):
        found.add(f"current-{number}", "up to date")
    cargo, pyproject = ((made["v1.2.0"] / name).read_text("utf-8") for name in (CARGO, PYPROJECT))
    for number in range(5):  # edits that every living project makes
        found.edited(f"code-{number}", "up to date", path=CODE, text=f"// {number}\n")
        found.edited(f"readme-{number}", "up to date", path="README.md", text=f"# {number}\n")
        added = cargo.replace("[dependencies]\n", f'[dependencies]\nserde = "1.0.{number}"\n')
        found.edited(f"added-{number}", "up to date", path=CARGO, text=added)
        raised = pyproject.replace("1.16", f"1.{number + 20}")
        found.edited(f"raised-{number}", "up to date", path=PYPROJECT, text=raised)
    for number in range(3):
        found.edited(
            f"drifted-{number}", "drifted", path=CARGO, text=cargo.replace("strip = true", f"strip = {number}")
        )
        (found.add(f"deleted-{number}", "drifted") / ".gitignore").unlink()
        commit(found.folder / f"deleted-{number}")
        (found.add(f"mode-{number}", "drifted") / PYPROJECT).chmod(0o755)
        commit(found.folder / f"mode-{number}")
        write(found.add(f"dirty-{number}", "dirty") / CODE, "// Mine.\n")
        write(found.add(f"untracked-{number}", "dirty") / "new.txt", "Mine.\n")
        replace(found.add(f"invalid-{number}", "broken") / CARGO, "[package]", "[package")
        commit(found.folder / f"invalid-{number}")
        found.edited(f"answers-{number}", "broken", path=ANSWERS, text="project_name: sample\n")
        found.add(f"gone-{number}", "unreachable", source=f"nowhere/{number}")
        other = found.add(f"other-{number}", "not adopted", source=f"other-{number}")
        write(other / ("Cargo.toml", "pyproject.toml", "setup.py")[number], "")
        run(["git", "init", "--quiet"], cwd=other)
        commit(other)
    for number, version in enumerate(("v1.0.0", "v1.1.0")):
        found.add(f"behind-{number}", "behind", version=version)
        text = "# Sample\n\nMy text.\n"
        found.edited(f"conflict-{number}", "conflicting", "behind", path="README.md", text=text, version=version)
        write(found.add(f"both-{number}", "drifted", "dirty") / "new.txt", "Mine.\n")
        replace(found.folder / f"both-{number}" / ".gitignore", "*.so", "*.o")
        run(["git", "commit", "--quiet", "--message=Edit", "--", ".gitignore"], cwd=found.folder / f"both-{number}")
    # A repository with two projects, one without a commit, one without a project, addresses, and versions that are gone.
    for name in ("one", "two"):
        found.add(f"mono-{name}", "up to date" if name == "one" else "drifted", source="mono", folder=f"py/{name}")
        shutil.copytree(made["v1.2.0"], found.folder / "mono/py" / name, ignore=shutil.ignore_patterns(".git"))
    replace(found.folder / "mono/py/two/.gitignore", "*.so", "*.o")
    run(["git", "init", "--quiet"], cwd=found.folder / "mono")
    commit(found.folder / "mono")
    found.add("mono-three", "broken", source="mono", folder="py/three")
    found.add("mono-path", "up to date", source="mono/py/one")
    for name in ("empty", "texts"):
        (found.folder / name).mkdir()
        run(["git", "init", "--quiet"], cwd=found.folder / name)
        found.add(name, "broken", source=name)
    write(found.folder / "texts/README.md", "Text.\n")
    commit(found.folder / "texts")
    found.add("address", "unreachable", source="http://ada:secret@127.0.0.1:1/alpha.git")
    run(["git", "clone", "--quiet", "--bare", made["v1.2.0"], found.folder / "bare.git"], cwd=found.folder)
    found.add("bare", "up to date", source=(found.folder / "bare.git").as_uri())
    replace(found.add("version", "failed") / ANSWERS, "_commit: v1.2.0", "_commit: v1.1.9")
    commit(found.folder / "version")
    hostile = found.add("hostile", "failed") / ANSWERS
    replace(hostile, "_commit: v1.2.0", '_commit: "\\e[2Jv1\\n::stop-commands::x"')
    commit(hostile.parent)
    (found.add("linked", "broken") / ANSWERS).rename(found.folder / "elsewhere.yml")
    (found.folder / "linked" / ANSWERS).symlink_to(found.folder / "elsewhere.yml")
    commit(found.folder / "linked")
    answers = found.add("template", "unreachable") / ANSWERS
    lines = answers.read_text("utf-8").splitlines()
    address = "_src_path: git+http://ada:secret@127.0.0.1:1/template"
    write(answers, "".join(f"{address if line.startswith('_src_path') else line}\n" for line in lines))
    commit(found.folder / "template")
    # A template whose task fails.
    tasks = found.folder / "tasks"
    write(tasks / "copier.yml", "_tasks: ['echo there is no gizmo >&2; exit 3']\n")
    write(tasks / "README.md", "Text.\n")
    run(["git", "init", "--quiet"], cwd=tasks)
    commit(tasks)
    run(["git", "tag", "v1"], cwd=tasks)
    write(found.add("task", "failed") / ANSWERS, f"_commit: v1\n_src_path: {tasks}\n")
    commit(found.folder / "task")
    write(found.folder / "fleet.toml", "".join(found.tables))
    assert len(found.expected) >= 100
    return found


@pytest.fixture(scope="module")
def status(hundred: Fleet) -> dict[str, Any]:
    """The report on 100 projects, by two processes. Nothing changed."""
    before = digest(hundred.folder)
    temporary = hundred.folder.parent / f"{hundred.folder.name}-temporary"
    temporary.mkdir()
    report = fleet("status", hundred.folder / "fleet.toml", "--jobs", "2", TMPDIR=str(temporary))
    assert digest(hundred.folder) == before
    assert list(temporary.iterdir()) == []
    return report


def test_every_state_is_reported(hundred: Fleet, status: dict[str, Any]) -> None:
    assert {each["name"]: each["states"] for each in status["projects"]} == hundred.expected
    assert [each["name"] for each in status["projects"]] == list(hundred.expected)
    assert all(each["state"] == each["states"][0] for each in status["projects"])


def test_details_of_the_states(status: dict[str, Any], template: Template) -> None:
    found = by_name(status)
    assert {each["template"] for name, each in found.items() if name.startswith("current")} == {str(template.folder)}
    versions = ("version", "newest", "behind")
    assert [found["behind-0"][name] for name in versions] == ["v1.0.0", "v1.2.0", 2]
    assert [found["behind-1"][name] for name in versions] == ["v1.1.0", "v1.2.0", 1]
    assert [found["current-0"][name] for name in versions] == ["v1.2.0", "v1.2.0", 0]

    def how(name: str) -> list[tuple[str, str, bool]]:
        return [(part["path"], part["how"], part["expected"]) for part in found[name]["drift"]]

    assert how("drifted-1") == [(CARGO, "edited", False)]
    assert "-strip = true\n+strip = 1" in found["drifted-1"]["drift"][0]["diff"]
    assert how("deleted-0") == [(".gitignore", "deleted", False)]
    assert how("mode-0") == [(PYPROJECT, "mode", False)]
    assert how("code-0") == [(CODE, "edited", True)]
    assert how("added-0") == [(CARGO, "edited", True)]
    assert how("raised-0") == [(PYPROJECT, "versions", True)]
    assert how("current-0") == []
    assert [part["path"] for part in found["conflict-0"]["conflicts"]] == ["README.md"]
    assert found["conflict-0"]["conflicts"][0]["why"]
    assert found["dirty-0"]["dirty"] == [f" M {CODE}"]
    assert found["untracked-0"]["dirty"] == ["?? new.txt"]
    for name, words in {
        "invalid-0": "Cargo.toml cannot be read (the file is not valid TOML",
        "answers-0": ".copier-answers.yml has no _src_path or no _commit",
        "gone-0": "there is no folder",
        "mono-three": "there is no folder py/three in it",
        "empty": "it has no commits",
        "texts": "it has no Cargo.toml, pyproject.toml or setup.py",
        "version": "no longer has v1.1.9",
        "task": "a step of the template failed; its output ends with: there is no gizmo.",
        "address": "cannot clone http://127.0.0.1:1/alpha.git (fatal:",
        "template": "cannot reach the template git+http://127.0.0.1:1/template (fatal:",
    }.items():
        assert words in found[name]["message"], found[name]["message"]
    assert "secret" not in json.dumps(status)


def test_the_table_and_a_shard(hundred: Fleet) -> None:
    """Four projects, so that nothing is examined twice without need."""
    names = ("drifted-0", "address", "other-0", "hostile")
    tables = [table for table in hundred.tables if any(f'name = "{name}"' in table for name in names)]
    write(hundred.folder / "four.toml", "".join(tables))
    done = copier_pyo3("fleet", "status", "--file", hundred.folder / "four.toml", "--jobs", "1")
    (hundred.folder / "four.toml").unlink()
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.split("\n\n")[0].splitlines()]
    assert rows[0] == ["PROJECT", "STATE", "VERSION", "NEWEST", "BEHIND", "DRIFTED", "CONFLICTS", "POLICY"]
    assert ["drifted-0", "drifted", "v1.2.0", "v1.2.0", "0", "1", "0", "0"] in rows
    assert "4 projects: 1 failed, 1 unreachable, 1 not adopted, 1 drifted" in done.stdout
    assert "hostile    failed       \\x1b[2Jv1\\n::stop-commands::x" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\n::" not in done.stdout
    assert sorted(line.partition("] ")[2] for line in done.stderr.splitlines()) == sorted(
        ["drifted-0: drifted", "address: unreachable", "other-0: not adopted", "hostile: failed"]
    )
    assert "secret" not in done.stdout + done.stderr


def test_lists_and_shards(hundred: Fleet) -> None:
    file = hundred.folder / "fleet.toml"
    whole = fleet("list", file, "--shards", "4")
    assert whole["shards"] == ["1/4", "2/4", "3/4", "4/4"]
    parts = [fleet("list", file, "--shard", shard)["projects"] for shard in whole["shards"]]
    assert sorted(each["name"] for part in parts for each in part) == sorted(hundred.expected)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert fleet("list", listed(file.with_name("one.toml"), ["alpha"], "\ufeff"), "--shards", "4")["shards"] == ["1/1"]
    file.with_name("one.toml").unlink()
    assert "secret" not in json.dumps(whole)
    for wrong in ("0/2", "3/2", "1", "a/b"):
        assert copier_pyo3("fleet", "list", "--file", file, "--shard", wrong).returncode == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot read"),
        ("", "has no projects"),
        ("[[project]\n", "is not valid TOML"),
        ("[[projects]]\n", "unknown key `projects` at the top: use org, project"),
        ('[[project]]\nurl = "a"\n', "unknown key `url` in [[project]]: use folder, name, source"),
        ('[[project]]\nname = "a"\n', "has no `source`"),
        ("[[project]]\nsource = 1\n", "`source` is a text"),
        ('[[project]]\nsource = "a"\n[[project]]\nsource = "b/a.git"\n', 'two projects "a"'),
        ('[[project]]\nsource = "a"\n[[project]]\nsource = "b/A"\n', 'two projects "a"'),
        ('[[project]]\nsource = "a"\n[[project]]\nsource = "a/"\nname = "b"\n', "one project twice, as a and b"),
        ('[[project]]\nsource = "a"\nfolder = "../b"\n', 'without ".."'),
        ('org = "a\\u0000"\n[[project]]\nsource = "a"\n', "`org` is a text"),
        ('[[project]]\nsource = "' + 101 * "a" + '"\n', "use up to 100 letters"),
        ('[[project]]\nsource = "a"\nname = "../b"\n', 'cannot be named "../b"'),
        ('project = ["a"]\n', "a project is a table"),
    ],
)
def test_what_fleet_toml_cannot_have(text: str | None, words: str, tmp_path: Path) -> None:
    if text is not None:
        write(tmp_path / "fleet.toml", text)
    done = copier_pyo3("fleet", "list", "--file", tmp_path / "fleet.toml")
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stdout == ""


def test_a_terminal_has_a_progress_bar(made: dict[str, Path], tmp_path: Path) -> None:
    file = listed(tmp_path / "fleet.toml", [made["v1.2.0"]])
    child = pexpect.spawn(
        CLI[0], [*CLI[1:], "fleet", "status", "--file", str(file)], cwd=ROOT, encoding="utf-8", timeout=120
    )
    output = child.read()
    child.close()
    assert child.exitstatus == 0, output
    assert "1/1 [" in output
    assert "1 projects: 1 up to date" in output


# --- the policy --------------------------------------------------------------------------------------


def test_check_of_a_policy(made: dict[str, Path], tmp_path: Path) -> None:
    write(
        tmp_path / "organization.yml",
        "locked: {kind: mixed, abi3: true}\n"
        "policy:\n  files: [README.md, src/*.rs]\n"
        "  keys:\n    Cargo.toml: {package.name:, dependencies.pyo3.features: [abi3], profile.release.strip: true}\n",
    )
    good, bad = (Path(shutil.copytree(made["v1.2.0"], tmp_path / name)) for name in ("good", "bad"))
    file = listed(tmp_path / "fleet.toml", [good, bad], 'org = "organization.yml"\n')
    (bad / CODE).unlink()
    replace(bad / CARGO, "strip = true", "strip = false")
    replace(bad / CARGO, '"abi3"', '"serde"')
    replace(bad / ANSWERS, "abi3: true", "abi3: false")
    commit(bad)
    before = digest(tmp_path)
    found = by_name(fleet("check", file, code=1))
    assert found["good"]["violations"] == []
    assert found["bad"]["violations"] == [
        "src/*.rs: there is no such file",
        'Cargo.toml: dependencies.pyo3.features does not have "abi3"',
        "Cargo.toml: profile.release.strip is false; the policy requires true",
        "answer abi3 is false; the organization requires true",
    ]
    assert digest(tmp_path) == before
    done = copier_pyo3("fleet", "check", "--file", listed(file, [good], 'org = "organization.yml"\n'))
    assert (done.returncode, done.stdout) == (0, "1 projects, 0 with violations or errors.\n")
    done = copier_pyo3("fleet", "check", "--file", listed(file, [good]))
    assert done.returncode == 1
    assert "has no `org`" in done.stderr


# --- updates -----------------------------------------------------------------------------------------


def remote(folder: Path, source: Path) -> Path:
    """A bare repository to push to."""
    run(["git", "clone", "--quiet", "--bare", source, folder], cwd=source)
    return folder


def branches(repository: Path) -> dict[str, str]:
    lines = run(["git", "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"], cwd=repository).stdout
    return dict(line.split(" ", 1) for line in lines.splitlines())


def shown(repository: Path, path: str, branch: str = "copier-pyo3/v1.2.0") -> str:
    return run(["git", "show", f"{branch}:{path}"], cwd=repository).stdout


def hook(repository: Path, name: str, text: str) -> None:
    write(repository / "hooks" / name, f"#!/bin/sh\n{text}\n")
    (repository / "hooks" / name).chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="the hooks are shell scripts")
def test_updates_are_pushed_and_failures_are_left_alone(made: dict[str, Path], tmp_path: Path) -> None:
    conflicting = Path(shutil.copytree(made["v1.0.0"], tmp_path / "edited"))
    write(conflicting / "README.md", "# Sample\n\nMy text.\n")
    write(conflicting / "fails", "")
    commit(conflicting)
    good, refusing = (remote(tmp_path / f"{name}.git", made["v1.0.0"]) for name in ("good", "refusing"))
    current, conflict = remote(tmp_path / "current.git", made["v1.2.0"]), remote(tmp_path / "conflict.git", conflicting)
    write(conflicting / "README.md", "# Sample\n\nText.\n")
    commit(conflicting)
    failing = remote(tmp_path / "failing.git", conflicting)
    hook(refusing, "pre-receive", 'echo "no pushes on Mondays" >&2; exit 1')
    hook(good, "post-receive", 'echo "Create a pull request: https://git.example.org/good/compare" >&2')
    remotes = [good, refusing, current, conflict, failing]
    before = {each.name: branches(each) for each in remotes}
    file = listed(tmp_path / "fleet.toml", [*remotes, tmp_path / "gone"])
    check = [sys.executable, "-c", "import pathlib; assert not pathlib.Path('fails').exists(), 'it fails'"]
    found = by_name(fleet("update", file, "--jobs", "2", "--check", *check, code=1))
    assert {name: each["result"] for name, each in found.items()} == {
        "good": "pushed",
        "refusing": "failed",
        "current": "up to date",
        "conflict": "conflicting",
        "failing": "failed",
        "gone": "unreachable",
    }
    assert found["refusing"]["message"] == "the push of copier-pyo3/v1.2.0 was refused (no pushes on Mondays)"
    assert "failed with exit code 1" in found["failing"]["message"]
    assert "it fails" in found["failing"]["message"]
    assert [part["path"] for part in found["conflict"]["conflicts"]] == ["README.md"]
    for each in remotes[1:]:
        assert branches(each) == before[each.name]
    branch = {"copier-pyo3/v1.2.0": found["good"]["commit"]}
    assert branches(good) == before["good.git"] | branch
    assert 'version = "0.30.1"' in shown(good, CARGO)
    assert "_commit: v1.2.0" in shown(good, ANSWERS)
    assert found["good"]["message"] == "open a pull request: https://git.example.org/good/compare"
    said = run(["git", "log", "-1", "--format=%s", "copier-pyo3/v1.2.0"], cwd=good).stdout
    assert said == "Update the template from v1.0.0 to v1.2.0\n"
    state = tmp_path / ".copier-pyo3-fleet"
    assert list((state / "clones").iterdir()) == []
    assert json.loads((state / "good.json").read_text("utf-8"))["commit"] == found["good"]["commit"]
    # Again, after the hook is gone: what was pushed is found, and the rest is done.
    (refusing / "hooks/pre-receive").unlink()
    (state / "lock").unlink()  # as on Windows
    again = by_name(fleet("update", listed(file, [good, refusing]), code=0))
    assert {name: each["result"] for name, each in again.items()} == {"good": "pushed before", "refusing": "pushed"}
    assert again["good"]["changed"] == found["good"]["changed"]
    assert branches(good) == before["good.git"] | branch


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for gh is a shell script")
def test_a_pull_request_with_gh_and_no_push(made: dict[str, Path], tmp_path: Path) -> None:
    alpha, beta = (remote(tmp_path / f"{name}.git", made["v1.1.0"]) for name in ("alpha", "beta"))
    script = f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\necho https://git.example.org/ada/alpha/pull/7\n'
    write(tmp_path / "bin/gh", script)
    (tmp_path / "bin/gh").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    file = listed(tmp_path / "fleet.toml", [alpha.as_uri()])
    (entry,) = fleet("update", file, PATH=path)["projects"]
    assert (entry["result"], entry["pull_request"]) == ("pushed", "https://git.example.org/ada/alpha/pull/7")
    asked = (tmp_path / "asked").read_text("utf-8").splitlines()
    assert asked[:4] == ["pr", "create", "--head", "copier-pyo3/v1.2.0"]
    assert "Update the template from v1.1.0 to v1.2.0" in asked
    (entry,) = fleet("update", listed(file, [beta]), "--no-push")["projects"]
    assert entry["result"] == "committed"
    assert "copier-pyo3/v1.2.0" not in branches(beta)
    assert branches(tmp_path / ".copier-pyo3-fleet/clones/beta")["copier-pyo3/v1.2.0"] == entry["commit"]


def test_a_shard_without_projects(made: dict[str, Path], tmp_path: Path) -> None:
    file = listed(tmp_path / "fleet.toml", [made["v1.2.0"]])
    for verb, says in (("status", "\n\n0 projects\n"), ("update", "")):
        done = copier_pyo3("fleet", verb, "--file", file, "--shard", "2/2")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith(says)


def test_versions_before_the_first_release_and_branches_of_other_projects(tmp_path: Path) -> None:
    template = Template(tmp_path / "template")
    template.release("nightly", {})
    early = template.make(tmp_path / "early", "HEAD")
    replace(
        early / ANSWERS,
        "_commit: nightly",
        f"_commit: {run(['git', 'rev-parse', 'HEAD'], cwd=template.folder).stdout[:10]}",
    )
    commit(early)
    template.release("v1.0.0", {})
    template.release("v1.1.0", NEW)
    mono = tmp_path / "mono"
    for folder in ("py/one", "py-one"):
        shutil.copytree(early, mono / folder, ignore=shutil.ignore_patterns(".git"))
    run(["git", "init", "--quiet"], cwd=mono)
    commit(mono)
    bare = remote(tmp_path / "mono.git", mono)
    tables = [
        f'[[project]]\nsource = "mono.git"\nfolder = "{folder}"\nname = "{name}"\n'
        for name, folder in (("one", "py/one"), ("other", "py-one"))
    ]
    file = tmp_path / "fleet.toml"
    write(file, "".join(tables))
    (entry,) = fleet("status", file, "--shard", "1/2")["projects"]
    assert (entry["states"], entry["behind"]) == (["behind"], 2)
    found = by_name(fleet("update", file, "--jobs", "1", code=1))
    assert (found["one"]["result"], found["other"]["result"]) == ("pushed", "failed")
    assert "there is a branch copier-pyo3/py-one-v1.1.0 that does not update this project" in found["other"]["message"]
    assert "_commit: v1.1.0" in shown(bare, f"py/one/{ANSWERS}", "copier-pyo3/py-one-v1.1.0")


def running(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_an_update_that_was_killed_is_completed(made: dict[str, Path], tmp_path: Path) -> None:
    """Twice, first by KILL, then by TERM, each time in the second project."""
    mono = tmp_path / "mono"
    for name in ("two", "three"):  # in one repository
        shutil.copytree(made["v1.1.0"], mono / "py" / name, ignore=shutil.ignore_patterns(".git"))
    run(["git", "init", "--quiet"], cwd=mono)
    commit(mono)
    one, others = remote(tmp_path / "one.git", made["v1.1.0"]), remote(tmp_path / "others.git", mono)
    tables = [
        f'[[project]]\nsource = "others.git"\nfolder = "py/{name}"\nname = "{name}"\n' for name in ("two", "three")
    ]
    file = listed(tmp_path / "fleet.toml", [one])
    write(file, file.read_text("utf-8") + "".join(tables))
    command = [*CLI, "fleet", "update", "--file", str(file), "--jobs", "1"]
    for by, code, first in (
        (signal.SIGKILL, -signal.SIGKILL, "[1/3] one: pushed\n"),
        (signal.SIGTERM, 128 + signal.SIGTERM, "[1/3] one: pushed before\n"),
    ):
        temporary = tmp_path / by.name
        temporary.mkdir()
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(temporary)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as child:
            assert child.stderr
            assert child.stderr.readline() == first
            time.sleep(0.3)  # in the update of the second project
            child.send_signal(by)
            child.wait(60)
        assert child.returncode == code
        limit = time.monotonic() + 30
        while running(child.pid) and time.monotonic() < limit:
            time.sleep(0.1)
        assert not running(child.pid), "a process is left"
        assert "copier-pyo3/py-three-v1.2.0" not in branches(others)
        if by == signal.SIGTERM:
            assert [path for path in temporary.iterdir() if path.name.startswith("copier-pyo3")] == []
    report = fleet("update", file, "--jobs", "2")
    assert Counter(each["result"] for each in report["projects"])["failed"] == 0
    assert by_name(report)["one"]["result"] == "pushed before"
    assert "_commit: v1.2.0" in shown(one, ANSWERS)
    for name, other in (("two", "three"), ("three", "two")):
        branch = f"copier-pyo3/py-{name}-v1.2.0"
        assert by_name(report)[name]["branch"] == branch
        assert "_commit: v1.2.0" in shown(others, f"py/{name}/{ANSWERS}", branch)
        assert "_commit: v1.1.0" in shown(others, f"py/{other}/{ANSWERS}", branch)
    records = sorted(path.name for path in (tmp_path / ".copier-pyo3-fleet").glob("*.json"))
    assert records == ["one.json", "three.json", "two.json"]


def test_two_updates_at_once_are_refused(made: dict[str, Path], tmp_path: Path) -> None:
    import filelock

    file = listed(tmp_path / "fleet.toml", [made["v1.2.0"]])
    write(tmp_path / "state/.gitignore", "*\n")
    with filelock.FileLock(tmp_path / "state/lock"):
        done = copier_pyo3("fleet", "update", "--file", file, "--state", tmp_path / "state")
    assert done.returncode == 1
    assert "another `fleet update` is using" in done.stderr
    write(tmp_path / "mine/clones/v1.2.0/file", "Mine.\n")
    done = copier_pyo3("fleet", "update", "--file", file, "--state", tmp_path / "mine")
    assert done.returncode == 1
    assert "has other files: pass a new folder to --state." in done.stderr
    assert digest(tmp_path / "mine").keys() == {"clones/v1.2.0/file"}


# --- private repositories ----------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for ssh is a shell script")
def test_repositories_and_templates_over_ssh(template: Template, made: dict[str, Path], tmp_path: Path) -> None:
    """git starts ssh as for any host. The template's address is recorded unchanged."""
    write(tmp_path / "ssh", f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nfor last; do :; done\neval "$last"\n')
    (tmp_path / "ssh").chmod(0o755)
    address = f"git@git.example.org:{template.folder}"
    project = Path(shutil.copytree(made["v1.0.0"], tmp_path / "alpha"))
    replace(project / ANSWERS, f"_src_path: {template.folder}", f"_src_path: {address}")
    commit(project)
    bare = remote(tmp_path / "alpha.git", project)
    file = listed(tmp_path / "fleet.toml", [f"git@git.example.org:{bare}"])
    settings = tmp_path / "settings.yml"
    write(settings, json.dumps({"trust": [address]}))
    ssh = str(tmp_path / "ssh")
    (entry,) = fleet("update", file, GIT_SSH_COMMAND=ssh, COPIER_SETTINGS_PATH=str(settings))["projects"]
    assert entry["result"] == "pushed", entry
    assert f"_src_path: {address}\n" in shown(bare, ANSWERS)
    asked = (tmp_path / "asked").read_text("utf-8")
    assert asked.count(f"git-upload-pack '{template.folder}'") == 1, "the template is fetched once"
    assert f"git-receive-pack '{bare}'" in asked
    done = copier_pyo3("fleet", "status", "--file", file, GIT_SSH_COMMAND=ssh)
    assert "this would run code of the template" in done.stdout  # which is not trusted any more


# --- the organization's layer ------------------------------------------------------------------------


def test_the_layer_is_not_drift_and_is_updated(template: Template, tmp_path: Path) -> None:
    standards = tmp_path / "standards"
    write(standards / "organization.yml", "layer: .\n")
    write(standards / "copier.yml", "_subdirectory: layer\nproject_name: {type: str}\n")
    write(standards / "layer/{{ _copier_conf.answers_file }}.jinja", "{{ _copier_answers | to_nice_yaml }}")
    write(standards / "layer/.gitignore.jinja", "# {{ project_name }}\n*.so\n")  # replaces a file of the template
    run(["git", "init", "--quiet"], cwd=standards)
    commit(standards)
    run(["git", "tag", "v1"], cwd=standards)
    project = tmp_path / "alpha"
    done = copier_pyo3(
        *("new", project, "--defaults", "--no-build", "--template", template.folder),
        *("--org", standards / "organization.yml", "--data", "project_name=alpha"),
    )
    assert done.returncode == 0, done.stderr
    commit(project)
    bare = remote(tmp_path / "alpha.git", project)
    file = listed(tmp_path / "fleet.toml", [bare], 'org = "standards/organization.yml"\n')
    (entry,) = fleet("status", file)["projects"]
    assert (entry["states"], entry["drift"]) == (["up to date"], [])
    assert (entry["layer"]["version"], entry["layer"]["behind"]) == ("v1", 0)
    write(standards / "layer/CODEOWNERS", "* @example/core\n")
    commit(standards)
    run(["git", "tag", "v2"], cwd=standards)
    (entry,) = fleet("status", file)["projects"]
    assert (entry["states"], entry["behind"], entry["layer"]["behind"]) == (["behind"], 0, 1)
    (entry,) = fleet("update", file)["projects"]
    assert (entry["result"], entry["branch"]) == ("pushed", "copier-pyo3/organization-v2")
    assert shown(bare, "CODEOWNERS", entry["branch"]) == "* @example/core\n"
