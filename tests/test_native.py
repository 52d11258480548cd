"""An update that changes the file name of the native module removes the old module, and nothing else."""

import importlib.machinery
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import Render, run
from copier_pyo3.errors import UserError
from copier_pyo3.verbs.new import _need_one_module
from small import NEW, Template, commit, copier_pyo3, plain_update, write

OLD = "python/sample/_core.cpython-312-x86_64-linux-gnu.so"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Template:
    made = Template(tmp_path_factory.mktemp("native") / "template")
    made.release("v1.0.0", {})
    made.release("v1.1.0", NEW)
    return made


def update(project: Path, plain: bool, version: str, capfd: pytest.CaptureFixture[str], **answers: Any) -> str:
    """Update with one of the two commands. Returns the output."""
    if plain:
        plain_update(project, version, **answers)
        return capfd.readouterr().err
    data = [f"--data={name}={value}" for name, value in answers.items()]
    done = copier_pyo3("update", project, "--vcs-ref", version, *data)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("plain", [True, False], ids=["copier update", "copier-pyo3 update"])
def test_what_the_old_answers_built_is_removed_and_said(
    releases: Template, tmp_path: Path, plain: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    project = releases.make(tmp_path / "sample", abi3=False)
    others = ["python/sample/_core_data.so", "python/sample/other/_core.so", "python/_core.so", "_core.so"]
    for path in (OLD, "python/sample/_core.pyd", "python/sample/_core.cp312-win_amd64.pyd", *others):
        write(project / path, b"\0")
    write(project / "python/sample/_core.so", b"\0 tracked")
    run(["git", "add", "--force", "python/sample/_core.so"], cwd=project)
    commit(project)
    said = update(project, plain, "v1.1.0", capfd)  # the answers are the same: nothing is stale
    assert (project / OLD).exists()
    assert "_core" not in said
    commit(project)
    said = update(project, plain, "v1.1.0", capfd, abi3=True)
    assert f"{OLD}: removed, because it was built with the old answers; rebuild" in said
    left = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.suffix in (".so", ".pyd")}
    assert left == {*others, "python/sample/_core.so"}


@pytest.mark.parametrize("plain", [True, False], ids=["copier update", "copier-pyo3 update"])
def test_of_another_kind(releases: Template, tmp_path: Path, plain: bool, capfd: pytest.CaptureFixture[str]) -> None:
    project = releases.make(tmp_path / "sample", kind="extension", build_backend="setuptools-rust")
    for path in ("python/sample.abi3.so", "python/other.abi3.so", "sample.so"):
        write(project / path, b"\0")
    assert "python/sample.abi3.so: removed" in update(project, plain, "v1.1.0", capfd, build_backend="maturin")
    assert sorted(path.name for path in project.rglob("*.so")) == ["other.abi3.so", "sample.so"]


# --- two native modules ---------------------------------------------------------------------------------


def test_the_project_tests_that_there_is_one(render: Render) -> None:
    """Run only the function in the generated test, because a wheel with two modules needs two builds."""
    project = render("side-by-side", {})
    text = (project / "tests/test_package.py").read_text(encoding="utf-8")
    function = re.search(r"^def test_there_is_one_native_module\(.*?(?=\n\n\n)", text, re.MULTILINE | re.DOTALL)
    assert function
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    native = project / f"python/side_by_side/_core{suffixes[0]}"
    script = f"""
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import SimpleNamespace
class _core:
    __file__ = {str(native)!r}
{function[0]}
test_there_is_one_native_module()
"""
    for suffix in (suffixes[0], ".cpython-27-nowhere.so", ".txt"):
        write(native.with_name(f"_core{suffix}"), b"\0")
        run([sys.executable, "-c", script], cwd=project)
    write(native.with_name(f"_core{suffixes[1]}"), b"\0")
    done = run([sys.executable, "-c", script], cwd=project, check=False)
    assert "AssertionError" in done.stderr


def test_new_refuses_two_that_one_python_could_import(tmp_path: Path) -> None:
    """As if a template contained a native module."""
    answers = {"module_name": "sample", "kind": "mixed"}
    write(tmp_path / "python/sample/_core.abi3.so", b"\0")
    _need_one_module(tmp_path, answers, [".cpython-312.so", ".abi3.so"])
    write(tmp_path / "python/sample/_core.cpython-312.so", b"\0")
    with pytest.raises(UserError, match=r"_core\.abi3\.so and .*312\.so, and Python imports the first"):
        _need_one_module(tmp_path, answers, [".cpython-312.so", ".abi3.so"])


# --- a Python without a shared library ------------------------------------------------------------------


@pytest.mark.parametrize(("shared", "expected"), [("0", ["--lib"]), ("1", [])])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, a static libpython is no obstacle")
def test_nox_tests_what_a_static_python_can_link(render: Render, shared: str, expected: list[str]) -> None:
    """Run only the function in the generated noxfile, with a session that knows such a Python."""
    text = (render("static", {}) / "noxfile.py").read_text(encoding="utf-8")
    function = re.search(r"^def test\(session.*?(?=\n\n\n)", text, re.MULTILINE | re.DOTALL)
    assert function
    commands = []

    class Session:
        posargs = ()

        def install(self, *requirements: str) -> None:
            pass

        def run(self, *command: str, **options: object) -> str:
            commands.append([*command])
            return f"{shared} /opt/my python\n"

    names: dict[str, Any] = {"nox": SimpleNamespace(Session=Session), "os": os, "sys": sys, "group": lambda *of: of}
    exec(f"{function[0]}\ntest(nox.Session())", names)  # noqa: S102 (the generated noxfile)
    assert ["cargo", "test", "--workspace", *expected] in commands
