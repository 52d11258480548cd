"""The first hour with a project: the printed commands work, and an edit is rebuilt once and quickly."""

import os
import re
import shutil
from pathlib import Path

import pytest

from conftest import Render, environment, install, interpreters, run, wheel, without
from test_new import new

FRESH = "edits from kitten to sitting: 3"


def shell(commands: list[str], cwd: Path, path: str) -> str:
    """Run the lines in one shell, which stops at the first failure. Returns the output."""
    done = run(["sh", "-ec", "\n".join(commands)], cwd=cwd, PATH=path)
    return done.stdout + done.stderr


def commands(text: str) -> list[list[str]]:
    """The indented lines of a message, which are commands."""
    return [
        [line.strip() for line in block.splitlines()]
        for block in re.findall(r"(?:^(?: {2}){1,3}\S.*\n)+", text, re.MULTILINE)
    ]


@pytest.fixture(params=["with uv", "without uv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH of each kind."""
    return os.environ["PATH"] if request.param == "with uv" else without(tmp_path, "uv", "uvx")


def test_the_message_after_a_copy_works_as_printed(template: Path, tmp_path: Path, path: str) -> None:
    told = run(["copier", "copy", "--trust", "--defaults", template, "it is mine"], cwd=tmp_path).stderr
    lines, instead = (block for block in commands(told[told.rindex("Next steps:") :]) if len(block) > 2)
    if not shutil.which("uv", path=path):
        at = lines.index("uv run examples/demo.py")
        lines[at : at + 1] = instead
    assert FRESH in shell(lines, tmp_path, path)
    committed(tmp_path / "it is mine")


@pytest.mark.parametrize("build", ["--defaults", "--no-build"])
def test_what_new_says_is_next_works_as_printed(tmp_path: Path, path: str, build: str) -> None:
    done = new(tmp_path, "it is mine", "--defaults", build, PATH=path)
    assert done.returncode == 0, done.stderr
    assert (FRESH in done.stdout) == (build == "--defaults")
    (lines,) = commands(done.stdout[done.stdout.index("Next steps:") :])
    assert " passed" in shell(lines, tmp_path, path)
    committed(tmp_path / "it is mine")


def committed(project: Path) -> None:
    """All files are committed, including Cargo.lock and without uv.lock."""
    tracked = run(["git", "ls-files"], cwd=project).stdout.split()
    assert "Cargo.lock" in tracked
    assert "uv.lock" not in tracked
    assert run(["git", "status", "--porcelain"], cwd=project).stdout == ""
    assert run(["git", "branch", "--show-current"], cwd=project).stdout == "main\n"


@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
def test_the_readme_works_as_printed(render: Render, backend: str, path: str) -> None:
    project = render("my-readme", {"build_backend": backend})
    pages = "".join(page.read_text(encoding="utf-8") for page in sorted(project.glob("*.md")))
    blocks = [block.splitlines() for block in re.findall(r"```sh\n(.+?)```", pages, re.DOTALL)]
    with_uv = next(block for block in blocks if "uv run pytest" in block)
    without_uv = [*next(block for block in blocks if "python3 -m venv .venv" in block), "pytest", "nox --list"]
    assert " passed" in shell(with_uv if shutil.which("uv", path=path) else without_uv, project, path)
    for again in re.findall(r"`(python -m pip install --editable \.|uv run --no-editable .+?)`", pages):
        if again.startswith("uv") == bool(shutil.which("uv", path=path)):
            shell([*([] if again.startswith("uv") else [". .venv/bin/activate"]), again], project, path)
    assert "copier update --trust" in pages
    assert not re.search(r"copier update(?! --trust)", pages)


def builds(project: Path) -> bool:
    """Whether `uv run` builds the project."""
    return "Built " in run(["uv", "run", "python", "-c", "pass"], cwd=project).stderr


@pytest.mark.parametrize(
    ("answers", "keys"),
    [
        ({}, ["src/distance.rs", "build.rs", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "pyproject.toml"]),
        ({"kind": "extension"}, ["types/purelib/my-keys-stubs/__init__.pyi"]),
        ({"build_backend": "setuptools-rust"}, ["src/distance.rs", "setup.py"]),
        ({"version_source": "git-tag"}, ["src/distance.rs", "build.rs"]),
    ],
)
def test_uv_builds_when_something_has_changed_and_only_then(
    render: Render, answers: dict[str, str], keys: list[str]
) -> None:
    project = render("my-keys", answers | {"module_name": "my_keys"})
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=Start"]):
        run(["git", *command], cwd=project)
    assert builds(project)
    builds(project)  # Cargo.lock is new
    assert not builds(project)
    for key in keys:
        file = project / key.replace("my-keys", "my_keys")
        file.parent.mkdir(exist_ok=True)
        file.touch()
        assert builds(project), key
        assert not builds(project), key
    if "version_source" in answers:
        run(["git", "tag", "v5.0.0"], cwd=project)
        assert builds(project)
        assert not builds(project)


@pytest.mark.parametrize("oldest", ["3.9", "3.10"])
@pytest.mark.parametrize("builder", ["maturin", "cibuildwheel"])
def test_uv_can_resolve_all_groups_for_every_python(render: Render, oldest: str, builder: str) -> None:
    """`uv run` does, before anything else."""
    run(
        ["uv", "lock"],
        cwd=render("my-lock", {"min_python": oldest, "wheel_builder": builder, "features": ["parallel"]}),
    )


@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
def test_editable_installs_have_a_profile_of_their_own(render: Render, tmp_path: Path, backend: str) -> None:
    """Uses a stand-in for cargo that records its arguments."""
    project = render("my-profile", {"build_backend": backend})
    minor, real, log = max(interpreters()), shutil.which("cargo"), tmp_path / "log"
    cargo = tmp_path / "cargo"
    cargo.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n', encoding="utf-8")
    cargo.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{environment(minor).parent}{os.pathsep}{os.environ['PATH']}"

    def built(*how: str) -> str:
        log.unlink(missing_ok=True)
        pip = [environment(minor), "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--target"]
        run([*pip, tmp_path / "site", "--upgrade", *how, "."], cwd=project, PATH=path, CARGO=str(cargo))
        return next(line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("rustc "))

    assert re.search(r"--profile[ =]editable", built("--editable"))
    assert re.search(r"--release|--profile[ =]release", built())


def test_the_package_is_light_to_import(render: Render, tmp_path: Path) -> None:
    """It imports few modules of the standard library. They are counted, because time depends on the machine."""
    minor = max(interpreters())
    install(wheel(render("my-light", {}), minor), minor, tmp_path / "site")
    code = "import sys; before = set(sys.modules); import my_light; print(*sorted(set(sys.modules) - before))"
    brought = run([environment(minor), "-c", code], cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")).stdout.split()
    assert {"my_light", "my_light._core"} <= set(brought)
    assert len(brought) <= 4, brought
