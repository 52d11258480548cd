"""The HTML report of a fleet, in a real browser; joining the reports of several machines."""

import json
import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from browser import axe, browser, quiet
from conftest import BUILD, run
from small import CLI, copier_pyo3

__all__ = ["browser"]  # the fixture

EVIL = "<img src=x onerror=alert(1)>"
DIFF = '@@ -1,2 +1,2 @@\n [advisories]\n-yanked = "deny"\n+yanked = "warn" # ' + "because " * 40
TAG = "</code></script><script>document.title='changed'</script>"


def project(name: str, state: str, **fields: Any) -> dict[str, Any]:
    """A project in the report of `fleet status --json`."""
    return {
        "name": name,
        "source": f"https://git.example.org/team/{name}.git",
        "folder": "",
        "state": state,
        "states": [state],
        "template": "https://git.example.org/template.git",
        "version": "v1.2.0",
        "newest": "v1.2.0",
        "behind": 0,
        "layer": None,
        **{key: [] for key in ("drift", "violations", "conflicts", "dirty")},
        "message": "",
        "seconds": 1.0,
        **fields,
    }


FIRST = [
    project("zinc", "up to date"),
    project("argon", "behind", version="v1.0.0", behind=2),
    project(
        "neon", "conflicting", version="v1.1.0", behind=1, conflicts=[{"path": "README.md", "why": "conflict markers"}]
    ),
    project(
        "boron", "unreachable", version=None, newest=None, behind=None, message="cannot clone it (no route to host)"
    ),
]
SECOND = [
    project(
        EVIL,
        "drifted",
        source="javascript:alert(2)",
        folder="\u202etxt.exe",
        drift=[
            {"path": TAG, "how": "edited", "expected": False, "diff": DIFF},
            {"path": "src/lib.rs", "how": "edited", "expected": True, "diff": "@@ -1 +1 @@\n-a\n+b"},
        ],
        violations=[f"Cargo.toml: package.license is {EVIL}"],
    ),
    project("radon", "dirty", dirty=[" M src/lib.rs"], layer={"version": "v1.0.0", "newest": "v1.1.0", "behind": 1}),
]  # fmt: skip


def part(path: Path, projects: list[dict[str, Any]], created: str = "2026-11-30T05:00:00Z") -> Path:
    fields = {"schema": 1, "created": created, "organization": "standards.git#organization.yml", "projects": projects}
    path.write_text(json.dumps(fields), encoding="utf-8")
    return path


def axe_core() -> Path:
    """The script of axe, in a package for Python."""
    spec = find_spec("axe_playwright_python")
    assert spec
    assert spec.origin
    return Path(spec.origin).with_name("axe.min.js")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two parts."""
    folder = tmp_path_factory.mktemp("report")
    parts = (part(folder / "1.json", FIRST), part(folder / "2.json", SECOND, "2026-11-30T05:10:00Z"))
    made = copier_pyo3("fleet", "report", *parts, "--html", folder / "fleet.html")
    assert made.returncode == 0, made.stderr
    assert re.search(r"^argon +behind ", made.stdout, re.MULTILINE)
    assert "6 projects" in made.stdout
    return folder / "fleet.html"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_is_readable(browser: Any, html: Path, width: int, theme: Any) -> None:
    """Everything fits, opened details too; axe finds nothing; the pictures are in build/pictures."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme).new_page()
    with quiet(page, html.as_uri()):
        page.goto(html.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = page.evaluate(
            "[...document.querySelectorAll('body *')].map((e) => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 12
        assert axe(page, axe_core()) == []
        BUILD.joinpath("pictures").mkdir(parents=True, exist_ok=True)
        page.screenshot(path=BUILD / f"pictures/fleet-{width}-{theme}.png", full_page=True)
    page.context.close()


def test_what_the_page_has(browser: Any, html: Path) -> None:
    """The chart, the worst first, sorting, filters, and details by keyboard. Nothing in a name or a file runs."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))

    def names() -> list[str]:
        return [row.evaluate("row => row.dataset.name") for row in page.locator("tbody:visible").all()]

    with quiet(page, html.as_uri()):
        page.goto(html.as_uri())
        assert names() == ["boron", "neon", "argon", EVIL, "radon", "zinc"]
        rows = {row.locator("dt").inner_text(): row for row in page.locator(".chart dl > div").all()}
        assert [*rows] == [
            *("unreachable", "conflicting", "behind", "drifted", "dirty", "up to date"),
            *("v1.2.0, newest", "v1.1.0, 1 behind", "v1.0.0, 2 behind"),
        ]
        bar, track = (rows["v1.2.0, newest"].locator("rect").nth(number).bounding_box() for number in (1, 0))
        assert bar["width"] / track["width"] == pytest.approx(3 / 5, abs=0.01)

        color = "each => getComputedStyle(each, '::before').backgroundColor"
        marks = [row.locator(".state").evaluate(color) for row in [*rows.values()][:6]]
        bars = [
            row.locator("rect").nth(1).evaluate("each => getComputedStyle(each).fill") for row in [*rows.values()][:6]
        ]
        assert len({*bars}) == 6
        assert marks == bars
        assert [mark.evaluate(color) for mark in page.locator("tbody .state").all()] == marks

        page.get_by_role("button", name="Version").click()
        assert names()[:2] == ["argon", "neon"]
        assert page.get_by_role("columnheader", name="Version").get_attribute("aria-sort") == "descending"
        page.get_by_role("button", name="Project").press("Enter")
        assert names() == [EVIL, "argon", "boron", "neon", "radon", "zinc"]
        page.get_by_label("Find").fill("ON")
        page.get_by_label("State").select_option("conflicting")
        assert names() == ["neon"]
        assert page.get_by_role("status").inner_text() == "1 of 6 projects"
        page.get_by_label("Find").fill("")
        page.get_by_label("State").select_option("drifted")

        summary = page.locator("tbody:visible summary").first
        summary.press("Enter")
        file = page.locator("tbody:visible details.file").first
        file.locator("summary").press("Enter")
        assert TAG in file.inner_text()
        assert '+yanked = "warn"' in file.locator(".added").inner_text()
        assert "\\u202etxt.exe" in page.locator("tbody:visible").inner_text()
        assert page.title() == "Fleet report: 6 projects"
        assert page.locator("img, iframe, object, a").count() == 0
        assert page.locator("script").count() == 1
    page.context.close()


def test_the_page_works_without_its_script(browser: Any, html: Path) -> None:
    page = browser.new_context(java_script_enabled=False, viewport={"width": 400, "height": 900}).new_page()
    page.goto(html.as_uri())
    assert page.locator("tbody:visible").count() == 6
    assert not page.locator("form").is_visible()
    page.context.close()


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ("{", "1.json is not JSON"),
        ("[]", "1.json has no report"),
        (json.dumps({"schema": 2, "created": "", "organization": None, "projects": []}), "another version"),
        (json.dumps({"schema": 1, "created": "", "organization": None, "projects": [{}]}), "projects without a state"),
        (None, "cannot read"),
    ],
)
def test_what_cannot_be_joined(contents: str | None, says: str, tmp_path: Path) -> None:
    """The earlier page is unchanged."""
    old = tmp_path / "fleet.html"
    old.write_text("old", encoding="utf-8")
    if contents is not None:
        (tmp_path / "1.json").write_text(contents, encoding="utf-8")
    refused = copier_pyo3("fleet", "report", tmp_path / "1.json", "--html", old)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert says in refused.stderr
    assert old.read_text(encoding="utf-8") == "old"


def test_a_page_is_written_although_the_output_is_closed(tmp_path: Path) -> None:
    """The report is as PowerShell writes it, in UTF-16."""
    text = part(tmp_path / "1.json", FIRST).read_text(encoding="utf-8")
    (tmp_path / "1.json").write_text(text, encoding="utf-16")
    command = [*CLI, "fleet", "report", "1.json", "--html", "fleet.html"]
    read, written = os.pipe()
    os.close(read)
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, stdout=written, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(written)
    assert done.returncode == 1
    assert "cannot read or write standard output" in done.stderr
    assert "zinc" in (tmp_path / "fleet.html").read_text(encoding="utf-8")
    for folder in (".", str(tmp_path)):
        refused = run([*CLI, "fleet", "report", "1.json", "--html", folder], cwd=tmp_path, check=False)
        assert refused.returncode == 1
        assert "is a folder: write the name of a file in it" in refused.stderr


def test_a_project_that_is_in_two_parts(tmp_path: Path) -> None:
    parts = (part(tmp_path / "1.json", FIRST), part(tmp_path / "2.json", FIRST[:1]))
    refused = run([*CLI, "fleet", "report", *parts], cwd=tmp_path, check=False)
    assert refused.returncode == 1
    assert "two reports have the project zinc" in refused.stderr
