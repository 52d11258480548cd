"""A headless Chromium for the tests of pages, driven by Playwright. The browser is the system's: see tests/tools.py."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tools

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A started browser, one for each module that uses it."""
    path = tools.browser()
    if not path or not find_spec("playwright"):
        pytest.skip("not installed: Chromium and Playwright (tests/tools.py installs them)")
    root = hasattr(os, "getuid") and os.getuid() == 0  # Chromium's sandbox does not start for root
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, chromium_sandbox=not root)
        yield started
        started.close()


@contextmanager
def quiet(page: "Page", *own: str) -> Iterator[None]:
    """Fail at the end if the page printed an error or a warning, threw an exception, or sent a request elsewhere.

    Args:
        page: a page that is not open yet.
        own: what the URLs of allowed requests start with.
    """
    problems: list[str] = []

    def sent(request: "Request") -> None:
        if not request.url.startswith((*own, "data:", "blob:")):
            problems.append(f"request: {request.url}")

    page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.context.on("request", sent)
    yield
    page.context.remove_listener("request", sent)
    assert not problems


def axe(page: "Page", script: Path) -> list[str]:
    """What axe-core finds on the page: each rule, with the elements."""
    page.evaluate(script.read_text(encoding="utf-8"))  # not add_script_tag, which the page's policy forbids
    found = page.evaluate("axe.run()")["violations"]
    return [f"{each['id']}: {' | '.join(node['html'][:200] for node in each['nodes'])}" for each in found]
