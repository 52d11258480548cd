"""What docs/security.md claims: what a hostile template, answers file, changelog, folder or file name cannot do."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import workflow_cases
from conftest import ROOT, Render, run
from copier_pyo3.project import home
from small import ANSWERS, CARGO, NEW, Template, commit, copier_pyo3, replace, write

HOSTILE = "raise SystemExit('imported from the current folder')\n"
MODULES = ("yaml.py", "copier.py", "platformdirs.py", "venv.py", "logging.py", "pip.py", "questionary.py")


@pytest.fixture
def hostile(tmp_path: Path) -> Template:
    """A template whose task leaves a trace wherever it runs."""
    made = Template(tmp_path / "template")
    task = f'  - ["{sys.executable}", "-c", "open({str(tmp_path / "ran")!r}, \'w\')"]\n'
    replace(made.folder / "copier.yml", "_tasks:\n", f"_tasks:\n{task}")
    made.release("v1.0.0", {})
    made.release("v1.1.0", NEW)
    return made


@pytest.fixture
def project(hostile: Template, tmp_path: Path) -> Path:
    made = hostile.make(tmp_path / "sample")
    (tmp_path / "ran").unlink()
    return made


def trusting(tmp_path: Path, *sources: str) -> dict[str, str]:
    """The environment with Copier's settings, which trust these templates."""
    settings = tmp_path / "settings.yml"
    settings.write_text(json.dumps({"trust": sources}), encoding="utf-8")
    return {"COPIER_SETTINGS_PATH": str(settings)}


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize("verb", ["update", "resolve"])
def test_a_template_that_nobody_trusts_runs_nothing(
    verb: str, hostile: Template, project: Path, tmp_path: Path
) -> None:
    """The answers file of a clone names it."""
    if verb == "resolve":
        replace(project / ANSWERS, "_commit: v1.0.0", "_commit: v1.1.0")
        write(project / f"{CARGO}.rej", "")
    commit(project)
    before = run(["git", "status", "--short"], cwd=project).stdout
    nobody = trusting(tmp_path, "https://example.org/")
    done = copier_pyo3(verb, project, **nobody)
    refused(done, str(hostile.folder), "tasks", "--trust", "`trust` in Copier's settings")
    assert not (tmp_path / "ran").exists()
    assert run(["git", "status", "--short"], cwd=project).stdout == before
    done = copier_pyo3(verb, project, "--trust", **nobody)
    assert "Traceback" not in done.stderr
    assert (tmp_path / "ran").exists(), done


@pytest.mark.parametrize("prefix", [True, False])
def test_copiers_settings_say_what_is_trusted(prefix: bool, hostile: Template, project: Path, tmp_path: Path) -> None:
    trusted = f"{tmp_path}{os.sep}" if prefix else str(hostile.folder)
    done = copier_pyo3("update", project, **trusting(tmp_path, trusted))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ran").exists()


OWN = "https://github.com/copier-pyo3/copier-pyo3"
OTHERS = [
    "https://github.com/copier-pyo3/copier-pyo3-fork",
    "https://github.com/copier-pyo3/copier-pyo3/../../evil/evil",
    "https://github.com/evil/copier-pyo3",
    "https://github.com.evil.org/copier-pyo3/copier-pyo3",
    "https://github.com@evil.org/copier-pyo3/copier-pyo3",
    "https://evil.org#@github.com/copier-pyo3/copier-pyo3",
    r"https://evil.org\@github.com/copier-pyo3/copier-pyo3",
    "https://evil.org/https://github.com/copier-pyo3/copier-pyo3",
    "http://github.com/copier-pyo3/copier-pyo3",
    "git://github.com/copier-pyo3/copier-pyo3",
    "git@evil.org:copier-pyo3/copier-pyo3",
    "ssh://evil@github.com/copier-pyo3/copier-pyo3",
    "ext::sh -c true https://github.com/copier-pyo3/copier-pyo3",
]


def test_the_packages_own_template_is_trusted_and_none_that_looks_like_it() -> None:
    same = ["", "/", ".git"]
    for source in [
        *(OWN + end for end in same),
        f"git+{OWN}",
        "gh:copier-pyo3/copier-pyo3",
        f"git@{OWN[8:].replace('/', ':', 1)}.git",
    ]:
        assert home.is_home(source, "v1.0.0"), source
    for source in OTHERS:
        assert not home.is_home(source, "v1.0.0"), source
    assert home.is_home(str(ROOT), "v1.0.0")
    assert not home.is_home(str(ROOT / "template"), "v1.0.0")


@pytest.mark.parametrize("version", ["refs/pull/5/head", "pull/5/head", "1234567", "v1.0.0-1-g1234567", "v1.0.0^{/x}"])
def test_a_version_that_may_be_a_pull_request_is_looked_up(version: str) -> None:
    """GitHub serves the commits of pull requests from the repository itself, so its address proves nothing."""
    assert not home.TAG.fullmatch(version)


@pytest.mark.parametrize(
    "source",
    [
        "ext::sh -c touch% {}",
        "git+ext::sh -c touch% {}",
        "--upload-pack=touch {}",
        "git+file:///nowhere --upload-pack=touch {}",
    ],
)
def test_an_address_is_no_command(source: str, project: Path, tmp_path: Path) -> None:
    """Not even of a template that the user trusts."""
    answers = project / ANSWERS
    address = json.dumps(source.format(tmp_path / "ran"))
    lines = [line for line in answers.read_text(encoding="utf-8").splitlines() if not line.startswith("_src_path")]
    answers.write_text("\n".join([*lines, f"_src_path: {address}", ""]), encoding="utf-8")
    commit(project)
    for trust in ([], ["--trust"]):
        refused(copier_pyo3("update", project, *trust), "The project is unchanged")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "version", ["--upload-pack=touch ran", "$(touch ran)", "v1.0.0; touch ran", "-c core.pager=touch"]
)
def test_a_version_is_no_command(version: str, project: Path, tmp_path: Path) -> None:
    replace(project / ANSWERS, "_commit: v1.0.0", f"_commit: {json.dumps(version)}")
    commit(project)
    refused(copier_pyo3("update", project), "The project is unchanged")
    assert not [*tmp_path.rglob("ran")]


def test_file_names_are_no_commands(project: Path, tmp_path: Path) -> None:
    names = [
        "--help",
        "-rf",
        "$(touch ran)",
        "`touch ran`",
        "a; touch ran",
        "a\nb",
        ":(glob)**",
        "ünï",
        '"quoted"',
        "{{ 1 % 0 }}",
    ]
    for name in names:
        write(project / "names" / name, f"{name}\n")
    commit(project)
    done = copier_pyo3("update", project)
    assert done.returncode == 0, done.stderr
    assert run(["git", "status", "--short", "--", "names"], cwd=project).stdout == ""
    assert {path.name for path in (project / "names").iterdir()} == {*names}
    assert [*tmp_path.rglob("ran")] == [tmp_path / "ran"], "the template's task leaves that one"


@pytest.mark.parametrize(
    ("path", "absolute"), [("docs", True), ("src", False), (CARGO, True), (ANSWERS, False), ("python", True)]
)
def test_an_update_writes_nothing_outside_of_the_project(
    path: str, absolute: bool, hostile: Template, project: Path, tmp_path: Path
) -> None:
    """A clone has a link where the template writes."""
    outside = tmp_path / "outside"
    write(outside / "index.md", "mine\n")
    hostile.release(
        "v1.2.0", NEW | {"docs/index.md": "# Documentation\n", "src/more.rs": "// More.\n", "src/lib.rs": "// One.\n"}
    )
    target = project / path
    if target.is_dir():
        shutil.copytree(target, outside, dirs_exist_ok=True)
        shutil.rmtree(target)
    elif target.exists():
        shutil.copy(target, outside / "file")
        target.unlink()
    else:
        shutil.rmtree(outside / path, ignore_errors=True)
    link = outside / "file" if (outside / "file").exists() else outside
    target.symlink_to(link if absolute else os.path.relpath(link, project))
    commit(project)
    before = {each: each.read_bytes() for each in outside.rglob("*") if each.is_file()}
    done = copier_pyo3("update", project)
    assert "Traceback" not in done.stderr
    assert {each: each.read_bytes() for each in outside.rglob("*") if each.is_file()} == before, done


def test_nothing_is_imported_from_the_current_folder(tmp_path: Path) -> None:
    for name in MODULES:
        (tmp_path / name).write_text(HOSTILE, encoding="utf-8")
    script = Path(sys.executable).with_name("copier-pyo3")
    options = ["--defaults", "--no-build"]
    doors: list[list[str | Path]] = [[script], [sys.executable, "-m", "copier_pyo3"], [sys.executable, ROOT / "dev.py"]]
    for number, command in enumerate(doors):
        done = run([*command, "new", f"made-{number}", *options], cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        assert "Next steps" in done.stdout


def test_a_changelog_cannot_set_other_outputs_of_our_release(tmp_path: Path) -> None:
    """Of this repository's release.yml; test_release.py has the same for that of a project."""
    job = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]["build"]
    (script,) = (step["run"] for step in job["steps"] if step.get("id") == "build")
    write(tmp_path / "hooks/copier_pyo3/__init__.py", '__version__ = "1.0.0"\n')
    write(
        tmp_path / "CHANGELOG.md", "# Changelog\n\n## [1.0.0]\n\n- One.\nEND\nfiles<<END\nevil.whl\nEND\n\n## [0.9.0]\n"
    )
    write(tmp_path / "bin/uv", "#!/bin/sh\n")
    (tmp_path / "bin/uv").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    output = tmp_path / "output"
    run(["bash", "-e", "-c", script], cwd=tmp_path, PATH=path, GITHUB_OUTPUT=str(output), TAG="v1.0.0")
    found, lines = {}, iter(output.read_text(encoding="utf-8").splitlines())
    for line in lines:  # as GitHub reads it
        name, _, end = line.partition("<<")
        found[name] = [*iter(lambda: next(lines), end)]
    assert found.keys() == {"files", "notes"}
    assert found["files"] == ["copier_pyo3-1.0.0-py3-none-any.whl", "copier_pyo3-1.0.0.tar.gz"]
    assert "evil.whl" in found["notes"]


def workflows(render: Render) -> Iterator[tuple[str, Any]]:
    """Each workflow of a project, in each case, and of this repository."""
    for project in [ROOT, *(render("sample-ext", answers) for answers in workflow_cases.cases().values())]:
        for path in sorted((project / ".github/workflows").glob("*.yml")):
            yield f"{project.name}/{path.name}", yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)


@pytest.mark.render
def test_no_script_of_a_workflow_has_an_expression(render: Render) -> None:
    """Names of branches and tags and titles of pull requests reach a script only as variables."""
    scripts = [
        (name, step["run"])
        for name, workflow in workflows(render)
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert len(scripts) > 100
    assert not [each for each in scripts if "${{" in each[1]]


@pytest.mark.render
def test_pull_requests_get_no_rights(render: Render) -> None:
    for name, workflow in workflows(render):
        assert workflow["permissions"] == {}, name
        assert workflow["on"].keys() <= {"push", "pull_request", "workflow_dispatch"}, name
        if "pull_request" in workflow["on"]:
            assert "secrets." not in str(workflow), name
            for job in workflow["jobs"].values():
                assert job["permissions"] in ({}, {"contents": "read"}), name
                for step in job["steps"]:
                    if "rust-cache" in step.get("uses", ""):
                        assert "default_branch" in step["with"]["save-if"]
                    if "checkout" in step.get("uses", ""):
                        assert step["with"]["persist-credentials"] == "false"


@pytest.mark.render
def test_each_claim_has_a_test() -> None:
    """The page names functions, and some with their file."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    code = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    claims = re.findall(r"`(?:(test_\w+\.py)::)?(test_\w+)`", page)
    assert len(claims) > 15
    for file, name in claims:
        assert f"def {name}(" in (code[file] if file else "".join(code.values())), name
    for row in re.findall(r"(?ms)^\| input \|.*?\n\n", page)[0].strip().splitlines()[2:]:
        assert "`test_" in row.rpartition(" | ")[2], row
