"""`copier-pyo3 new`, from an installed wheel and from the checkout: the whole way, and everything that can stop it."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import BUILD, ROOT, run, tell

CHECKOUT = [sys.executable, "-m", "copier_pyo3.cli", "new"]


def new(cwd: Path, *arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return run([*CHECKOUT, *arguments], cwd=cwd, check=False, **env)


def everything(folder: Path) -> dict[str, bytes | None]:
    """All files and folders, to see that nothing has changed."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("copier-pyo3: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in " ".join(done.stderr.split()), done.stderr


@pytest.fixture(scope="module")
def installed() -> Path:
    """The console script as `pip install copier-pyo3` brings it: the wheel holds the template."""
    folder = BUILD / "installed"
    run([sys.executable, "-m", "venv", "--clear", folder], cwd=ROOT)
    python = folder / "bin" / "python"
    run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, "."], cwd=ROOT)
    run([python, "-m", "pip", "install", "--quiet", *folder.glob("*.whl")], cwd=ROOT)
    return folder / "bin" / "copier-pyo3"


def test_from_nothing_to_an_imported_module(installed: Path, tmp_path: Path) -> None:
    done = run([installed, "new", "my-extension", "--defaults"], cwd=tmp_path)
    project = tmp_path / "my-extension"
    steps = re.findall(r"^  \[(\d)/5\] (.+?)(?: +[\d.]+ s)?$", done.stdout, re.MULTILINE)
    assert [number for number, _ in steps] == ["1", "2", "3", "4", "5"]
    assert "version 0.1.0" in done.stdout
    assert "mean at once 5.0" in done.stdout
    tell(
        next(line for line in done.stdout.splitlines() if line.startswith("Done in")).replace(
            "Next:", "copier-pyo3 new"
        )
    )
    assert "Next:" in done.stdout
    for path in (".git", "Cargo.lock", ".venv", "Cargo.toml", "pyproject.toml"):
        assert (project / path).exists()
    run([project / ".venv/bin/python", "-m", "pytest"], cwd=project)
    staged = run(["git", "diff", "--cached", "--name-only"], cwd=project).stdout.split()
    assert "Cargo.lock" in staged
    assert not [name for name in staged if name.startswith((".venv", "target"))]
    # The wheel's own copy made it, but updates come from the template's home.
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_src_path"].startswith("https://")
    assert re.fullmatch(r"v\d+\.\d+\.\d+", answers["_commit"])


def test_answers_from_git_data_and_file(tmp_path: Path) -> None:
    (tmp_path / "org.yml").write_text("license: Apache-2.0\nauthor_name: ACME, Inc.\n", encoding="utf-8")
    config = {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ada Lovelace"}
    config |= {"GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "ada@example.org"}
    options = ["--defaults", "--no-build", "--data-file", "org.yml", "--data", "license=MPL-2.0"]
    done = new(tmp_path, "my-extension", *options, "--data", "features=[parallel]", **config)
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((tmp_path / "my-extension/.copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["author_name"] == "ACME, Inc."
    assert answers["author_email"] == "ada@example.org"
    assert answers["license"] == "MPL-2.0"
    assert answers["features"] == ["parallel"]


def test_an_identity_that_would_be_refused_is_not_offered(tmp_path: Path) -> None:
    config = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.email", "GIT_CONFIG_VALUE_0": "ada@localhost"}
    done = new(tmp_path, "my-extension", "--defaults", "--no-build", **config)
    assert done.returncode == 0, done.stderr


def test_in_an_empty_folder_and_in_a_fresh_clone(tmp_path: Path) -> None:
    for folder, prepare in [("empty", ["true"]), ("cloned", ["git", "init", "--quiet"])]:
        (tmp_path / folder).mkdir()
        run(prepare, cwd=tmp_path / folder)
        done = new(tmp_path / folder, "--defaults", "--no-build")
        assert done.returncode == 0, done.stderr
        assert f'name = "{folder}"' in (tmp_path / folder / "Cargo.toml").read_text(encoding="utf-8")
        staged = run(["git", "diff", "--cached", "--name-only"], cwd=tmp_path / folder).stdout.split()
        assert "Cargo.toml" in staged


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "author_email=me"], ["author_email", "write an address such as me@example.org"]),
        (["--data", "kind=library"], ["kind", "mixed"]),
        (["--data", "features=numpy"], ["features", "[numpy]"]),
        (["--data", "min_python=3.8"], ["needs Python 3.9 or later"]),
        (["--data", "licence=MIT"], ['no question "licence"', "did you mean license?"]),
        (["--data-file", "missing.yml"], ["missing.yml cannot be read", "--data-file"]),
        (["--template", "missing"], ["missing"]),
    ],
)
def test_bad_input_leaves_nothing(tmp_path: Path, options: list[str], words: list[str]) -> None:
    refused(new(tmp_path, "a/b/my-extension", "--defaults", "--no-build", *options), *words)
    assert everything(tmp_path) == {}


def test_data_without_equals_sign(tmp_path: Path) -> None:
    done = new(tmp_path, "my-extension", "--data", "license")
    assert done.returncode == 2
    assert "is not KEY=VALUE" in done.stderr


def test_questions_without_a_terminal(tmp_path: Path) -> None:
    refused(new(tmp_path, "my-extension", "--no-build"), "--defaults")
    assert everything(tmp_path) == {}


def test_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    before = everything(tmp_path)
    refused(new(tmp_path, "mine", "--defaults"), "not empty")
    refused(new(tmp_path, "mine/notes.txt", "--defaults"), "is a file")
    assert everything(tmp_path) == before


def test_a_git_work_tree_with_changes(tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    before = everything(tmp_path)
    refused(new(tmp_path, "packages/my-extension", "--defaults", "--no-build"), "uncommitted changes", str(tmp_path))
    assert everything(tmp_path) == before
    run(["git", "add", "--all"], cwd=tmp_path)
    run(["git", "commit", "--quiet", "--message", "mine"], cwd=tmp_path)
    done = new(tmp_path, "packages/my-extension", "--defaults", "--no-build")
    assert done.returncode == 0, done.stderr
    assert "part of" in done.stdout
    assert not (tmp_path / "packages/my-extension/.git").exists()


def without(tmp_path: Path, *programs: str) -> str:
    """A PATH that has everything but these programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            if program.name not in programs and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    return str(folder)


@pytest.mark.parametrize(
    ("missing", "words"),
    [("git", ["git is needed", "git-scm.com"]), ("cargo", ["Rust 1.85", "rustup.rs", "--no-build"])],
)
def test_a_program_that_is_missing(tmp_path: Path, missing: str, words: list[str]) -> None:
    here = tmp_path / "here"
    here.mkdir()
    refused(new(here, "my-extension", "--defaults", PATH=without(tmp_path, missing)), *words)
    assert everything(here) == {}


def test_a_rust_that_is_too_old(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    path = without(tmp_path, "rustc")
    rustc = Path(path) / "rustc"
    rustc.write_text("#!/bin/sh\necho 'rustc 1.84.1 (e71f9a9a9 2025-01-27)'\n", encoding="utf-8")
    rustc.chmod(0o755)
    refused(new(here, "my-extension", "--defaults", PATH=path), "Rust 1.85 or later", "this is 1.84")
    assert everything(here) == {}


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """As another user where the tests run as root, whom no mode stops."""
    locked = Path("/tmp") / f"copier-pyo3-locked-{os.getpid()}"
    locked.mkdir(mode=0o555)
    try:
        root = os.geteuid() == 0
        if root and not shutil.which("setpriv"):
            pytest.skip("root may write everywhere, and setpriv is not there to be somebody else")
        nobody = pwd.getpwnam("nobody")
        become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"] if root else []
        command = [*become, *CHECKOUT, str(locked / "my-extension"), "--defaults", "--no-build"]
        done = run(command, cwd=Path("/"), check=False, HOME="/nonexistent")
        if "Permission denied" in done.stderr and "copier-pyo3" not in done.stderr:
            pytest.skip("the other user may not read this checkout")
        refused(done, "cannot be written", "Permission denied", "name a folder that you may write to")
        assert everything(locked) == {}
    finally:
        locked.rmdir()


def test_a_build_that_fails_tells_how_to_go_on(tmp_path: Path) -> None:
    offline = {"CARGO_NET_OFFLINE": "true", "CARGO_HOME": str(tmp_path / "cargo"), "CARGO_TARGET_DIR": ""}
    rustup = {"RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))}
    done = new(tmp_path, "my-extension", "--defaults", **offline, **rustup)
    refused(done, "cargo generate-lockfile", "The project is complete in", "README.md")
    assert (tmp_path / "my-extension" / "Cargo.toml").exists()
