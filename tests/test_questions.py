"""Each answer is validated when it is entered, and the message says what is valid."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

import pairs
from conftest import ROOT, run

REFUSED = [
    ("project_name", "-x", "try my-extension"),
    ("project_name", "my extension", "try my-extension"),
    ("project_name", "größe", "ASCII letters"),
    ("project_name", "3d", "py-3d"),
    ("project_name", "a" * 65, "at most 64"),
    ("project_name", "PyO3", "try PyO3-ext: the project depends on a crate"),
    ("project_name", "x\n", "ASCII letters"),
    ("project_name", "core", "try core-ext: Rust has a crate of that name"),
    ("project_name", "PyTest", "try PyTest-ext: the project depends on a Python package"),
    ("project_name", "CON", "try CON-ext: Windows does not allow files"),
    ("module_name", "my-extension", "my_extension"),
    ("module_name", "_core", "starting with a letter"),
    ("module_name", "größe", "ASCII letters"),
    ("module_name", "class", "Python keyword"),
    ("module_name", "json", "json_ext"),
    ("module_name", "tests", "tests_ext"),
    ("module_name", "numpy", "numpy_ext"),
    ("module_name", "Aux", "Aux_ext"),
    ("module_name", "a" * 51, "at most 50"),
    ("description", "short", "more than 10 characters"),
    ("description", "rings a \a bell, twice", "control characters"),
    ("author_name", "  ", "write a name"),
    ("author_name", "a\x7fb", "control characters"),
    ("author_email", "me", "me@example.org"),
    ("author_email", "me@localhost", "me@example.org"),
    ("author_email", "Me <me@example.org>", "me@example.org"),
    ("license", "WTFPL", "MIT"),
    ("repository_url", "http://example.org/x", "write https://"),
    ("repository_url", "git@example.org/x", "write https://host/owner/name"),
    ("repository_url", 'https://example.org/"x', "write https://"),
    ("index_url", "https://me:secret@example.org/x", "without a password"),
    ("index_url", "https://example.org/x?a=b", "write an https URL"),
    ("index_url", "https://example.org/x#a", "write an https URL"),
    ("index_url", "https://example.org\\x", "write an https URL"),
    ("index_url", "http://example.org/x", "write an https URL"),
    ("index_url", "http://localhost.example.org/x", "write an https URL"),
    ("copyright_year", "abcd", "write a year"),
    ("kind", "library", "mixed"),
    ("build_backend", "setuptools", "setuptools-rust"),
    ("min_python", "3.8", "requires Python 3.9 or later"),
    ("min_python", "3.1", "3.10"),
]


def copy(target: Path, *data: str, source: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    """`copier copy` as a user types it."""
    pairs_of_data = [part for item in data for part in ("--data", item)]
    command = [sys.executable, "-m", "copier", "copy", "--trust", "--defaults", "--vcs-ref", "HEAD", *pairs_of_data]
    return run([*command, source, target], cwd=target.parent, check=False, PYTHONWARNINGS="ignore", COLUMNS="1000")


@pytest.mark.render
@pytest.mark.parametrize(("question", "answer", "says"), REFUSED)
def test_refused_answers(tmp_path: Path, template: Path, question: str, answer: str, says: str) -> None:
    refused(tmp_path, template, {"publish_to": "private", "index_url": "https://example.org/x", question: answer}, says)


@pytest.mark.render
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            {"build_backend": "setuptools-rust", "free_threading": True},
            "build_backend=maturin, or free_threading=false",
        ),
        ({"min_python": "3.9", "features": ["numpy"]}, "choose min_python=3.10 or later"),
        ({"kind": "application", "min_python": "3.9"}, "choose min_python=3.10 or later, or kind=mixed"),
        (
            {"kind": "application", "embedding": "pyoxidizer", "min_python": "3.11"},
            "choose min_python=3.10, or embedding=one-file",
        ),
        ({"kind": "application", "build_backend": "setuptools-rust"}, "choose build_backend=maturin, or kind=mixed"),
        ({"kind": "application", "free_threading": True}, "choose free_threading=false, or kind=mixed"),
        ({"kind": "application", "interpreters": ["graalpy"]}, "choose interpreters=[], or kind=mixed"),
        ({"min_python": "3.12", "interpreters": ["pypy"]}, "choose min_python=3.11 or earlier, or drop pypy"),
        ({"min_python": "3.13", "interpreters": ["graalpy"]}, "choose min_python=3.12 or earlier, or drop graalpy"),
        ({"features": ["numpy"], "interpreters": ["graalpy"]}, "drop numpy or graalpy: NumPy has no wheels"),
        ({"wheel_builder": "maturin", "interpreters": ["pypy"]}, "choose wheel_builder=cibuildwheel, or drop pypy"),
        ({"platforms": ["windows-x64"], "interpreters": ["graalpy"]}, "choose platforms=[linux-x86_64]"),
        ({"kind": "application", "extras": ["system-library"]}, "choose kind=mixed, or drop system-library"),
        (
            {"wheel_builder": "maturin", "extras": ["system-library"]},
            "choose wheel_builder=cibuildwheel, or drop system-library",
        ),
        (
            {"platforms": ["linux-x86_64", "pyodide"], "extras": ["system-library"]},
            "drop pyodide from platforms, or system-library from extras",
        ),
        (
            {"ci": "gitlab", "platforms": ["linux-x86_64", "windows-x64"], "extras": ["system-library"]},
            "drop windows-x64 from platforms, or system-library from extras",
        ),
        ({"kind": "application", "extras": ["bazel"]}, "choose kind=mixed, or drop bazel"),
        ({"features": ["parallel"], "extras": ["bazel"]}, "drop bazel or parallel"),
        ({"wheel_builder": "cibuildwheel", "extras": ["bazel", "system-library"]}, "drop bazel or system-library"),
        ({"build_backend": "setuptools-rust", "extras": ["cross"]}, "drop cross, or choose build_backend=maturin"),
        ({"wheel_builder": "cibuildwheel", "extras": ["cross", "system-library"]}, "drop cross or system-library"),
        (
            {"extras": ["pgo"], "build_backend": "setuptools-rust"},
            "choose build_backend=maturin, or drop pgo from extras",
        ),
    ],
)
def test_refused_combinations(tmp_path: Path, template: Path, data: dict[str, Any], says: str) -> None:
    refused(tmp_path, template, data, says)


def refused(tmp_path: Path, template: Path, data: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says).replace(r"\ ", r"\s+")):
        copier.run_copy(str(template), tmp_path / "my-extension", data=data, defaults=True, unsafe=True, quiet=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.render
def test_copier_itself_tells_and_leaves_nothing(tmp_path: Path) -> None:
    done = copy(tmp_path / "my-extension", "author_email=me")
    assert done.returncode != 0
    assert "write an address such as me@example.org, or leave it empty." in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.render
@pytest.mark.parametrize(
    ("folder", "project", "module"),
    [
        ("my-extension", "my-extension", "my_extension"),
        ("My Extension", "My-Extension", "my_extension"),
        ("a.b__c", "a.b__c", "a_b_c"),
        ("3d-tools", "py-3d-tools", "py_3d_tools"),
        ("株式", "my-extension", "my_extension"),
        ("async", "async", "async_ext"),
        ("struct", "struct", "struct_ext"),
        ("examples", "examples", "examples_ext"),
        ("Core", "Core-ext", "core_ext"),
        ("numpy", "numpy-ext", "numpy_ext"),
        ("nul", "nul-ext", "nul_ext"),
        ("a" * 49 + "-b" + "c" * 20, "a" * 49 + "-b" + "c" * 13, "a" * 49),
    ],
)
def test_names_come_from_the_folder(tmp_path: Path, folder: str, project: str, module: str) -> None:
    """--defaults is enough, also for the current folder. Copier would stop at an invalid default."""
    target = tmp_path / folder
    target.mkdir()
    command = [sys.executable, "-m", "copier", "copy", "--trust", "--defaults", "--vcs-ref", "HEAD", ROOT, "."]
    run(command, cwd=target, PYTHONWARNINGS="ignore")
    answers = yaml.safe_load((target / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["project_name"], answers["module_name"]) == (project, module)


@pytest.mark.render
def test_at_most_twelve_questions_are_asked() -> None:
    questions = {
        name: question for name, question in pairs.settings_and_questions().items() if not name.startswith("_")
    }
    asked = [
        name for name, question in questions.items() if "ask" not in question and question.get("when") is not False
    ]
    assert len(asked) <= 12
    assert "more" in asked


@pytest.mark.render
def test_answers_are_kept_though_they_were_not_asked(tmp_path: Path) -> None:
    assert copy(tmp_path / "my-extension", "abi3=false", "build_backend=setuptools-rust").returncode == 0
    answers = yaml.safe_load((tmp_path / "my-extension" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["abi3"] is False
    assert answers["build_backend"] == "setuptools-rust"
    assert answers["min_python"] == "3.10"
