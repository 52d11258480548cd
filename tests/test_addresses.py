"""The template's address: any host, any way to write it, and no password in a project. Served here by git over plain http."""

import functools
import http.server
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import copier._vcs
import pytest
import yaml

from conftest import run
from copier_pyo3.project.home import as_copier, without_password
from small import ANSWERS, NEW, Template, commit, copier_pyo3, replace

# As people copy them from their hosts' pages, and what Copier takes for a git repository.
ADDRESSES = {
    "https://github.com/ada/x": "https://github.com/ada/x",
    "https://github.com/ada/x/": "https://github.com/ada/x",
    "gh:ada/x": "gh:ada/x",
    "git@github.com:ada/x.git": "git@github.com:ada/x.git",
    # GitHub Enterprise
    "https://github.corp.example/team/x": "git+https://github.corp.example/team/x",
    "https://github.corp.example/team/x.git": "https://github.corp.example/team/x.git",
    "git@github.corp.example:team/x": "git@github.corp.example:team/x",
    "org-1234@github.com:team/x": "git+org-1234@github.com:team/x",
    # GitLab on a private host, in a subgroup, at a port
    "https://gitlab.corp.example/group/sub/x": "git+https://gitlab.corp.example/group/sub/x",
    "ssh://git@gitlab.corp.example:2222/group/x": "git+ssh://git@gitlab.corp.example:2222/group/x",
    "ssh://git@gitlab.corp.example:2222/group/x.git": "ssh://git@gitlab.corp.example:2222/group/x.git",
    # Gitea and Forgejo
    "http://gitea.lan:3000/ada/x": "git+http://gitea.lan:3000/ada/x",
    "gitea.lan:ada/x": "git+gitea.lan:ada/x",
    "https://codeberg.org/ada/x/": "git+https://codeberg.org/ada/x",
    # Bitbucket
    "https://bitbucket.org/team/x": "git+https://bitbucket.org/team/x",
    "https://bitbucket.corp.example/scm/team/x.git": "https://bitbucket.corp.example/scm/team/x.git",
    "ssh://git@bitbucket.corp.example:7999/team/x.git/": "ssh://git@bitbucket.corp.example:7999/team/x.git",
    # Azure DevOps
    "https://dev.azure.com/org/My%20Project/_git/x": "git+https://dev.azure.com/org/My%20Project/_git/x",
    "https://org.visualstudio.com/project/_git/x": "git+https://org.visualstudio.com/project/_git/x",
    "git@ssh.dev.azure.com:v3/org/project/x": "git@ssh.dev.azure.com:v3/org/project/x",
    # Other forms of git
    "git+https://git.corp.example/x": "git+https://git.corp.example/x",
    "git://git.corp.example/x": "git://git.corp.example/x",
    "file:///srv/git/x": "git+file:///srv/git/x",
}
FOLDERS = ["../x", "x", "/srv/x", "~/x", r"C:\work\x", "C:/work/x", ".", "a:b/x/../y"[2:]]


@pytest.mark.parametrize("address", ADDRESSES)
def test_copier_takes_every_address_for_a_repository(address: str) -> None:
    assert as_copier(address) == ADDRESSES[address]
    assert as_copier(as_copier(address)) == as_copier(address)
    assert copier._vcs.get_repo(as_copier(address)), "Copier takes it for a folder"


def test_a_folder_stays_a_folder() -> None:
    for folder in FOLDERS:
        assert as_copier(folder) == folder


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("https://ada:s3cret@git.corp.example/x", "https://git.corp.example/x"),
        ("git+https://s3cret@git.corp.example:8443/x.git", "git+https://git.corp.example:8443/x.git"),
        ("https://oauth2:s3cret@gitlab.com/x", "https://gitlab.com/x"),
        ("HTTPS://x-access-token:s3cret@github.com/ada/x", "HTTPS://github.com/ada/x"),
        ("https://ada:s3@cret@git.corp.example/x", "https://git.corp.example/x"),
        ("ssh://ada:s3cret@git.corp.example:22/x", "ssh://ada@git.corp.example:22/x"),
        ("ssh://git@git.corp.example/x", "ssh://git@git.corp.example/x"),
        ("git@github.com:ada/x.git", "git@github.com:ada/x.git"),
        ("https://git.corp.example/x@y", "https://git.corp.example/x@y"),
    ],
)
def test_an_address_without_its_password(address: str, bare: str) -> None:
    assert without_password(address) == bare


# --- a private host ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Host:
    """A git server."""

    url: str
    folder: Path
    template: Template

    def push(self) -> None:
        """Serve what the template has now, with and without .git, as hosts do."""
        for name in ("team/x", "team/x.git"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            run(["git", "clone", "--quiet", "--bare", self.template.folder, self.folder / name], cwd=self.folder)
            run(["git", "update-server-info"], cwd=self.folder / name)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    folder = tmp_path / "host"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        template = Template(tmp_path / "template")
        template.release("v1.0.0", {})
        made = Host(f"http://127.0.0.1:{server.server_port}", folder, template)
        made.push()
        yield made
        server.shutdown()


def answers(project: Path) -> dict[str, str]:
    found = yaml.safe_load((project / ANSWERS).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("end", ["", ".git", "/"])
def test_a_project_of_a_template_on_any_host_can_be_updated(end: str, host: Host, tmp_path: Path) -> None:
    """Created with a token in the address, which the project does not have."""
    with_token = host.url.replace("http://", "http://ada:s3cret@")
    project, cache = tmp_path / "sample", {"COPIER_CACHE_DIR": str(tmp_path / "mirrors")}
    done = copier_pyo3("new", project, "--defaults", "--no-build", "--template", f"{with_token}/team/x{end}", **cache)
    assert done.returncode == 0, done.stderr
    assert all(b"s3cret" not in path.read_bytes() for path in project.rglob("*") if path.is_file())
    commit(project)
    host.template.release("v1.1.0", NEW)
    host.push()
    done = copier_pyo3("update", project, "--trust", **cache)
    assert done.returncode == 0, done.stderr
    assert answers(project)["_commit"] == "v1.1.0"
    assert answers(project)["_src_path"].removeprefix("git+") == f"{host.url}/team/x{end}".rstrip("/")


def test_a_project_with_an_address_that_copier_does_not_take(host: Host, tmp_path: Path) -> None:
    """As copier-pyo3 recorded it in earlier versions."""
    host.template.release("v1.1.0", NEW)
    host.push()
    project = host.template.make(tmp_path / "sample")
    cache = {"COPIER_CACHE_DIR": str(tmp_path / "mirrors")}
    replace(project / ANSWERS, f"_src_path: {host.template.folder}", f"_src_path: {host.url}/team/x")
    commit(project)
    done = copier_pyo3("update", project, "--trust", **cache)
    assert done.returncode == 0, done.stderr
    assert answers(project)["_src_path"] == f"git+{host.url}/team/x"
    assert answers(project)["_commit"] == "v1.1.0"
    commit(project)
    done = copier_pyo3("update", project, "--trust", **cache)
    assert "Already up to date" in done.stdout, done.stderr


def fork(url: str, folder: Path) -> dict[str, str]:
    """The environment in which copier-pyo3 is a fork with this address."""
    about = folder / "copier_pyo3-99.dist-info/METADATA"
    about.parent.mkdir(parents=True)
    about.write_text(f"Metadata-Version: 2.4\nName: copier-pyo3\nVersion: 99\nProject-URL: Repository, {url}\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("https://git.corp.example/team/x", "git+https://git.corp.example/team/x"),
        ("https://ada:s3cret@git.corp.example/team/x/", "git+https://git.corp.example/team/x"),
        ("ssh://git@git.corp.example:2222/team/x", "git+ssh://git@git.corp.example:2222/team/x"),
    ],
)
def test_a_fork_records_its_home(url: str, recorded: str, tmp_path: Path) -> None:
    code = "from copier_pyo3.project.home import home_address as home; print(home())"
    assert (
        run([sys.executable, "-c", code], cwd=tmp_path, check=True, **fork(url, tmp_path / "fork")).stdout
        == f"{recorded}\n"
    )


def test_a_fork_trusts_its_own_home_but_no_pull_request_of_it(host: Host, tmp_path: Path) -> None:
    """The server has a commit that is on no branch, as hosts have those of pull requests."""
    home = fork(f"{host.url}/team/x", tmp_path / "fork") | {"COPIER_CACHE_DIR": str(tmp_path / "mirrors")}
    host.template.release("v1.1.0", NEW)
    run(["git", "checkout", "--quiet", "--detach"], cwd=host.template.folder)
    (host.template.folder / "evil").write_text("evil")
    commit(host.template.folder)
    evil = run(["git", "rev-parse", "HEAD"], cwd=host.template.folder).stdout.strip()
    run(["git", "update-ref", "refs/pull/5/head", evil], cwd=host.template.folder)
    run(["git", "checkout", "--quiet", "v1.1.0"], cwd=host.template.folder)
    host.push()
    for name in ("team/x", "team/x.git"):
        run(["git", "push", "--quiet", host.folder / name, "refs/pull/5/head"], cwd=host.template.folder)
        run(["git", "update-server-info"], cwd=host.folder / name)
    good = run(["git", "rev-parse", "--short", "v1.0.0"], cwd=host.template.folder).stdout.strip()
    project = host.template.make(tmp_path / "sample")
    replace(project / ANSWERS, f"_src_path: {host.template.folder}", f"_src_path: git+{host.url}/team/x")
    for version, status in [(evil, 1), (f"v1.0.0-1-g{evil[:8]}", 1), ("pull/5/head", 1), (good, 0), ("v1.0.0", 0)]:
        lines = [line for line in (project / ANSWERS).read_text().splitlines() if not line.startswith("_commit")]
        (project / ANSWERS).write_text("\n".join([f"_commit: '{version}'", *lines, ""]))
        commit(project)
        done = copier_pyo3("update", project, **home)
        assert done.returncode == status, (version, done.stderr)
        assert ("--trust" in done.stderr) == (status == 1)
        run(["git", "checkout", "--quiet", "--force", "HEAD"], cwd=project)
