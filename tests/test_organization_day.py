"""The day in docs/organization.md: its files and commands, on a host of git repositories that requires a token."""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, run
from edits import CHANGES, older_versions
from git_host import USER, serving
from small import commit, replace, write

PAGE = (ROOT / "docs/organization.md").read_text(encoding="utf-8")
SECTIONS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])
FILE = re.compile(r"^`([^`\n]+)`, a new file:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SITE = "https://git.example.org"
TOKEN = "token-only-for-this-test"
PROJECTS = ["aurora", "birch", "cobalt", "delta", "ember", "falcon", "garnet", "harbor", "indigo", "juniper"]


@dataclass
class Day:
    """The folder in which the page's commands run, their environment, and all output so far."""

    folder: Path
    host: Path
    env: dict[str, str]
    said: str = ""

    def read(self, title: str) -> None:
        """Write the files of a section, run its commands, and compare their output with the page."""
        for name, content in FILE.findall(SECTIONS[title]):
            home = name.removeprefix("~/")
            write((self.folder if home == name else Path(self.env["HOME"])) / home, content)
        for block in CONSOLE.findall(SECTIONS[title]):
            for step in block.split("$ ")[1:]:
                command, _, shown = step.partition("\n")
                self.do(command, shown)

    def do(self, command: str, shown: str = "") -> None:
        """Run a command. … in the shown output is any text."""
        expected = shown.splitlines()
        code = int(expected.pop()[len("(exit code ") : -1]) if shown.endswith(")\n") else 0
        done = run(shlex.split(command), cwd=self.folder, check=False, **self.env)
        self.said += done.stdout + done.stderr
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        lines = iter(done.stdout.splitlines())
        for line in expected:
            pattern = re.sub(r"\\ (\\ )+", r"\\ +", re.escape(line)).replace("…", ".*")
            assert any(re.fullmatch(pattern, each) for each in lines), f"{command}: no {line}\n{done.stdout}"

    def refs(self, name: str) -> str:
        """The branches and tags of a repository on the host, with their commits."""
        return run(["git", "show-ref"], cwd=self.host / f"team/{name}.git", check=False).stdout

    def file(self, name: str, branch: str, path: str) -> str:
        """A file of a project on the host."""
        return run(["git", "show", f"{branch}:{path}"], cwd=self.host / f"team/{name}.git").stdout


@pytest.fixture(scope="module")
def day(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """The host, with the template and the older projects, at the start of the day."""
    root = tmp_path_factory.mktemp("organization")
    host, home, folder = root / "host", root / "home", root / "day"
    folder.mkdir()
    for name in ("platform/template", "platform/standards", *(f"team/{each}" for each in PROJECTS)):
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", host / f"{name}.git"], cwd=root)
    with serving(host, TOKEN) as url:
        store = home / "credentials"
        write(store, f"{url.replace('://', f'://{USER}:{TOKEN}@')}\n")
        settings = f'[credential]\n\thelper = store --file "{store}"\n[url "{url}/"]\n\tinsteadOf = {SITE}/\n'
        write(home / ".gitconfig", f"{settings}[user]\n\tname = Ada\n\temail = ada@example.org\n")
        env = {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"), "GIT_TERMINAL_PROMPT": "0"}
        env |= {
            "XDG_CONFIG_HOME": str(home / ".config"),
            "COPIER_SETTINGS_PATH": str(home / ".config/copier/settings.yml"),
        }
        day = Day(folder, host, env)
        day.read("Credentials")
        day.read("The standard")
        _projects(day, template, root)
        yield day


def _projects(day: Day, template: Path, root: Path) -> None:
    """Two projects at v1.0.0, four at v1.1.0, and three that are older than the template."""
    versions = root / "template"
    shutil.copytree(template, versions, ignore=shutil.ignore_patterns("tests", "docs"))
    run(["git", "init", "--quiet", "-b", "main"], cwd=versions)
    older_versions(versions)
    for version, change, names in (
        ("v1.0.0", None, ("delta", "ember")),
        ("v1.1.0", CHANGES[0], ("birch", "cobalt", "falcon", "garnet")),
    ):
        if change:
            change(versions)
        commit(versions)
        run(["git", "tag", version], cwd=versions)
        run(
            ["git", "push", "--quiet", f"{SITE}/platform/template.git", "main", version],
            cwd=versions,
            check=True,
            **day.env,
        )
        for name in names:
            new = _command("A new project").replace("aurora", f"{root}/{name}")
            day.do(new)
            _edit(root / name, name)
            _push(day, root / name)
    for name in ("harbor", "indigo", "juniper"):
        _by_hand(root / name, name)
        _push(day, root / name)


def _command(title: str) -> str:
    """The first command in a section."""
    return str(CONSOLE.findall(SECTIONS[title])[0]).partition("\n")[0].removeprefix("$ ")


def _edit(project: Path, name: str) -> None:
    if name == "falcon":
        replace(project / "deny.toml", 'yanked = "deny"', 'yanked = "allow"')
    if name == "garnet":
        write(project / ".copier-answers.yml", "<<<<<<< before updating\n_commit: v1.1.0\n")
    if name == "ember":
        replace(project / "pyproject.toml", "[tool.ruff]", "# ours\n[tool.ruff]")


def _push(day: Day, project: Path) -> None:
    run(["git", "init", "--quiet", "-b", "main"], cwd=project)
    commit(project)
    run(["git", "push", "--quiet", f"{SITE}/team/{project.name}.git", "HEAD:main"], cwd=project, check=True, **day.env)


def _by_hand(project: Path, name: str) -> None:
    """A project as maturin's users write it."""
    write(
        project / "Cargo.toml",
        f"""[package]
name = "{name}"
version = "0.3.0"
edition = "2021"
license = "MIT"

[lib]
name = "{name}"
crate-type = ["cdylib"]

[dependencies]
pyo3 = {{ version = "0.30", features = ["abi3-py311"] }}
""",
    )
    write(
        project / "pyproject.toml",
        f"""[build-system]
requires = ["maturin>=1.9,<2"]
build-backend = "maturin"

[project]
name = "{name}"
description = "Written before there was a template"
version = "0.3.0"
requires-python = ">=3.11"
license = "MIT"
authors = [{{ name = "Grace Hopper", email = "grace@example.org" }}]
""",
    )
    code = f"use pyo3::prelude::*;\n\n#[pymodule]\nmod {name} {{}}\n"
    write(project / "src/lib.rs", code)
    write(project / "README.md", f"# {name}\n")


def test_a_day(day: Day) -> None:
    """All sections of the page, in order; then what is on the host, and that the token is nowhere."""
    day.read("A new project")
    answers = yaml.safe_load((day.folder / "aurora/.copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_src_path"] == f"{SITE}/platform/template.git"
    assert (answers["license"], answers["index_url"]) == ("proprietary", "https://packages.example.org/python")
    assert "runs-on: [self-hosted, linux]" in (day.folder / "aurora/.github/workflows/ci.yml").read_text("utf-8")
    assert (day.folder / "aurora/CODEOWNERS").read_text("utf-8") == "* @example/platform\n"
    older = SECTIONS["Three older projects"]
    for name in ("harbor", "indigo", "juniper"):
        SECTIONS["Three older projects"] = older.replace("harbor", name)
        day.read("Three older projects")
        changed = run(["git", "diff", "--name-only", "HEAD~1"], cwd=day.folder / name).stdout.splitlines()
        assert {"CODEOWNERS", "noxfile.py", "pyproject.toml"} <= {*changed}
        assert not {"src/lib.rs", "Cargo.toml", "README.md"} & {*changed}
        assert "self-hosted" in day.file(name, "main", ".copier-answers.yml")
    day.read("The list")
    before = {name: day.refs(name) for name in PROJECTS}
    day.read("Where each project is")
    assert {name: day.refs(name) for name in PROJECTS} == before
    html = (day.folder / "report.html").read_text(encoding="utf-8")
    assert sorted(re.findall(r'data-name="(\w+)"', html)) == PROJECTS
    day.read("One update")
    for name in PROJECTS:
        new = set(day.refs(name).splitlines()) - set(before[name].splitlines())
        branches = [line.split()[1] for line in new]
        assert branches == (["refs/heads/copier-pyo3/v1.1.0"] if name in ("delta", "ember") else []), name
        assert set(before[name].splitlines()) <= set(day.refs(name).splitlines())
    updated = yaml.safe_load(day.file("ember", "copier-pyo3/v1.1.0", ".copier-answers.yml"))
    assert (updated["_commit"], updated["license"]) == ("v1.1.0", "proprietary")
    assert "# ours\n" in day.file("ember", "copier-pyo3/v1.1.0", "pyproject.toml")
    day.read("Past one machine")
    day.read("With Renovate")
    _no_token(day)


def _no_token(day: Day) -> None:
    assert TOKEN not in day.said
    for path in day.folder.rglob("*"):
        if path.is_file() and ".git" not in path.relative_to(day.folder).parts[:-1]:
            assert TOKEN.encode() not in path.read_bytes(), path
    for config in day.folder.rglob(".git/config"):
        assert TOKEN not in config.read_text(encoding="utf-8")
    for repository in day.host.glob("*/*.git"):
        revisions = run(["git", "rev-list", "--all"], cwd=repository).stdout.split()
        assert run(["git", "grep", "--quiet", TOKEN, *revisions], cwd=repository, check=False).returncode == 1
