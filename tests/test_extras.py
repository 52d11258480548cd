"""Each extra works as CONTRIBUTING.md describes it."""

import html
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import Render, interpreters, run
from ship import need

PINNED = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")


@pytest.mark.system(
    "devcontainer",
    built="the project, by `uv sync`",
    ran="its tests, with the paths of the container",
    unverified="the image: there is no Docker",
)
def test_devcontainer_leaves_the_environment_of_the_host_alone(render: Render, tmp_path: Path) -> None:
    """Run the commands of the container, with the container's paths in another folder."""
    project = render("contained", {"extras": ["devcontainer"]})
    config = json.loads((project / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert PINNED.fullmatch(config["image"])
    assert all(
        config["containerEnv"][name].startswith("/home/") for name in ("CARGO_TARGET_DIR", "UV_PROJECT_ENVIRONMENT")
    )
    home = {name: value.replace("/home/vscode", str(tmp_path)) for name, value in config["containerEnv"].items()}
    del home["CARGO_TARGET_DIR"]  # the target folder of the tests already has PyO3
    install, _, sync = config["postCreateCommand"].partition(" && ")
    assert re.fullmatch(r"curl -LsSf https://astral\.sh/uv/\d+\.\d+\.\d+/install\.sh \| .* sh", install)
    before = {path.name for path in project.iterdir()}
    run(sync.split(), cwd=project, UV_PYTHON_PREFERENCE="only-system", **home)
    assert {path.name for path in project.iterdir()} - before <= {"Cargo.lock", "uv.lock"}
    python = config["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    code = "import contained; print(contained.distance('kitten', 'sitting'))"
    assert run([python.replace("/home/vscode", str(tmp_path)), "-c", code], cwd=tmp_path).stdout == "3\n"
    run([tmp_path / "venv/bin/pytest"], cwd=project)


def instructions(dockerfile: Path) -> list[str]:
    """The instructions, each on one line, without options of RUN."""
    text = dockerfile.read_text(encoding="utf-8").replace("\\\n", " ")
    return [re.sub(r" +", " ", re.sub(r"--mount=\S+", "", line)) for line in text.splitlines() if line]


@pytest.mark.parametrize("answers", [{}, {"build_backend": "setuptools-rust", "abi3": False}], ids=["abi3", "no abi3"])
def test_dockerfiles_have_no_findings(render: Render, answers: dict[str, Any]) -> None:
    """The two differ in the image and in the command that adds a user."""
    need("hadolint")
    project = render("docked", {"extras": ["docker"], "min_python": "3.13", **answers})
    run(["hadolint", "--failure-threshold=style", "Dockerfile.build", "Dockerfile.build-musl"], cwd=project)
    glibc, musl = (instructions(project / name) for name in ("Dockerfile.build", "Dockerfile.build-musl"))
    differ = [{line.split()[0], other.split()[0]} for line, other in zip(glibc, musl, strict=True) if line != other]
    assert differ == [{"#"}, {"FROM"}, {"RUN"}]
    for lines in (glibc, musl):
        assert PINNED.fullmatch(lines[1].split()[1])
        assert "USER 1000" in lines[: lines.index("COPY --chown=1000:1000 . .")]
        assert f'ARG PYTHONS="3.13{" 3.14 3.15" if answers else ""}"' in lines


@pytest.mark.system(
    "docker",
    built="a wheel by the command of Dockerfile.build, outside of Docker",
    ran="auditwheel, the project's tests",
    unverified="the images and the musl build: there is no Docker",
)
def test_a_dockerfile_builds_a_wheel(render: Render, tmp_path: Path) -> None:
    """Without Docker: the command of the build, by the shell that the Dockerfile names."""
    need("auditwheel", "patchelf", "uv")
    newest = max(interpreters())
    project = render("docked", {"extras": ["docker"], "min_python": f"3.{newest}"})
    run(["cargo", "generate-lockfile"], cwd=project)
    lines = instructions(project / "Dockerfile.build")
    shell: list[str] = json.loads(next(line for line in lines if line.startswith("SHELL")).partition(" ")[2])
    script = next(line for line in lines if "auditwheel" in line).removeprefix("RUN ").replace("/tmp/", f"{tmp_path}/")
    tag = f"manylinux_{platform.libc_ver()[1].replace('.', '_')}_{platform.machine()}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{interpreters()[newest].parent}{os.pathsep}{os.environ['PATH']}"
    done = run([*shell, script], cwd=project, PATH=path, AUDITWHEEL_PLAT=tag, PYTHONS=f"3.{newest}")
    assert " passed" in done.stdout
    assert [wheel.name for wheel in tmp_path.glob("*/dist/*.whl")] == [f"docked-0.1.0-cp3{newest}-abi3-{tag}.whl"]


def test_docker_without_docker_is_no_success(render: Render) -> None:
    need("hadolint")
    project = render("docked", {"extras": ["docker"]})
    command = ["nox", "-s", "docker"]
    done = run(command, cwd=project, check=False, CI="true", DOCKER_HOST="tcp://127.0.0.1:9")
    assert "no wheels: Docker does not run" in done.stdout + done.stderr
    assert done.returncode == 1
    assert "skipped" in run(command, cwd=project, CI="", DOCKER_HOST="tcp://127.0.0.1:9").stderr


@pytest.mark.system(
    "docs",
    built="the pages with Sphinx, strictly",
    ran="the pages have docstrings and types; a broken link fails",
    unverified="a build by Read the Docs",
)
@pytest.mark.parametrize(
    "answers", [{}, {"kind": "extension", "build_backend": "setuptools-rust"}], ids=["mixed", "extension"]
)
def test_docs_show_the_docstrings_and_types_of_native_functions(render: Render, answers: dict[str, Any]) -> None:
    need("check-jsonschema", "uv")
    if 13 not in interpreters():
        pytest.skip("Sphinx needs Python 3.13, which is not installed")
    project = render("documented", {"extras": ["docs"], **answers})
    run(["check-jsonschema", "--builtin-schema", "vendor.readthedocs", ".readthedocs.yaml"], cwd=project)
    build = ["nox", "-s", "docs", "--force-python", str(interpreters()[13])]
    run(build, cwd=project)
    page = html.unescape((project / "build/docs/api/documented/index.html").read_text(encoding="utf-8"))
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))
    for shown in (
        "distance(first: str, second: str) → int",
        "Return the number of characters to insert, delete, or replace to turn one text into the other.",
        "class documented.Words(words: _typeshed.SupportsGetItem[int, str])",
        "closest(word: str) → str",
        "If there are no words.",
    ):
        assert shown in text, text
    assert ("did_you_mean" in text) == (not answers)
    assert "with the smallest distance" in text
    assert "To contribute, see" in (project / "build/docs/index.html").read_text(encoding="utf-8")

    with (project / "docs/index.md").open("a", encoding="utf-8") as file:
        file.write("\n[A page that is not there](missing.md)\n")
    failed = run([*build, "-R"], cwd=project, check=False)
    assert failed.returncode == 1
    assert "missing.md" in failed.stdout + failed.stderr
