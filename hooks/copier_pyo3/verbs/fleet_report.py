"""``copier-pyo3 fleet report``: join the reports of several machines. The page of a report. The workflows for GitHub."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from copier_pyo3 import __version__
from copier_pyo3.errors import UserError
from copier_pyo3.project.home import home_address
from copier_pyo3.verbs.fleet_page import page

WORKFLOWS: Final = Path(__file__).with_name("workflow-templates")
FIELDS: Final = {"schema", "created", "organization", "projects"}
OF_PROJECT: Final = {
    *("name", "source", "folder", "state", "states", "version", "newest", "behind", "layer"),
    *("drift", "violations", "conflicts", "dirty", "message"),
}


def join(paths: Iterable[Path]) -> dict[str, Any]:
    """One report of all projects in several reports.

    Args:
        paths: files that `fleet status --json` wrote.

    Raises:
        UserError: a file is not such a report, or two reports have the same project.
    """
    reports = [_read(path) for path in paths]
    projects: dict[tuple[str, str], Any] = {}
    for project in (project for report in reports for project in report["projects"]):
        place = (project["source"], project["folder"])
        if place in projects:
            raise UserError(f"two reports have the project {project['name']}: pass each part of the list once.")
        projects[place] = project
    return {
        "schema": 1,
        "created": max(report["created"] for report in reports),
        "organization": reports[0]["organization"],
        "projects": [*projects.values()],
    }


def _read(path: Path) -> Mapping[str, Any]:
    try:
        report = json.loads(path.read_bytes())  # PowerShell writes UTF-16
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}): pass files that exist.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: pass files that `copier-pyo3 fleet status --json` wrote.") from error
    if not isinstance(report, dict) or not report.keys() >= FIELDS:
        raise UserError(f"{path} has no report: pass files that `copier-pyo3 fleet status --json` wrote.")
    if report["schema"] != 1:
        raise UserError(f"{path} is of another version of copier-pyo3: use the same version for all reports.")
    projects = report["projects"]
    if not isinstance(projects, list) or not all(
        isinstance(each, dict) and each.keys() >= OF_PROJECT for each in projects
    ):
        raise UserError(
            f"{path} has projects without a state: pass files that `copier-pyo3 fleet status --json` wrote."
        )
    return report


def write_page(report: Mapping[str, Any], path: Path) -> None:
    """Write the page of a report, in whole or not at all."""
    made = path.with_name(f".copier-pyo3-{path.name}")
    try:
        made.write_bytes(page(report).encode("utf-8", "backslashreplace"))  # names of files may not be UTF-8
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def workflow(name: str) -> str:
    """A workflow for GitHub, which runs this version of this package.

    Args:
        name: `fleet` or `resolve`.
    """
    text = (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")
    address = re.sub(r"^([^/@:]+@[^/:]+):", r"ssh://\1/", home_address().removeprefix("git+"))  # uv needs a URL
    package = f"git+{address}@v{__version__}"
    return text.replace("COPIER_PYO3: copier-pyo3\n", f"COPIER_PYO3: {package}\n")
