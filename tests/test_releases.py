"""Updates through three releases of the template, of eight kinds of project with users' edits: see release_edits.py.

Each project is updated with `copier update --trust` and with `copier-pyo3 update`. After each update, the checks of
release_laws.py must pass, and at the end the edits must be as each describes.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import copier
import pytest

import release_laws as laws
from conftest import run, tell
from release_edits import CRLF, MOVED, PROJECTS, RELEASES, Edit, first_release, next_release
from small import commit, copier_pyo3, plain_update

ANSWERS = {"project_name": "sample", "copyright_year": "2026", "author_name": "Ada Lovelace", "profiling": True}
ROADS = ("copier update", "copier-pyo3 update")


@dataclass(frozen=True)
class Versions:
    """The template as a repository, and the rendering of each version."""

    repository: Path
    made: Mapping[str, Path]


@pytest.fixture(scope="session")
def versions(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    folder = tmp_path_factory.mktemp("releases")
    repository = folder / "template"
    repository.mkdir()
    for name in (
        "copier.yml",
        "names.yml",
        "versions.yml",
    ):  # only what an update needs, because each update clones it several times
        shutil.copy(template / name, repository)
    for name in ("hooks", "licenses", "parts", "template"):
        shutil.copytree(template / name, repository / name)
    run(["git", "init", "--quiet"], cwd=repository)
    first_release(repository)
    made = {}
    for tag in ("v1.0.0", *RELEASES):
        if tag in RELEASES:
            next_release(repository, tag)
        commit(repository)
        run(["git", "tag", tag], cwd=repository)
        made[tag] = folder / tag / "sample"
        copier.run_copy(str(repository), made[tag], data=ANSWERS, vcs_ref=tag, defaults=True, quiet=True, unsafe=True)
        run(["git", "init", "--quiet"], cwd=made[tag])
        commit(made[tag])
    return Versions(repository, made)


def edited(name: str, start: Path, folder: Path) -> Path:
    """The project with the user's edits, committed."""
    project = Path(shutil.copytree(start, folder / "sample"))
    run(["git", "config", "core.autocrlf", "false"], cwd=project)
    for edit in PROJECTS[name]:
        make(edit, project)
    if name in CRLF:
        for path in laws.files(project):
            content = (project / path).read_bytes()
            (project / path).write_bytes(content.replace(b"\n", b"\r\n"))
    commit(project)
    return project


def make(edit: Edit, project: Path) -> None:
    """Make an edit. If the old text is missing, the list is wrong."""
    path = project / edit.path
    if not edit.old and not edit.new:  # moved, or deleted
        content = path.read_bytes()
        path.unlink()
        if edit.now != "-":
            (project / edit.now).parent.mkdir(parents=True, exist_ok=True)
            (project / edit.now).write_bytes(content)
        return
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert edit.old in text, f"{edit.name}: {edit.path} has no {edit.old!r}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(edit.old, edit.new, 1) if edit.old else text + edit.new, encoding="utf-8", newline="")


@dataclass(frozen=True)
class Report:
    """The report of an update."""

    told: list[str]
    left: dict[str, str]
    code: int


def updated(project: Path, tag: str, road: str, capfd: pytest.CaptureFixture[str]) -> Report:
    """Update with one of the two commands."""
    capfd.readouterr()
    if road == ROADS[0]:
        plain_update(project, tag)
        lines = [line[2:] for line in capfd.readouterr().err.splitlines() if line.startswith("  ")]
        left = dict(line.split(": RESOLVE BY HAND: ", 1) for line in lines if ": RESOLVE BY HAND: " in line)
        return Report([line for line in lines if ": RESOLVE BY HAND: " not in line], left, 1 if left else 0)
    done = copier_pyo3("update", project, "--vcs-ref", tag)
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    left = dict(line.split(": ", 1) for line in _behind(lines, "Resolve by hand:"))
    return Report([*_behind(lines, "Decisions:")], left, done.returncode)


def _behind(lines: list[str], title: str) -> Iterator[str]:
    for line in lines[lines.index(title) + 1 :] if title in lines else ():
        if not line.startswith("  "):
            return
        yield line[2:]


def held(edit: Edit, project: Path) -> Iterator[str]:
    """The expectations of an edit that are not met at the end."""
    path = project / (edit.now or edit.path)
    if not path.exists():
        if edit.now != "-":
            yield f"{path.name} is not there"
        return
    text = laws.text(path.read_bytes())
    if edit.within:
        text = part(text, edit.within)
        if not text:
            yield f"there is no {edit.within}"
    at = 0
    for wanted in edit.has:
        if text.count(wanted) != 1:
            yield f"{wanted!r} is there {text.count(wanted)} times"
        elif text.index(wanted) < at:
            yield f"{wanted!r} is not behind the one before it"
        at = max(at, text.find(wanted))
    for unwanted in edit.lacks:
        if unwanted in text:
            yield f"{unwanted!r} is there"


def part(text: str, name: str) -> str:
    """A job of a workflow, or a table of TOML."""
    table, job = rf"^{re.escape(name)}\n.*?(?=^\[|\Z)", rf"^  {name}:.*?\n.*?(?=^  [\w-]+:|\Z)"
    pattern = table if name.startswith("[") else job
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def wrong(
    name: str, tag: str, road: str, versions: Versions, ours: Path, project: Path, base: str, report: Report
) -> Iterator[str]:
    """The errors that the laws find in one update."""
    moved = MOVED.get(tag, {}) | {edit.path: edit.now for edit in PROJECTS[name] if edit.now not in ("", "-")}
    old, mine, new, got = (laws.files(side) for side in (versions.made[base], ours, versions.made[tag], project))
    sides = laws.Sides(old, mine, new, got, moved)
    both: dict[str, tuple[str, ...]] = {}
    for edit in PROJECTS[name]:
        both[edit.path] = (*both.get(edit.path, ()), *edit.both)
    yield from laws.unreadable(sides)
    yield from laws.refused_by_cargo(project)
    yield from laws.line_ends(sides)
    yield from laws.lost_lines(sides, both)
    yield from laws.lost_values(sides, both)
    yield from laws.twice(sides)
    yield from laws.dangling(sides)
    yield from laws.untrue(sides, report.told, report.left)
    conflicts = {
        line.rpartition("\t")[2] for line in run(["git", "ls-files", "--unmerged"], cwd=project).stdout.splitlines()
    }
    if conflicts != {path for path, why in report.left.items() if "markers" in why}:
        yield f"git has conflicts in {conflicts}, the report says {report.left}"
    staged = run(["git", "diff", "--cached", "--name-only", "--diff-filter=u"], cwd=project).stdout.split()
    if staged:
        yield f"git's index has changed: {staged}"
    expected = {edit.now or edit.path for edit in PROJECTS[name] if edit.left and tag == [*RELEASES][-1]}
    if {*report.left} != expected:
        yield f"left for a person: {report.left}, expected: {expected}"
    if report.code != (1 if report.left else 0):
        yield f"exit code {report.code}"


def test_there_are_enough_edits() -> None:
    names = [(name, edit.name) for name, edits in PROJECTS.items() for edit in edits]
    assert len({*names}) == len(names) >= 60
    assert len(RELEASES) == 3


@pytest.mark.parametrize("name", PROJECTS)
def test_edits_survive_three_releases(
    name: str, versions: Versions, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    start = edited(name, versions.made["v1.0.0"], tmp_path)
    projects = {road: Path(shutil.copytree(start, tmp_path / road / "sample")) for road in ROADS}
    problems: list[str] = []
    everything: list[str] = []
    base = "v1.0.0"
    for tag in RELEASES:
        reports: dict[str, Report] = {}
        for road, project in projects.items():
            ours = Path(shutil.copytree(project, tmp_path / "before" / road / tag / "sample"))
            reports[road] = updated(project, tag, road, capfd)
            found = wrong(name, tag, road, versions, ours, project, base, reports[road])
            problems += [f"{tag}, {road}: {problem}" for problem in found]
        one, other = (laws.files(projects[road]) for road in ROADS)
        differ = sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
        if differ:
            problems.append(f"{tag}: the two commands differ in {differ}")
        if reports[ROADS[0]] != reports[ROADS[1]]:
            problems.append(f"{tag}: the two commands say: {reports}")
        everything += [*reports[ROADS[1]].told, *(f"{path}: {why}" for path, why in reports[ROADS[1]].left.items())]
        for project in projects.values():
            commit(project)
        base = tag
    for edit in PROJECTS[name]:
        problems += [f"{edit.name}: {problem}" for problem in held(edit, projects[ROADS[1]])]
        for sentence in (*edit.told, *filter(None, [edit.left])):
            if not any(sentence in line for line in everything):
                problems.append(f"{edit.name}: the report does not say {sentence!r}")
    print("\n".join(everything))
    tell(f"releases, {name}: {len(PROJECTS[name])} edits, 3 releases, 2 commands, {len(problems)} wrong")
    assert not problems, "\n".join([f"{len(problems)} wrong:", *dict.fromkeys(problems)])
