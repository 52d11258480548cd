"""The page's worker, in Node.js: its projects are those of Copier, and its messages are the template's own."""

import base64
import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest
from copier.errors import CopierError

import pairs
from conftest import PAGE_VERSION, ROOT, Page, run
from pages import ask, contents, copied

# Every sixth case; SLOW=1 compares all of them, as on 2026-11-30: `SLOW=1 python3 dev.py test -k page_engine`.
CASES = {
    name: {"project_name": name, **answers}
    for number, (name, answers) in enumerate(pairs.cases().items())
    if number % 6 == 0 or "SLOW" in os.environ
}
CASES["taken-in"] = {
    "project_name": "taken-in",
    "adopted": "kept",
    "adopted_without": ["noxfile.py", "pyproject.toml:tool.ruff"],
}


def unpack(zipped: str, folder: Path) -> Path:
    """Unpack the zip file of a reply, with permissions. Returns the folder in it."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(zipped))) as archive:
        for info in archive.infolist():
            path = Path(archive.extract(info, folder))
            path.chmod(info.external_attr >> 16 & 0o777)
    (made,) = folder.iterdir()
    return made


def test_each_project_is_that_of_copier(page: Page, tmp_path: Path) -> None:
    replies = ask(page, ({"do": "zip", "answers": answers} for answers in CASES.values()))
    assert len(replies) == len(CASES)
    for (name, answers), reply in zip(CASES.items(), replies, strict=True):
        made = unpack(reply["result"], tmp_path / "page" / name)
        expected = copied(page, answers, tmp_path / "copier" / name)
        assert made.name == name
        assert contents(made) == contents(expected), name


def test_an_older_version_is_that_of_copier(page: Page, tmp_path: Path) -> None:
    answers = {"project_name": "older", "features": ["numpy"], "extras": ["docs"]}
    wanted = [{"do": "older", "answers": answers, "commit": version} for version in ("v6.0.0", "v5.0.0", "files")]
    older, *refused = ask(page, [*wanted, {"do": "state", "answers": answers}])
    newer = refused.pop()
    for reply, version in ((older, "v6.0.0"), (newer, PAGE_VERSION)):
        expected = contents(copied(page, answers, tmp_path / version, version))
        assert {name: text.encode() for name, text in reply["result"]["files"].items()} == {
            name: content for name, (content, _) in expected.items()
        }
    assert older["result"]["files"]["MADE-BY"] != newer["result"]["files"]["MADE-BY"]
    assert [reply["error"] for reply in refused] == [
        "this page does not have the files of the version v5.0.0.",
        "this page does not have the files of the version files.",
    ]


def test_a_project_of_the_page_is_updated(page: Page, tmp_path: Path) -> None:
    answers = {"project_name": "from-the-page", "features": ["parallel"]}
    (reply,) = ask(page, [{"do": "zip", "answers": answers}])
    project = unpack(reply["result"], tmp_path / "zip")
    (project / "README.md").write_text("My own words.\n", encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Start"]):
        run(["git", *command], cwd=project)
    newer = tmp_path / "newer"
    run(["git", "clone", "--quiet", page.repository, newer], cwd=tmp_path)
    sample = newer / "template" / ".gitignore"
    sample.write_text(sample.read_text(encoding="utf-8") + "*.orig\n", encoding="utf-8", newline="\n")
    run(["git", "commit", "--quiet", "--all", "--message", "Newer"], cwd=newer)
    run(["git", "tag", "v8.0.0"], cwd=newer)
    # The page's repository stays as it is: tests in other processes make projects from its newest version.
    run(
        ["copier", "update", "--trust", "--defaults"],
        cwd=project,
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.{newer.as_uri()}.insteadOf",
        GIT_CONFIG_VALUE_0=page.repository.as_uri(),
    )
    recorded = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    assert "_commit: v8.0.0\n" in recorded
    assert f"_src_path: {page.address}\n" in recorded
    assert (project / "README.md").read_text(encoding="utf-8") == "My own words.\n"
    assert (project / ".gitignore").read_text(encoding="utf-8").endswith("*.orig\n")
    assert run(["git", "status", "--porcelain"], cwd=project).stdout.split() == [
        "M",
        ".copier-answers.yml",
        "M",
        ".gitignore",
    ]


def test_refusals_are_those_of_the_template(page: Page, tmp_path: Path) -> None:
    """Each problem is at its question, with the words of Copier."""
    refused: list[dict[str, object]] = [
        {"project_name": "-"},
        {"license": "proprietary", "publish_to": "pypi"},
        {"publish_to": "private"},
        {"min_python": "3.9", "features": ["numpy"]},
        {"runners": "{x: 1}"},
        {"runners": "{ubuntu-24.04: .nan}"},  # JSON has neither this value nor the next
        {"runners": "!!set {ubuntu-24.04}"},
        {"ci": "gitlab", "dependency_updates": "dependabot"},
        {"kind": "application", "extras": ["bazel"]},
        {"license": "Beerware"},
        {"features": "numpy"},
        {"more": {"a": [1]}, "author_name": " "},
    ]
    for answers, reply in zip(refused, ask(page, ({"do": "state", "answers": each} for each in refused)), strict=True):
        state = reply["result"]
        assert state["files"] is None
        problems = {question["name"]: question["problem"] for question in state["questions"] if question["problem"]}
        assert problems
        assert state["refused"] == "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        with pytest.raises((CopierError, TypeError, ValueError)) as raised:
            copied(page, answers, tmp_path / "refused")
        said = " ".join(str(raised.value).split())
        first = next(iter(problems.values()))
        assert first in said or first in ("Invalid input", "an answer is required.") or "is required" in said, said


def test_nothing_in_an_answers_file_is_run(page: Page) -> None:
    tags = ["license: !!python/object/apply:os.system [touch /ran]", "a: &a [1]\nb: *a", "[" * 3000, "{", "- MIT"]
    tags += [f"author_name: {'x' * 200_000}"]
    hostile = (
        "_src_path: https://example.com/evil.git\n_tasks: [touch ran]\nlicense: 2\nevil: x\nauthor_name: '{{ 7*7 }}'\n"
    )
    organization = "locked: {license: MIT}\nrunners: {2026-01-01: x}\nlayer: .\npolicy: {files: [LICENSE]}\n"
    *refused, own, reply, state = ask(
        page,
        [
            *({"do": "parse", "text": text} for text in tags),
            {"do": "parse", "text": organization},
            {"do": "parse", "text": hostile},
            {
                "do": "state",
                "answers": {
                    "author_name": "{{ 7*7 }}",
                    "_src_path": "/etc",
                    "copyright_year": "2026",
                    "part": {},
                    "runners": "{ubuntu-24.04: 2026-01-01}",
                },
            },
        ],
    )
    assert all(len(reply["error"]) < 300 and "Traceback" not in reply["error"] for reply in refused)
    assert own["result"]["answers"] == {"license": "MIT"}
    assert [each["name"] for each in own["result"]["ignored"]] == ["runners", "layer", "policy"]
    assert "copier-pyo3 new --org" in own["result"]["ignored"][1]["why"]
    assert reply["result"]["answers"] == {"author_name": "{{ 7*7 }}"}
    assert [each["name"] for each in reply["result"]["ignored"]] == ["license", "evil"]
    assert "{{ 7*7 }}" in state["result"]["files"]["LICENSE"]
    assert f"_src_path: {page.address}\n" in state["result"]["answersFile"]


def test_an_organization_has_its_own_page(page: Page, tmp_path: Path) -> None:
    """A fork with an organization.yml builds its page without a change of code."""
    fork = tmp_path / "fork"
    run(["git", "clone", "--quiet", page.repository, fork], cwd=tmp_path)
    (fork / "organization.yml").write_text(
        "locked: {license: MPL-2.0}\ndefaults: {author_name: ACME, ci: gitlab}\n", encoding="utf-8", newline="\n"
    )
    run(["git", "add", "--all"], cwd=fork)
    run(["git", "commit", "--quiet", "--message", "Our answers"], cwd=fork)
    own = Page(tmp_path / "page", fork)
    run([sys.executable, "tools/page.py", own.folder, "--source", fork], cwd=ROOT)
    template = json.loads((own.folder / "questions.json").read_text(encoding="utf-8"))["template"]
    assert template["locked"] == {"license": "MPL-2.0"}
    usual, other = (
        reply["result"] for reply in ask(own, [{"do": "state", "answers": {}}, {"do": "state", "answers": OTHER}])
    )
    assert usual["changed"] == {"license": "MPL-2.0", "author_name": "ACME", "ci": "gitlab"}
    assert [question["name"] for question in usual["questions"] if question["locked"]] == ["license"]
    assert other["changed"] == {"license": "MPL-2.0", "author_name": "Ada", "ci": "gitlab"}
    version = run(["git", "describe", "--tags"], cwd=fork).stdout.strip()
    expected = contents(copied(page, other["changed"], tmp_path / "my-extension"))
    different = {name for name, text in other["files"].items() if text.encode() != expected.get(name, (b"",))[0]}
    assert other["files"].keys() == expected.keys()
    assert different == {".copier-answers.yml"}
    assert f"_commit: {version}\n" in other["answersFile"]


OTHER = {"license": "MIT", "author_name": "Ada"}  # the first one is locked
