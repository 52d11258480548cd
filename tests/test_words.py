"""Texts for people are in plain American English, and prompts and messages fit where Copier shows them."""

import ast
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, generate_tokens

import pytest

import pairs
from conftest import ROOT, Render

pytestmark = pytest.mark.render

# A regular expression, and what to write instead.
PHRASES = {
    r"broken off|broke off": "interrupted",
    r"half-way": "name the step that failed",
    r"python face|face towards": "Python bindings",
    r"\b(stands?|stood)\b(?!-)": "is in, is set only in, means, replaces",
    r"\blends?\b": "has",
    r"the two together|holds? (\w+ )+against|held against": "compare",
    r"of one's own|of (its|their|his) own\b": "its own X",
    r"\bbeside what\b|\bbeside others\b": "next to, compared with",
    r"learnt": "name what changed",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"by (its|their|what they|what it) mean(ing|s)?\b|by meaning": "structurally",
    r"left for you|left for a person": "resolve by hand",
    r"\b(un)?settle[sd]?\b": "resolve, decide",
    r"as it was made|is as it was\b|as before\b|\bas of old\b": "unchanged",
    r"(?-i:\btold\b)|and tells?\b|tells? (how|what|the rest|you)|\bsays so\b|as it says above": "report, print, describe",
    r"go on as|README\.md there": "continue with",
    r"there is none: install": "it is not installed",
    r"\b(lies?|lay)\b": "is in, there are two",
    r"out of it\b|out of itself|from itself alone": "from it",
    r"what (to make|bare Copier)|comes? out\b|what is where": "a noun: layout, limits, structure",
    r"\b(anew|amid|meanwhile,|oneself|whilst|hence|kin|besides others|once more)\b": "again, in, so",
    r"in place of\b": "instead of",
    r"without a word|brought (it )?about": "silently, caused",
    r"it goes by|it is by hand|goes? with\b": "run, matches",
    r"does not mind|looks? after|complain of|judges? nothing": "check, report",
    r"serves (python|both|every|everything)": "is for, supports",
    r"folds? (the|what|into)|does not fold": "merge",
    r"\b(is|are) no (name|number|text|yaml|toml|valid|plain|module|file|project)\b|no yaml\b": "is not",
    r"\bno more\b(?! than)": "no longer",
    r"\bbehind (it|them|its|a|an|the|each|what|that|one)\b": "after",
    r"\bfurther\b": "more",
    r"\bbut for\b|\bshall\b|\bother way round\b": "except, must, the reverse",
    r"\bhand(s|ed)? (\w+ )?over\b|\b(take|took|taken|takes) (\w+ ){0,3}(along|apart|over)\b": "pass, move, split, use",
    r"\b(gives?|gave|given) (\w+ )?up\b": "delete",
    r"\b(an|most|more|much) alike\b|\blikeness\b|\bis which\b": "similar, match",
    r"\bmeans? the (same|merged|planned)\b": "has the same data",
    r"\bline ends\b": "line endings",
    r"processor time|(children|children's) included|(be|was) had\b|for want of": "CPU time, including child processes, available",
    r"may (not )?(be left|have gone)|may not have": "can",
    r"other threads can run|run on meanwhile": "releases the GIL",
}
BRITISH = {
    r"\w*(organis|standardis|initialis|optimis|normalis|recognis|summaris|serialis|customis|minimis|maximis)\w*": "-iz-",
    r"\w*(analys|catalys)(e|ed|ing)\b": "-yz-",
    r"licen[c]es?\b": "license",
    r"(behavi|col|fav|neighb|hon|lab)our\w*": "-or",
    r"\b(cent|fib|lit|met)re\b": "-er",
    r"\w+(ell|all|vel)(led|ling)\b(?<!called)(?<!installed)(?<!calling)(?<!installing)(?<!spelled)(?<!spelling)(?<!selling)"
    r"(?<!telling)(?<!falling)(?<!shelling)(?<!pulling)": "one l",
    r"\b(defence|offence|grey|programme|artefacts?|whilst|amongst|towards|afterwards?x)\b": "American spelling",
}
ODD = {re.compile(rf"(?i){pattern}"): instead for pattern, instead in {**PHRASES, **BRITISH}.items()}

CASES = ("default", "sample-minimal", "pair-05", "with-setuptools-rust-extension")
VERBS = re.compile(r"\b(use|try|write|choose|drop|remove|add|put|name|set|run)\b")


def odd(text: str) -> list[str]:
    """Each odd phrase in a text, with what to write instead."""
    text = re.sub(r"\s+", " ", text)
    return [f'"{found[0]}": write {instead}' for pattern, instead in ODD.items() for found in pattern.finditer(text)]


def texts_of(path: Path, strings: bool = True) -> Iterator[str]:
    """The docstrings and comments in Python code, and other strings."""
    code = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(code)):
        if strings and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value if " " in node.value else ""  # a word is a key or a name
        elif not strings and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
    yield from (token.string for token in generate_tokens(StringIO(code).readline) if token.type == COMMENT)


@pytest.mark.parametrize("name", CASES)
def test_generated_projects(render: Render, name: str) -> None:
    project = render(name, pairs.cases()[name])
    for path in project.rglob("*"):
        if path.is_file() and not path.name.startswith(("LICENSE", ".copier-answers")):
            assert not odd(path.read_text(encoding="utf-8")), path.relative_to(project)


PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "copier.yml", "dev.py")]
PAGES += [path for path in sorted((ROOT / "docs").rglob("*.md")) if "node_modules" not in path.parts]
PAGES += [ROOT / "hooks" / "copier_pyo3" / "merge" / "README.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages(path: Path) -> None:
    text = re.sub(r'"licen[c]e"|licen[c]e=MIT', "", path.read_text(encoding="utf-8"))  # an error that the pages show
    assert not odd(text)


@pytest.mark.parametrize("folder", ["hooks", "tools", "tests"])
def test_code(folder: str) -> None:
    """Strings in tests are not checked: some are examples of what a user could write."""
    found = {}
    for path in (ROOT / folder).rglob("*.py"):
        if wrong := [each for text in texts_of(path, folder != "tests") for each in odd(text)]:
            found[path.name] = wrong
    assert not found


def test_the_list_finds_what_it_names() -> None:
    for text in (
        "It was broken off.",
        "mend the cause",
        "git initialised",
        "an organisation",
        "Licen" + "ce",
        "its neighbour",
    ):
        assert odd(text), text
    for text in (
        "It is called and installed.",
        "a license",
        "the controlling terminal",
        "it compiles",
        "the module is built",
    ):
        assert not odd(text), text


def test_prompts_fit_the_terminal() -> None:
    for name, question in pairs.settings_and_questions().items():
        if not name.startswith("_") and "help" in question:
            prompt = re.sub(r"{{.*?}}", "3.10", question["help"])
            confirm = " (y/N)" if question["type"] == "bool" else ""
            assert len(f"🎤 {prompt}{confirm}") < 79, name  # the emoji takes two columns


def test_messages_begin_with_the_fix() -> None:
    """Copier cuts long messages, so the first 30 characters say what to do."""
    for name, question in pairs.settings_and_questions().items():
        if name.startswith("_") or not isinstance(question, dict):
            continue
        bare = re.sub(r"{%.*?%}", "\0", question.get("validator", ""), flags=re.DOTALL)
        for message in filter(None, (" ".join(part.split()) for part in bare.split("\0"))):
            assert VERBS.match(message[:30]), f"{name}: {message}"
