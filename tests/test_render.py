"""Every case renders to files that parse and are formatted, without remains of the template."""

import ast
import doctest
import html
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from validate_pyproject.api import Validator

import pairs
from conftest import Case, Render, run
from copier_pyo3.generate.fold import fold

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.render

HOSTILE = [
    "He said \"yes\" and 'no' to \\ and \\n",
    "{{ 7 * 7 }} {% if %} {# not a comment #} ${{ secrets.X }}",
    "two\nlines and a\ttab, trailing \n",
    "Zoë Großmann, 株式会社 🦀 \u2028 Ünïcödé",
    "# no comment: [not] a {table} = 'x' & <tag> --- % @ `tick` *",
    'ends with """\\',
    "null: ~ yes, no, 0x10, 1e3",
]


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def check_files_parse(project: Path) -> None:
    for path in project.rglob("*"):
        if path.suffix == ".toml":
            toml(path)
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix in (".yml", ".yaml"):
            yaml.safe_load(path.read_text(encoding="utf-8"))
        elif path.suffix in (".py", ".pyi"):
            ast.parse(path.read_text(encoding="utf-8"))
        if path.is_file():
            assert b"\r" not in path.read_bytes()


def check_style(*projects: Path) -> None:
    """Check all cases with one call of each tool, which reads the nearest settings for each file."""
    run(["ruff", "check", "--no-cache", *projects], cwd=projects[0])
    run(["ruff", "format", "--no-cache", "--check", *projects], cwd=projects[0])
    if not shutil.which("rustfmt"):
        pytest.skip("rustfmt is not installed: the Python files are formatted")
    sources = [path for project in projects for path in project.rglob("*.rs")]
    run(["rustfmt", "--edition", "2024", "--check", *sources], cwd=projects[0])


def test_every_case_is_formatted(render: Render) -> None:
    check_style(*(render(name, answers) for name, answers in pairs.cases().items()))


def test_the_version_from_git_is_formatted_for_the_newest_python(render: Render) -> None:
    """From 3.14 on, ruff removes the parentheses in `except (A, B):`, and older Pythons that run nox fail on the file."""
    newest = pairs.choices()["min_python"][-1]
    check_style(render("newest", {"min_python": newest, "version_source": "git-tag", "more": True}))


def test_every_extra_meets_every_choice(render: Render) -> None:
    projects = [render(name, answers) for name, answers in pairs.with_extras().items()]
    for project in projects:
        check_files_parse(project)
        check_nothing_is_left_over(project)
    check_style(*projects)


def test_files_parse(case: Case) -> None:
    check_files_parse(case.project)
    Validator()(toml(case.project / "pyproject.toml"))


def test_nothing_is_left_over(case: Case) -> None:
    check_nothing_is_left_over(case.project)


def check_nothing_is_left_over(project: Path) -> None:
    for path in project.rglob("*"):
        assert not path.name.endswith(".d")
        assert path.suffix not in (".jinja", ".part", ".rej", ".orig")
        if path.is_file() and path.name != "LICENSE":
            text = path.read_text(encoding="utf-8")
            of_jinja = re.sub(
                r'body = """.*?"""', "", text, flags=re.DOTALL
            )  # git-cliff's template has the same syntax
            assert "{%" not in of_jinja
            assert not re.search(r"(?<!\$)\{\{", of_jinja)
            assert not re.search(r"\n\n\n\n|[ \t]\n", text), path


def test_manifests_say_what_was_chosen(case: Case) -> None:
    cargo, pyproject = toml(case.project / "Cargo.toml"), toml(case.project / "pyproject.toml")
    pyo3 = cargo["dependencies"]["pyo3"]
    features = pyo3.get("features", []) if isinstance(pyo3, dict) else []
    if case.made["kind"] == "application":  # whose program does not use the stable ABI
        assert features == []
        features = [name.removeprefix("pyo3/") for name in pyproject["tool"]["maturin"]["features"]]
    assert features == ([f"abi3-py3{case.min_minor}"] if case.made["abi3"] else [])
    assert case.made["profiling"] == (case.project / "profiling").is_dir()
    other_crates = [path for path in case.project.glob("*/Cargo.toml") if path.parent.name != "profiling"]
    assert ("workspace" in cargo) == (case.made["profiling"] or bool(other_crates))
    assert ("numpy" in cargo["dependencies"]) == case.made["features.numpy"]
    assert ("rayon" in cargo["dependencies"]) == case.made["features.parallel"]
    assert ("pyo3-async-runtimes" in cargo["dependencies"]) == case.made["features.async"]
    assert ("all" in pyproject["project"].get("optional-dependencies", {})) == case.made["features.numpy"]
    assert cargo["lib"]["crate-type"] == ["cdylib", "rlib"]
    assert "version" not in pyproject["project"]
    assert pyproject["project"]["requires-python"] == f">=3.{case.min_minor}"
    assert pyproject["build-system"]["requires"][0].startswith(
        "maturin" if case.made["build_backend"] == "maturin" else "setuptools"
    )
    assert (case.project / "python" / case.module).is_dir() == (case.made["kind"] != "extension")
    source = (case.project / "src" / "lib.rs").read_text(encoding="utf-8")
    assert f"gil_used = {str(not case.made['free_threading']).lower()}" in source
    assert "unwrap()" not in source


def test_folding_again_changes_nothing(case: Case) -> None:
    before = {path: path.read_bytes() for path in case.project.rglob("*.toml")}
    fold(case.project, ["Cargo.toml", "pyproject.toml"])
    assert {path: path.read_bytes() for path in case.project.rglob("*.toml")} == before


def markdown(text: str) -> str:
    """The HTML of a README on PyPI and GitHub."""
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text)).replace("&quot;", '"')


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_may_stand_in_description_and_author(render: Render, text: str) -> None:
    answers = {
        "description": f"It is {text}",
        "author_name": f"A. {text}",
        "license": "BSD-3-Clause",
        "profiling": True,
        "extras": pairs.together(pairs.extras({}))[-1],
    }
    project = render("hostile", answers)
    check_files_parse(project)
    one_line = " ".join(f"It is {text}".split())
    metadata = toml(project / "pyproject.toml")["project"]
    assert metadata["description"] == toml(project / "Cargo.toml")["package"]["description"] == one_line
    assert metadata["authors"][0]["name"] == " ".join(f"A. {text}".split())
    shown = markdown((project / "README.md").read_text(encoding="utf-8"))
    assert f"<p>{html.escape(one_line, quote=False)}</p>" in shown
    assert f" {html.escape(metadata['authors'][0]['name'], quote=False)}.</p>" in shown
    assert metadata["authors"][0]["name"] in (project / "LICENSE").read_text(encoding="utf-8")
    answers_file = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers_file["description"] == answers["description"]
    check_style(project)


@pytest.mark.parametrize(
    "text",
    [
        ">>> 1/0 is no example",
        "1. First of all things",
        "- Vec<u8>, _a_ *b* [c](d) ~~e~~ &amp; f_g `h`",
        "# $a$ and $b$",
    ],
)
def test_markdown_in_the_description_is_shown_as_it_is(render: Render, text: str) -> None:
    readme = (render("hostile", {"description": text}) / "README.md").read_text(encoding="utf-8")
    assert f"<p>{html.escape(text, quote=False)}</p>" in markdown(readme)
    assert [example.source.split(".")[0].strip() for example in doctest.DocTestParser().get_examples(readme)] == [
        "import hostile",
        "hostile",
    ]


def test_longest_names_keep_the_format(render: Render) -> None:
    answers = {
        "module_name": "m" * 50,
        "features": ["numpy", "parallel"],
        "profiling": True,
    }
    extras = pairs.together(pairs.extras(answers))
    kinds = ("mixed", "extension")
    check_style(*(render("n" * 64, {**answers, "kind": kind, "extras": some}) for kind in kinds for some in extras))


@pytest.mark.parametrize(
    ("chosen", "files", "words"),
    [
        ("MIT", {"LICENSE"}, "Permission is hereby granted"),
        ("Apache-2.0", {"LICENSE"}, "TERMS AND CONDITIONS FOR USE, REPRODUCTION"),
        ("MIT OR Apache-2.0", {"LICENSE-MIT", "LICENSE-APACHE"}, "2026"),
        ("BSD-3-Clause", {"LICENSE"}, "Neither the name"),
        ("MPL-2.0", {"LICENSE"}, "Mozilla Public License Version 2.0"),
        ("GPL-3.0-or-later", {"LICENSE"}, "GNU GENERAL PUBLIC LICENSE"),
        ("proprietary", {"LICENSE"}, "All rights reserved"),
    ],
)
def test_licence_has_text_year_and_holder(render: Render, chosen: str, files: set[str], words: str) -> None:
    answers = {"license": chosen, "author_name": "Ada Lovelace", "copyright_year": "2026"}
    project = render("licensed", answers)
    assert {path.name for path in project.glob("LICENSE*")} == files
    for path in project.glob("LICENSE*"):
        text = path.read_text(encoding="utf-8")
        assert words in text
        assert text.startswith("Copyright (c) 2026 Ada Lovelace\n")


@pytest.mark.parametrize(
    "pasted",
    [
        "https://github.com/ada/x",
        "https://github.com/ada/x.git",
        "https://github.com/ada/x/",
        "git@github.com:ada/x.git",
    ],
)
def test_the_address_of_the_repository_may_be_pasted(render: Render, pasted: str) -> None:
    project = render("pasted", {"repository_url": pasted})
    assert toml(project / "pyproject.toml")["project"]["urls"] == {
        "Homepage": "https://github.com/ada/x",
        "Changelog": "https://github.com/ada/x/blob/main/CHANGELOG.md",
        "Issues": "https://github.com/ada/x/issues",
    }
    assert toml(project / "Cargo.toml")["package"]["repository"] == "https://github.com/ada/x"


@pytest.mark.parametrize(
    ("answers", "install"),
    [
        ({}, "pip install readable\n"),
        ({"publish_to": "none"}, "pip install git+https://github.com/ada/x\n"),
        (
            {"publish_to": "private", "index_url": "https://packages.example.org/python"},
            "pip install --index-url https://packages.example.org/python/simple/ readable\n",
        ),
    ],
)
def test_readme_is_for_users_and_contributing_for_those_who_release(
    render: Render, answers: dict[str, Any], install: str
) -> None:
    project = render("readable", {"repository_url": "https://github.com/ada/x.git", **answers})
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert install in readme
    assert "nox" not in readme
    assert ("img.shields.io/pypi" in readme) == ("publish_to" not in answers)
    assert "https://github.com/ada/x/actions/workflows/ci.yml/badge.svg" in readme
    contributing = (project / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "git commit --amend --all" in contributing
    assert "Re-run failed jobs" in contributing
    if not answers:
        for field in ("Owner | `ada`", "Repository name | `x`", "`release.yml`", "Environment name | `pypi`"):
            assert field in contributing
        assert "https://test.pypi.org/legacy/" in contributing
        assert "match `v*`" in contributing


def test_a_proprietary_project_is_not_for_pypi(render: Render) -> None:
    project = render("secret", {"license": "proprietary"})
    assert "Private :: Do Not Upload" in toml(project / "pyproject.toml")["project"]["classifiers"]
    assert "pypi-publish" not in (project / ".github/workflows/release.yml").read_text(encoding="utf-8")


def test_a_security_policy_says_where_to_report(render: Render) -> None:
    project = render("careful", {"extras": ["security-policy"], "repository_url": "https://github.com/ada/x"})
    policy = (project / "SECURITY.md").read_text(encoding="utf-8")
    assert "https://github.com/ada/x/security/advisories/new" in policy
