"""``copier-pyo3 fleet``: report on many projects that were created from templates.

Each project is cloned to a temporary folder, in which everything else happens: the project itself is only read.
"""

import datetime
import functools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from copier_pyo3.errors import UserError, visible
from copier_pyo3.generate.fetched import Fetched
from copier_pyo3.generate.organization import Organization, read_organization
from copier_pyo3.merge.blob import Tree
from copier_pyo3.merge.file import unreadable
from copier_pyo3.project.answers import ANSWERS, LAYER_ANSWERS
from copier_pyo3.project.clone import BrokenError, UnreachableError, clone, recorded, uncommitted
from copier_pyo3.project.drift import drift
from copier_pyo3.project.fleet_file import Project, part_of, read_fleet
from copier_pyo3.project.home import as_copier, is_home, scrubbed, without_password
from copier_pyo3.project.in_processes import explained, in_processes
from copier_pyo3.project.policy import violations
from copier_pyo3.project.repository import Repository
from copier_pyo3.verbs.fleet_update import update_all

MANIFESTS: Final = ("Cargo.toml", "pyproject.toml")
# A project can be in several states. The first of them that applies is its main one.
STATES: Final = (
    *("failed", "unreachable", "broken", "not adopted", "conflicting", "behind", "drifted", "dirty", "up to date"),
)
Report = dict[str, Any]
Shard = tuple[int, int] | None


# --- the commands ----------------------------------------------------------------------------------


def fleet_status(file: Path, *, shard: Shard, jobs: int, trust: bool) -> Report:
    """The state of each project. Nothing changes, neither the projects nor what is next to them.

    Args:
        file: path of fleet.toml.
        shard: only the projects of this shard.
        jobs: how many processes to use.
        trust: run the code of all templates, as in `update`.

    Raises:
        UserError: fleet.toml or the organization's file is not valid.
    """
    return _examined(file, shard, jobs, functools.partial(_status, trust=trust))


def fleet_check(file: Path, *, shard: Shard, jobs: int) -> Report:
    """The violations of the policy in each project.

    Raises:
        UserError: fleet.toml or the organization's file is not valid, or there is no organization's file.
    """
    if not read_fleet(file).organization:
        raise UserError(f'{file} has no `org`, whose policy could be checked: add org = "organization.yml".')
    return _examined(file, shard, jobs, _check)


def _examined(file: Path, shard: Shard, jobs: int, examine: Any) -> Report:
    fleet = read_fleet(file)
    organization = read_organization(fleet.organization) if fleet.organization else None
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as folder:
        work = functools.partial(_project, examine=examine, organization=organization, run=Path(folder))
        found = in_processes(work, part_of(fleet.projects, shard), jobs)
    return {
        "schema": 1,
        "created": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "organization": organization.name if organization else None,
        "projects": found,
    }


# --- one project, in a child process ---------------------------------------------------------------


def _project(project: Project, *, examine: Any, organization: Organization | None, run: Path) -> Report:
    """Clone a project, examine it, and return its entry in the report."""
    start = time.monotonic()
    entry: Report = {
        **project.described(),
        "state": "",
        "states": [],
        "template": None,
        "version": None,
        "newest": None,
        "behind": None,
        "layer": None,
        "drift": [],
        "violations": [],
        "conflicts": [],
        "dirty": [],
        "message": "",
    }
    states: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
        try:
            repository = clone(project, Path(aside, "clone"))
            entry["dirty"] = uncommitted(project)
            states |= {"dirty"} if entry["dirty"] else set()
            examine(repository, organization, entry, states, Fetched(run))
        except OSError as error:
            states.add("failed")
            entry["message"] = f"cannot read or write {error.filename or 'a file'} ({error.strerror})"
        except UserError as error:
            states.add({UnreachableError: "unreachable", BrokenError: "broken"}.get(type(error), "failed"))
            entry["message"] = explained(error)
        except Exception as error:  # noqa: BLE001 (one project must not end the report on the others)
            states.add("failed")
            entry["message"] = scrubbed(f"{type(error).__name__}: {error}")
    entry["states"] = [state for state in STATES if state in states] or ["up to date"]
    entry["state"] = entry["states"][0]
    entry["seconds"] = round(time.monotonic() - start, 2)
    return entry


def _check(
    repository: Repository, organization: Organization | None, entry: Report, states: set[str], fetched: Fetched
) -> dict[str, dict[str, Any]]:
    """Check the policy. Returns the answers by the name of their file."""
    files = repository.tree("HEAD").files
    answers = recorded(repository)
    if organization:
        read = functools.partial(_content, repository)
        entry["violations"] = [*violations(organization.policy, files, read, answers.get(ANSWERS, {}))]
    for name in filter(files.__contains__, MANIFESTS):
        if problem := unreadable(name, _content(repository, name)):
            raise BrokenError(f"{name} cannot be read ({problem})")
    return answers


def _status(
    repository: Repository,
    organization: Organization | None,
    entry: Report,
    states: set[str],
    fetched: Fetched,
    trust: bool,
) -> None:
    """Compare a project with its template and the organization's policy."""
    answers = _check(repository, organization, entry, states, fetched)
    if ANSWERS not in answers:
        files = repository.tree("HEAD").files
        if not files.keys() & {*MANIFESTS, "setup.py"}:
            raise BrokenError("it has no Cargo.toml, pyproject.toml or setup.py: check `folder`")
        states.add("not adopted")
        return
    about = {name: _about(fetched, each) for name, each in answers.items()}
    entry |= about[ANSWERS]
    entry["layer"] = about.get(LAYER_ANSWERS)
    rendering = fetched.rendering([(name, each, trust or _is_home(each)) for name, each in answers.items()])
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
        tree = repository.tree_of(rendering, Path(aside, "index"))
    adopted = _when_adopted(repository) if answers[ANSWERS].get("adopted") else None
    entry["drift"] = [asdict(each) for each in drift(repository, tree, {ANSWERS, LAYER_ANSWERS}, adopted)]
    if any(not each["expected"] for each in entry["drift"]):
        states.add("drifted")
    if any(part["behind"] for part in about.values()):
        states.add("behind")
        left = [each.report.left for each in update_all(repository, fetched, trust)]
        entry["conflicts"] = [{"path": path, "why": why} for each in left for path, why in sorted(each.items())]
    if entry["conflicts"]:
        states.add("conflicting")


def _when_adopted(repository: Repository) -> Tree:
    """The project's files in the commit that added the answers file. Fetches the history if the clone has none."""
    if repository.text("rev-parse", "--is-shallow-repository") == "true":
        repository.git("fetch", "--quiet", "--unshallow")
    return repository.tree(repository.text("log", "-1", "--diff-filter=A", "--format=%H", "--", ANSWERS))


def _is_home(answers: Mapping[str, Any]) -> bool:
    return is_home(as_copier(str(answers["_src_path"])), str(answers["_commit"]))


def _about(fetched: Fetched, answers: Mapping[str, Any]) -> Report:
    address, version = str(answers["_src_path"]), str(answers["_commit"])
    template = fetched.template(address)
    behind = template.behind(version)
    return {"template": without_password(address), "version": version, "newest": template.newest, "behind": behind}


def _content(repository: Repository, path: str) -> bytes:
    return repository.git("show", f"HEAD:./{path}")


# --- output ----------------------------------------------------------------------------------------


def print_json(report: Report) -> None:
    """Print the report as JSON, in ASCII."""
    json.dump(report, sys.stdout, indent=2)
    print()


def print_table(report: Report) -> None:
    """Print a row for each project, then what is wrong, then how many are in each state."""
    head = ("PROJECT", "STATE", "VERSION", "NEWEST", "BEHIND", "DRIFTED", "CONFLICTS", "POLICY")
    rows = [
        (
            *(each["name"], each["state"], each["version"] or "-", each["newest"] or "-"),
            *("-" if each["behind"] is None else str(each["behind"]), str(len(unexpected(each)))),
            *(str(len(each["conflicts"])), str(len(each["violations"]))),
        )
        for each in report["projects"]
    ]
    _print_columns([head, *rows])
    print_problems(report)
    count = Counter(each["state"] for each in report["projects"])
    states = ", ".join(f"{count[state]} {state}" for state in STATES if count[state])
    print(f"\n{len(rows)} projects{': ' if states else ''}{states}")


def print_problems(report: Report) -> None:
    """Print a line for each message, difference, conflict, and violation."""
    for each in report["projects"]:
        lines = [each["message"]] if each["message"] else []
        lines += [f"{part['path']}: {part['how']}" for part in unexpected(each)]
        lines += [f"{part['path']}: an update needs you: {part['why']}" for part in each["conflicts"]]
        lines += [f"policy: {text}" for text in each["violations"]]
        if lines:
            print(f"\n{each['name']}:")
            print("".join(f"  {visible(line)}\n" for line in lines), end="")


def unexpected(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The differences that make a project drifted."""
    return [part for part in entry["drift"] if not part["expected"]]


def _print_columns(rows: Sequence[Sequence[str]]) -> None:
    rows = [[*map(visible, row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
