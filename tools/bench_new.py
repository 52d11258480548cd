"""Benchmarks of new projects: `python3 dev.py bench`. They print the figures of docs/benchmarks.md and judge nothing.

Both sides of a comparison run in turn, in one run, and the median of the ratios is told: machines drift.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
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


def wheels(work: Path) -> None:
    """Size and call cost of the default project beside `maturin new --mixed`, built by the same maturin."""
    ours = work / "my-extension"
    run(sys.executable, "-m", "copier", "copy", "--quiet", "--trust", "--defaults", "--vcs-ref", "HEAD", ROOT, ours)
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
        wheels(Path(folder))
