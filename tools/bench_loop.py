"""Benchmarks of the daily work, which print figures in docs/benchmarks.md: `python3 dev.py bench-loop`.

All sides alternate in one run. The figures are medians of the CPU time, including child processes; for the sample, the minimum
wall time of seven runs.
"""

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from conftest import interpreters

BIN = Path(sys.executable).parent
NUMBERS = count(1)
EDITED = "let mut diagonal = i"  # a line of src/distance.rs, and one of what `maturin new` writes
EDITED_PEER = "(a + b"
IMPORTED = "import my_extension"

# The sample in Python: the version in examples/demo.py, and the fastest that we could write.
PLAIN = (ROOT / "parts" / "distance_in_python.py").read_text(encoding="utf-8").replace("distance_in_python", "distance")
TUNED = """
def distance(first, second):
    row = list(range(1, len(second) + 1))
    for i, a in enumerate(first):
        diagonal = i
        left = i + 1
        next_row = []
        append = next_row.append
        for b, above in zip(second, row):
            if a != b:
                if above < diagonal: diagonal = above
                if left < diagonal: diagonal = left
                diagonal += 1
            left = diagonal
            append(left)
            diagonal = above
        row = next_row
    return row[-1] if row else len(first)
"""
TIMER = """
import sys, timeit
{source}
for length in 8, 40, 1000:
    first, second = ("kitten " * 200)[:length], ("sitting " * 200)[:length]
    number = max(1, 200_000 // (length * length))
    print(min(timeit.repeat(lambda: distance(first, second), number=number, repeat=7)) / number * 1e6)
"""


def run(*command: object, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command quietly. Returns its output."""
    clean = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "CARGO_TARGET_DIR")}
    clean["PATH"] = f"{BIN}{os.pathsep}{clean['PATH']}"
    parts = [str(part) for part in command]
    done = subprocess.run(
        parts, cwd=cwd, env=clean | dict(env or {}), capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(f"{command}:\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(action: Callable[[], object]) -> float:
    """The CPU time of the processes that it starts, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def in_turn(rounds: int, sides: Mapping[str, Callable[[], float]], against: tuple[str, ...]) -> None:
    """Print the median of each side, and its ratio to some of the others."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            taken[name].append(side())
    medians = {name: statistics.median(values) for name, values in taken.items()}
    for name, median in medians.items():
        ratios = "  ".join(f"{median / medians[other]:5.2f} of {other}" for other in against)
        print(f"  {name:<48} {median:7.2f}  {ratios}", flush=True)


def project(folder: Path, *options: str) -> Path:
    """Create a project from the work tree."""
    template = folder.parent / "template"
    if not template.exists():
        names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (template / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, template / name)
    data = ["--data=project_name=my-extension", *(f"--data={option}" for option in options)]
    run("copier", "copy", "--quiet", "--trust", "--defaults", *data, template, folder)
    return folder


def activated(folder: Path) -> dict[str, str]:
    """The environment in which the project's .venv is active."""
    place = folder / ".venv" / "bin"
    return {"VIRTUAL_ENV": str(place.parent), "PATH": f"{place}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"}


def edit(source: Path, line: str) -> None:
    """Change a line so that its code differs each time."""
    text = source.read_text(encoding="utf-8")
    number = next(NUMBERS)
    changed = re.sub(rf"({re.escape(line)})( \+ \d+ - \d+)?", rf"\1 + {number} - {number}", text, count=1)
    source.write_text(changed, encoding="utf-8")


def by_pip(folder: Path) -> None:
    """Create the environment like the README does without uv."""
    run(sys.executable, "-m", "venv", ".venv", cwd=folder)
    pip = [folder / ".venv" / "bin" / "python", "-m", "pip", "install", "--quiet"]
    run(*pip, "pip>=25.1", cwd=folder)
    run(*pip, "--group", "dev", "--editable", ".", cwd=folder)


def by_develop(folder: Path, *options: str) -> None:
    """Run `maturin develop` in the project's environment."""
    run("maturin", "develop", "--quiet", *options, cwd=folder, env=activated(folder))


def python(folder: Path, code: str) -> None:
    """Run code with the project's interpreter."""
    run(folder / ".venv" / "bin" / "python", "-c", code, cwd=folder)


def peer(folder: Path) -> Path:
    """Create a project with `maturin new`."""
    run("maturin", "new", "--mixed", "--bindings", "pyo3", folder)
    run(sys.executable, "-m", "venv", ".venv", cwd=folder)
    return folder


def first_import(work: Path) -> None:
    """From nothing to the import, with crates and packages in the caches of Cargo, uv, and pip."""

    def fresh() -> Path:
        return work / str(next(NUMBERS))

    def ours_uv() -> None:
        run("uv", "run", "python", "-c", IMPORTED, cwd=project(fresh()))

    def ours_pip() -> None:
        by_pip(made := project(fresh()))
        python(made, IMPORTED)

    def maturin_new() -> None:
        by_develop(made := peer(fresh() / "peer_ext"))
        python(made, "import peer_ext")

    def uv_init() -> None:
        made = fresh() / "peer_ext"
        run("uv", "init", "--build-backend", "maturin", "--package", made)
        run("uv", "run", "python", "-c", "import peer_ext", cwd=made)

    others = {"maturin new + maturin develop": maturin_new, "uv init + uv run": uv_init}
    sides = {"ours, copier copy + uv run": ours_uv, "ours, copier copy + pip": ours_pip, **others}
    print("from nothing to the import, CPU seconds")
    in_turn(3, {name: lambda side=side: seconds(side) for name, side in sides.items()}, tuple(others))  # type: ignore[misc]


def edits(work: Path) -> None:
    """From an edit in Rust to the import."""
    uv, develop, pip = (project(work / name) for name in ("uv", "develop", "pip"))
    run("uv", "run", "python", "-c", IMPORTED, cwd=uv)
    for folder in (develop, pip):
        by_pip(folder)
    by_develop(theirs := peer(work / "peer_ext"))

    def side(folder: Path, again: Callable[[], object], code: str = IMPORTED) -> Callable[[], float]:
        def measure() -> float:
            ours = folder / "src" / "distance.rs"
            edit(*((ours, EDITED) if ours.exists() else (folder / "src" / "lib.rs", EDITED_PEER)))

            def whole() -> None:
                again()
                python(folder, code)

            return seconds(whole)

        measure()
        return measure

    sides = {
        "ours, uv run (README)": side(uv, lambda: run("uv", "run", "python", "-c", IMPORTED, cwd=uv), "pass"),
        "ours, maturin develop --profile editable": side(develop, lambda: by_develop(develop, "--profile", "editable")),
        "ours, pip install --editable .": side(
            pip, lambda: run(pip / ".venv/bin/python", "-m", "pip", "install", "--quiet", "--editable", ".", cwd=pip)
        ),
        "maturin new, maturin develop": side(theirs, lambda: by_develop(theirs), "import peer_ext"),
    }
    print("from an edit to the import, CPU seconds")
    in_turn(7, sides, ("maturin new, maturin develop",))


def sample(work: Path) -> None:
    """The sample compared with Python code, and the time to import the package, with each Python on this machine."""
    print("the sample, µs for texts of 8, 40 and 1000 characters; ms of the import over a bare Python, of 30 runs")
    for minor, interpreter in interpreters().items():
        made = project(work / f"py3{minor}", f"min_python={'3.9' if minor == 9 else '3.10'}")
        site = work / f"site-3.{minor}"
        run("uv", "pip", "install", "--quiet", "--python", interpreter, "--target", site, made)
        sources = {"rust": "from my_extension import distance", "python": PLAIN, "tuned": TUNED}
        env = {"PYTHONPATH": str(site)}
        taken = {
            name: [float(word) for word in run(interpreter, "-c", TIMER.format(source=source), env=env).split()]
            for name, source in sources.items()
        }
        over = import_milliseconds(interpreter, env)
        figures = "  ".join(f"{name} {' '.join(f'{figure:.2f}' for figure in row)}" for name, row in taken.items())
        ratios = [min(taken["python"][i], taken["tuned"][i]) / taken["rust"][i] for i in range(3)]
        print(
            f"  3.{minor}: {figures}; ratio {' '.join(f'{ratio:.0f}' for ratio in ratios)}; import {over:.1f}",
            flush=True,
        )


def import_milliseconds(interpreter: Path, env: Mapping[str, str]) -> float:
    """The CPU time to import the package, without the start of the interpreter."""

    def cost(code: str) -> float:
        return seconds(lambda: run(interpreter, "-c", code, env=env))

    cost(IMPORTED)
    return 1000 * statistics.median(cost(IMPORTED) - cost("pass") for _ in range(30))


if __name__ == "__main__":
    chosen = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for benchmark in (sample, edits, first_import):
            if not chosen or benchmark.__name__ in chosen:
                place = Path(folder, benchmark.__name__)
                place.mkdir()
                benchmark(place)
