"""Benchmarks of updates: `python3 dev.py bench-update`.

Prints the merge's time for a manifest of 500 lines, and the time of updates of one project with edits of a user, each the
median of several runs, as processor time.
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
    """Seconds of processor time, children's included: other work on the machine does not count."""
    times = []
    for _ in range(runs):
        prepare()
        start = os.times()
        run()
        times.append(sum(os.times()[:4]) - sum(start[:4]))
    return statistics.median(times)


def manifest(lines: int) -> str:
    """A Cargo.toml of so many lines."""
    head = '[package]\nname = "x"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\n'
    return head + "".join(f'crate-{number} = "1.{number}.0"\n' for number in range(lines - head.count("\n")))


def repeated(base: str, ours: str, theirs: str) -> None:
    """Ten times, for the clock is coarse."""
    for _ in range(10):
        merge(base, ours, theirs)


def sh(*command: str | Path, cwd: Path) -> None:
    """Run quietly; a failure ends the benchmark."""
    subprocess.run([str(part) for part in command], cwd=cwd, check=True, capture_output=True)


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
        folder = Path(aside)
        template, bare = folder / "template", folder / "bare"
        files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in files.splitlines():
            (template / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, template / name)
        shutil.copytree(template, bare)
        config = bare / "copier.yml"
        config.write_text(re.sub(r"\n_migrations:\n(  .*\n)+", "\n", config.read_text("utf-8")), encoding="utf-8")
        made = {}
        for repository in (template, bare):
            sh("git", "init", "--quiet", cwd=repository)
            older_versions(repository)
            commit(repository, "v1.0.0")
            CHANGES[1](repository)
            commit(repository, "v1.1.0")
            project = made[repository] = folder / f"{repository.name}-sample" / "sample"
            data = ("-d", "project_name=sample")
            sh(
                BIN / "copier",
                "copy",
                "--trust",
                "--defaults",
                "-q",
                "-r",
                "v1.0.0",
                *data,
                repository,
                project,
                cwd=folder,
            )
            for edit in EDITS[3:30:4]:
                edit(project)
            sh("git", "init", "--quiet", cwd=project)
            commit(project)
        work = folder / "work"
        plain: list[str | Path] = [BIN / "copier", "update", "--trust", "--defaults", "--quiet"]
        figures = {}
        updates: list[tuple[str, Path, list[str | Path]]] = [
            ("copier update, without the migration (manifests left in conflict)", bare, plain),
            ("copier update, with the migration", template, plain),
            ("copier-pyo3 update", template, [BIN / "copier-pyo3", "update"]),
        ]
        for what, repository, command in updates:
            figures[what] = median(partial(sh, *command, cwd=work), partial(anew, made[repository], work))
            print(f"{what}: {figures[what]:.2f} s")
        without, plain_time, verb = figures.values()
        print(
            f"copier-pyo3 update takes {verb / plain_time:.2f} of copier update, {verb / without:.2f} of it without the migration"
        )


if __name__ == "__main__":
    main()
