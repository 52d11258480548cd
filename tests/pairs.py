"""The cases in tests/answers/, which cover every choice of every question, and every pair of choices.

`python tests/pairs.py` writes missing cases. Run it after you add a question or a choice.
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

import workflow_cases

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = ROOT / "tests" / "answers"

Choice = tuple[str, str | bool]  # a question and an answer; of a multiselect, "question.choice" and on or off

# They only change .github/, or what replaces it: see the cases in tests/workflow_cases.py and tests/test_ci.py.
WORKFLOW_QUESTIONS = {
    "ci",
    "platforms",
    "wheel_builder",
    "interpreters",
    "publish_to",
    "version_source",
    "dependency_updates",
}
# An application is kind=mixed and a program beside it: see applications() and tests/test_application.py.
APPLICATION_QUESTIONS = ("embedding", "allocator")


class _Loader(yaml.SafeLoader):
    """Reads copier.yml without its included files."""


_Loader.add_constructor("!include", lambda loader, node: {})


@functools.cache
def settings_and_questions() -> dict[str, Any]:
    """copier.yml as one mapping."""
    text = (ROOT / "copier.yml").read_text(encoding="utf-8")
    return dict(itertools.chain.from_iterable(document.items() for document in yaml.load_all(text, _Loader)))


@functools.cache
def cases() -> dict[str, dict[str, Any]]:
    """The answers of each case, by name."""
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) or {} for path in sorted(ANSWERS.glob("*.yml"))}


@functools.cache
def choices() -> dict[str, list[str | bool]]:
    """The choices of each question that has choices."""
    found: dict[str, list[str | bool]] = {}
    for name, question in settings_and_questions().items():
        other = {"more", "extras", *WORKFLOW_QUESTIONS, *APPLICATION_QUESTIONS}
        if name.startswith("_") or question.get("when") is False or name in other:
            continue
        values = [value for value in question.get("choices", {}).values() if not isinstance(value, dict)]
        values = [value for value in values if value != "application"]
        if question.get("multiselect"):
            found |= {f"{name}.{value}": [False, True] for value in values}
        elif question["type"] == "bool":
            found[name] = [False, True]
        elif values:
            found[name] = values
    return found


def flat(answers: Mapping[str, Any]) -> dict[str, str | bool]:
    """The choices of a case, including defaults."""
    questions = settings_and_questions()
    made: dict[str, str | bool] = {}
    for name in choices():
        question, _, item = name.partition(".")
        answer = answers.get(question, questions[question]["default"])
        made[name] = item in answer if item else answer
    return made


def possible(made: Mapping[str, str | bool]) -> bool:
    """False for combinations that copier.yml rejects, which tests/test_questions.py checks."""
    return not (
        (made.get("free_threading") and made.get("build_backend") == "setuptools-rust")
        or (made.get("features.numpy") and made.get("min_python") == "3.9")
    )


def built() -> list[str]:
    """The cases to build. Extras and the distribution of a program do not change wheels, and have other tests.

    Of cases that differ only in the license, one is built: it changes a text in the wheel, and each has a case that is built.
    """
    found: dict[str, str] = {}
    for name, answers in cases().items():
        if not answers.keys() & {"extras", "embedding"}:
            found.setdefault(repr(flat(answers) | {"license": ""}), name)
    return list(found.values())


def with_extras() -> dict[str, dict[str, Any]]:
    """Cases with all extras that are possible, so that each choice, also of a workflow's question, meets each extra."""
    found = {}
    for name, answers in covering(lambda made: True).items():
        for number, some in enumerate(together(extras(answers))):
            found[f"{name}-{number}"] = answers | {"extras": some}
    return found


def together(some: list[str]) -> list[list[str]]:
    """These extras as lists of extras that can be combined: system-library cannot be with bazel or cross."""
    lists = [[extra for extra in some if extra not in without] for without in (["system-library"], ["bazel", "cross"])]
    return lists if "system-library" in some else [some]


def applications() -> dict[str, dict[str, Any]]:
    """Cases as applications, so that each choice, also of a workflow's question, meets an application."""
    questions, found = settings_and_questions(), {}
    embeddings, allocators = (itertools.cycle(questions[name]["choices"].values()) for name in APPLICATION_QUESTIONS)
    for name, answers in covering(possible_for_application).items():
        embedding = next(each for each in embeddings if each != "pyoxidizer" or flat(answers)["min_python"] == "3.10")
        own = {"kind": "application", "embedding": embedding, "allocator": next(allocators)}
        found[f"application-{name}"] = answers | own
    return found


def possible_for_application(answers: Mapping[str, Any]) -> bool:
    """False for answers that copier.yml rejects for an application, which tests/test_questions.py checks."""
    made = flat(answers)
    return not (made["build_backend"] != "maturin" or made["min_python"] == "3.9" or made["free_threading"])


def covering(fits: Callable[[Mapping[str, Any]], bool]) -> dict[str, dict[str, Any]]:
    """A few of the cases that fit, with all of their choices."""
    every = {**cases(), **{f"workflows-{name}": answers for name, answers in workflow_cases.cases().items()}}
    made = {
        name: {*flat(answers).items(), *((key, repr(value)) for key, value in answers.items() if key != "extras")}
        for name, answers in every.items()
        if fits(answers)
    }
    missing, found = set[Any]().union(*made.values()), {}
    while missing:
        name = max(made, key=lambda name: len(made[name] & missing))
        missing -= made[name]
        found[name] = every[name]
    return found


def extras(answers: Mapping[str, Any]) -> list[str]:
    """The extras that copier.yml allows with these answers."""
    every = list(settings_and_questions()["extras"]["choices"].values())
    built_by = answers.get("wheel_builder", "cibuildwheel")  # the default with system-library
    unprepared = {"windows-x86", "windows-arm64", "pyodide"}
    if answers.get("ci") == "gitlab":
        unprepared |= {"macos-x86_64", "macos-arm64", "windows-x64"}
    if answers.get("kind") == "application" or built_by == "maturin" or unprepared & {*answers.get("platforms", [])}:
        every.remove("system-library")
    if answers.get("kind") == "application" or answers.get("features"):
        every.remove("bazel")
    if answers.get("build_backend") == "setuptools-rust":
        every.remove("cross")
        every.remove("pgo")
    return every


def pairs(made: Mapping[str, str | bool]) -> set[frozenset[Choice]]:
    """The pairs of these choices."""
    return {frozenset(pair) for pair in itertools.combinations(made.items(), 2)}


def all_pairs() -> set[frozenset[Choice]]:
    """All possible pairs of choices."""
    found = set()
    for (first, firsts), (second, seconds) in itertools.combinations(choices().items(), 2):
        for pair in itertools.product(firsts, seconds):
            made = dict(zip((first, second), pair, strict=True))
            if possible(made):
                found |= pairs(made)
    return found


def missing_pairs() -> set[frozenset[Choice]]:
    """The pairs that are not in any case."""
    return all_pairs().difference(*(pairs(flat(answers)) for answers in cases().values()))


def missing_cases() -> Iterator[dict[str, Any]]:
    """Answers for the missing pairs. The algorithm is greedy: each case has as many of them as possible."""
    missing = missing_pairs()
    while missing:
        made = dict(min(missing, key=lambda pair: sorted(map(str, pair))))
        for name, values in choices().items():
            if name not in made:
                fits = [made | {name: value} for value in values if possible(made | {name: value})]
                made = max(fits, key=lambda candidate: len(pairs(candidate) & missing))
        missing -= pairs(made)
        yield unflat(made)


def unflat(made: Mapping[str, str | bool]) -> dict[str, Any]:
    """The answers with these choices."""
    answers: dict[str, Any] = {}
    for name in choices():
        question, _, item = name.partition(".")
        if item:
            answers[question] = answers.get(question, []) + ([item] if made[name] else [])
        else:
            answers[question] = made[name]
    return answers


if __name__ == "__main__":
    for answers in list(missing_cases()):
        number = next(n for n in itertools.count(1) if not (ANSWERS / f"pair-{n:02}.yml").exists())
        text = yaml.safe_dump(answers, sort_keys=False)
        (ANSWERS / f"pair-{number:02}.yml").write_text(text, encoding="utf-8", newline="\n")
        print(f"pair-{number:02}.yml")
