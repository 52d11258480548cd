"""Benchmark of the page, which prints the figures in docs/benchmarks.md: `python3 dev.py bench-page [FOLDER]`.

A headless Chromium opens the page from a plain file server on this machine. Each opening has an empty cache.
"""

import gzip
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

import tools

OPENED, CHANGED = 5, 40
ANSWERS = (
    "license=Apache-2.0",
    "license=BSD-3-Clause",
    "kind=extension",
    "kind=application",
    "features=numpy",
    "sample=minimal",
)
CHANGE = """fragment => new Promise(done => {
  const project = document.querySelector("#project"), start = performance.now();
  let busy = false;
  const watch = new MutationObserver(() => {
    busy ||= project.ariaBusy === "true";
    if (!busy || project.ariaBusy === "true") return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  });
  watch.observe(project, { attributes: true });
  location.hash = fragment;
})"""


class Silent(SimpleHTTPRequestHandler):
    """A file server without a log."""

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


def main() -> int:
    """Print the figures. Returns 0."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "page")
    if not (folder / "index.html").is_file():
        sys.exit(f"bench_page.py: there is no page in {folder}: run `python3 dev.py page`.")
    print("| file | kB | kB with gzip |\n|---|---|---|")
    sizes = {
        path.name: (path.stat().st_size, len(gzip.compress(path.read_bytes()))) for path in sorted(folder.iterdir())
    }
    for name, (size, packed) in [*sizes.items(), ("all", tuple(map(sum, zip(*sizes.values(), strict=True))))]:
        print(f"| {name} | {size / 1000:.0f} | {packed / 1000:.0f} |")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    server.handle_error = lambda *arguments: None  # type: ignore[method-assign]  # a page is closed while it loads
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as driver:
        root = hasattr(os, "getuid") and os.getuid() == 0
        browser = driver.chromium.launch(executable_path=tools.browser(), chromium_sandbox=not root)
        default: list[float] = []
        chosen: list[float] = []
        for number in range(2 * OPENED):
            page = browser.new_context().new_page()
            start = time.monotonic()
            page.goto(f"http://127.0.0.1:{server.server_port}/{'#license=Apache-2.0' if number % 2 else ''}")
            if number % 2:  # this project is not in the page, so Python renders it
                page.wait_for_selector("#status.ready")
                page.wait_for_selector("#project[aria-busy=false]")
            else:
                page.wait_for_selector("nav button")
            (chosen if number % 2 else default).append(time.monotonic() - start)
            if number < 2 * OPENED - 1:
                page.context.close()
        changes = list(measured(page))
        browser.close()
        browser = driver.chromium.launch(executable_path=tools.browser(), chromium_sandbox=not root)
        page, before = browser.new_context().new_page(), cpu_time()
        page.goto(f"http://127.0.0.1:{server.server_port}/#license=MPL-2.0")
        page.wait_for_selector("#status.ready")
        page.wait_for_selector("#project[aria-busy=false]")
        opened = cpu_time()
        list(measured(page))
        print(f"CPU time: {opened - before:.1f} s to open it, {(cpu_time() - opened) / CHANGED:.2f} s for a change")
        browser.close()
    server.shutdown()
    for name, times in (("default project shown", default), ("project of other answers shown", chosen)):
        print(
            f"{name}: {statistics.median(times):.2f} s (median of {len(times)}; {min(times):.2f} to {max(times):.2f})"
        )
    print(
        f"change of an answer shown: {statistics.median(changes):.0f} ms (median of {len(changes)}; up to {max(changes):.0f})"
    )
    return 0


def cpu_time() -> float:
    """The seconds of CPU time of all processes that this one has started, on Linux. They say more on a busy machine."""
    parents, used = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = file.read_text(encoding="utf-8").rpartition(")")[2].split()
            parents[int(file.parent.name)] = int(fields[1])
            used[int(file.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sum(used[pid] for pid in mine if pid in used and pid != os.getpid())


def measured(page: Page) -> Iterator[float]:
    """The milliseconds until the project of other answers is shown; each set of answers is new."""
    for number in range(CHANGED):
        yield page.evaluate(CHANGE, f"{ANSWERS[number % len(ANSWERS)]}&project_name=project-{number}")


if __name__ == "__main__":
    sys.exit(main())
