"""Measures how `copier-pyo3 fleet` grows with the number of projects: `python3 dev.py bench-fleet`.

Of each ten local repositories, six are up to date, two are behind by a version, one is edited, and one has an unreadable answers file. All
have different names, so each is rendered separately. It prints a Markdown table: the elapsed time of a run with two processes, the CPU time
including child processes, and both for one project.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "hooks"), str(ROOT / "tests")]

from bench_update import BIN, commit, sh
from edits import CHANGES, older_versions

COUNTS = (10, 100)
JOBS = 2
NAME = "quokka"
FLEET = [sys.executable, "-m", "copier_pyo3.cli", "fleet"]


def template(folder: Path) -> None:
    """Two versions of the template, without its tests and documentation."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in files.splitlines():
        if not name.startswith(("tests/", "docs/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    sh("git", "init", "--quiet", cwd=folder)
    older_versions(folder)
    commit(folder, "v1.0.0")
    CHANGES[0](folder)
    commit(folder, "v1.1.0")


def projects(folder: Path, source: Path, count: int) -> None:
    """The repositories, and fleet.toml. Each version is rendered once, and the name is replaced."""
    rendered = {}
    for version in ("v1.0.0", "v1.1.0"):
        rendered[version] = source.with_name(version) / NAME
        if not rendered[version].exists():
            copy = ("copy", "--trust", "--defaults", "-q", "-r", version, "-d", f"project_name={NAME}")
            sh(BIN / "copier", *copy, source, rendered[version], cwd=source)
    entries = []
    for number in range(count):
        name = f"project{number:03}"
        project = folder / name
        shutil.copytree(rendered["v1.0.0" if number % 10 in (6, 7) else "v1.1.0"], project)
        for path in sorted(project.rglob("*"), reverse=True):
            if path.is_file():
                path.write_text(path.read_text(encoding="utf-8").replace(NAME, name), encoding="utf-8")
            if NAME in path.name:
                path.rename(path.with_name(path.name.replace(NAME, name)))
        if number % 10 == 8:
            (project / "deny.toml").unlink()
        if number % 10 == 9:
            (project / ".copier-answers.yml").write_text("<<<<<<< before updating\n", encoding="utf-8")
        sh("git", "init", "--quiet", cwd=project)
        commit(project)
        entries.append(f'[[project]]\nsource = "{name}"\n')
    (folder / "fleet.toml").write_text("\n".join(entries), encoding="utf-8")


def measure(folder: Path, *arguments: str) -> tuple[float, float, dict[str, int]]:
    """The elapsed time and the CPU time in seconds, and how many projects are in each state."""
    start, cpu = time.monotonic(), sum(os.times()[2:4])
    command = [*FLEET, *arguments, "--trust", "--json", "--jobs", str(JOBS)]
    env = os.environ | {"PYTHONPATH": str(ROOT / "hooks")}
    done = subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True, text=True)
    elapsed, cpu = time.monotonic() - start, sum(os.times()[2:4]) - cpu
    if not done.stdout:
        raise SystemExit(done.stderr)
    states: dict[str, int] = {}
    for project in json.loads(done.stdout)["projects"]:
        state = project.get("state") or project["result"]
        states[state] = states.get(state, 0) + 1
    return elapsed, cpu, states


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as aside:
        source = Path(aside, "template")
        template(source)
        print("| command | projects | elapsed, s | for each | CPU, s | for each |")
        print("|---" * 6 + "|")
        for count in COUNTS:
            Path(aside, str(count)).mkdir()
            projects(Path(aside, str(count)), source, count)
        for verb in (("status",), ("update", "--no-push")):
            for count in COUNTS:
                folder = Path(aside, str(count))
                elapsed, cpu, states = measure(folder, *verb)
                shown = f"`fleet {' '.join(verb)} --jobs {JOBS}`"
                print(
                    f"| {shown} | {count} | {elapsed:.0f} | {elapsed / count:.2f} | {cpu:.0f} | {cpu / count:.2f} |",
                    flush=True,
                )
                print(f"{count}, {verb[0]}: {states}", file=sys.stderr)


if __name__ == "__main__":
    main()
