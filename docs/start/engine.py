"""The questions and projects that the page shows, made by Copier itself in the browser's Python (Pyodide)."""

import dataclasses
import functools
import io
import itertools
import json
import os
import re
import shutil
import sys
import time
import types
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATE: Final = Path("/template")
PROJECT: Final = Path("/project/my-extension")  # the folder's name is the default name of a project


class StandIn(types.ModuleType):
    """A module that Copier imports and does not use here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return types.SimpleNamespace


class Choice(types.SimpleNamespace):
    """What Copier needs of questionary's class of this name."""

    def __init__(self, title: str, value: Any, disabled: str) -> None:
        super().__init__(title=title, value=value, disabled=disabled)


def unpack(name: str) -> None:
    """Unpack an archive of the page into the file system of Pyodide, with permissions."""
    with zipfile.ZipFile(name) as archive:
        for info in archive.infolist():
            path = Path("/", info.filename)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(info))
            path.chmod(info.external_attr >> 16 & 0o777)


unpack("/files.zip")
# What asks questions in a terminal, and modules of Unix
TERMINAL: Final = ("questionary.prompts.common", "prompt_toolkit.lexers", "pygments.lexers.data")
for name in (*TERMINAL, "fcntl", "grp", "pwd", "termios"):
    for module in itertools.accumulate(name.split("."), "{}.{}".format):
        sys.modules[module] = StandIn(module)
sys.modules["questionary.prompts.common"].Choice = Choice  # type: ignore[attr-defined]

import copier._main
from copier._jinja_ext import YieldExtension
from copier._template import Task, Template
from copier._tools import scantree
from copier._types import MISSING, Phase
from copier._user_data import Question
from copier.errors import CopierError
from jinja2 import TemplateError

from copier_pyo3.errors import UserError
from copier_pyo3.generate.asking import check_data

copier._main.is_git_available = lambda: False  # else it searches PATH for each file
BUILD: Final = json.loads(Path("/build.json").read_text(encoding="utf-8"))
problems: dict[str, str] = {}
questions: dict[str, "Asked"] = {}
shown: dict[str, Any] = {}
LARGE: Final = 100_000  # characters; an answers file has about a thousand
ELSEWHERE: Final = {  # what else an organization's file has
    "layer": "only `copier-pyo3 new --org` adds the layer.",
    "policy": "only `copier-pyo3 fleet` reads the policy.",
}
show_form: Callable[[str], object] = len  # set by the page: it gets the form before the project is rendered


# What Copier raises for an answer of the wrong shape, or for an expression that needs a good answer
BAD = (CopierError, TemplateError, yaml.YAMLError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)


class Refused(Exception):
    """An answer has a problem, so nothing is rendered."""


class Bundle(Template):
    """A version of the template in a folder, with the address and the version that it has in its repository."""

    @cached_property
    def local_abspath(self) -> Path:
        return TEMPLATE if self.ref == BUILD["version"] else Path("/older", str(self.ref))

    @cached_property
    def commit(self) -> str | None:
        return self.ref

    @cached_property
    def environment(self) -> Any:
        """Copier's environment of Jinja, which compiles each text once, and not for each project."""
        with copier._main.Worker(src_path=str(self.local_abspath)) as worker:
            env = worker.jinja_env
        compiled = functools.cache(env.from_string)

        def from_string(source: str) -> Any:
            env.extensions[YieldExtension.identifier].preprocess(source, None)
            return compiled(source)

        env.from_string = from_string
        return env


@functools.cache
def bundle(version: str) -> Bundle:
    """A version of the template."""
    return Bundle(url=BUILD["address"], ref=version)


class Asked(Question):
    """A question that keeps its problem, so that the form can show the problems of all answers at once."""

    def parse_answer(self, answer: Any) -> Any:
        try:
            return super().parse_answer(answer)
        except BAD as error:
            problems[self.var_name] = words(error) if self.choices else "Invalid input"
            return answer

    def validate_answer(self, answer: Any) -> None:
        try:
            super().validate_answer(answer)
        except ValueError as error:
            problems[self.var_name] = words(error)

    def get_default(self) -> Any:
        try:
            default = super().get_default()
        except BAD as error:  # for example, an earlier answer has a problem
            problems[self.var_name] = words(error)
            return ""
        if default is MISSING and self.get_when():
            problems[self.var_name] = "an answer is required."
            self.validate_answer(default := "")
        return default


def ask(**details: Any) -> Question:
    """Make a question for Copier. As at its prompt, an answer to a question that is not asked does not count."""
    question = questions[details["var_name"]] = Asked(**details)
    if not question.get_when():
        question.answers.init.pop(question.var_name, None)
    return question


def words(error: Exception) -> str:
    """The message on one line, without the name of the question, which is above it."""
    text = " ".join(str(error).split())
    return text.partition("': ")[2] if text.startswith(("Validation error for", "Invalid choice for")) else text


copier._main.Question = ask  # type: ignore[misc, assignment]


class Worker(copier._main.Worker):
    """Copier's worker. It keeps what does not depend on the answers, and runs the template's task in this process."""

    @cached_property
    def template(self) -> Template:
        return bundle(str(self.vcs_ref))

    @cached_property
    def jinja_env(self) -> Any:
        return bundle(str(self.vcs_ref)).environment

    @cached_property
    def answers_relpath(self) -> Path:  # type: ignore[override]
        with Phase.use(Phase.PROMPT):
            return super().answers_relpath

    @cached_property
    def all_answers(self) -> dict[str, Any]:
        """What templates see once all questions are answered; Copier computes it for each part of each path."""
        return dict(super()._render_context())

    def _render_context(self) -> dict[str, Any]:
        return super()._render_context() if Phase.current() is Phase.PROMPT else {**self.all_answers}

    def _ask(self) -> None:
        super()._ask()
        shown.clear()
        shown.update(form(self))
        show_form(json.dumps(shown, default=str))
        if problems:
            raise Refused

    def _render_template(self) -> None:
        root = self.template_copy_root
        on = [entry for name, entries in tree(root) if self._render_string(name) for entry in entries]
        copier._main.scantree = lambda *root: iter(on)  # type: ignore[misc, assignment]
        super()._render_template()

    def _execute_tasks(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            _, _, _, hook, *arguments = task.cmd
            if hook != "fold":
                raise UserError(f"the page cannot run the template's task {hook}.")
            with hooks(self.template.local_abspath):
                from copier_pyo3.generate.fold import fold

                fold(self.dst_path, [self._render_string(each) for each in arguments])


@functools.cache
def tree(root: Path) -> list[tuple[str, list["os.DirEntry[str]"]]]:
    """Each folder of the template, which is on or off as a whole, and all that is in it."""
    with os.scandir(root) as entries:
        return [(top.name, [top, *scantree(top.path, False)] if top.is_dir() else [top]) for top in entries]


@contextmanager
def hooks(root: Path) -> Iterator[None]:
    """In this context, the package copier_pyo3 is that of an older version of the template."""
    if root == TEMPLATE:
        yield
        return
    own = {name: sys.modules.pop(name) for name in [*sys.modules] if name.startswith("copier_pyo3")}
    sys.path.insert(0, str(root / "hooks"))
    try:
        yield
    finally:
        sys.path.pop(0)
        for name in [name for name in sys.modules if name.startswith("copier_pyo3")]:
            del sys.modules[name]
        sys.modules.update(own)


def form(worker: Worker) -> dict[str, Any]:
    """The questions as the page shows them, and the answers that are not the default ones."""
    shown = [question for question in questions.values() if question.when is not False and question.ask is not False]
    known = worker.answers.combined
    # A computed answer fails only because of an answer with a problem, which is told then.
    names = [question.var_name for question in shown]
    told = {name: problem for name, problem in problems.items() if name in names} or problems
    given = [question for question in shown if question.var_name in worker.answers.init | BUILD["defaults"]]
    usual = {question.var_name: default(question, BUILD["defaults"]) for question in given}
    plain = {question.var_name: default(question, {}) for question in given}  # without an organization's defaults
    return {
        "questions": [
            {
                "name": (name := question.var_name),
                "type": (kind := question.get_type_name()),
                "help": question.render_value(question.help),
                "choices": [
                    {"label": choice.title, "value": choice.value, "problem": choice.disabled or None}
                    for choice in question._formatted_choices
                ]
                or None,
                "multiselect": question.multiselect,
                "value": as_text(known.get(name, ""), kind),
                "default": as_text(usual.get(name, known.get(name, "")), kind),
                "counts": (counts := question.get_when()),
                "asked": counts and question.get_ask(),
                "advanced": bool(re.search(r"\bmore\b", str(question.ask))),
                "locked": name in BUILD["locked"],
                "problem": problems.get(name),
            }
            for question in shown
        ],
        "changed": {}
        if problems
        else {name: known[name] for name, value in plain.items() if name in known and known[name] != value},
        "refused": "; ".join(f"{name}: {problem}" for name, problem in told.items()) or None,
        "files": None,
        "executable": [],
        "answersFile": "",
    }


def default(question: Question, user_defaults: dict[str, Any]) -> Any:
    """The answer that the question has if it is not answered, or None if it must be answered."""
    try:
        answers = dataclasses.replace(question.answers, init={}, user_defaults=user_defaults)
        usual = Question(**{name: getattr(question, name) for name in FIELDS} | {"answers": answers}).get_default()
    except BAD:
        return None
    return None if usual is MISSING else usual


FIELDS: Final = [field.name for field in dataclasses.fields(Question)]


def as_text(value: Any, kind: str) -> Any:
    """The answer as one line of YAML if it is a structure; any other answer as it is."""
    return yaml.safe_dump(value, default_flow_style=True, width=9999).strip() if kind in ("yaml", "json") else value


@functools.lru_cache(maxsize=32)
def project(text: str, version: str = BUILD["version"]) -> dict[str, Any]:
    """The form and the project for answers in JSON, from a version of the template."""
    asked = [name for name, each in bundle(version).questions_data.items() if each.get("when") is not False]
    answers = {name: value for name, value in json.loads(text).items() if name in asked}
    problems.clear()
    questions.clear()
    shutil.rmtree(PROJECT, ignore_errors=True)
    locked = {name: value for name, value in BUILD["locked"].items() if name in asked}
    settings = {"defaults": True, "user_defaults": BUILD["defaults"], "quiet": True, "unsafe": True}
    worker = Worker(BUILD["address"], PROJECT, vcs_ref=version, data=answers | locked, **settings)
    try:
        worker.run_copy()
    except Refused:
        return {**shown}
    except (*BAD, UserError) as error:
        return {**shown, "refused": words(error)}
    paths = sorted(path for path in PROJECT.rglob("*") if path.is_file())
    files = {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8", newline="") for path in paths}
    executable = [path.relative_to(PROJECT).as_posix() for path in paths if path.stat().st_mode & 0o100]
    own = files[worker.answers_relpath.as_posix()]
    return {**shown, "files": files, "executable": executable, "answersFile": own}


def state(text: str, version: str = BUILD["version"]) -> str:
    """The form and the project for answers in JSON, as JSON. The archive of an older version is /older.zip."""
    if not bundle(version).local_abspath.exists():
        unpack("/older.zip")
    return json.dumps(project(text, version), default=str)


def pack(text: str) -> bytes:
    """The project for answers in JSON, as a zip file with one folder.

    Raises:
        UserError: an answer is refused.
    """
    made = project(text)
    if made["files"] is None:
        raise UserError(made["refused"])
    (folder,) = (question["value"] for question in made["questions"] if question["name"] == "project_name")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in made["files"].items():
            info = zipfile.ZipInfo(f"{folder}/{name}", time.localtime()[:6])
            info.external_attr = (0o100755 if name in made["executable"] else 0o100644) << 16
            archive.writestr(info, content.encode("utf-8"), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def parse(text: str) -> str:
    """The answers in an answers file, as JSON. What cannot be used is listed with the reason. Nothing in it is run.

    Raises:
        UserError: it is not an answers file.
    """
    if len(text) > LARGE:
        raise UserError("this is too large for an answers file: choose one such as .copier-answers.yml.")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise UserError("an answers file has no aliases (*name): write the values out.")
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"this is not YAML ({words(error)}): choose a file such as .copier-answers.yml.") from error
    if not isinstance(found, dict):
        raise UserError("this file has no answers: choose one with lines such as `license: MIT`.")
    for table in ("defaults", "locked"):  # of an organization's file: see docs/fleet.md
        found |= found.pop(table) if isinstance(found.get(table), dict) else {}
    answers, ignored = {}, []
    for name, value in found.items():
        if str(name).startswith("_"):
            continue
        try:
            if name in ELSEWHERE:
                raise UserError(ELSEWHERE[name])
            check_data({name: value}, bundle(BUILD["version"]).questions_data)
            answers[name] = value
        except (*BAD, UserError) as error:
            ignored.append({"name": str(name), "why": words(error)})
    commit = str(found.get("_commit") or "")
    return json.dumps({"answers": answers, "ignored": ignored, "commit": commit}, default=str)
