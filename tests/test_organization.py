"""Organization files: locked answers, default answers, a layer on top, and a policy."""

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from conftest import ROOT, run
from small import CLI, commit, copier_pyo3, replace, write

ORGANIZATION = """\
locked:
  license: proprietary
  publish_to: private
  index_url: https://packages.example.org/python
defaults:
  author_name: Example Inc.
  min_python: "3.12"
  team: platform
layer: .
policy:
  keys:
    pyproject.toml:
      project.license: LicenseRef-Proprietary
      project.requires-python:
      tool.ruff.lint.extend-select: [B]
  files: [LICENSE, .github/CODE*, SECURITY.md]
"""
CRATE = """\
[package]
name = "old"
version = "0.1.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[dependencies]
pyo3 = "0.29"
"""
MANIFEST = """\
[build-system]
requires = ["maturin>=1,<2"]
build-backend = "maturin"
[project]
name = "old"
version = "0.1.0"
license = "MIT"
requires-python = ">=3.12"
"""
ANSWERS, LAYER = ".copier-answers.yml", ".copier-answers.organization.yml"


@pytest.fixture
def standards(tmp_path: Path) -> Path:
    """The repository of an organization: its file, and the layer."""
    folder = tmp_path / "standards"
    write(folder / "organization.yml", ORGANIZATION)
    write(folder / "copier.yml", "_subdirectory: layer\nproject_name: {type: str}\nteam: {type: str, default: core}\n")
    write(folder / "layer/{{ _copier_conf.answers_file }}.jinja", "{{ _copier_answers | to_nice_yaml }}")
    write(folder / "layer/LICENSE", "Example Inc. All rights reserved.\n")
    write(folder / "layer/.github/CODEOWNERS.jinja", "* @example/{{ team }}\n")
    run(["git", "init", "--quiet"], cwd=folder)
    commit(folder)
    run(["git", "tag", "v1.0.0"], cwd=folder)
    return folder


def new(project: Path, organization: str | Path, *more: str) -> subprocess.CompletedProcess[str]:
    return copier_pyo3("new", project, "--no-build", "--defaults", "--org", organization, *more)


def answers(project: Path, name: str = ANSWERS) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((project / name).read_text(encoding="utf-8"))
    return content


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_locked_answers_defaults_layer_and_policy_of_a_new_project(standards: Path, tmp_path: Path) -> None:
    project = tmp_path / "alpha"
    done = new(project, standards / "organization.yml", "--data", "min_python=3.11", "--data", "sample=minimal")
    assert done.returncode == 0, done.stderr
    got = answers(project)
    # Locked, a default, a default that the user answers differently, and an answer of the user.
    assert (got["license"], got["publish_to"]) == ("proprietary", "private")
    assert got["index_url"] == "https://packages.example.org/python"
    assert (got["author_name"], got["min_python"], got["sample"]) == ("Example Inc.", "3.11", "minimal")
    assert "team" not in got
    assert (project / "LICENSE").read_text("utf-8") == "Example Inc. All rights reserved.\n"
    assert (project / ".github/CODEOWNERS").read_text("utf-8") == "* @example/platform\n"
    assert answers(project, LAYER) == {
        "_commit": "v1.0.0",
        "_src_path": str(standards),
        "project_name": "alpha",
        "team": "platform",
    }
    assert [line.strip() for line in done.stdout.splitlines() if "policy:" in line] == [
        "policy: SECURITY.md: there is no such file"
    ]


def test_locked_questions_are_not_asked_and_defaults_are_offered(standards: Path, tmp_path: Path) -> None:
    answered = [
        *("project_name=alpha", "module_name=alpha", "description=An extension module", "author_email=", "kind=mixed"),
        *("repository_url=https://example.org/x", "sample=minimal"),
    ]
    options = ["new", "alpha", "--no-build", "--org", str(standards / "organization.yml")]
    command = [*CLI, *options, *(f"--data={each}" for each in answered)]
    with pexpect.spawn(command[0], command[1:], cwd=str(tmp_path), encoding="utf-8", timeout=60) as child:
        said = ""
        for question, default, key in (
            ("Author (copyright holder)", "Example Inc.", "\r"),
            ("Set advanced options", "y/N", "n"),
            ("team", "platform", "\r"),
        ):
            child.expect_exact(question)
            said += child.before or ""
            child.expect_exact(default)
            child.send(key)
        child.expect(pexpect.EOF)
        said += child.before or ""
        child.wait()
    assert child.exitstatus == 0, said
    assert not re.search("License|Publish releases|Upload URL", said), said
    assert answers(tmp_path / "alpha")["author_name"] == "Example Inc."
    assert answers(tmp_path / "alpha")["license"] == "proprietary"


def test_a_git_address_with_a_path(standards: Path, tmp_path: Path) -> None:
    """The layer is the repository itself, and `update --answers-file` updates it."""
    address = standards.as_uri()
    done = new(tmp_path / "alpha", f"{address}#organization.yml", "--data", "team=core")
    assert done.returncode == 0, done.stderr
    project = tmp_path / "alpha"
    assert answers(project, LAYER)["_src_path"] == f"git+{address}"
    assert (project / ".github/CODEOWNERS").read_text("utf-8") == "* @example/core\n"
    commit(project)
    write(standards / "layer/SECURITY.md", "Write to security@example.org.\n")
    commit(standards)
    run(["git", "tag", "v1.1.0"], cwd=standards)
    updated = copier_pyo3("update", project, "--answers-file", LAYER, "--trust")
    assert updated.returncode == 0, updated.stderr
    assert (project / "SECURITY.md").is_file()
    assert answers(project, LAYER)["_commit"] == "v1.1.0"
    assert answers(project)["license"] == "proprietary"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server for the files in tmp_path."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_url_of_the_file(standards: Path, tmp_path: Path, web: str) -> None:
    write(tmp_path / "org.yml", "locked: {license: Apache-2.0}\n")
    done = new(tmp_path / "alpha", f"{web}/org.yml", "--data", "sample=minimal")
    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / "alpha")["license"] == "Apache-2.0"
    refused(
        new(tmp_path / "beta", f"{web}/gone.yml"), "cannot read http://127.0.0.1", "File not found", "check the URL"
    )
    refused(new(tmp_path / "beta", f"{web}/standards/organization.yml"), "the layer . is not a git repository")
    assert not (tmp_path / "beta").exists()


def test_no_password_is_shown(tmp_path: Path) -> None:
    for address in (
        "https://ada:secret@127.0.0.1/org.yml",
        "https://ada:secret@127.0.0.1:1/org.yml",
        "https://ada:secret@127.0.0.1:1/org.git#org.yml",
        "https://127.0.0.1:1/org.yml?token=secret",
        "https://127.0.0.1:1/the org.yml",
    ):
        done = new(tmp_path / "alpha", address)
        refused(done, "127.0.0.1")
        assert "secret" not in done.stdout + done.stderr
        assert "ada" not in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lock: {license: MIT}\n", ('unknown key "lock"', "use locked, defaults, layer, policy")),
        ("locked: {licence: MIT}\n", ('there is no question "licence": did you mean license?',)),
        ("defaults: {license: GPL}\n", ('license cannot be "GPL"', "organization.yml")),
        ("locked: {crate_name: x}\n", ('there is no question "crate_name"', "computed")),
        ("locked: {license: MIT}\ndefaults: {license: MIT}\n", ("license is locked and has a default",)),
        ("locked: [license]\n", ("`locked` is a mapping",)),
        ("- license\n", ("it has no keys",)),
        ("locked: {license: MIT\n", ("is not valid YAML",)),
        ("layer: templates\n", ("the layer templates is not a git repository",)),
        ("policy: {file: [LICENSE]}\n", ('unknown key "policy.file"', "policy.files")),
        ("policy: {files: LICENSE}\n", ("`policy.files` is a list",)),
        ("policy: {keys: {ci.yml: {a: 1}}}\n", ("ci.yml is not one",)),
        ('policy: {keys: {Cargo.toml: {"a b": 1}}}\n', ('"a b" is not a key of TOML',)),
    ],
)
def test_what_a_file_cannot_have(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    write(tmp_path / "organization.yml", text)
    refused(new(tmp_path / "alpha", tmp_path / "organization.yml"), *words)
    assert not (tmp_path / "alpha").exists()


def test_a_locked_question_cannot_be_answered(standards: Path, tmp_path: Path) -> None:
    done = new(tmp_path / "alpha", standards / "organization.yml", "--data", "license=MIT")
    refused(done, "organization.yml locks license=proprietary: remove your answer to license")
    write(tmp_path / "mine.yml", "publish_to: none\n")
    done = new(tmp_path / "alpha", standards / "organization.yml", "--data-file", str(tmp_path / "mine.yml"))
    refused(done, "locks publish_to=private")
    refused(new(tmp_path / "alpha", tmp_path / "gone.yml"), "cannot read", "gone.yml", "check the path")


def test_a_layer_that_records_no_answers_is_refused(standards: Path, tmp_path: Path) -> None:
    (standards / "layer/{{ _copier_conf.answers_file }}.jinja").unlink()
    commit(standards)
    run(["git", "tag", "v1.1.0"], cwd=standards)
    refused(new(tmp_path / "alpha", standards / "organization.yml"), "does not record its answers", "to_nice_yaml")
    assert not (tmp_path / "alpha").exists()


def test_copiers_own_settings_and_data_file_do_the_same(tmp_path: Path) -> None:
    """Without a layer and a policy, and without locks: as docs/fleet.md shows."""
    write(tmp_path / "settings.yml", "defaults:\n  author_name: Example Inc.\n")
    write(tmp_path / "answers.yml", "license: Apache-2.0\nsample: minimal\n")
    source = tmp_path / "template"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", "build", ".venv", "docs", "tests"))
    command = [
        CLI[0],
        "-m",
        "copier",
        "copy",
        "--quiet",
        "--trust",
        "--defaults",
        "--data-file",
        tmp_path / "answers.yml",
    ]
    run([*command, source, tmp_path / "alpha"], cwd=tmp_path, COPIER_SETTINGS_PATH=str(tmp_path / "settings.yml"))
    text = (tmp_path / "alpha/LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert 'authors = [{ name = "Example Inc."' in (tmp_path / "alpha/pyproject.toml").read_text("utf-8")


def test_a_policy_with_lists_and_missing_keys(standards: Path, tmp_path: Path) -> None:
    organization = standards / "organization.yml"
    replace(organization, "[B]", "[B, ANN, D]")
    replace(organization, "project.requires-python:", "project.urls.Chat:")
    done = new(tmp_path / "alpha", organization, "--data", "sample=minimal")
    assert done.returncode == 0, done.stderr
    assert "policy: pyproject.toml: project.urls.Chat is missing\n" in done.stdout
    assert 'policy: pyproject.toml: tool.ruff.lint.extend-select does not have "ANN", "D"\n' in done.stdout


# --- an existing project ---------------------------------------------------------------------------


def test_adopting_by_the_standard_of_an_organization(standards: Path, template: Path, tmp_path: Path) -> None:
    """Locked answers are recorded, the layer adds what is missing, and `fleet` knows what the project kept."""
    source = Path(shutil.copytree(template, tmp_path / "template"))
    run(["git", "init", "--quiet"], cwd=source)
    commit(source)
    run(["git", "tag", "v1.0.0"], cwd=source)
    project = tmp_path / "old"
    write(project / "Cargo.toml", CRATE)
    write(project / "src/lib.rs", "#[pyo3::pymodule]\nmod old {}\n")
    write(project / "pyproject.toml", MANIFEST)
    write(project / "LICENSE", "My own license.\n")
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=project)
    commit(project)
    options = ("--template", source, "--org", standards / "organization.yml")
    done = copier_pyo3("adopt", project, "--plan", tmp_path / "plan", "--data", "team=core", *options)
    assert done.returncode == 0, done.stderr
    assert f"  license: proprietary (locked by {standards}/organization.yml; the project has MIT)\n" in done.stdout
    assert "  LICENSE: yours stays\n" in done.stdout
    assert "  team: core (given)\n" in done.stdout
    done = copier_pyo3("adopt", project, "--plan", tmp_path / "plan")
    assert done.returncode == 0, done.stderr
    got = answers(project)
    assert (got["license"], got["min_python"], got["project_name"]) == ("proprietary", "3.12", "old")
    assert answers(project, LAYER)["team"] == "core"
    assert (project / ".github/CODEOWNERS").read_text("utf-8") == "* @example/core\n"
    assert (project / "LICENSE").read_text("utf-8") == "My own license.\n"
    commit(project)
    write(tmp_path / "fleet.toml", f'org = "standards/organization.yml"\n[[project]]\nsource = "{project.as_uri()}"\n')

    def status() -> dict[str, Any]:
        done = copier_pyo3("fleet", "status", "--file", tmp_path / "fleet.toml", "--json")
        (entry,) = json.loads(done.stdout)["projects"]
        return dict(entry)

    found = status()
    assert found["states"] == ["up to date"], found
    assert {"LICENSE", "pyproject.toml"} <= {part["path"] for part in found["drift"] if part["expected"]}
    assert (
        'pyproject.toml: project.license is "MIT"; the policy requires "LicenseRef-Proprietary"' in found["violations"]
    )
    replace(project / "LICENSE", "My own", "Another")
    (project / "noxfile.py").unlink()
    commit(project)
    found = status()
    assert found["states"] == ["drifted"]
    drifted = [(part["path"], part["how"]) for part in found["drift"] if not part["expected"]]
    assert drifted == [("LICENSE", "edited"), ("noxfile.py", "deleted")]
