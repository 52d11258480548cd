"""Benchmarks of new projects: `python3 dev.py bench`. They print the figures of docs/benchmarks.md and judge nothing.

Both sides of a comparison run in turn, in one run, and the median of the ratios is told: machines drift.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTION = "    #[pyfunction]\n    fn double(x: u64) -> u64 {\n        2 * x\n    }\n\n"
TIMER = "import sys, timeit; from {} import double as f; print(min(timeit.repeat('f(21)', globals={{'f': f}}, number=1_000_000, repeat=5)) * 1000)"


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command quietly; what it prints."""
    parts = [str(part) for part in command]
    return subprocess.run(parts, cwd=cwd, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def in_turn(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> str:
    """Medians of both, and of the ratio round by round."""
    one(), other()
    pairs = [(one(), other()) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    first, second = (statistics.median(side) for side in zip(*pairs, strict=True))
    return f"{first:10.2f} {second:10.2f} {ratio:6.2f}"


def copier_copy(template: Path, target: Path) -> float:
    """Seconds of a whole `copier copy`."""
    start = time.perf_counter()
    options = ["--quiet", "--trust", "--defaults", "--vcs-ref", "HEAD"]
    run(sys.executable, "-m", "copier", "copy", *options, template, target / f"{time.monotonic_ns()}" / "my-extension")
    return time.perf_counter() - start


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A template under git, as Copier is given it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    run("git", "init", "--quiet", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", *identity, "commit", "--quiet", "--message", "template", cwd=folder)
    return folder


def copies(work: Path) -> None:
    """`copier copy` of the default project, beside templates that do less and less."""
    ours = work / "ours"
    run("git", "clone", "--quiet", ROOT, ours)
    answers = {"t/{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers | to_nice_yaml }}"}
    project = work / "project"
    copier_copy(ours, project)
    (default,) = project.glob("*/my-extension")
    plain = {f"t/{path.relative_to(default)}": path.read_text("utf-8") for path in default.rglob("*") if path.is_file()}
    empty = repository(work / "empty", answers | {"copier.yml": "_subdirectory: t\n"})
    verbatim = repository(work / "verbatim", plain | {"copier.yml": "_subdirectory: t\n"})
    print("copier copy, seconds                               ours      other  ratio")
    for name, other in [("an empty template", empty), (f"the same {len(plain)} files, verbatim", verbatim)]:
        figures = in_turn(10, lambda: copier_copy(ours, work / "a"), lambda other=other: copier_copy(other, work / "b"))  # type: ignore[misc]
        print(f"  beside {name:<38} {figures}")


def wheels(work: Path) -> None:
    """Size and call cost of the default project beside `maturin new --mixed`, built by the same maturin."""
    project = work / "project"
    copier_copy(ROOT, project)
    ours = next(project.glob("*/my-extension"))
    peer = work / "peer_ext"
    run("maturin", "new", "--mixed", "--bindings", "pyo3", peer)
    made = {}
    for folder in (ours, peer):
        run("maturin", "build", "--quiet", "--release", "--out", folder / "dist", cwd=folder)
        made[folder] = next((folder / "dist").glob("*.whl"))
    sizes = [made[folder].stat().st_size / 1000 for folder in (ours, peer)]
    print("default project beside maturin new --mixed         ours      other  ratio")
    print(
        f"  wheel, kB                                    {sizes[0]:10.1f} {sizes[1]:10.1f} {sizes[0] / sizes[1]:6.2f}"
    )
    modules = {ours: "my_extension._core", peer: "peer_ext.peer_ext"}
    for folder in (ours, peer):
        source = folder / "src" / "lib.rs"
        text = source.read_text(encoding="utf-8")
        head, use, rest = text.rpartition("    #[pyfunction]\n    fn ")
        source.write_text(head + FUNCTION + use + rest, encoding="utf-8")
        run("maturin", "build", "--quiet", "--release", "--out", folder / "dist", cwd=folder)
        run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder / "site", made[folder])

    def call(folder: Path) -> Callable[[], float]:
        return lambda: float(run(sys.executable, "-c", TIMER.format(modules[folder]), cwd=folder / "site"))

    print(f"  call with one argument, ns                   {in_turn(10, call(ours), call(peer))}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for benchmark in (copies, wheels):
            place = Path(folder, benchmark.__name__)
            place.mkdir()
            benchmark(place)
