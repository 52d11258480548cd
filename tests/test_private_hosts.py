"""Indexes, mirrors, and runners of a company."""

import http.server
import re
import sys
import threading
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from conftest import Render, run
from ship import WORKFLOWS
from test_workflows import judge

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# The upload URL and the URL to install from, as in the documentation of each index on 2026-11-25.
INDEXES = {
    "https://pkgs.dev.azure.com/org/project/_packaging/feed/pypi/upload": "https://pkgs.dev.azure.com/org/project/_packaging/feed/pypi/simple/",
    "https://pkgs.dev.azure.com/org/My%20Project/_packaging/feed/pypi/upload": "https://pkgs.dev.azure.com/org/My%20Project/_packaging/feed/pypi/simple/",
    "https://push.fury.io/ada": "https://pypi.fury.io/ada/",
    "https://ada.jfrog.io/artifactory/api/pypi/python": "https://ada.jfrog.io/artifactory/api/pypi/python/simple/",
    "https://gitlab.example.org/api/v4/projects/42/packages/pypi": "https://gitlab.example.org/api/v4/projects/42/packages/pypi/simple/",
    "https://gitea.example.org:3000/api/packages/ada/pypi": "https://gitea.example.org:3000/api/packages/ada/pypi/simple/",
    "https://nexus.example.org/repository/pypi": "https://nexus.example.org/repository/pypi/simple/",
    "https://ada-1234.d.codeartifact.eu-west-1.amazonaws.com/pypi/repo": "https://ada-1234.d.codeartifact.eu-west-1.amazonaws.com/pypi/repo/simple/",
    "https://europe-python.pkg.dev/project/repo": "https://europe-python.pkg.dev/project/repo/simple/",
    "http://localhost:8080": "http://localhost:8080/simple/",
}
# Only an answer can say where to install from.
ANSWERED = {
    "https://devpi.example.org/ada/prod": "https://devpi.example.org/ada/prod/+simple/",
    "https://python.cloudsmith.io/org/repo": "https://dl.cloudsmith.io/basic/org/repo/python/simple/",
    "https://nexus.example.org/repository/pypi-hosted": "https://nexus.example.org/repository/pypi-all/simple",
}


@pytest.mark.render
@pytest.mark.parametrize("upload", [*INDEXES, *ANSWERED])
def test_where_an_index_is_read(upload: str, render: Render) -> None:
    answers = {"publish_to": "private", "index_url": upload} | (
        {"index_read_url": ANSWERED[upload]} if upload in ANSWERED else {}
    )
    project = render("sample", answers)
    (index,) = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["index"]
    read = {**INDEXES, **ANSWERED}[upload].rstrip("/") + "/"
    assert (index["url"], index["publish-url"]) == (read, f"{upload}/")
    assert f"pip install --index-url {read} sample\n" in (project / "README.md").read_text(encoding="utf-8")


def workflows(project: Path) -> dict[str, Any]:
    return {
        path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((project / WORKFLOWS).glob("*.yml"))
    }


def runners(project: Path) -> set[str]:
    """The labels of all jobs and rows."""
    found = set()
    for job in (job for workflow in workflows(project).values() for job in workflow["jobs"].values()):
        rows = job.get("strategy", {}).get("matrix", {}).get("include", [])
        found |= {str(row["runner"]) for row in rows} if rows else {str(job["runs-on"])}
    return found


MINE = {"ubuntu-24.04": ["self-hosted", "linux"], "ubuntu-24.04-arm": "ubuntu-24.04", "windows-2025": "windows-2022"}


@pytest.mark.render
def test_labels_of_runners_are_one_answer(render: Render) -> None:
    assert runners(render("sample", {})) == {
        *("ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "macos-15-intel", "windows-2025")
    }
    project = render("sample", {"runners": MINE})
    assert runners(project) == {
        "['self-hosted', 'linux']",
        "ubuntu-24.04",
        "macos-15",
        "macos-15-intel",
        "windows-2022",
    }
    assert not [*project.rglob("*.json")]


@pytest.mark.render
def test_mirrors_reach_every_job_and_cargo(render: Render, tmp_path: Path) -> None:
    asked: list[str] = []

    class Mirror(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        crates = f"http://127.0.0.1:{server.server_port}/crates"
        pypi = "https://packages.example.org/pypi/simple/"
        answers = {"crates_mirror": crates, "pypi_mirror": pypi, "wheel_builder": "cibuildwheel"}
        project = render("sample", answers)
        run(["cargo", "generate-lockfile"], cwd=project, check=False, CARGO_HOME=str(tmp_path / "cargo"))
        server.shutdown()
    assert asked, "cargo did not ask the mirror"
    assert set(asked) == {"/crates/config.json"}
    for workflow in workflows(project).values():
        assert {workflow["env"]["UV_DEFAULT_INDEX"], workflow["env"]["PIP_INDEX_URL"]} == {pypi}
    linux = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]["linux"]
    assert {"PIP_INDEX_URL", "UV_DEFAULT_INDEX"} <= {*linux["environment-pass"]}
    sources = tomllib.loads((project / "deny.toml").read_text(encoding="utf-8"))["sources"]
    assert sources["allow-registry"] == ["https://github.com/rust-lang/crates.io-index", f"sparse+{crates}/"]
    assert sources["unknown-registry"] == "deny"


def test_no_linter_finds_anything_with_all_of_them(render: Render) -> None:
    answers = {"crates_mirror": "https://m.example.org/crates/", "pypi_mirror": "https://m.example.org/simple/"}
    for publish_to in ("private", "none"):
        more = {"publish_to": publish_to, "index_url": "https://packages.example.org/python", "runners": MINE}
        project = render("sample", answers | more)
        run(["git", "init", "--quiet"], cwd=project)  # actionlint looks for it
        judge(project)


@pytest.mark.render
def test_a_default_project_has_none_of_them(render: Render) -> None:
    project = render("sample", {})
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in project.rglob("*")
        if path.is_file() and path.suffix in {".yml", ".toml"}
    )
    assert not re.search("UV_DEFAULT_INDEX|allow-registry|self-hosted", text)
    assert not (project / ".cargo").exists()


@pytest.mark.render
@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"index_read_url": "https://me:secret@example.org/simple/"}, "without a password"),
        ({"index_read_url": "example.org/simple"}, "write an https URL"),
        ({"pypi_mirror": "https://me:secret@example.org/simple/"}, "without a password"),
        ({"pypi_mirror": "https://example.org/simple/\nrun: evil"}, "write a URL"),
        ({"crates_mirror": 'https://example.org/"'}, "write a URL"),
        ({"crates_mirror": "https://me:secret@example.org/crates/"}, "without a password"),
        ({"runners": {"ubuntu": "mine"}}, "GitHub's runners are"),
        ({"runners": {"ubuntu-24.04": "${{ github.head_ref }}"}}, "GitHub's runners are"),
        ({"runners": {"ubuntu-24.04": "a, b: c"}}, "GitHub's runners are"),
        ({"runners": ["mine"]}, "GitHub's runners are"),
        ({"runners": {"ubuntu-24.04": []}}, "GitHub's runners are"),
    ],
)
def test_refused_answers(answers: dict[str, Any], words: str, template: Path, tmp_path: Path) -> None:
    data = {"publish_to": "private", "index_url": "https://example.org/x"} | answers
    with pytest.raises(ValueError, match=words):
        copier.run_copy(str(template), tmp_path / "sample", data=data, defaults=True, unsafe=True, quiet=True)
