"""What is in an sdist or a wheel, and what a build leaves in the project: what git tracks, as it is, by every builder."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, run
from ship import commit, render

CASES: dict[str, dict[str, Any]] = {
    "maturin": {},
    "profiling": {"profiling": True},
    "git-tag": {"version_source": "git-tag"},
    "setuptools-rust": {"build_backend": "setuptools-rust"},
    "git-tag-setuptools-rust": {"build_backend": "setuptools-rust", "version_source": "git-tag"},
}
# `{out}` is where the package goes.
SDISTS = {
    "build": [sys.executable, "-m", "build", "--sdist", "--installer=uv", "--outdir={out}"],
    "uv": ["uv", "build", "--sdist", "--out-dir={out}"],
    "maturin": ["maturin", "sdist", "--out={out}"],
}
WHEELS = {
    "pip": [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir={out}", "."],
    "uv": ["uv", "build", "--wheel", "--out-dir={out}"],
}
# Where people have files that they do not mean to publish, as reports tell (maturin #1948 and #554, check-manifest #7).
LITTER = [".env", ".pypirc", "id_rsa", "tests/.env", "examples/credentials.json", "venv/lib/x.rs", "venv/Cargo.toml",
          "uv.lock", "notes.txt", "src.orig/lib.rs"]  # fmt: skip


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("shipped")
    made = {name: render(folder / name, project_name="my-ext", **answers) for name, answers in CASES.items()}
    for project in made.values():
        run(["git", "tag", "v0.1.0"], cwd=project)
    return made


@pytest.fixture(params=CASES)
def project(request: pytest.FixtureRequest, projects: Mapping[str, Path], tmp_path: Path) -> Path:
    """A clone of each case."""
    run(["git", "clone", "--quiet", projects[request.param], "my-ext"], cwd=tmp_path)
    return tmp_path / "my-ext"


@pytest.fixture
def default(projects: Mapping[str, Path], tmp_path: Path) -> Path:
    run(["git", "clone", "--quiet", projects["maturin"], "my-ext"], cwd=tmp_path)
    return tmp_path / "my-ext"


def write(project: Path, *names: str) -> None:
    for name in names:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("SECRET = 42\n", encoding="utf-8")


def package(project: Path, command: list[str], check: bool = True, **env: str) -> Path | str:
    """The file that the command makes; without check, what it says as it fails."""
    out = project.parent / "out"
    done = run([word.format(out=out) for word in command], cwd=project, check=check, **env)
    if check:
        return max(out.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert done.returncode != 0
    assert not [path for path in out.glob("*") if path.suffix in {".gz", ".whl"}]
    return done.stdout + done.stderr


def built(project: Path, command: list[str], **env: str) -> Path:
    made = package(project, command, check=True, **env)
    assert isinstance(made, Path)
    return made


def members(made: Path) -> set[str]:
    if made.suffix == ".whl":
        with zipfile.ZipFile(made) as wheel:
            return set(wheel.namelist())
    with tarfile.open(made) as sdist:
        return {each.name.partition("/")[2] for each in sdist.getmembers() if not each.isdir()}


def tracked(project: Path) -> set[str]:
    return set(run(["git", "ls-files"], cwd=project).stdout.splitlines())


def created(name: str) -> bool:
    return name in {"PKG-INFO", "setup.cfg"} or ".egg-info/" in name


def makes(builder: str, project: Path) -> bool:
    return builder != "maturin" or "[tool.maturin]" in (project / "pyproject.toml").read_text(encoding="utf-8")


def test_an_sdist_has_what_git_tracks(project: Path) -> None:
    write(project, *LITTER)
    (project / "dump.bin").write_bytes(os.urandom(1 << 20))
    (project / "link").symlink_to("/etc/passwd")
    expected = tracked(project) - {".copier-answers.yml"}
    for builder, command in SDISTS.items():
        if makes(builder, project):
            assert {name for name in members(built(project, command)) if not created(name)} == expected, builder


def test_a_wheel_has_what_git_tracks(project: Path) -> None:
    write(project, *LITTER)
    names = {name for name in members(built(project, WHEELS["uv"])) if ".dist-info/" not in name}
    assert {name for name in names if not name.endswith(".so")} == {
        f"my_ext/{name}" for name in ("__init__.py", "_core.pyi", "hints.py", "py.typed")
    }


def test_a_file_of_the_package_that_git_does_not_track_is_refused(project: Path) -> None:
    names = ["python/my_ext/late.py", "python/my_ext/secret.key", "src/late.rs"]
    write(project, *names)
    for command in [SDISTS["uv"], *WHEELS.values()]:
        said = str(package(project, command, check=False))
        assert f"git does not track {', '.join(names)}. Run `git add`" in said
        assert "Traceback" not in said.partition("git does not track")[0]
    run(["git", "add", "--intent-to-add", *names], cwd=project)
    assert set(names) <= members(built(project, SDISTS["uv"]))


def test_an_ignored_file_is_not_shipped_by_accident(project: Path, tmp_path: Path) -> None:
    """Not by the person's own list of ignored files, which maturin does not read; setuptools reads none."""
    settings = {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}
    (tmp_path / "ignored").write_text("*.key\nlocal_*.py\n", encoding="utf-8")
    (tmp_path / "gitconfig").write_text(f"[core]\nexcludesFile = {tmp_path / 'ignored'}\n", encoding="utf-8")
    write(project, "python/my_ext/local_settings.py")
    if (project / "version_from_git.py").exists():  # it is not in the copy that is built
        assert "local_settings" not in str(members(built(project, WHEELS["uv"], **settings)))
    else:
        said = package(project, WHEELS["uv"], check=False, **settings)
        assert "git does not track my_ext/local_settings.py" in str(said)


def test_a_link_out_of_the_repository_is_refused(default: Path, tmp_path: Path) -> None:
    write(tmp_path, "private.txt")
    (default / "python/my_ext/data.txt").symlink_to(tmp_path / "private.txt")
    commit(default, "feat: a link")
    for command in (SDISTS["uv"], WHEELS["uv"]):
        assert "does not track the target of python/my_ext/data.txt" in str(package(default, command, check=False))
    (default / "python/my_ext/data.txt").unlink()
    (default / "python/my_ext/data.txt").symlink_to("../../README.md")
    commit(default, "feat: a link to a file of the project")
    assert "my_ext/data.txt" in members(built(default, WHEELS["uv"]))


def test_an_sdist_is_made_from_an_sdist_and_without_git(project: Path, tmp_path: Path) -> None:
    first = built(project, SDISTS["uv"])
    again = tmp_path / "again"
    run(["tar", "-xzf", first, "-C", tmp_path], cwd=tmp_path)
    (tmp_path / first.name.removesuffix(".tar.gz")).rename(again)
    # Also in another repository, which ignores some of it.
    for command in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "-m", "other"], ["tag", "v7.7.7"]):
        run(["git", *command], cwd=tmp_path)
    (tmp_path / ".gitignore").write_text("*.pyi\n", encoding="utf-8")
    second = built(again, SDISTS["uv"])
    assert (members(second), second.name) == (members(first), first.name)
    archive = tmp_path / "archive"
    archive.mkdir()
    run(["git", "archive", "--output", tmp_path / "archive.tar", "v0.1.0"], cwd=project)
    run(["tar", "-xf", tmp_path / "archive.tar", "-C", archive], cwd=tmp_path)
    third = built(archive, SDISTS["build"])
    dotted = {name for name in members(first) - members(third) if not name.startswith(".")}
    assert (dotted, third.name) == (set(), first.name)


def test_nothing_from_an_earlier_build(projects: Mapping[str, Path], tmp_path: Path) -> None:
    """pypa/setuptools #1871: build/lib keeps deleted modules."""
    run(["git", "clone", "--quiet", projects["setuptools-rust"], "my-ext"], cwd=tmp_path)
    project = tmp_path / "my-ext"
    write(project, "python/my_ext/old.py")
    run(["git", "add", "."], cwd=project)
    assert "my_ext/old.py" in members(built(project, WHEELS["pip"]))
    run(["git", "rm", "--quiet", "--force", "python/my_ext/old.py"], cwd=project)
    assert "my_ext/old.py" not in members(built(project, WHEELS["pip"]))


class Watch(threading.Thread):
    """Looks at the files that git tracks, a hundred times a second; tells which were touched."""

    def __init__(self, project: Path) -> None:
        super().__init__(daemon=True)
        self.files = [project / name for name in tracked(project)]
        self.before = self.state()
        self.touched: set[str] = set()
        self.looks = 0
        self.end = threading.Event()

    def state(self) -> dict[Path, tuple[int, int, int]]:
        return {path: (stat.st_ino, stat.st_ctime_ns, stat.st_size) for path in self.files for stat in [path.stat()]}

    def run(self) -> None:
        while not self.end.wait(0.01):
            self.looks += 1
            self.touched |= {path.name for path, now in self.state().items() if now != self.before[path]}


def kill_a_build(project: Path, folder: Path) -> None:
    """Kill one while it compiles: a cargo that waits then."""
    folder.mkdir()
    cargo, reached = folder / "cargo", folder / "reached"
    cargo.write_text(
        f'#!/bin/sh\ncase "$*" in *rustc*) touch {reached}; sleep 99;; esac\nexec {shutil.which("cargo")} "$@"\n',
        encoding="utf-8",
    )
    cargo.chmod(0o755)
    env = os.environ | {"CARGO": str(cargo), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = [word.format(out=folder / "out") for word in WHEELS["uv"]]
    build = subprocess.Popen(command, cwd=project, env=env, start_new_session=True, stderr=subprocess.DEVNULL)
    while not reached.exists():
        assert build.poll() is None
        time.sleep(0.1)
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()


def test_no_build_touches_a_tracked_file(project: Path, tmp_path: Path) -> None:
    """Not for a moment: one that is killed, two at once, and an editable install."""
    commit(project, "fix: one thing")
    run(["uv", "venv", "--quiet", tmp_path / "venv"], cwd=tmp_path)
    watch = Watch(project)
    watch.start()
    kill_a_build(project, tmp_path / "killed")
    commands = [[word.format(out=tmp_path / each) for word in WHEELS["uv"]] for each in ("one", "two")]
    both = [subprocess.Popen(command, cwd=project, stderr=subprocess.DEVNULL) for command in commands]
    codes = [each.wait() for each in both]
    if not (project / "version_from_git.py").exists() and any(codes):
        # maturin 1.16: both move the library in target/release, and one fails. version_from_git.py lets one wait.
        for command in commands:
            run(command, cwd=project)
        codes = [0, 0]
    assert codes == [0, 0]
    run(["uv", "pip", "install", "--no-deps", "--python", tmp_path / "venv", "--editable", "."], cwd=project)
    watch.end.set()
    watch.join()
    assert watch.looks > 50
    assert watch.touched == set()
    assert run(["git", "status", "--porcelain"], cwd=project).stdout == ""
    (one,), (two,) = ((tmp_path / each).glob("*.whl") for each in ("one", "two"))
    assert one.name == two.name
    code = "import my_ext; print(my_ext.__file__, my_ext._core.__file__)"
    said = run([tmp_path / "venv/bin/python", "-c", code], cwd=tmp_path).stdout.split()
    assert {Path(each).parent for each in said} == {project / "python/my_ext"}


def test_this_repository_ships_what_git_tracks(tmp_path: Path) -> None:
    """The sdist and the wheel of copier-pyo3; a file that git does not track is refused."""
    run(["git", "clone", "--quiet", ROOT, "copier-pyo3"], cwd=tmp_path)
    project = tmp_path / "copier-pyo3"
    for name in ("template/.env", "hooks/copier_pyo3/secret.key", "docs/id_rsa", "licenses/notes.txt", "tests/.env"):
        write(project, name)
        for command in (SDISTS["uv"], WHEELS["uv"]):
            assert f"git does not track {name}." in str(package(project, command, check=False))
        (project / name).unlink()
    write(project, ".env", "venv/x.py", "notes.txt")
    files, folders = tracked(project), ("hooks/", "licenses/", "parts/", "template/")
    names = members(built(project, SDISTS["uv"]))
    assert names - files == {"PKG-INFO"}
    assert {name for name in files if name.startswith((*folders, "docs/", "tests/"))} <= names
    wheel = {name for name in members(built(project, WHEELS["uv"])) if ".dist-info/" not in name}
    package_files = {name.removeprefix("hooks/") for name in files if name.startswith("hooks/copier_pyo3/")}
    bundle = {name for name in files if name.startswith(folders)} | {"copier.yml", "names.yml", "versions.yml"}
    assert wheel == package_files | {f"copier_pyo3/bundle/{name}" for name in bundle}
