"""The hook that Copier's task calls: merging fragments, rejecting contradictions, and finding tomlkit."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import BUILD, ROOT, run

RUN = ROOT / "hooks" / "run.py"
MANIFEST = '# mine\n[package]\nname = "x" # a name\nedition = "2024"\n\n[dependencies]\npyo3 = "0.30"\n\n[lib]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Cargo.toml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "Cargo.toml.d").mkdir()
    return tmp_path


def fragment(project: Path, name: str, text: str) -> None:
    (project / "Cargo.toml.d" / f"{name}.toml").write_text(text, encoding="utf-8")


def fold(project: Path, python: str | Path = sys.executable, **env: str) -> subprocess.CompletedProcess[str]:
    return run([python, "-B", RUN, "fold", "Cargo.toml", "pyproject.toml"], cwd=project, check=False, **env)


def test_fragments_are_folded_in_their_place(project: Path) -> None:
    fragment(project, "b", '[dependencies]\n# all cores\nrayon = "1"\n\n[features]\nfast = []\n')
    fragment(project, "a", '[dependencies]\npyo3 = { features = ["abi3"] }\n')
    assert fold(project).returncode == 0
    assert not (project / "Cargo.toml.d").exists()
    assert (project / "Cargo.toml").read_text(encoding="utf-8") == (
        '# mine\n[package]\nname = "x" # a name\nedition = "2024"\n\n'
        '[dependencies]\npyo3 = { version = "0.30", features = ["abi3"] }\n# all cores\nrayon = "1"\n\n'
        "[features]\nfast = []\n\n[lib]\n"
    )
    folded = (project / "Cargo.toml").read_bytes()
    assert fold(project).returncode == 0
    assert (project / "Cargo.toml").read_bytes() == folded


def test_a_fold_broken_off_is_finished_by_a_second_run(project: Path) -> None:
    text = '[dependencies]\nrayon = "1"\n'
    fragment(project, "a", text)
    assert fold(project).returncode == 0
    folded = (project / "Cargo.toml").read_bytes()
    (project / "Cargo.toml.d").mkdir()
    fragment(project, "a", text)  # as if the run had been killed between writing and removing
    assert fold(project).returncode == 0
    assert (project / "Cargo.toml").read_bytes() == folded


def test_what_an_adopted_project_goes_without_is_removed_in_the_listed_files_only(
    project: Path, tmp_path: Path
) -> None:
    """Its answers file, which names the tables, can come from a stranger."""
    inner = tmp_path / "inner"
    inner.mkdir()
    text = '[package]\nname = "x"\n\n[tool.a]\nb = 1 # kept\nc = 2\n\n[tool.d]\ne = 3\n'
    (inner / "Cargo.toml").write_text(text, encoding="utf-8")
    places = (
        "Cargo.toml:package,Cargo.toml:tool.a.c,Cargo.toml:tool.d,Cargo.toml:gone.too,noxfile.py,../Cargo.toml:package"
    )
    run([sys.executable, "-B", RUN, "fold", f"--without={places}", "Cargo.toml", "pyproject.toml"], cwd=inner)
    assert (inner / "Cargo.toml").read_text(encoding="utf-8").strip() == "[tool.a]\nb = 1 # kept"
    assert (project / "Cargo.toml").read_text(encoding="utf-8") == MANIFEST


def test_text_is_appended_in_the_order_of_the_names(project: Path) -> None:
    """It is appended unchanged, and only once, even if an interrupted run left the fragments."""
    workflow = project / "noxfile.py"
    workflow.write_text("import nox\n", encoding="utf-8")
    for _ in range(2):
        (project / "noxfile.py.d").mkdir()
        (project / "noxfile.py.d/20-last").write_text("\n# last\n", encoding="utf-8")
        (project / "noxfile.py.d/10-first").write_text("# first\n", encoding="utf-8")
        run([sys.executable, "-B", RUN, "fold", "noxfile.py"], cwd=project)
        assert workflow.read_text(encoding="utf-8") == "import nox\n# first\n\n# last\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[package]\nedition = "2021"\n', ["Cargo.toml.d/b.toml", "Cargo.toml", "package.edition", "2021", "2024"]),
        ('[dependencies]\nrayon = "2"\n', ["Cargo.toml.d/b.toml", "dependencies.rayon", '"1"', '"2"']),
        ("[package\n", ["Cargo.toml.d/b.toml"]),
    ],
)
def test_a_contradiction_is_an_error_that_names_both_places(project: Path, text: str, words: list[str]) -> None:
    fragment(project, "a", '[dependencies]\nrayon = "1"\n')
    fragment(project, "b", text)
    done = fold(project)
    assert done.returncode == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    assert (project / "Cargo.toml").read_text(encoding="utf-8") == MANIFEST, "half of the fold was written"


def test_only_the_named_manifests_are_touched(project: Path) -> None:
    (project / "mine.toml").write_text("a = 1\n", encoding="utf-8")
    (project / "mine.toml.d").mkdir()
    (project / "mine.toml.d" / "b.toml").write_text("b = 1\n", encoding="utf-8")
    assert fold(project).returncode == 0
    assert (project / "mine.toml").read_text(encoding="utf-8") == "a = 1\n"
    assert (project / "mine.toml.d" / "b.toml").exists()


# --- a bare Copier, as uvx and pipx install it -----------------------------------------------------


@pytest.fixture(scope="session")
def bare() -> Path:
    """The interpreter of an environment with Copier, without tomlkit and pip, like uvx creates it."""
    folder = BUILD / "bare-copier"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        run([sys.executable, "-m", "venv", "--clear", folder], cwd=ROOT)
        run([python, "-m", "pip", "install", "--quiet", "copier"], cwd=ROOT)
        run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools"], cwd=ROOT)
        (folder / "ready").touch()
    assert run([python, "-c", "import tomlkit"], cwd=ROOT, check=False).returncode != 0
    return python


def bare_copy(bare: Path, template: Path, target: Path, cache: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """`copier copy` with a separate cache."""
    command = [bare, "-m", "copier", "copy", "--trust", "--defaults", "--quiet", template, target]
    return run(command, cwd=target.parent, check=False, XDG_CACHE_HOME=str(cache), HOME=str(cache), **env)


def bare_update(
    bare: Path, folder: Path, cache: Path, run_py: Path = RUN, /, **env: str
) -> subprocess.CompletedProcess[str]:
    """The first hook of an update, which needs tomlkit on every Python; nothing to migrate."""
    folder.mkdir(exist_ok=True)
    run(["git", "init", "--quiet"], cwd=folder)
    (folder / "answers.yml").write_text("license: MIT\n", encoding="utf-8")
    command = [bare, "-B", run_py, "before", "answers.yml", "v1.0.0", "v1.0.0"]
    return run(command, cwd=folder, check=False, XDG_CACHE_HOME=str(cache), HOME=str(cache), **env)


def path_with(tmp_path: Path, *programs: str) -> str:
    """A PATH with these programs only."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in programs:
        program = shutil.which(name)
        assert program
        (folder / name).symlink_to(program)
    return str(folder)


OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "UV_OFFLINE": "1"}


def test_a_bare_copier_needs_nothing_but_git(bare: Path, template: Path, tmp_path: Path) -> None:
    """The hook reads TOML with the standard library from Python 3.11 on, and with the cached tomlkit on 3.10."""
    if sys.version_info < (3, 11):
        done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path_with(tmp_path, "git", "uv"))
        assert done.returncode == 0, done.stderr
        shutil.rmtree(tmp_path / "bin")
    done = bare_copy(bare, template, tmp_path / "two", tmp_path / "cache", PATH=path_with(tmp_path, "git"), **OFFLINE)
    assert done.returncode == 0, done.stderr
    assert 'features = ["abi3-py310"]' in (tmp_path / "two" / "Cargo.toml").read_text(encoding="utf-8")


def test_a_bare_copier_fetches_tomlkit_once(bare: Path, tmp_path: Path) -> None:
    """The pip of another Python on PATH downloads it; after that, no network is needed."""
    with_pip = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    first = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=with_pip)
    assert first.returncode == 0, first.stderr
    assert list((tmp_path / "cache" / "copier-pyo3").glob("tomlkit-*"))
    again = bare_update(bare, tmp_path / "two", tmp_path / "cache", PATH=path_with(tmp_path, "git"), **OFFLINE)
    assert again.returncode == 0, again.stderr


def test_the_fold_gets_tomlkit_when_it_meets_a_value_to_write(bare: Path, project: Path, tmp_path: Path) -> None:
    """The message about a contradiction contains values, which tomlkit writes."""
    fragment(project, "a", '[package]\nedition = "2021"\n')
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path / "cache")}
    done = fold(project, bare, PATH=path_with(tmp_path, "git", "uv"), **cache)
    assert done.returncode == 1
    assert "2021" in done.stderr
    assert list((tmp_path / "cache" / "copier-pyo3").glob("tomlkit-*"))


def damage(cached: Path) -> Iterator[str]:
    """Damage the cache, each time in another way."""
    for file in cached.rglob("*.py"):
        file.unlink()
    yield "files are gone"
    (cached / "tomlkit/items.py").write_bytes((cached / "tomlkit/items.py").read_bytes()[:20_000])
    yield "half a file"
    (cached / "tomlkit/api.py").write_text("raise SystemExit('hostile')\n", encoding="utf-8")
    for record in cached.rglob("RECORD"):
        record.unlink()
    yield "other code"
    (cached / "tomlkit/items").mkdir()
    (cached / "tomlkit/items/__init__.py").write_text("raise SystemExit('hostile')\n", encoding="utf-8")
    yield "one more module"
    shutil.rmtree(cached)
    cached.write_text("a file\n", encoding="utf-8")
    yield "a file in its place"


def test_a_damaged_cache_is_filled_again(bare: Path, tmp_path: Path) -> None:
    path = path_with(tmp_path, "git", "uv")
    done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path)
    (cached,) = (tmp_path / "cache" / "copier-pyo3").glob("tomlkit-*")
    for what in damage(cached):
        done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path)
        assert done.returncode == 0, (what, done.stderr)


def test_an_installer_that_breaks_off_leaves_nothing_to_the_next(bare: Path, tmp_path: Path) -> None:
    """A uv that writes half a package, and one that writes another package and is content."""
    path = path_with(tmp_path, "git", "pip3")
    half = tmp_path / "bin" / "uv"
    for status in (1, 0):
        half.write_text(
            "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ $1 = --target ] && to=$2; shift; done\n"
            f"/bin/mkdir -p $to/tomlkit; echo 'raise SystemExit(9)' > $to/tomlkit/__init__.py; exit {status}\n"
        )
        half.chmod(0o755)
        done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_a_sentence(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/copier-pyo3").write_text("a file", encoding="utf-8")
    done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path_with(tmp_path, "git", "uv"))
    assert done.returncode == 1
    assert "tomlkit cannot be stored in" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_installer_imports_nothing_from_the_project(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for name in ("logging.py", "platformdirs.py", "tomlkit.py", "yaml.py"):
        (tmp_path / "one" / name).write_text("raise SystemExit('imported from the project')\n", encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path)
    assert done.returncode == 0, done.stderr


def test_uv_fetches_it_too(bare: Path, tmp_path: Path) -> None:
    path = path_with(tmp_path, "git", "uv")
    done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "cache" / "copier-pyo3").glob("tomlkit-*"))


@pytest.mark.parametrize("programs", [("git",), ("git", "uv"), ("git", "pip3")])
def test_without_tomlkit_and_network_it_says_what_helps(bare: Path, tmp_path: Path, programs: tuple[str, ...]) -> None:
    done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path_with(tmp_path, *programs), **OFFLINE)
    assert done.returncode != 0
    assert "tomlkit" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "cache").rglob("tomlkit"))
    command = done.stderr.partition("any pip: ")[2]
    assert "--require-hashes" in command
    run([sys.executable, *shlex.split(command)[1:]], cwd=tmp_path)
    shutil.rmtree(tmp_path / "bin")
    done = bare_update(bare, tmp_path / "one", tmp_path / "cache", PATH=path_with(tmp_path, "git"), **OFFLINE)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("installer", ["uv", "pip3"])
def test_a_copy_with_another_hash_is_not_taken(bare: Path, tmp_path: Path, installer: str) -> None:
    """The message names the mismatch, and no command accepts the file."""
    changed = tmp_path / "hooks"
    shutil.copytree(RUN.parent, changed)
    requirement = changed / "copier_pyo3" / "generate" / "tomlkit.txt"
    text = requirement.read_text(encoding="utf-8")
    digest = text.partition("sha256:")[2].split()[0]
    requirement.write_text(text.replace(digest, digest[::-1]), encoding="utf-8")
    path = path_with(tmp_path, "git", installer)
    done = bare_update(bare, tmp_path / "one", tmp_path / "cache", changed / "run.py", PATH=path)
    assert done.returncode == 1
    assert "another hash than the template expects" in done.stderr
    assert "install tomlkit" not in done.stderr
    assert not list((tmp_path / "cache").rglob("tomlkit-*"))
