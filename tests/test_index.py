"""A private index on this machine: the project is published to it and installed from it with pip."""

import base64
import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ship import act, commit, drop_missing_pythons, need, need_act, render, run

USER, PASSWORD = "robot", "only for this test"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a pypiserver that allows one user to upload."""
    need("pypi-server")
    folder = tmp_path_factory.mktemp("index")
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (folder / "htpasswd").write_text(f"{USER}:{{SHA}}{digest}\n")
    (folder / "packages").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--interface", "127.0.0.1", "--port", str(port), "--passwords", str(folder / "htpasswd")]
    command = [sys.executable, "-m", "pypiserver", "run", *options, "--disable-fallback", str(folder / "packages")]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def make(folder: Path, index: str, name: str) -> Path:
    answers = {"publish_to": "private", "index_url": index, "platforms": ["linux-x86_64"]}
    project = render(folder, project_name=name, **answers)
    drop_missing_pythons(project)
    commit(project, "test: what this machine has")
    return project


def install(folder: Path, index: str, name: str) -> str:
    """Install from the index with pip, and import."""
    run(folder, sys.executable, "-m", "venv", "venv")
    run(folder, "venv/bin/pip", "install", "--quiet", "--index-url", f"{index}/simple/", name)
    return run(folder, "venv/bin/python", "-c", f"import {name}; print({name}.__version__)").stdout.strip()


def test_the_documented_command(index: str, tmp_path: Path) -> None:
    project = make(tmp_path / "project", index, "byhand")
    run(project, "uv", "build")
    publish = ("uv", "publish", "--index", "private")
    refused = run(project, *publish, check=False, UV_PUBLISH_USERNAME=USER, UV_PUBLISH_PASSWORD="wrong")
    assert refused.returncode != 0
    assert "403 Forbidden" in refused.stdout
    run(project, *publish, UV_PUBLISH_USERNAME=USER, UV_PUBLISH_PASSWORD=PASSWORD)
    assert install(tmp_path, index, "byhand") == "0.1.0"


def test_the_workflow(index: str, tmp_path: Path) -> None:
    need_act()
    project = make(tmp_path / "project", index, "byworkflow")
    run(project, "nox", "--session", "release", "--", "0.1.0")
    run(project, "git", "tag", "v0.1.0")
    secrets = {"INDEX_USERNAME": USER, "INDEX_PASSWORD": "wrong"}
    refused = act(project, "release.yml", tmp_path / "refused", tag="v0.1.0", secrets=secrets)
    assert not refused.jobs["Publish to the private index"]
    assert "403 Forbidden" in refused.log
    assert "gh release" not in refused.notes
    published = act(
        project, "release.yml", tmp_path / "run", tag="v0.1.0", secrets=secrets | {"INDEX_PASSWORD": PASSWORD}
    )
    assert published.succeeded, published.log
    assert f"publish to {index}/" in published.notes
    assert install(tmp_path, index, "byworkflow") == "0.1.0"
