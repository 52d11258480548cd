"""Writes docs/systems.md from the marker `system` of the tests. `python3 dev.py systems` runs these tests, also the slow ones."""

import datetime
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "systems.md"
HEAD = """# Systems

Each way to build and ship, and each variable of the build that older guides name, with its test. The tests write this page:
`python3 dev.py systems` runs them, also those that take minutes, on x86-64 Linux. A date is the last day on which the test passed.
"""
COLUMNS = ("built", "run", "not verified here", "passed", "test")
VARIABLE = re.compile(r"[A-Z0-9_]+")
ROW = re.compile(r"^\| `?(.+?)`? \|.*\| (\S+) \| `(\S+)` \|$", re.MULTILINE)


def rows(items: Iterable[pytest.Item]) -> dict[tuple[str, str], str]:
    """What is built, run, and not verified, by name and test; the parameters of a test share a row."""
    found = {}
    for item in items:
        for mark in item.iter_markers("system"):
            built, run, unverified = (mark.kwargs.get(name, "") for name in ("built", "ran", "unverified"))
            found[mark.args[0], item.nodeid.partition("[")[0]] = f"{built} | {run} | {unverified}"
    return found


def page(rows: dict[tuple[str, str], str], dates: dict[tuple[str, str], str]) -> str:
    """The text of docs/systems.md."""
    text = HEAD
    for title, variables in {"system": False, "variable": True}.items():
        text += f"\n| {title} | {' | '.join(COLUMNS)} |\n|{'---|' * 6}\n"
        for name, test in sorted(rows, key=lambda key: (key[0].lower(), key[1])):
            if bool(VARIABLE.fullmatch(name)) == variables:
                shown = f"`{name}`" if variables else name
                text += f"| {shown} | {rows[name, test]} | {dates.get((name, test), 'never')} | `{test}` |\n"
    return text


def dates() -> dict[tuple[str, str], str]:
    """When the test of each row on the page passed last."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return {(name, test): date for name, date, test in ROW.findall(text)}


class Writer:
    """A plugin that writes the page, with today's date for each test that passed with all of its parameters."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], str] = {}
        self.passed: dict[str, bool] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take the rows of all tests, before some are deselected."""
        self.rows = rows(items)

    @pytest.hookimpl(optionalhook=True)  # of pytest-xdist
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the rows of a worker."""
        self.rows |= {(name, test): text for name, test, text in getattr(node, "workeroutput", {}).get("systems", [])}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what passed."""
        if report.when == "call" or report.outcome != "passed":
            test = report.nodeid.partition("[")[0]
            self.passed[test] = self.passed.get(test, True) and report.outcome == "passed"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the page; a worker sends its rows."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["systems"] = [(*key, text) for key, text in self.rows.items()]
            return
        today = str(datetime.date.today())
        new = {key: today for key in self.rows if self.passed.get(key[1])}
        PAGE.write_text(page(self.rows, dates() | new), encoding="utf-8", newline="\n")
