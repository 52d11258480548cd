"""Shared code for tests of workflows and releases: rendering projects, and running workflows with act."""

import functools
import json
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier.errors import DirtyLocalWarning

from conftest import BUILD, interpreters

ROOT = Path(__file__).resolve().parent.parent
ACTIONS = Path(__file__).with_name("actions")
WORKFLOWS = ".github/workflows"
# Answers without placeholders, which releases reject.
OWN = {
    "author_email": "ada@example.org",
    "description": "Statistics of numbers, for tests",
    "repository_url": "https://github.com/ada/sample",
}
USES = re.compile(r"^\s*(?:- )?uses: (?P<action>[\w./-]+)@(?P<sha>\S+)(?: # (?P<version>\S+))?$", re.MULTILINE)


def render(folder: Path, **answers: Any) -> Path:
    """Create a project with these answers, a git repository, and Cargo.lock."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DirtyLocalWarning)
        data = OWN | answers
        copier.run_copy(str(ROOT), folder, data=data, vcs_ref="HEAD", defaults=True, unsafe=True, quiet=True)
    run(folder, "cargo", "generate-lockfile", "--quiet")
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    for key, value in {"user.name": "A Tester", "user.email": "tester@example.org"}.items():
        run(folder, "git", "config", key, value)
    commit(folder, "feat: start")
    return folder


def commit(folder: Path, message: str) -> None:
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--allow-empty", "--allow-empty-message", f"--message={message}")


def run(folder: Path, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command. Returns its stdout and stderr as one text."""
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if check and result.returncode:
        pytest.fail(f"{' '.join(command)} (in {folder}): exit code {result.returncode}\n{result.stdout[-5000:]}")
    return result


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def only(workflow: Path, session: str) -> None:
    """Leave out the nox sessions of a workflow or pipeline except one: a test of a failing job needs no other."""
    text, count = re.subn(rf"uvx nox -s (?!{session}\b).*", "echo left out", workflow.read_text(encoding="utf-8"))
    assert count >= 3
    workflow.write_text(text, encoding="utf-8")


@functools.cache
def whole_interpreters() -> dict[int, Path]:
    """Interpreters with a libpython for linking tests. The one that the tests download has none."""
    return {minor: python for minor, python in interpreters().items() if BUILD not in python.parents}


@functools.cache
def path() -> str:
    """A PATH like on a runner: every interpreter by name, followed by the PATH of the machine."""
    folder = BUILD / "interpreters"
    folder.mkdir(parents=True, exist_ok=True)
    for minor, python in whole_interpreters().items():
        link = folder / f"python3.{minor}"
        link.unlink(missing_ok=True)
        link.symlink_to(python)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def drop_missing_pythons(project: Path) -> None:
    """Remove Pythons that this machine does not have from the project: CI installs them, but the tests cannot."""
    here = [f"3.{minor}" for minor in whole_interpreters()]

    def missing(version: str) -> bool:
        return not version.endswith("t") and version not in here

    pyproject = project / "pyproject.toml"
    lines = pyproject.read_text(encoding="utf-8").splitlines(keepends=True)
    classifier = re.compile(r'  "Programming Language :: Python :: (3\.\d+)",\n')
    kept = [line for line in lines if not (match := classifier.fullmatch(line)) or not missing(match[1])]
    pyproject.write_text("".join(kept), encoding="utf-8")

    def known(versions: list[str]) -> list[str]:
        return list(dict.fromkeys(here[-1] if missing(version) else version for version in versions))

    def replaced(match: re.Match[str]) -> str:
        """The versions on this machine, and the newest of them instead of others."""
        if "t" in match[2]:  # no other Python can replace a free-threaded one
            return match[0]
        return f'{match[1]}"{" ".join(known(match[2].split()))}"'

    for workflow in [*(project / WORKFLOWS).glob("*.yml"), *project.glob(".gitlab-ci.yml")]:
        text = re.sub(r'( (?:test|python): )"([\d.t ]+)"', replaced, workflow.read_text(encoding="utf-8"))
        for minor in {int(each) for each in re.findall(r"cp3(\d+)-cp3\1\b", text)} - set(whole_interpreters()):
            text = re.sub(rf" cp3{minor}-cp3{minor}\b| python3\.{minor}\b| cp3{minor}-many\w+", "", text)
        text = re.sub(
            r'(PYTHON: )\["(.+)"\]', lambda matrix: str(matrix[1]) + json.dumps(known(matrix[2].split('", "'))), text
        )
        workflow.write_text(text, encoding="utf-8")


def need(*tools: str) -> None:
    """Skip a test if tools are missing, with their names."""
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"not installed: {', '.join(missing)} (tests/tools.py installs them)")


def need_act() -> None:
    """Skip a test that runs a workflow, before it creates the project, if tools are missing."""
    need("act", "actionlint", "cargo", "cargo-deny", "node", "uv", "zizmor")


@dataclass(frozen=True)
class Run:
    """The result of a workflow: the jobs that succeeded, and the records of the stand-ins."""

    jobs: Mapping[str, bool]
    notes: str
    log: str

    @property
    def succeeded(self) -> bool:
        return all(self.jobs.values())

    def failed(self, job: str) -> bool:
        """Whether the job ran and failed. A skipped job did not."""
        return self.jobs.get(job) is False


def records(scratch: Path) -> str:
    """What the stand-ins of a run wrote down."""
    log = scratch / "log"
    return log.read_text(encoding="utf-8") if log.exists() else ""


def act(
    project: Path,
    workflow: str,
    scratch: Path,
    *,
    tag: str = "",
    event: str = "push",
    about: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    **environment: str,
) -> Run:
    """Run a workflow of the project with act, on this machine, without Docker.

    Args:
        project: the folder with the workflow.
        workflow: the name of its file.
        scratch: a new folder for the records of the stand-ins.
        tag: the pushed tag; otherwise main was pushed.
        event: another event.
        about: more fields of the event.
        secrets: the secrets of the repository.
        environment: more variables.
    """
    scratch.mkdir()
    fields = scratch / "event.json"
    ref = f"refs/tags/{tag}" if tag else "refs/heads/main"
    fields.write_text(json.dumps({"ref": ref, "repository": {"default_branch": "main"}, **(about or {})}))
    pins = {(match["action"], match["sha"]) for match in USES.finditer(text_of_workflows(project))}
    stand_ins = [
        f"--local-repository={action}@{sha}={ACTIONS / action}"
        for action, sha in sorted(pins)
        if action != "actions/checkout"  # act itself checks out the work tree
    ]
    variables = {"STAND_IN": str(scratch), **environment}
    result = run(
        project,
        *("act", event, "--eventpath", str(fields), "--workflows", f"{WORKFLOWS}/{workflow}"),
        *("--platform", "ubuntu-24.04=-self-hosted", "--concurrent-jobs", "1"),
        *stand_ins,
        *(f"--env={name}={value}" for name, value in variables.items()),
        *(f"--secret={name}={value}" for name, value in (secrets or {}).items()),
        check=False,
        PATH=f"{ACTIONS / 'bin'}{os.pathsep}{path()}",
    )
    # [Release/Wheels for linux-x86_64   ] 🏁  Job succeeded
    ended = re.findall(r"^\[[^/\]]+/(.+?) *\] +🏁 +Job (succeeded|failed)$", result.stdout, re.MULTILINE)
    return Run({name: outcome == "succeeded" for name, outcome in ended}, records(scratch), result.stdout)


def need_gitlab() -> None:
    """Skip a test that is to run a pipeline of GitLab if the tools for that are missing."""
    need("gitlab-ci-local", "cargo", "cargo-deny", "uv")


def gitlab(project: Path, scratch: Path, *, tag: str = "", **variables: str) -> Run:
    """Run the project's pipeline with gitlab-ci-local, on this machine, as the push of the default branch or of a tag.

    Each job has its own folder, with the committed files and the artifacts of earlier jobs.
    """
    scratch.mkdir()
    bin_folder = scratch / "bin"
    stand_ins = {path.name: path for path in (ACTIONS / "gitlab").iterdir()}
    if shutil.which("rsync"):
        del stand_ins["rsync"]
    bin_folder.mkdir()
    for name, stand_in in stand_ins.items():
        shutil.copy(stand_in, bin_folder / name)
    variables |= {"CI_COMMIT_TAG": tag} if tag else {}
    result = run(
        project,
        *("gitlab-ci-local", "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source"),
        *("--concurrency", "1"),
        *(f"--variable={name}={value}" for name, value in variables.items()),
        check=False,
        PATH=f"{bin_folder}{os.pathsep}{path()}",
        STAND_IN=str(scratch),
        REAL_UV=str(shutil.which("uv")),
        NO_COLOR="1",
        FORCE_COLOR="0",
    )
    ended = re.findall(r"^ (PASS|FAIL|WARN)  (\S+(?: \[.*?\])?)", result.stdout, re.MULTILINE)
    return Run({name: outcome == "PASS" for outcome, name in ended}, records(scratch), result.stdout)


def text_of_workflows(project: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((project / WORKFLOWS).glob("*.yml")))


def load_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
