"""The report of a fleet as one HTML page: no other file, no request, and nothing in it runs but the script of the page."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2

from copier_pyo3.errors import visible
from copier_pyo3.verbs.fleet import STATES

HERE: Final = Path(__file__).parent
ORDER: Final = {state: number for number, state in enumerate(STATES)}


@dataclass(frozen=True)
class Bar:
    """A row of a chart."""

    label: str
    count: int
    percent: float
    color: str
    """The class of the state with this color."""


def page(report: Mapping[str, Any]) -> str:
    """The page of a report.

    Args:
        report: what `fleet status --json` prints.
    """
    projects = [_split(project) for project in report["projects"]]
    projects.sort(key=lambda project: (_rank(project["state"]), project["name"].casefold()))
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"shown": _shown, "kind": _kind_of_line, "plural": _plural}
    return environment.get_template("page.html.jinja").render(
        organization=report["organization"],
        created=report["created"],
        projects=projects,
        rank=_rank,
        color=_color,
        states=_bars(Counter(project["state"] for project in projects), len(projects)),
        versions=_versions(projects),
        violated=sum(bool(project["violations"]) for project in projects),
        style=style,
        script=script,
        hashes={"style": _hash(style), "script": _hash(script)},
    )


def _split(project: Mapping[str, Any]) -> dict[str, Any]:
    """The project with the edits that every living project makes apart from its drift."""
    drift = [file for file in project["drift"] if not file["expected"]]
    return {**project, "drift": drift, "expected": [file for file in project["drift"] if file["expected"]]}


def _rank(state: str) -> int:
    return ORDER.get(state, len(ORDER))


def _color(state: str) -> str:
    """The class in page.css."""
    return state.replace(" ", "-") if state in ORDER else "unknown"


def _bars(counts: Mapping[str, int], total: int) -> list[Bar]:
    return [
        Bar(state, counts[state], 100 * counts[state] / total, _color(state)) for state in sorted(counts, key=_rank)
    ]


def _versions(projects: Iterable[Mapping[str, Any]]) -> list[Bar]:
    """How many projects have each version of the template, those without lag first."""
    known = [project for project in projects if project["version"]]
    counts = Counter((project["behind"], project["version"]) for project in known)
    bars = []
    for (behind, version), count in sorted(counts.items(), key=lambda item: (item[0][0] is None, item[0][0] or 0)):
        lag = {None: "unknown lag", 0: "newest"}.get(behind, f"{behind} behind")
        bars.append(Bar(f"{version}, {lag}", count, 100 * count / len(known), "behind" if behind else "up-to-date"))
    return bars


def _hash(text: str) -> str:
    """The hash that allows an inline style or script in the page's content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _shown(text: object) -> str:
    return visible(str(text), keep="\n\t")


def _kind_of_line(line: str) -> str:
    return {"+": "added", "-": "deleted", "@": "place"}.get(line[:1], "same")


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
