"""Each file in surroundings/ is a machine that a user has: the result is the same as on a tidy one, or a refusal says why.

See surroundings/README.md for the format of the files, and for where they come from.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, interpreters, run, without
from small import NEW, Template, commit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILES = sorted((ROOT / "tests/surroundings").glob("*.toml"))
CASES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FILES}
KEYS = {
    "report",
    "says",
    "at",
    "run",
    "missing",
    "umask",
    "crlf",
    "doors",
    "root",
    "env",
    "files",
    "expect",
    "build",
    "tested",
}
BUILT = [name for name, case in CASES.items() if "build" in case]
DOORS = ("copy", "new", "update")
# Not part of the project, or different in each run.
LEFT_OUT = {".git", ".venv", "target", "__pycache__", "uv.lock", ".pytest_cache"}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the files are for POSIX")


def test_the_matrix_is_large_enough() -> None:
    assert len(CASES) >= 40
    assert len(BUILT) >= 12
    for name, case in CASES.items():
        assert case.keys() <= KEYS, name
        assert {"report", "says"} <= case.keys(), name
        assert case.get("expect", {}).keys() <= {*case.get("doors", DOORS)}, name
    assert sum(case.get("doors") is None for case in CASES.values()) >= 40


# --- machines ----------------------------------------------------------------------------------------


class Machine:
    """A home folder, a folder for projects, and environment variables, as a file in surroundings/ says."""

    def __init__(self, case: Mapping[str, Any], folder: Path) -> None:
        """Make them in a folder."""
        self.case = case
        self.home, self.place = folder / "home", folder / "place"
        self.names = {"home": str(self.home), "place": str(self.place), "path": os.environ["PATH"]}
        self.names["target"] = run(["rustc", "--print=host-tuple"], cwd=ROOT).stdout.strip()
        self.names |= {f"python3{minor}": str(python) for minor, python in interpreters().items()}
        for each in (self.home, self.place):
            each.mkdir(parents=True)
        tools = {
            "CARGO_HOME": ".cargo",
            "RUSTUP_HOME": ".rustup",
            "PIP_CACHE_DIR": ".cache/pip",
            "UV_CACHE_DIR": ".cache/uv",
        }
        kept = {name: os.environ.get(name) or str(Path.home() / path) for name, path in tools.items()}
        self.env: dict[str, str] = {**os.environ, **kept, "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}
        self.env.pop("PIP_FIND_LINKS", None)
        self.write("~/.gitconfig", "[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n")
        for path, text in case.get("files", {}).items():
            self.write(path, text)
        for name, value in case.get("env", {}).items():
            self.env.pop(name, None)
            if value is not False:
                self.env[name] = self.filled(value)
        if missing := case.get("missing"):
            self.env["PATH"] = without(folder, *missing)

    def filled(self, text: str) -> str:
        """The text with the names of this machine."""
        return re.sub(r"\{(\w+)\}", lambda found: self.names.get(found[1], found[0]), text)

    def write(self, path: str, text: str) -> None:
        """Write or extend a file in the home folder (~) or in the folder for projects."""
        target = self.home / path[2:] if path.startswith("~/") else self.place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8", newline="\n") as file:
            file.write(self.filled(text))
        if text.startswith("#!"):
            target.chmod(0o755)

    def prepare(self) -> None:
        """Run the commands of the file, on a tidy machine."""
        for command in self.case.get("run", []):
            run(["sh", "-ec", self.filled(command)], cwd=self.place)

    def run(self, command: Sequence[object], cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command on this machine."""
        umask = int(self.case.get("umask", "022"), 8)
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.place,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            umask=umask,
            check=False,
        )


# --- the doors ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A template with two versions; the second has new files, one of which many ignore."""
    made = Template(tmp_path_factory.mktemp("surroundings") / "template")
    made.release("v1.0.0", {})
    made.release(
        "v1.1.0", {**NEW, "python/{{ module_name }}/more.pyi": "def more() -> None: ...\n", "docs/größe.md": "# Size\n"}
    )
    return made


@pytest.fixture(scope="session")
def start(small: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of its first version with an edit."""
    project = small.make(tmp_path_factory.mktemp("surroundings") / "sample")
    (project / "README.md").write_text("# Mine\n\nText.\n", encoding="utf-8")
    commit(project)
    return project


def through(
    door: str, machine: Machine, small: Template, template: Path, start: Path
) -> "subprocess.CompletedProcess[str]":
    """Go through a door with a project named sample, at the place that the file says."""
    project = machine.place / machine.case.get("at", "sample")
    machine.prepare()
    if door == "copy":
        options = ["--trust", "--defaults", "--quiet", "--vcs-ref=v1.1.0"]
        return machine.run([sys.executable, "-m", "copier", "copy", *options, small.folder, project])
    command = [sys.executable, "-m", "copier_pyo3.cli", door, project, "--defaults"]
    if door == "new":
        data = [
            "--data=sample=minimal",
            "--data=project_name=sample",
            "--data=copyright_year=2026",
            "--data=author_name=Ada",
            "--data=author_email=",
        ]
        return machine.run([*command, *data, "--no-build", "--template", template])
    shutil.copytree(start, project, dirs_exist_ok=True)
    if machine.case.get("root"):
        run(["chown", "-R", "1234:1234", project], cwd=machine.place)
    return machine.run(command)


def files(project: Path) -> dict[str, bytes]:
    """The files of a project, without what differs between runs."""
    found = {}
    for path in project.rglob("*"):
        name = path.relative_to(project)
        if path.is_file() and not LEFT_OUT & {*name.parts}:
            content = path.read_bytes()
            found[str(name)] = re.sub(rb"(?m)^(_src_path|author_name|author_email):.*\n", b"", content)
    return found


def staged(project: Path) -> list[str]:
    """What git has in the index."""
    return run(["git", "ls-files", "--cached"], cwd=project).stdout.split("\n")


@functools.cache
def tidy(door: str, small: Template, template: Path, start: Path, folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The result on a tidy machine."""
    machine = Machine({}, folder / f"tidy-{door}")
    done = through(door, machine, small, template, start)
    assert done.returncode == 0, done.stderr
    project = machine.place / "sample"
    return files(project), staged(project) if door == "new" else []


@pytest.fixture(scope="session")
def folder_of_tidy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tidy")


@pytest.mark.parametrize(
    ("name", "door"), [(name, door) for name, case in CASES.items() for door in case.get("doors", DOORS)]
)
def test_same_as_on_a_tidy_machine(
    name: str, door: str, small: Template, template: Path, start: Path, folder_of_tidy: Path, tmp_path: Path
) -> None:
    case = CASES[name]
    if case.get("root") and os.geteuid():
        pytest.skip("only root can give files to another user")
    if absent := {*re.findall(r"python3\d+", repr(case))} - {f"python3{minor}" for minor in interpreters()}:
        pytest.skip(f"no {', '.join(absent)} on this machine")
    machine = Machine(case, tmp_path)
    done = through(door, machine, small, template, start)
    said = " ".join(done.stderr.split())
    project = machine.place / case.get("at", "sample")
    if (refusal := case.get("expect", {}).get(door)) is not None:
        assert done.returncode not in (0, None), done.stdout
        for words in [refusal] if isinstance(refusal, str) else refusal:
            assert machine.filled(words) in said
        if door != "copy":
            assert "Traceback" not in said
            assert said.startswith("copier-pyo3: ")
            assert files(project) == (files(start) if door == "update" else {})
    else:
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        same, index = tidy(door, small, template, start, folder_of_tidy)
        found = files(project)
        if case.get("crlf"):
            found = {path: content.replace(b"\r\n", b"\n") for path, content in found.items()}
        assert found == same
        if index and (project / ".git").exists():
            assert staged(project) == index
    left = [path.name for path in machine.place.rglob("*") if path.name.startswith((".copier-pyo3-", "copier-pyo3-"))]
    assert not left


# --- builds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILT)
def test_builds_and_tests_pass(name: str, template: Path, tmp_path: Path) -> None:
    """`copier-pyo3 new`, the Rust tests, and the Python tests."""
    machine = Machine(CASES[name], tmp_path)
    machine.prepare()
    project = machine.place / CASES[name].get("at", "sample")
    data = ["--data=sample=minimal", "--data=project_name=sample"]
    command = [sys.executable, "-m", "copier_pyo3.cli", "new", project, "--defaults", *data, "--template", template]
    done = machine.run(command)
    refusal = CASES[name]["build"]
    if refusal is not True:
        assert done.returncode == 1, done.stdout
        for words in [refusal] if isinstance(refusal, str) else refusal:
            assert machine.filled(words) in done.stderr
        assert "Traceback" not in done.stderr
        if "Nothing was written." in done.stderr:
            assert not project.exists()
        return
    assert done.returncode == 0, done.stderr
    assert "Cargo.lock" in staged(project) or not (project / ".git").exists()
    assert (project / ".venv").is_dir()
    if not CASES[name].get("tested", True):
        return
    for command in (["cargo", "test", "--quiet"], [project / ".venv/bin/python", "-m", "pytest", "-q"]):
        tested = machine.run(command, cwd=project)
        assert tested.returncode == 0, f"{tested.stdout}\n{tested.stderr}"
