"""Benchmarks of new projects, which print figures in docs/benchmarks.md: `python3 dev.py bench`.

Both sides of a comparison alternate in one run, and the result is the median of the ratios, because the speed of a machine varies.
"""

import re
import shutil
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
    """Run a command quietly. Returns its output."""
    parts = [str(part) for part in command]
    return subprocess.run(parts, cwd=cwd, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def in_turn(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> str:
    """The medians of both, and of the ratios of each round."""
    one(), other()
    pairs = [(one(), other()) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    first, second = (statistics.median(side) for side in zip(*pairs, strict=True))
    return f"{first:10.2f} {second:10.2f} {ratio:6.2f}"


def with_peers_manifest(ours: Path, peer: Path) -> None:
    """The same sources, with the Cargo.toml that `maturin new` writes: its settings, but our names and our PyO3."""
    shutil.copytree(ours, peer)
    template = peer / "template"
    run("maturin", "new", "--mixed", "--bindings", "pyo3", template)
    text = (template / "Cargo.toml").read_text(encoding="utf-8")
    own = (ours / "Cargo.toml").read_text(encoding="utf-8")
    crate = re.findall(r'(?m)^name = "(.+)"', own)[0]
    text = re.sub(r'(?m)^name = ".+"', f'name = "{crate}"', text, count=1)
    text = re.sub(r'(?m)(^\[lib\]\n(?:#.*\n)*)name = ".+"', rf'\g<1>name = "{crate.replace("-", "_")}"', text)
    pyo3 = re.findall(r"(?m)^pyo3 = .+", own)[0]
    text = re.sub(r"(?m)^pyo3 = .+", pyo3, text)
    build = own[own.index("[build-dependencies]") :].partition("\n\n")[0]
    (peer / "Cargo.toml").write_text(f"{text.rstrip()}\n\n{build}\n", encoding="utf-8")
    shutil.rmtree(template)


def wheels(work: Path) -> None:
    """Size and call cost of one project's sources, under our manifest and under that of `maturin new`."""
    ours, peer = work / "my-extension", work / "peer" / "my-extension"
    run(sys.executable, "-m", "copier", "copy", "--quiet", "--trust", "--defaults", "--vcs-ref", "HEAD", ROOT, ours)
    source = ours / "src" / "lib.rs"
    head, use, rest = source.read_text(encoding="utf-8").rpartition("    #[pyfunction]\n")
    source.write_text(head + FUNCTION + use + rest, encoding="utf-8")
    with_peers_manifest(ours, peer)
    print("the same sources under both manifests              ours      other  ratio")
    sizes: dict[str, list[float]] = {"wheel, kB": [], "native module in it, kB": []}
    for folder in (ours, peer):
        run("maturin", "build", "--quiet", "--release", "--out", "dist", cwd=folder)
        wheel = next((folder / "dist").glob("*.whl"))
        sizes["wheel, kB"].append(wheel.stat().st_size / 1000)
        run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder / "site", wheel)
        sizes["native module in it, kB"].append(next((folder / "site").rglob("_core*.so")).stat().st_size / 1000)
    for what, (one, other) in sizes.items():
        print(f"  {what:<44} {one:10.1f} {other:10.1f} {one / other:6.2f}")

    def call(folder: Path) -> Callable[[], float]:
        return lambda: float(run(sys.executable, "-c", TIMER.format("my_extension._core"), cwd=folder / "site"))

    print(f"  call with one argument, ns                   {in_turn(10, call(ours), call(peer))}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        wheels(Path(folder))
