"""Packages are published to an index on this machine, and installed with the printed commands."""

import base64
import hashlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ship import OWN, act, commit, drop_missing_pythons, need, need_act, render, run

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


def printed(page: Path, words: str) -> str:
    """The command on the page that has these words."""
    (command,) = re.findall(rf"`?(pip install [^`\n]*{re.escape(words)}[^`\n]*)`?", page.read_text(encoding="utf-8"))
    return str(command)


def make(folder: Path, index: str, name: str) -> Path:
    answers = {"publish_to": "private", "index_url": index, "platforms": ["linux-x86_64"]}
    project = render(folder, project_name=name, **answers)
    drop_missing_pythons(project)
    commit(project, "test: what this machine has")
    return project


def install(folder: Path, command: str, name: str) -> str:
    """Run the command in a new environment, import the package, and return its version."""
    run(folder, sys.executable, "-m", "venv", "--clear", "venv")
    run(folder, *f"venv/bin/{command}".split())
    return run(folder, "venv/bin/python", "-c", f"import {name}; print({name}.__version__)").stdout.strip()


@pytest.mark.system(
    "private index",
    built="sdist, wheel",
    ran="`uv publish` with a right and a wrong password; `pip install` as README.md says, from pypiserver",
)
@pytest.mark.system(
    "TestPyPI",
    built="sdist, wheel",
    ran="`pip install` as CONTRIBUTING.md says, from pypiserver",
    unverified="TestPyPI itself: it cannot be reached",
)
def test_the_documented_command(index: str, tmp_path: Path) -> None:
    project = make(tmp_path / "project", index, "byhand")
    run(project, "uv", "build")
    publish = ("uv", "publish", "--index", "private")
    refused = run(project, *publish, check=False, UV_PUBLISH_USERNAME=USER, UV_PUBLISH_PASSWORD="wrong")
    assert refused.returncode != 0
    assert "403 Forbidden" in refused.stdout
    run(project, *publish, UV_PUBLISH_USERNAME=USER, UV_PUBLISH_PASSWORD=PASSWORD)
    command = printed(project / "README.md", "--index-url")
    assert index in command
    assert install(tmp_path, command, "byhand") == "0.1.0"
    rehearsal = printed(render(tmp_path / "public", project_name="byhand") / "CONTRIBUTING.md", "test.pypi.org")
    assert install(tmp_path, rehearsal.replace("https://test.pypi.org", index), "byhand") == "0.1.0"


@pytest.mark.system(
    "install from git",
    built="wheel, by pip",
    ran="`pip install git+…@v0.1.0` as README.md says, from a local repository",
)
@pytest.mark.parametrize("version_source", ["cargo", "git-tag"])
def test_install_from_git(version_source: str, tmp_path: Path) -> None:
    """pip builds the commit of the tag, not the newest one."""
    project = render(tmp_path / "sample", project_name="fromgit", version_source=version_source)
    run(project, "git", "tag", "v0.1.0")
    (project / "python/fromgit/__init__.py").write_text("raise SystemExit('the newest commit')\n", encoding="utf-8")
    commit(project, "fix: break")
    command = printed(project / "README.md", "git+")
    assert OWN["repository_url"] in command
    command = command.replace(OWN["repository_url"], project.as_uri())
    assert install(tmp_path, command, "fromgit") == "0.1.0"


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
    assert install(tmp_path, printed(project / "README.md", "--index-url"), "byworkflow") == "0.1.0"
