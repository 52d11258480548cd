"""``copier-pyo3 adopt``: make an existing Rust/Python project one of this template.

The project is read, never run. The answers that it gives are inferred, the rest is asked, and the template is rendered without
its sample and its build. What the project can use of it is merged in a temporary work tree, shown, and moved into the project on a
new branch: all of it or nothing.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from copier_pyo3.errors import UserError
from copier_pyo3.generate.asking import check_data, read_questions
from copier_pyo3.generate.first import ask_and_render
from copier_pyo3.generate.modernize import found_pyo3, is_older
from copier_pyo3.generate.offer import Offer, offer
from copier_pyo3.generate.organization import NONE, Organization, add_layer, check_answers, layer_questions
from copier_pyo3.merge.tree import merge_trees
from copier_pyo3.migrations import pyo3_0_30
from copier_pyo3.project import moves, work_tree_beside
from copier_pyo3.project.answers import ANSWERS, LAYER_ANSWERS, read_answers
from copier_pyo3.project.home import TEMPLATE, as_copier, without_password
from copier_pyo3.project.inferring import infer, module_names
from copier_pyo3.project.line_ends import follow
from copier_pyo3.project.reading import Found, Reading, read
from copier_pyo3.project.report import Report
from copier_pyo3.project.report import check as check_files
from copier_pyo3.project.repository import GitError, Repository
from copier_pyo3.project.work_tree import place

BRANCH: Final = "adopt-copier-pyo3"
UNCHANGED: Final = "The project is unchanged."
# The keys of a saved plan, and the types of their values.
PLAN: Final[Mapping[str, Any]] = {
    "head": str,
    "template": str | None,
    "vcs_ref": str | None,
    "answers_file": str,
    "modernize": bool,
    "organization": str,
    "answers": dict,
    "digest": str,
}
# Questions that mean nothing for a project with its own code, and their answers.
SETTLED: Final = {"sample": "minimal", "more": False}


@dataclass
class Adoption:
    """What adopting does, or did."""

    reading: Reading
    found: dict[str, Found]
    """The inferred answers, and from where."""
    refused: dict[str, str]
    """What was inferred, but the template cannot have, and why."""
    answers: dict[str, Any]
    given: set[str]
    """The names of the answers that the user gave."""
    locked: dict[str, str]
    """The names of the answers that the organization gave, with the reason."""
    offer: Offer
    report: Report
    added: list[str]
    merged: list[str]
    pyo3: tuple[str, str]
    """The version of PyO3 that the project has, and the template's."""
    modernize: bool
    defaults: bool
    digest: str
    """Of all files that change: the same plan has the same digest."""
    source: dict[str, Any]
    """The commit, and the template that a saved plan names."""
    agreed: bool = False

    @property
    def changed(self) -> list[str]:
        """The paths that are written."""
        return sorted([*self.added, *self.merged])


def adopt(
    project: Path,
    *,
    data: Mapping[str, Any],
    defaults: bool,
    modernize: bool = False,
    template: str | None = None,
    vcs_ref: str | None = None,
    answers_file: str = ANSWERS,
    plan: Path | None = None,
    head: str | None = None,
    organization: Organization = NONE,
    only_shows: bool = False,
    agree: Callable[[Adoption], bool],
) -> Adoption | Report:
    """Plan the adoption, let the user agree, and apply it on a new branch.

    Args:
        project: folder of the project.
        data: answers by question name.
        defaults: use the default answer of each question that cannot be inferred.
        modernize: raise the versions of PyO3, the build backend, and Python to the template's.
        template: folder or git URL of another template.
        vcs_ref: version of the template, or None for the newest.
        answers_file: path of the answers file to write.
        plan: file of a plan, which is no uncommitted change if it is in the project.
        head: the commit that a saved plan is for.
        organization: the organization's file. Its layer adds files that the project does not have.
        only_shows: do not finish an earlier run that was interrupted.
        agree: called with the plan; nothing is applied unless it returns True.

    Returns:
        What was planned, or the report of an earlier run that was finished.

    Raises:
        UserError: the project cannot be adopted, or it failed. The project is unchanged.
    """
    import filelock

    repository = Repository(project)
    try:
        with filelock.FileLock(repository.folder / "copier-pyo3.lock", blocking=False):
            if only_shows and moves.unfinished(repository):
                raise UserError("an earlier run was interrupted: run `copier-pyo3 adopt`, which finishes it.")
            if earlier := moves.finish_earlier(repository, "adopt"):
                return earlier[1]
            moves.discard(repository)
            _need_clean(repository, answers_file, plan)
            if head and head != repository.text("rev-parse", "HEAD"):
                raise UserError(
                    f"the project has other commits than {plan}, which is for {head[:10]}: save a new plan."
                )
            made = _planned(repository, data, defaults, modernize, template, vcs_ref, answers_file, organization, agree)
            if made.agreed:
                moves.move_in(repository, made.report)
            return made
    except filelock.Timeout as error:
        raise UserError("another run of copier-pyo3 is changing this repository: wait until it ends.") from error


def _planned(
    repository: Repository,
    data: Mapping[str, Any],
    defaults: bool,
    modernize: bool,
    template: str | None,
    vcs_ref: str | None,
    answers_file: str,
    organization: Organization,
    agree: Callable[[Adoption], bool],
) -> Adoption:
    """Plan, and save the list of moves if the user agrees. From then on the adoption will be finished."""
    try:
        made, work = _prepare(repository, data, defaults, modernize, template, vcs_ref, answers_file, organization)
        made.agreed = agree(made)
        if made.agreed:
            _need_no_branch(repository)
            branch = {"new": BRANCH, "old": repository.text("branch", "--show-current")}
            about = {"verb": "adopt", "branch": branch, "stale": []}
            moves.save(repository, work, made.changed, [], answers_file, made.report, about)
        else:
            moves.discard(repository)
    except OSError as error:
        moves.discard(repository)
        where = f"{Path(error.filename).name}: " if isinstance(error.filename, str) else ""
        raise UserError(f"adopting failed ({where}{error.strerror or error}). {UNCHANGED}") from error
    except GitError as error:
        moves.discard(repository)
        raise UserError(f"{error}. {UNCHANGED}") from error
    except BaseException:
        moves.discard(repository)
        raise
    return made


def adopted_version(project: Path, answers_file: str = ANSWERS) -> str | None:
    """The version of the template that the project has already, or None.

    Raises:
        UserError: the answers file is broken.
    """
    path = project / answers_file
    return str(read_answers(path.read_bytes(), answers_file)["_commit"]) if path.is_file() else None


def _need_clean(repository: Repository, answers_file: str, plan: Path | None) -> None:
    """Raise UserError if the project cannot be adopted, or is already."""
    project = repository.project
    if version := adopted_version(project, answers_file):
        raise UserError(
            f"{project} has {answers_file}, so a template made it (version {version}): run `copier-pyo3 update`, or choose "
            "another name with --answers-file if that is another template's."
        )
    if not repository.found("rev-parse", "--verify", "--quiet", "HEAD"):
        raise UserError(f"{project} has no commits: commit the project first.")
    if repository.is_merging():
        raise UserError(f"git is in the middle of a merge or a rebase in {project}: finish or abort it first.")
    if changes := repository.changes(*([plan] if plan else [])):
        raise UserError(f"{project} has uncommitted changes ({changes[0].strip()}): commit or stash them first.")


def _need_no_branch(repository: Repository) -> None:
    if repository.found("rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}"):
        raise UserError(
            f"there is a branch {BRANCH} already: delete it (`git branch -D {BRANCH}`) or merge it, and try again. {UNCHANGED}"
        )


# --- the plan --------------------------------------------------------------------------------------


def _prepare(
    repository: Repository,
    data: Mapping[str, Any],
    defaults: bool,
    modernize: bool,
    template: str | None,
    vcs_ref: str | None,
    answers_file: str,
    organization: Organization,
) -> tuple[Adoption, Repository]:
    """Read, infer, ask, render, and merge. Returns the plan, and the temporary work tree that has the result."""
    for name in ("adopted", "adopted_without"):
        if name in data or name in organization.locked:
            raise UserError(f"{name} is an answer that `copier-pyo3 adopt` computes: remove yours.")
    reading = read(repository)
    questions = read_questions(TEMPLATE)
    layer = layer_questions(organization.layer)
    versions = _versions(questions)

    def check(asked: Mapping[str, Any]) -> None:
        if "adopted" not in asked:
            raise UserError(
                "the template has no question `adopted`, so it would add its sample: choose a later version, or "
                f"another template. {UNCHANGED}"
            )
        check_data(data, {**layer, **asked})
        check_answers(organization, data, {**layer, **asked})
        if "versions" in asked:  # those of another template, or of another version
            versions.update(_versions(asked))

    if template is None:
        check(questions)
    inferring = infer(reading, TEMPLATE / "licenses")
    if modernize and "min_python" in inferring:
        oldest, where = inferring["min_python"]
        if int(str(oldest).partition(".")[2]) < int(versions["python"]):
            inferring["min_python"] = (f"3.{versions['python']}", f"{where}, raised by --modernize")
    found, refused = _accepted(inferring, {**data, **organization.locked}, questions)
    settled = SETTLED | {"adopted": "modern" if modernize else "kept"}
    inferred = {name: value for name, (value, _) in found.items()}
    source = as_copier(template or str(TEMPLATE))

    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
        theirs, base = Path(aside, "theirs"), Path(aside, "base")
        given = {**organization.locked, **settled, **inferred, **data}
        asked = ask_and_render(
            source,
            theirs,
            given,
            defaults,
            organization.defaults,
            check,
            vcs_ref=vcs_ref,
            answers_file=answers_file,
            after=UNCHANGED,
        )
        recorded: dict[str, Any] = {}
        if organization.layer:
            add_layer(organization.layer, theirs, {**asked, **given}, organization.defaults, defaults)
            recorded = read_answers((theirs / LAYER_ANSWERS).read_bytes(), LAYER_ANSWERS)
        knows_license = not defaults or given.keys() >= {"license", "author_name"}
        offered = offer(reading, theirs, base, answers_file, knows_license, versions if modernize else None)
        recorded |= read_answers((theirs / answers_file).read_bytes(), answers_file)
        answers = {name: value for name, value in recorded.items() if not name.startswith("_")}
        trees = [repository.tree_of(folder, Path(aside, f"{folder.name}.index")) for folder in (base, theirs)]
    ours = repository.tree("HEAD")
    outcome = merge_trees(repository, trees[0], ours, trees[1], skip=set())
    follow(repository, trees[0], ours, outcome, answers_file)
    state = moves.begin(repository)
    work = work_tree_beside.add(repository, state / "tree")
    place(work, ours, trees[1], ours, outcome, "", None)
    report = Report(outcome.told, outcome.left)
    if modernize:
        report.told += pyo3_0_30.files(work.project)
    check_files(work, repository.text("rev-parse", "HEAD"), report)
    written = moves.made_in(repository, work, report)
    digest = hashlib.sha256(json.dumps(answers, sort_keys=True, default=str).encode())
    for path in sorted(written - {answers_file}):
        digest.update(f"{path}\0".encode() + (work.project / path).read_bytes() + b"\0")
    made = Adoption(
        reading=reading,
        found=found,
        refused=refused,
        answers=answers,
        given={*data},
        locked={
            name: _locked(organization, inferring.get(name), answers[name])
            for name in organization.locked
            if name in answers and name not in settled
        },
        offer=offered,
        report=report,
        added=sorted(path for path in written if path not in ours.files),
        merged=sorted(path for path in written if path in ours.files),
        pyo3=(found_pyo3(reading), versions["pyo3"]),
        modernize=modernize,
        defaults=defaults,
        digest=digest.hexdigest(),
        source={
            "head": repository.text("rev-parse", "HEAD"),
            "template": without_password(template) if template else None,
            "vcs_ref": vcs_ref,
            "answers_file": answers_file,
            "modernize": modernize,
            "organization": organization.name,
        },
    )
    return made, work


def _accepted(
    inferred: Mapping[str, Found], data: Mapping[str, Any], questions: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Found], dict[str, str]]:
    """The inferred answers that the template accepts, and the others with the reason."""
    accepted: dict[str, Found] = {}
    refused: dict[str, str] = {}
    given = {name: value for name, value in data.items() if name in questions}  # others are of the organization's layer
    for name in (name for name in questions if name in inferred and name not in data):
        others = {key: value for key, (value, _) in accepted.items()} | given
        try:
            check_data(others | {name: inferred[name][0]}, questions)
            accepted[name] = inferred[name]
        except UserError as error:
            why = str(error).removeprefix(f"{name}: ").rstrip(".")
            refused[name] = f"{_shown(inferred[name][0])} ({inferred[name][1]}): {why}"
    return accepted, refused


def _locked(organization: Organization, found: Found | None, answer: Any) -> str:
    """Why a locked answer is what it is, and what the project has instead."""
    other = found is not None and str(found[0]) != str(answer)
    return f"locked by {organization.name}" + (f"; the project has {_shown(found[0])}" if found and other else "")


def _versions(questions: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The template's versions by crate and package, and the oldest minor version of Python by default."""
    known = questions["versions"]["default"]
    crates = dict.fromkeys(("pyo3", "pyo3-ffi", "pyo3-macros"), known["pyo3"])
    for fragment in (TEMPLATE / "template").glob("*/Cargo.toml.d/*.toml"):
        for name, version in re.findall(
            r'(?m)^((?:numpy|pyo3-[\w-]+)) = (?:\{ version = )?"([\d.]+)"', fragment.read_text("utf-8")
        ):
            crates[name] = version
    return {
        **crates,
        "pyo3-build-config": known["pyo3_build_config"],
        "rust": known["rust"],
        "maturin": f"maturin>={known['maturin']},<2",
        "setuptools-rust": f"setuptools-rust>={known['setuptools_rust']},<2",
        "python": str(questions["min_python"]["default"]).partition(".")[2],
    }


# --- what the user reads ---------------------------------------------------------------------------


def describe(made: Adoption) -> str:
    """The plan as text, to be read from top to bottom."""
    reading, offered = made.reading, made.offer
    native = module_names(reading)[1]
    lines = [f"{reading.project}: PyO3 {made.pyo3[0]}, the crate {reading.crate.path}, the native module {native}", ""]
    lines.append("Answers, and where they are from:")
    lines += [f"  {name}: {_shown(made.answers.get(name))} ({where})" for name, (_, where) in made.found.items()]
    lines += [f"  {name}: {_shown(made.answers.get(name))} (given)" for name in sorted(made.given)]
    lines += [f"  {name}: {_shown(made.answers.get(name))} ({why})" for name, why in sorted(made.locked.items())]
    for name, why in made.refused.items():
        lines.append(f"  {name}: {_shown(made.answers.get(name))} (instead of {why})")
    basic = (
        "project_name",
        "module_name",
        "description",
        "author_name",
        "author_email",
        "license",
        "repository_url",
        "publish_to",
        "ci",
    )
    how = "the default" if made.defaults else "asked"
    unknown = [name for name in basic if name not in {*made.found, *made.given, *made.locked, *made.refused}]
    lines += [f"  {name}: {_shown(made.answers.get(name))} ({how}: the project does not say)" for name in unknown]
    lines += _section("Files to add", made.added)
    if made.merged:
        lines += ["", "Files to merge, where your values win:"]
        for path in made.merged:
            adds = f" gets {', '.join(offered.settings)}" if path == "pyproject.toml" and offered.settings else ""
            lines.append(f"  {path}{adds}")
    lines += _section("Decisions", made.report.told)
    lines += _section("Left alone", [f"{path}: {why}" for path, why in offered.declined.items()])
    lines += _section("To resolve by hand", [f"{path}: {why}" for path, why in sorted(made.report.left.items())])
    lines += _section("By hand", [*offered.hints, *_needs(made)])
    return "".join(f"{line}\n" for line in lines)


def _section(title: str, items: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {item}" for item in items)] if items else []


def _shown(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).removesuffix("\n...\n").strip()
    )


def _needs(made: Adoption) -> list[str]:
    """What the template expects, and the project does not have."""
    reading, needs = made.reading, []
    if not made.modernize and is_older(*made.pyo3):
        needs.append(
            f"PyO3 {made.pyo3[0]} stays; the template expects {made.pyo3[1]}: `copier-pyo3 adopt --modernize` raises it, and "
            "PyO3's migration guide says what changes in your code"
        )
    if "pyproject.toml" in made.merged:
        for lock, command in (("uv.lock", "uv lock"), ("poetry.lock", "poetry lock"), ("pdm.lock", "pdm lock")):
            if lock in reading.files or (reading.inner and (reading.top / lock).is_file()):
                needs.append(f"{lock} is no longer up to date: run `{command}`")
    if ".github/workflows/ci.yml" in made.added and "Cargo.lock" not in reading.files:
        needs.append("the workflows need Cargo.lock in git: run `cargo generate-lockfile`, and commit it")
    if "noxfile.py" in made.added and "mypy" not in reading.text("pyproject.toml") and reading.inner:
        needs.append("`nox -s typing` needs `files` in [tool.mypy]: the files to check")
    if "noxfile.py" in made.added:
        needs.append(
            "`nox` runs the template's checks, which have never seen your code: run it once, and adapt what you keep"
        )
    return needs


def saved(made: Adoption) -> str:
    """The plan as JSON, to apply it later: the answers that cannot be inferred, and what identifies the rest."""
    computed = {*made.found, *made.locked, *SETTLED, "adopted", "adopted_without"}
    asked = set() if made.defaults else made.answers.keys() - computed
    answers = {name: value for name, value in made.answers.items() if name in made.given | asked}
    content = made.source | {"answers": answers, "digest": made.digest, "files": made.changed}
    return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"


def read_plan(path: Path) -> dict[str, Any]:
    """A saved plan.

    Raises:
        UserError: the file is not one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(content[key], kind) for key, kind in PLAN.items()):
            return dict(content)
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}): pass a readable file to --plan.") from error
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        pass
    raise UserError(f"{path} exists and is not a plan of `copier-pyo3 adopt`: pass a new file to --plan.")


def need_same(made: Adoption, plan: Mapping[str, Any]) -> None:
    """Raise UserError if a saved plan would do something else now."""
    if made.digest != plan["digest"]:
        raise UserError(
            f"the plan would change other files now (another version of copier-pyo3?): save it again. {UNCHANGED}"
        )
