"""`copier-pyo3 new`, from an installed wheel and from the checkout: all steps, and all errors."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import findpython
import pexpect
import pytest
import yaml

from conftest import BUILD, ROOT, run, tell, without

CHECKOUT = [sys.executable, "-m", "copier_pyo3.cli", "new"]


def new(cwd: Path, *arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return run([*CHECKOUT, *arguments], cwd=cwd, check=False, **env)


def everything(folder: Path) -> dict[str, bytes | None]:
    """All files and folders, to check that nothing has changed."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("copier-pyo3: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in " ".join(done.stderr.split()), done.stderr


@pytest.fixture(scope="module")
def installed() -> Path:
    """The console script of the installed wheel, which contains the template."""
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
    assert "edits from kitten to sitting: 3" in done.stdout
    tell(
        next(line for line in done.stdout.splitlines() if line.startswith("Done in")).replace(
            "Next steps:", "copier-pyo3 new"
        )
    )
    assert "Next steps:" in done.stdout
    assert run(["git", "branch", "--show-current"], cwd=project).stdout == "main\n"  # which ci.yml watches
    for path in (".git", "Cargo.lock", ".venv", "Cargo.toml", "pyproject.toml"):
        assert (project / path).exists()
    run([project / ".venv/bin/python", "-m", "pytest"], cwd=project)
    staged = run(["git", "diff", "--cached", "--name-only"], cwd=project).stdout.split()
    assert "Cargo.lock" in staged
    assert not [name for name in staged if name.startswith((".venv", "target"))]
    # It was rendered from the wheel, but updates come from the template's repository.
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


def test_a_package_may_be_named_as_a_folder_of_builds(tmp_path: Path) -> None:
    done = new(tmp_path, "target", "--defaults", "--no-build")
    assert done.returncode == 0, done.stderr
    staged = run(["git", "diff", "--cached", "--name-only"], cwd=tmp_path / "target").stdout.split()
    assert "python/target/__init__.py" in staged


def test_the_line_to_type_is_quoted(tmp_path: Path) -> None:
    done = new(tmp_path, "it's $mine", "--defaults", "--no-build")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("  cd "))
    assert run(["sh", "-c", f"{line} && pwd"], cwd=tmp_path).stdout == f"{tmp_path}/it's $mine\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "author_email=me"], ["author_email", "write an address such as me@example.org"]),
        (["--data", "kind=library"], ['kind cannot be "library": write mixed, extension or application.']),
        (["--data", "features=numpy"], ['features is a list: write features=[numpy], not "numpy".']),
        (["--data", "features=[numpy"], ["features is a list"]),
        (["--data", "features=[nmupy]"], ['features cannot have "nmupy": write numpy, parallel or async.']),
        (["--data", "abi3=maybe"], ['write abi3=true or abi3=false, not "maybe".']),
        (["--data", "min_python=3.8"], ["requires Python 3.9 or later"]),
        (["--data", "licence=MIT"], ['no question "licence"', "did you mean license?"]),
        (["--data", "part=x"], ['no question "part": remove it']),
        (["--data", "_copier_conf=x"], ['no question "_copier_conf"']),
        (["--data-file", "missing.yml"], ["cannot read missing.yml", "--data-file"]),
        (["--template", "missing"], ["template missing: Local template must be a directory. Nothing was written."]),
        (
            ["--template", "https://localhost:1/x.git"],
            ["cannot reach the template https://localhost:1/x.git (fatal: ", "Nothing was written."],
        ),
    ],
)
def test_bad_input_leaves_nothing(tmp_path: Path, options: list[str], words: list[str]) -> None:
    refused(new(tmp_path, "a/b/my-extension", "--defaults", "--no-build", *options), *words)
    assert everything(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("license: null", ["license has no value"]),
        ("author_email:", ["author_email has no value"]),
        ("features: null", ["features has no value"]),
        ("features: {numpy: 1}", ["features is a list"]),
        ("abi3: flase", ["write abi3=true or abi3=false"]),
        ("abi3: 2", ["write abi3=true or abi3=false"]),
        ("min_python: 3.10", ['put 3.1 in quotes, such as min_python: "3.10"']),
        ("project_name: on", ["project_name: put True in quotes, because YAML"]),
        ("1: x", ["1 is not the name of a question"]),
        ("null: x", ["None is not the name of a question"]),
        ("copyright_year: 2020-13-45", ["answers.yml is not valid YAML (month must be in 1..12): fix"]),
        ("a: [", ["answers.yml is not valid YAML (while parsing"]),
        ("- a", ["answers.yml has no answers"]),
    ],
)
def test_a_data_file_that_is_not_right(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "answers.yml").write_text(text, encoding="utf-8")
    before = everything(tmp_path)
    refused(new(tmp_path, "my-extension", "--defaults", "--no-build", "--data-file", "answers.yml"), *words)
    assert everything(tmp_path) == before


def test_every_way_to_write_yes_and_no(tmp_path: Path) -> None:
    (tmp_path / "answers.yml").write_text("abi3: OFF\nprofiling: 'Yes'\nmin_python: 3.12\n", encoding="utf-8")
    options = ["--defaults", "--no-build", "--data-file", "answers.yml", "--data", "free_threading=TRUE"]
    done = new(tmp_path, "my-extension", *options)
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((tmp_path / "my-extension/.copier-answers.yml").read_text(encoding="utf-8"))
    assert [answers[name] for name in ("abi3", "profiling", "free_threading")] == [False, True, True]
    assert answers["min_python"] == "3.12"


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
    assert "git init skipped" in done.stdout
    assert not (tmp_path / "packages/my-extension/.git").exists()


def test_a_folder_that_the_git_work_tree_ignores(tmp_path: Path) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    (tmp_path / ".gitignore").write_text("/try-*/\n", encoding="utf-8")
    done = new(tmp_path, "try-it", "--defaults", "--no-build")
    assert done.returncode == 0, done.stderr
    assert "Cargo.toml" in run(["git", "diff", "--cached", "--name-only"], cwd=tmp_path / "try-it").stdout.split()


def test_a_folder_whose_name_is_too_long(tmp_path: Path) -> None:
    refused(new(tmp_path, "n" * 256, "--defaults", "--no-build"), "cannot read ", "(File name too long)")


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("git", ["git is required", "git-scm.com"]),
        ("rustc", ["Rust 1.85", "it is not installed", "rustup.rs", "--no-build"]),
        ("cargo", ["Rust 1.85", "cargo is not installed", "rustup.rs", "--no-build"]),
    ],
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
    refused(new(here, "my-extension", "--defaults", PATH=path), "Rust 1.85 or later", "installed version is 1.84")
    assert everything(here) == {}


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """If the tests run as root, which ignores modes, run as another user."""
    locked = Path("/tmp") / f"copier-pyo3-locked-{os.getpid()}"
    locked.mkdir(mode=0o555)
    try:
        root = os.geteuid() == 0
        if root and not shutil.which("setpriv"):
            pytest.skip("root may write everywhere, and setpriv is not there to be somebody else")
        nobody = pwd.getpwnam("nobody")
        become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"] if root else []
        if run([*become, sys.executable, "-c", "import copier_pyo3.verbs.new"], cwd=Path("/"), check=False).returncode:
            pytest.skip("the other user may not read this checkout, or not this Python")
        command = [*become, *CHECKOUT, str(locked / "my-extension"), "--defaults", "--no-build"]
        done = run(command, cwd=Path("/"), check=False, HOME="/nonexistent")
        refused(done, "cannot write", "Permission denied", "choose a folder that you can write to")
        assert everything(locked) == {}
    finally:
        locked.rmdir()


def test_a_build_that_fails_tells_how_to_go_on(tmp_path: Path) -> None:
    offline = {"CARGO_NET_OFFLINE": "true", "CARGO_HOME": str(tmp_path / "cargo"), "CARGO_TARGET_DIR": ""}
    rustup = {"RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))}
    done = new(tmp_path, "my-extension", "--defaults", **offline, **rustup)
    refused(done, "cargo generate-lockfile", "All files are in", "CONTRIBUTING.md")
    staged = run(["git", "diff", "--cached", "--name-only"], cwd=tmp_path / "my-extension").stdout.split()
    assert "Cargo.toml" in staged


@pytest.mark.parametrize(("name", "status"), [("INT", 130), ("TERM", 143), ("HUP", 129)])
def test_a_signal_ends_the_build_and_all_its_processes(tmp_path: Path, name: str, status: int) -> None:
    path = without(tmp_path, "cargo")
    cargo = Path(path) / "cargo"
    script = (
        f"[ $1 = build ] && exit 0\nsleep 60 &\necho $! > {tmp_path}/compiler\nsleep 0.5\nkill -{name} $PPID\nwait\n"
    )
    cargo.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    cargo.chmod(0o755)
    done = new(tmp_path, "my-extension", "--defaults", PATH=path)
    assert done.returncode == status
    words = f"copier-pyo3: interrupted. All files are in {tmp_path / 'my-extension'}. Continue with CONTRIBUTING.md"
    assert words in done.stderr
    assert (tmp_path / "my-extension" / ".git").exists()
    compiler = (tmp_path / "compiler").read_text("utf-8").strip()
    state = run(["ps", "-o", "stat=", "-p", compiler], cwd=tmp_path, check=False).stdout
    assert state[:1] in ("", "Z"), "the compiler still runs"  # Z: ended, and nobody has asked for its status


@pytest.mark.parametrize("to", ["| true", "> /dev/full"])
def test_a_stdout_that_takes_nothing(tmp_path: Path, to: str) -> None:
    script = f'{{ "$@"; echo "exit $?" >&2; }} {to}'
    done = run(["sh", "-c", script, "sh", *CHECKOUT, "my-extension", "--defaults", "--no-build"], cwd=tmp_path)
    assert "output could not be written (" in done.stderr
    assert f"All files are in {tmp_path / 'my-extension'}" in done.stderr
    assert done.stderr.endswith("exit 1\n")
    assert "Traceback" not in done.stderr


def test_a_stdout_that_is_not_utf_8(tmp_path: Path) -> None:
    done = new(tmp_path, "größe", "--defaults", "--no-build", "--data=project_name=x", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "gr\\xf6\\xdfe" in done.stdout


def test_dev_py_tells_an_older_python() -> None:
    old = [python for python in findpython.find_all() if (3,) < (python.major, python.minor) < (3, 10)]
    if not old:
        pytest.skip("no Python older than 3.10 on this machine")
    for python in old:
        done = run([python.executable, "dev.py", "test"], cwd=ROOT, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "dev.py: Python 3.10 or later is required.\n"


# --- at a terminal ---------------------------------------------------------------------------------


@contextmanager
def terminal(cwd: Path, *arguments: str) -> Iterator["pexpect.spawn[str]"]:
    """`copier-pyo3 new` on a terminal."""
    program, *rest = CHECKOUT
    options = [*rest, *arguments, "--no-build"]
    with pexpect.spawn(program, options, cwd=str(cwd), encoding="utf-8", timeout=60, dimensions=(50, 200)) as child:
        yield child


def ended(child: "pexpect.spawn[str]") -> tuple[int | None, str]:
    child.expect(pexpect.EOF)
    child.wait()
    return child.exitstatus, child.before or ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("licence=MIT", "did you mean license?"),
        ("min_python=3.8", "requires Python 3.9 or later."),
        ("copyright_year=abcd", "write a year, such as 2026."),
        ("wheel_builder=cibuild", 'cannot be "cibuild": write maturin or cibuildwheel.'),
    ],
)
def test_data_is_checked_before_anything_is_asked(tmp_path: Path, answer: str, words: str) -> None:
    with terminal(tmp_path, "my-extension", "--data", answer) as child:
        status, said = ended(child)
    assert status == 1
    assert words in said
    assert "Project name" not in said
    assert everything(tmp_path) == {}


def test_broken_off_at_a_question(tmp_path: Path) -> None:
    with terminal(tmp_path, "a/my-extension") as child:
        child.expect("Project name")
        child.sendintr()
        status, said = ended(child)
    assert status == 130
    assert said.strip().splitlines()[-1] == "copier-pyo3: interrupted."
    assert everything(tmp_path) == {}


def test_a_parent_that_another_run_uses_too_stays(tmp_path: Path) -> None:
    with terminal(tmp_path, "a/my-extension") as child:
        child.expect("Project name")
        (tmp_path / "a" / "other").mkdir()
        child.sendintr()
        status, said = ended(child)
    assert (status, "Traceback" in said) == (130, False)
    assert list(everything(tmp_path)) == ["a", "a/other"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "my-extension"
    if exists:
        folder.mkdir()
    with terminal(tmp_path, "my-extension", *ANSWERED) as child:
        child.expect("Set advanced options")
        folder.mkdir(exist_ok=True)
        (folder / "README.md").write_text("mine", encoding="utf-8")
        child.send("n")
        status, said = ended(child)
    assert status == 1
    assert "my-extension is not empty" in said
    assert everything(tmp_path) == {"my-extension": None, "my-extension/README.md": b"mine"}


ANSWERED = [
    *("--data=project_name=my-extension", "--data=module_name=my_extension", "--data=author_name=Ada"),
    *("--data=author_email=", "--data=license=MIT", "--data=repository_url=https://example.org/x"),
    *(
        "--data=description=An extension module",
        "--data=kind=mixed",
        "--data=sample=tour",
        "--data=publish_to=none",
    ),
]


def test_the_time_to_answer_does_not_count(tmp_path: Path) -> None:
    start = time.monotonic()
    with terminal(tmp_path, "my-extension", *ANSWERED) as child:
        child.expect("Set advanced options")
        time.sleep(4)
        child.send("n")
        status, said = ended(child)
    assert status == 0, said
    (told,) = re.findall(r"Done in (\d+) s", said)
    assert int(told) <= time.monotonic() - start - 3


def test_a_step_that_takes_long_shows_its_time(tmp_path: Path) -> None:
    """The time is updated only on a terminal."""
    path = without(tmp_path, "cargo")
    cargo = Path(path) / "cargo"
    cargo.write_text("#!/bin/sh\n[ $1 = build ] && exit 0\nsleep 3\nexit 1\n", encoding="utf-8")
    cargo.chmod(0o755)
    program, *options = [str(part) for part in CHECKOUT] + ["my-extension", "--defaults"]
    env = os.environ | {"PATH": path}
    with pexpect.spawn(program, list(options), cwd=str(tmp_path), encoding="utf-8", timeout=60, env=env) as child:
        status, said = ended(child)
    assert status == 1
    assert re.search(r"\r  \[3/5\] Cargo.lock created +1 s\r  \[3/5\] Cargo.lock created +2 s", said)
    assert re.search(r"\r  \[3/5\] Cargo.lock created +failed", said)
    assert "\r" not in new(tmp_path, "another", "--defaults", PATH=path).stdout


def test_what_setuptools_rust_cannot_do_is_not_asked(tmp_path: Path) -> None:
    with terminal(
        tmp_path, "my-extension", *ANSWERED, "--data=more=yes", "--data=build_backend=setuptools-rust"
    ) as child:
        for question in (
            "Continuous integration",
            "Minimum Python",
            "abi3 wheel",
            "Optional features",
            "profiling crate",
            "Platforms",
            "Other interpreters",
            "Version source",
            "Dependency update bot",
            "Extras",
            "Mirror of PyPI",
            "Mirror of crates.io",
            "Your runners",
        ):
            child.expect(question)
            assert "free-threaded" not in (child.before or "")
            assert "Wheel builder" not in (child.before or "")
            child.send("\r")
        status, said = ended(child)
    assert status == 0, said
    answers = yaml.safe_load((tmp_path / "my-extension/.copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["free_threading"], answers["wheel_builder"]) == (False, "cibuildwheel")


# --- a fresh clone ---------------------------------------------------------------------------------


def clone(folder: Path, **files: str) -> Path:
    """A clone of a repository that a host such as GitHub has made."""
    folder.mkdir()
    run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    run(["git", "add", "--all"], cwd=folder)
    run(["git", "commit", "--quiet", "--message", "Initial commit"], cwd=folder)
    return folder


APACHE = (ROOT / "licenses/Apache-2.0.txt").read_text(encoding="utf-8")


def test_a_clone_with_the_files_of_its_host_keeps_them(tmp_path: Path) -> None:
    mine = {"README.md": "# mine\n", "LICENSE": APACHE, ".gitignore": "*.log\n/target/\nCargo.lock\n"}
    folder = clone(tmp_path / "mine", **mine)
    done = new(folder, "--defaults", "--no-build")
    assert done.returncode == 0, done.stderr
    assert "kept: the lines of .gitignore, LICENSE, README.md\n" in done.stdout
    assert (folder / "README.md").read_text("utf-8") == mine["README.md"]
    assert (folder / "LICENSE").read_text("utf-8") == mine["LICENSE"]
    ignored = (folder / ".gitignore").read_text("utf-8")
    assert ignored.startswith(mine[".gitignore"])
    assert {"*.so", ".venv/"} <= {*ignored.splitlines()}
    assert ignored.count("/target/") == 1
    assert 'license = "Apache-2.0"' in (folder / "pyproject.toml").read_text("utf-8")
    assert "git add --force Cargo.lock" in done.stdout  # which its .gitignore has
    changed = run(["git", "status", "--porcelain"], cwd=folder).stdout.splitlines()
    assert {line[:2] for line in changed} == {"A ", "M "}
    assert [line for line in changed if line.startswith("M ")] == ["M  .gitignore"]


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        ({"LICENSE": APACHE}, ["--data=license=MIT"], "is not the text of MIT: answer with another license"),
        ({"main.py": "mine\n", "README.md": "mine\n"}, [], "is not empty"),
    ],
)
def test_a_clone_that_is_refused(tmp_path: Path, files: dict[str, str], options: list[str], words: str) -> None:
    folder = clone(tmp_path / "mine", **files)
    before = everything(folder)
    refused(new(folder, "--defaults", "--no-build", *options), words)
    assert everything(folder) == before


def test_a_clone_with_a_file_that_is_not_committed_is_refused(tmp_path: Path) -> None:
    folder = clone(tmp_path / "mine", LICENSE=APACHE)
    (folder / "README.md").write_text("mine\n", encoding="utf-8")
    refused(new(folder, "--defaults", "--no-build"), "is not empty")
    assert (folder / "README.md").read_text("utf-8") == "mine\n"


def test_a_clone_is_the_folder_that_is_offered(tmp_path: Path) -> None:
    folder = clone(tmp_path / "mine", **{"README.md": "mine\n"})
    with terminal(folder) as child:
        child.expect(r"Folder for the new project .*m[.]\x1b")
        child.sendintr()
        assert ended(child)[0] == 130


# --- streams, and answers that are too long or too deep ------------------------------------------------


@pytest.mark.parametrize("arguments", [["new", "my-extension", "--defaults", "--no-build"], ["update"], ["new"]])
def test_a_stdin_that_is_closed(tmp_path: Path, arguments: list[str]) -> None:
    done = run(["sh", "-c", '"$@" <&-', "sh", *CHECKOUT[:-1], *arguments], cwd=tmp_path, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if "--defaults" in arguments else 1), done.stderr


def test_a_number_that_is_no_yes(tmp_path: Path, template: Path) -> None:
    """The questions of another template are known only to Copier, which reads the answer as a number."""
    (tmp_path / "answers.yml").write_text(f"more: {10**400}\n", encoding="utf-8")
    options = ["--defaults", "--no-build", "--data-file=answers.yml"]
    refused(new(tmp_path, "a", *options), "more is true or false")
    refused(new(tmp_path, "a", *options, f"--template={template}"), "a question is answered with a number")
    assert not (tmp_path / "a").exists()


def test_an_answers_file_that_is_nested_too_deep(tmp_path: Path) -> None:
    (tmp_path / "deep.yml").write_text("[" * 5000, encoding="utf-8")
    refused(new(tmp_path, "a", "--defaults", "--no-build", "--data-file=deep.yml"), "deep.yml is nested too deep")
    run(["git", "init", "--quiet"], cwd=tmp_path)
    (tmp_path / ".copier-answers.yml").write_text("[" * 5000, encoding="utf-8")
    refused(run([*CHECKOUT[:-1], "update"], cwd=tmp_path, check=False), ".copier-answers.yml is nested too deep")


def test_a_description_that_pypi_refuses(tmp_path: Path) -> None:
    description = " ".join(["word"] * 103)
    refused(
        new(tmp_path, "a", "--defaults", "--no-build", f"--data=description={description}"), "at most 512 characters"
    )
