"""Checks of answers given with --data, and messages for Copier's errors. Used by `new` and `update`."""

import difflib
import re
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import yaml
from copier.errors import CopierError, TaskError, UnsafeTemplateError
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from plumbum import ProcessExecutionError

from copier_pyo3.errors import UserError, why_git_failed

# As in YAML 1.1. Copier reads any other word as yes.
YES: Final = {"true", "yes", "on"}
NO: Final = {"false", "no", "off"}
JINJA: Final = SandboxedEnvironment(
    undefined=StrictUndefined, extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"]
)  # as in Copier


@contextmanager
def one_sentence(after: str, home: str, made_from: str | None = None) -> Iterator[None]:
    """Turn the errors of Copier, which runs inside this context, into a UserError.

    Args:
        after: sentence to add to the message, such as "Nothing was written."
        home: folder or URL of the template.
        made_from: version of the template that created the project, if there is a project.

    Raises:
        UserError: Copier, a hook or git failed.
        KeyboardInterrupt: the user pressed Ctrl-C. It has no message, unlike Copier's, which has its whole state.
    """
    where = "" if Path(home).is_dir() else f"template {home}: "
    try:
        yield
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt from error
    except TaskError as error:
        raise UserError(f"a step of the template failed; see the output above. {after}") from error
    except ProcessExecutionError as error:
        raise UserError(f"{_git_failed(error, home)}. {after}") from error
    except UnsafeTemplateError as error:
        code = re.sub(r".*?features?: (.*?)\..*", r"\1", str(error), flags=re.DOTALL).replace("_", " ")
        version = f" (version {made_from})" if made_from else ""
        raise UserError(
            f"this would run code of the template {home}{version} with your rights ({code}), and you have not said that you "
            f"trust it: if you do, add --trust, or add it to `trust` in Copier's settings. {after}"
        ) from error
    except RecursionError as error:
        raise UserError(f"{where}a YAML file is nested too deeply. {after}") from error
    except OverflowError as error:  # Copier reads the answer as a number
        raise UserError(f"{where}a question is answered with a number, not with true or false. {after}") from error
    except RuntimeError as error:
        if "home directory" in str(error):
            raise UserError(f"this user has no home directory: set HOME to a folder and try again. {after}") from error
        # of dunamai, which asks git for the template's version
        raise UserError(f"git cannot read the template {home} ({str(error).rstrip('.')}). {after}") from error
    except (CopierError, TemplateError, TypeError, ValueError, yaml.YAMLError) as error:
        if unknown := re.fullmatch(r"Unknown revision: '(.*)'", str(error)):
            raise UserError(f"{_version_gone(unknown[1], home, made_from)}. {after}") from error
        text = " ".join(str(error).split()) or f"Copier failed ({error.__cause__ or type(error).__name__})"
        if text.startswith("Not a YAML list"):
            text += ": write a list, such as features=[numpy]"
        raise UserError(f"{where}{text.rstrip('.')}. {after}") from error


def _git_failed(error: ProcessExecutionError, home: str) -> str:
    why = why_git_failed(str(error.stderr))
    if {"clone", "fetch", "ls-remote", "remote"} & {*error.argv}:
        return f"cannot reach the template {home} ({why}): check the URL and the network"
    return f"`git {' '.join(map(str, error.argv[1:3]))}` failed ({why})"


def _version_gone(version: str, home: str, made_from: str | None) -> str:
    if version == made_from:
        return (
            f"the template {home} no longer has {version}, the version that created the project (its tag was deleted or "
            "its history was rewritten): set _commit in the answers file to the nearest existing version, commit, and try "
            "again"
        )
    return f"the template {home} has no version {version}: choose one of its tags, branches, or commits"


# --- answers given with --data ---------------------------------------------------------------------


def read_questions(template: Path) -> dict[str, dict[str, Any]]:
    """The questions in a folder's copier.yml by name, including computed ones."""

    class Loader(yaml.SafeLoader):
        pass

    def include(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> dict[str, Any]:
        return read(template / loader.construct_scalar(node))

    def read(path: Path) -> dict[str, Any]:
        documents = yaml.load_all(path.read_text(encoding="utf-8"), Loader)
        return {name: question for document in documents for name, question in document.items()}

    Loader.add_constructor("!include", include)
    return {name: question for name, question in read(template / "copier.yml").items() if not name.startswith("_")}


def check_data(data: Mapping[Any, Any], questions: Mapping[str, Mapping[str, Any]]) -> None:
    """Reject answers that Copier ignores, misreads, or checks only after it has asked other questions.

    Args:
        data: answers from `--data` (text) or from a YAML file.
        questions: the template's questions by name, from `read_questions` or Copier's `Template.questions_data`.

    Raises:
        UserError: an unknown question, or an invalid answer. Copier runs the validators that need answers which are
            not in data.
    """
    names = [name for name, question in questions.items() if question.get("when") is not False]
    known = {
        name: _parsed(question["default"], question)
        for name, question in questions.items()
        if name not in names and "default" in question and not _is_template(question["default"])
    }
    for name, value in data.items():
        if name in names:
            if problem := _misfit(name, value, questions[name]):
                raise UserError(problem)
            known[name] = _parsed(value, questions[name])
        elif not isinstance(name, str):
            raise UserError(
                f"{name!r} is not the name of a question: write one answer per line, such as `license: MIT`."
            )
        elif name in questions:
            raise UserError(f'there is no question "{name}": remove it; it is computed from other answers.')
        else:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(names)}."
            raise UserError(f'there is no question "{name}": {hint}')
    for name in data:
        if problem := _refusal(questions[name], known[name], known):
            raise UserError(f"{name}: {problem.rstrip('.')}.")


def describe_questions(questions: Mapping[str, Mapping[str, Any]]) -> str:
    """One paragraph per question for the help text: its name, its prompt, and its choices."""
    paragraphs = []
    for name, question in questions.items():
        if question.get("when") is False or question.get("ask") is False:
            continue
        text = re.sub(r"{{ (\w+) }}", r"\1", str(question["help"]))
        if choices := [str(value) for value, validator in _choices(question) if not validator or " if " in validator]:
            text += f" [{', '.join(choices)}]"
        paragraphs += textwrap.wrap(
            f"  {name:<20}  {text}", 79, subsequent_indent=" " * 24, break_on_hyphens=False, break_long_words=False
        )
    return "\n".join(paragraphs)


def _misfit(name: str, value: Any, question: Mapping[str, Any]) -> str | None:
    """A message if the answer has the wrong type or is not one of the choices."""
    kind = question.get("type")
    choices = [str(value) for value, _ in _choices(question)]
    offer = _or([str(value) for value, validator in _choices(question) if not validator])
    if value is None and kind not in ("yaml", "json"):
        return f'{name} has no value: add one ("" for an empty text), or remove it.'
    if question.get("multiselect"):
        items = _parsed(value, question)
        if not isinstance(items, list):
            return f'{name} is a list: write {name}=[{choices[0] if choices else "..."}], not "{value}".'
        strange = [item for item in items if choices and item not in choices]
        return f'{name} cannot have "{strange[0]}": write {offer}.' if strange else None
    if kind == "bool" and str(value).strip().lower() not in YES | NO:
        return f'{name} is true or false: write {name}=true or {name}=false, not "{value}".'
    if kind != "str":
        return None
    if not isinstance(value, str) and type(value) is not int and str(value) not in choices:
        such = f', such as {name}: "{question["default"]}"' if choices else ""
        return f"{name}: put {value} in quotes{such}, because YAML does not read it as text."
    if choices and str(value) not in choices:
        return f'{name} cannot be "{value}": write {offer}.'
    return None


def _parsed(value: Any, question: Mapping[str, Any]) -> Any:
    """The value of the answer in the template's expressions."""
    kind = question.get("type")
    if kind == "bool":
        return str(value).strip().lower() in YES
    if isinstance(value, str) and (kind == "yaml" or question.get("multiselect")):
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError:
            return value
    return str(value) if kind == "str" and not question.get("multiselect") else value


def _refusal(question: Mapping[str, Any], value: Any, known: Mapping[str, Any]) -> str:
    """The message of the question's or the choice's validator, if the known answers are enough to run it."""
    validators = [validator for choice, validator in _choices(question) if choice == value]
    for validator in [*validators, question.get("validator", "")]:
        with suppress(TemplateError):  # UndefinedError, for example: it needs another answer
            if _is_template(validator) and (said := " ".join(JINJA.from_string(validator).render(known).split())):
                return said
    return ""


def _choices(question: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """The choices with their validators; none if the choices depend on other answers."""
    choices = question.get("choices") or []
    if isinstance(choices, str):
        return []
    values = list(choices.values()) if isinstance(choices, dict) else choices
    pairs = [(item["value"], item.get("validator", "")) if isinstance(item, dict) else (item, "") for item in values]
    return [] if any(_is_template(value) for value, _ in pairs) else pairs


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _or(choices: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(choices[:-1]), *choices[-1:])))
