"""Benchmarks of updates: `python3 dev.py bench-update`.

Prints the CPU time of a merge of a manifest with 500 lines, and of updates of a project with a user's edits, as medians of several
runs. To compare other checkouts of this repository, pass their paths.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "hooks"), str(ROOT / "tests")]

from copier_pyo3.merge.file import merge_toml as merge
from edits import CHANGES, EDITS, older_versions

RUNS = 3
BIN = Path(sys.executable).parent


def median(run: Callable[[], None], prepare: Callable[[], None] = lambda: None, runs: int = RUNS) -> float:
    """The CPU time in seconds, including child processes, which does not depend on other work on the machine."""
    times = []
    for _ in range(runs):
        prepare()
        start = os.times()
        run()
        times.append(sum(os.times()[:4]) - sum(start[:4]))
    return statistics.median(times)


def manifest(lines: int) -> str:
    """A Cargo.toml with this number of lines."""
    head = '[package]\nname = "x"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\n'
    return head + "".join(f'crate-{number} = "1.{number}.0"\n' for number in range(lines - head.count("\n")))


def repeated(base: str, ours: str, theirs: str) -> None:
    """Run it ten times, because the clock is coarse."""
    for _ in range(10):
        merge(base, ours, theirs)


def sh(*command: str | Path, cwd: Path, **env: str) -> None:
    """Run quietly. A failure ends the benchmark, except an update that left something to resolve."""
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=cwd, env=os.environ | env, check=False, capture_output=True, text=True)
    if done.returncode and "Resolve by hand:" not in done.stdout:
        raise SystemExit(f"{words}: {done.stdout}{done.stderr}")


def commit(folder: Path, tag: str | None = None) -> None:
    """Commit all."""
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    sh("git", "add", "--all", cwd=folder)
    sh("git", *identity, "commit", "--quiet", "--allow-empty", "-m", "x", cwd=folder)
    if tag:
        sh("git", "tag", tag, cwd=folder)


def anew(project: Path, work: Path) -> None:
    """A fresh copy to update."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(project, work)


def main() -> None:
    """Measure and print."""
    base = manifest(500)
    for what, theirs in {
        "nothing changed": base,
        "one value changed": base.replace('"1.77.0"', '"1.78.0"'),
        "every value changed": re.sub(r'"1\.', '"2.', base),
    }.items():
        ours = base.replace("[dep", "# ours\n[dep")
        seconds = median(partial(repeated, base, ours, theirs)) / 10
        print(f"merge, 500 lines, {what}: {1000 * seconds:.1f} ms")

    with tempfile.TemporaryDirectory() as aside:
        updates(Path(aside), [ROOT, *map(Path, sys.argv[1:])])


def updates(folder: Path, checkouts: list[Path]) -> None:
    """Updates of one project. Each round runs all kinds, with this checkout and the others."""
    runs: list[tuple[str, Path, list[str | Path], dict[str, str]]] = []
    plain: list[str | Path] = [BIN / "copier", "update", "--trust", "--defaults", "--quiet"]
    for number, checkout in enumerate(checkouts):
        template, bare = folder / f"{number}/template", folder / f"{number}/bare"
        files = subprocess.run(["git", "ls-files"], cwd=checkout, check=True, capture_output=True, text=True).stdout
        for name in files.splitlines():
            if name.startswith("tests/"):
                continue  # Copier checks them out each time, which is not part of the comparison.
            (template / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(checkout / name, template / name)
        shutil.copytree(template, bare)
        config = bare / "copier.yml"
        config.write_text(re.sub(r"\n_migrations:\n(  .*\n)+", "\n", config.read_text("utf-8")), encoding="utf-8")
        made = [project_of(repository) for repository in (bare, template)]
        verb: list[str | Path] = [sys.executable, "-m", "copier_pyo3.cli", "update"]
        env = {"PYTHONPATH": str(checkout / "hooks")}
        runs += [
            (f"{checkout.name}: copier update, without the migration", made[0], plain, {}),
            (f"{checkout.name}: copier update, with the migration", made[1], plain, {}),
            (f"{checkout.name}: copier-pyo3 update", made[1], verb, env),
        ]
    times: dict[str, list[float]] = {what: [] for what, *_ in runs}
    for _ in range(RUNS):
        for what, project, command, env in runs:
            work = folder / "work"
            times[what].append(median(partial(sh, *command, cwd=work, **env), partial(anew, project, work), 1))
    first = statistics.median(times[runs[0][0]])
    for what, seconds in times.items():
        middle = statistics.median(seconds)
        print(f"{what}: {middle:.2f} s, {middle / first:.2f} ({min(seconds):.2f} to {max(seconds):.2f})")


def project_of(repository: Path) -> Path:
    """Two versions of the template, and a project of the first one with a user's edits."""
    sh("git", "init", "--quiet", cwd=repository)
    older_versions(repository)
    commit(repository, "v1.0.0")
    CHANGES[1](repository)
    commit(repository, "v1.1.0")
    project = repository.with_name(f"{repository.name}-sample") / "sample"
    copy = ("copy", "--trust", "--defaults", "-q", "-r", "v1.0.0", "-d", "project_name=sample")
    sh(BIN / "copier", *copy, repository, project, cwd=repository)
    for edit in EDITS[3:30:4]:
        edit(project)
    sh("git", "init", "--quiet", cwd=project)
    commit(project)
    return project


if __name__ == "__main__":
    main()
