"""Measures how the time of a merge depends on the length of a file: `python3 dev.py bench-merge`.

It prints a Markdown table with the median CPU time in milliseconds for files of 500 to 20,000 lines, and the ratio of the longest
file to the shortest.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "hooks"))

from copier_pyo3.merge.file import merge_toml, merge_yaml
from copier_pyo3.merge.model import Merged

LINES = (500, 2_000, 10_000, 20_000)
RUNS = 5
OURS = "# the user's own comment\n"


def manifest(lines: int, minor: int = 0, changed: int = -1, new_every: int = 0) -> str:
    """A manifest with this number of lines, in tables of 20 keys."""
    text = []
    for number in range(lines):
        text.append(f"\n[table-{number}]" if number % 20 == 0 else "")
        text.append(f'crate-{number} = "1.{minor + (number == changed)}.{number}"')
        text.append(f'new-{number} = "1"' if new_every and number % new_every == 0 else "")
    return "\n".join(line for line in text if line) + "\n"


def array(lines: int, changed: int = -1) -> str:
    """An array with one item per line."""
    items = (f'  "item-{number}{"-changed" if number == changed else ""}",\n' for number in range(lines))
    return f"items = [\n{''.join(items)}]\n"


def workflow(lines: int, changed: int = -1, new_every: int = 0) -> str:
    """A workflow with this number of lines, in jobs of three steps."""
    text = ["on: push", "jobs:"]
    for job in range(lines // 10):
        text += [f"  job-{job}:", "    runs-on: ubuntu-24.04", "    steps:"]
        for step in range(3):
            if new_every and (3 * job + step) % new_every == 0:
                text.append(f"      - run: ./new.sh {job} {step}")
            text += [f"      - name: Step {job} {step}", f"        run: make {job} {step}{' -B' * (job == changed)}"]
        text.append("")
    return "\n".join(text) + "\n"


def median(merge: Callable[[str, str, str], Merged], base: str, theirs: str) -> float:
    """The time of a merge in milliseconds, if the user added a comment at the end."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        merge(base, base + OURS, theirs)
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


ROWS: dict[str, tuple[Callable[[str, str, str], Merged], Callable[[int], str], Callable[[int], str]]] = {
    "TOML, nothing changed": (merge_toml, manifest, manifest),
    "TOML, one value": (merge_toml, manifest, lambda lines: manifest(lines, changed=lines // 2)),
    "TOML, every value": (merge_toml, manifest, lambda lines: manifest(lines, minor=7)),
    "TOML, every tenth line new": (merge_toml, manifest, lambda lines: manifest(lines, new_every=10)),
    "TOML, one item of one array": (merge_toml, array, lambda lines: array(lines, changed=lines // 2)),
    "YAML, one step": (merge_yaml, workflow, lambda lines: workflow(lines, changed=lines // 20)),
    "YAML, every fifth step new": (merge_yaml, workflow, lambda lines: workflow(lines, new_every=5)),
}


def main() -> None:
    """Measure and print."""
    print("| lines |", " | ".join(f"{lines:,}" for lines in LINES), "| 20,000 : 500 |")
    print("|---" * (len(LINES) + 2) + "|")
    for what, (merge, base, theirs) in ROWS.items():
        times = [median(merge, base(lines), theirs(lines)) for lines in LINES]
        print(f"| {what} |", " | ".join(f"{ms:,.0f}" for ms in times), f"| {times[-1] / times[0]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
