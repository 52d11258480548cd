"""Real updates: the result has the user's and the template's changes, and all files parse."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

import small
from conftest import ROOT, run
from edits import CARGO, CHANGES, CI, EDITS, PRE_COMMIT, PYPROJECT, RELEASE, Change, Edit, older_versions
from small import FULL, KILL

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MARKERS = re.compile(rb"^(<<<<<<<|=======$|>>>>>>>)", re.MULTILINE)
ANSWERS = {"project_name": "sample", "copyright_year": "2026", "author_name": "Ada Lovelace"}
CLI = [sys.executable, "-m", "copier_pyo3.cli"]


# --- a template with versions, and projects made from it ---------------------------------------------


def commit(repository: Path, tag: str | None = None) -> None:
    run(["git", "add", "--all"], cwd=repository)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", tag or "change"], cwd=repository)
    if tag:
        run(["git", "tag", tag], cwd=repository)


@pytest.fixture(scope="session")
def versions(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a repository: v1.0.0, and a tag for each change of that version."""
    repository = tmp_path_factory.mktemp("versions") / "template"
    shutil.copytree(template, repository)
    run(["git", "init", "--quiet"], cwd=repository)
    older_versions(repository)
    commit(repository, "v1.0.0")
    for change in CHANGES:
        run(["git", "checkout", "--quiet", "v1.0.0"], cwd=repository)
        change(repository)
        commit(repository, tag(change))
    return repository


def tag(change: Change) -> str:
    return f"v1.{CHANGES.index(change) + 1}.0"


def made(repository: Path, folder: Path, version: str = "v1.0.0", **answers: Any) -> Path:
    """A committed project, created from the template."""
    copier.run_copy(
        str(repository), folder, data=ANSWERS | answers, vcs_ref=version, defaults=True, quiet=True, unsafe=True
    )
    run(["git", "init", "--quiet"], cwd=folder)
    commit(folder)
    return folder


@pytest.fixture(scope="session")
def start(versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(versions, tmp_path_factory.mktemp("start") / "sample")


@pytest.fixture(scope="session")
def fresh(versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The rendering of each new version with the same answers."""
    folder = tmp_path_factory.mktemp("fresh")
    return {change.name: made(versions, folder / change.name / "sample", tag(change)) for change in CHANGES}


@pytest.fixture
def project(start: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(start, tmp_path / "sample"))


def plain_update(project: Path, version: str, **answers: Any) -> None:
    """`copier update --trust --defaults`, in this process."""
    copier.run_update(
        project,
        data=answers,
        vcs_ref=version,
        defaults=True,
        overwrite=True,
        quiet=True,
        unsafe=True,
        skip_answered=True,
    )


def copier_pyo3(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run([*CLI, *arguments], cwd=ROOT, check=False)


# --- lost and missing changes, checked only with the files --------------------------------------------


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def facts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its place; the place of an array item has its name instead of an index."""
    if path.rpartition("dependencies.")[2].isidentifier() and "dependencies." in path and isinstance(value, str):
        value = {"version": value}
    if isinstance(value, dict):
        yield from ((path, "a table"),) if not value else ()
        for key, item in value.items():
            yield from facts(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            name = item if isinstance(item, str) else item.get("name", item.get("module", repr(item)))
            name = re.split(r"[<>=!~;@ ]", name)[0] if "depend" in path or "requires" in path else name
            name = "abi3" if name.startswith("abi3-py3") else name
            yield from facts(item, f"{path}[{name}]")
    else:
        yield path, value


def version(value: Any) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", str(value))]


RENAMED = {".tool.ruff.lint.extend-select[": ".tool.ruff.lint.select["}


def check_manifest(base: Path, ours: Path, theirs: Path, result: Path) -> None:
    """The result has each change of one side; if both sides changed a value, it has the version or ours."""
    old, mine, new, got = (dict(facts(toml(path))) for path in (base, ours, theirs, result))
    for former, name in RENAMED.items():  # the user's edits are under the new name
        if any(place.startswith(name) for place in new):
            old, mine = ({place.replace(former, name): value for place, value in side.items()} for side in (old, mine))
    for place in old.keys() | mine.keys() | new.keys() | got.keys():
        before, user, template, now = (side.get(place) for side in (old, mine, new, got))
        if user == before:
            whole = place.rsplit(".", 1)[0]
            if template is not None and before is not None and whole not in "".join(mine):
                continue  # the user deleted the table around it
            assert now == template, f"{place}: the template's change is missed"
        elif template == before or user == template:
            assert now == user, f"{place}: the user's change is lost"
        elif now != user:
            assert version(template) > version(user), f"{place}: the user's change is lost"
    # The user's comments.
    for line in set(ours.read_text("utf-8").splitlines()) - set(base.read_text("utf-8").splitlines()):
        comment = line.partition("#")[2]
        assert comment in result.read_text("utf-8"), f"the comment {comment!r} is lost"


def check_text(start: Path, edited: Path, fresh: Path, project: Path, path: str) -> None:
    """The lines that the user and the template added exist."""
    old, mine, new, got = (
        (folder / path).read_text("utf-8").splitlines() if (folder / path).exists() else []
        for folder in (start, edited, fresh, project)
    )
    for side in (mine, new):
        lost = [line for line in side if line not in old and line not in got]
        # The higher version is kept, and all items of two lists: see check_lists.
        lost = [line for line in lost if not line.strip().startswith(("rev:", "needs:", "- uses: actions/checkout@"))]
        assert not lost, f"{path}: {lost}"


def check_lists(project: Path, change: Change, edits: set[str]) -> None:
    """Check lists and versions that both sides changed in workflows and hooks."""
    jobs = yaml.safe_load((project / CI).read_text("utf-8"))["jobs"]
    wanted = {"docs"} if "a job that the gate needs" in edits else set()
    wanted |= {"msrv"} if change.name != "small" else set()
    wanted |= {"lint", "typing", "test", "workflows", "deny", "sdist"}
    assert wanted == set(jobs["gate"]["needs"])
    revisions = {
        item["repo"]: item.get("rev") for item in yaml.safe_load((project / PRE_COMMIT).read_text("utf-8"))["repos"]
    }
    ruff = "v0.18.0" if "hooks bumped by a bot" in edits else "v0.17.5"
    assert revisions["https://github.com/astral-sh/ruff-pre-commit"] == ruff
    if "an action bumped by a bot" in edits:
        assert "# v99.0.0" in (project / RELEASE).read_text("utf-8")


def check_files(project: Path) -> None:
    """Every manifest and workflow parses, and no manifest has conflict markers."""
    for path in project.rglob("*"):
        if path.suffix == ".toml":
            assert not MARKERS.search(path.read_bytes()), path
            toml(path)
        elif path.suffix in (".yml", ".yaml"):
            assert not MARKERS.search(path.read_bytes()), path
            yaml.safe_load(path.read_text("utf-8"))
        assert path.suffix != ".rej"


def unmerged(project: Path) -> str:
    return run(["git", "ls-files", "--unmerged"], cwd=project).stdout


# --- the user's edits against the template's changes --------------------------------------------------


def test_there_are_enough_kinds_of_edit() -> None:
    assert len({edit.name for edit in EDITS}) == len(EDITS) >= 40
    assert len(CHANGES) >= 3


@pytest.fixture(scope="session")
def crowds(start: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[Edit], Path]]:
    """The edits in as few projects as possible: edits of the same text need different projects."""
    found: list[tuple[list[Edit], Path]] = []
    for edit in EDITS:
        for edits, folder in found:
            texts = [other.old for other in edits if other.path == edit.path]
            if len(edits) < 8 and not any(old in edit.old or edit.old in old for old in texts if old and edit.old):
                edit(folder)
                edits.append(edit)
                break
        else:
            folder = Path(shutil.copytree(start, tmp_path_factory.mktemp("crowd") / "sample"))
            edit(folder)
            found.append(([edit], folder))
    for _, folder in found:
        commit(folder)
    assert len(found) == CROWDS
    return found


CROWDS = 8


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
@pytest.mark.parametrize("number", range(CROWDS))
def test_edits_survive_an_update(
    number: int,
    change: Change,
    start: Path,
    fresh: Mapping[str, Path],
    crowds: list[tuple[list[Edit], Path]],
    tmp_path: Path,
) -> None:
    edits, edited = crowds[number]
    new = fresh[change.name]
    project = Path(shutil.copytree(edited, tmp_path / "sample"))
    plain_update(project, tag(change))

    print(", ".join(edit.name for edit in edits))
    check_files(project)
    for manifest in (CARGO, PYPROJECT):
        check_manifest(*(folder / manifest for folder in (start, edited, new, project)))
    moved = {"examples/demo.py": "examples/tour.py"} if change.name == "large" else {}
    for path in run(["git", "ls-files"], cwd=new).stdout.splitlines():
        if path not in (CARGO, PYPROJECT, ".copier-answers.yml", *moved.values()):
            check_text(start, edited, new, project, path)
    for edit in edits:
        if edit.path not in (CARGO, PYPROJECT):
            lines = (project / moved.get(edit.path, edit.path)).read_text("utf-8").splitlines()
            lost = [line for line in edit.new.splitlines() if line not in "\n".join(lines)]
            if edit.path in (CI, PRE_COMMIT):
                lost = [line for line in lost if "needs:" not in line]  # a list that both sides added to
            assert not lost, edit.name
            assert edit.path not in moved or not (project / edit.path).exists()
    check_lists(project, change, {edit.name for edit in edits})
    assert not unmerged(project)
    run(["maturin", "build", "--quiet", "--interpreter", sys.executable, "--out", tmp_path / "dist"], cwd=project)
    assert list((tmp_path / "dist").glob("sample-*.whl"))


# --- changes without a rule ----------------------------------------------------------------------------


def test_code_in_conflict_is_left_and_said(versions: Path, project: Path) -> None:
    """If both sides changed the same code: conflict markers, conflict in git's index, and not exit code 0."""
    Edit("code", "src/distance.rs", "let second: Vec<char> =", "let other: Vec<char> =")(project)
    commit(project)
    done = copier_pyo3("update", project, "--vcs-ref", "v1.2.0")
    assert done.returncode == 1
    assert "src/distance.rs: 1 place with conflict markers" in done.stdout
    assert b"<<<<<<< before updating" in (project / "src/distance.rs").read_bytes()
    stages = [line.split()[2] for line in unmerged(project).splitlines()]
    assert stages == ["1", "2", "3"]
    assert run(["git", "worktree", "list"], cwd=project).stdout.count("\n") == 1


def test_the_user_wins_where_no_version_decides(project: Path) -> None:
    Edit("strip", CARGO, "strip = true", 'strip = "debuginfo"')(project)
    commit(project)
    done = copier_pyo3("update", project, "--vcs-ref", "v1.3.0")
    assert done.returncode == 0
    assert "Cargo.toml: profile.release.strip: kept ours" in done.stdout
    assert toml(project / CARGO)["profile"]["release"]["strip"] == "debuginfo"
    assert toml(project / CARGO)["profile"]["release"]["opt-level"] == 3


@pytest.mark.parametrize("plain", [True, False], ids=["copier update", "copier-pyo3 update"])
def test_no_file_is_lost(versions: Path, project: Path, plain: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """Files deleted by one side and edited by the other, moved by the user, added by both, ignored, and binary."""
    Edit("edit of what goes", "CHANGELOG.md", "", "\n- ours\n")(project)
    Edit("edit of what moves", "examples/demo.py", '"version"', '"the version"')(project)
    Edit("added by both", "SECURITY.md", "", "# Our own\n")(project)
    (project / "src/distance.rs").rename(project / "src/statistics.rs")
    (project / "python/sample/py.typed").write_bytes(b"\0binary")
    (project / "tests/test_distance.py").unlink()
    commit(project)
    if plain:
        plain_update(project, "v1.3.0")
        said = capfd.readouterr().err
    else:
        said = copier_pyo3("update", project, "--vcs-ref", "v1.3.0").stdout
    assert "- ours" in (project / "CHANGELOG.md").read_text("utf-8")
    assert "CHANGELOG.md: kept with your edits; the template no longer has it" in said
    assert '"the version"' in (project / "examples/tour.py").read_text("utf-8")
    assert "examples/tour.py: the template moved examples/demo.py here; your edits were kept" in said
    assert "# Our own" in (project / "SECURITY.md").read_text("utf-8")
    assert "SECURITY.md" in said
    assert "The template's own line" in (project / "src/statistics.rs").read_text("utf-8")
    assert not (project / "src/distance.rs").exists()
    assert (project / "python/sample/py.typed").read_bytes() == b"\0binary"
    assert not (project / "tests/test_distance.py").exists()


def test_a_binary_changed_on_both_sides_stays_the_users(versions: Path, tmp_path: Path) -> None:
    repository = Path(shutil.copytree(versions, tmp_path / "template"))
    logo = repository / "template/logo.png"
    for number in (1, 2):
        run(["git", "checkout", "--quiet", "v1.0.0"], cwd=repository)
        logo.write_bytes(b"\x89PNG\0" + bytes([number]))
        commit(repository, f"v2.{number}.0")
    project = made(repository, tmp_path / "sample", "v2.1.0")
    (project / "logo.png").write_bytes(b"\x89PNG\0ours")
    commit(project)
    done = copier_pyo3("update", project, "--vcs-ref", "v2.2.0")
    assert (project / "logo.png").read_bytes() == b"\x89PNG\0ours"
    assert "logo.png: kept your version of this binary file; the template also changed it" in done.stdout


def test_what_cannot_be_merged_by_meaning_says_why(project: Path) -> None:
    """An invalid manifest, or YAML with anchors: git's merge, and the reason."""
    Edit("broken", PYPROJECT, "[tool.mypy]", "[tool.mypy")(project)
    Edit("anchors", ".pre-commit-config.yaml", "rev: v0.17.4", "rev: &ruff v0.17.4 # for two")(project)
    commit(project)
    done = copier_pyo3("update", project, "--vcs-ref", "v1.2.0")
    assert done.returncode == 1
    assert "pyproject.toml: not merged structurally (the file is not valid TOML" in done.stdout
    assert (
        ".pre-commit-config.yaml: not merged structurally (the change touches a YAML anchor, alias or tag)"
        in done.stdout
    )
    assert "[tool.mypy\n" in (project / PYPROJECT).read_text("utf-8")


def test_a_version_that_the_user_raised_is_never_taken_back(start: Path, project: Path, versions: Path) -> None:
    """The user raised every version in the manifests, and the template raises them less."""
    for name in (CARGO, PYPROJECT):
        path = project / name
        text = re.sub(
            r'("|>=|==)(\d+)\.(\d+)((?:\.\d+)*(?:\.\*)?)(?=[",])',
            lambda v: f"{v[1]}{v[2]}.{int(v[3]) + 50}{v[4]}",
            path.read_text("utf-8"),
        )
        path.write_text(text, encoding="utf-8")
    commit(project)
    before = {name: toml(project / name) for name in (CARGO, PYPROJECT)}
    plain_update(project, "v1.1.0")
    assert toml(project / CARGO) == before[CARGO]
    assert before[CARGO]["dependencies"]["pyo3"]["version"] == "0.80"
    pyproject = toml(project / PYPROJECT)
    for table in ("build-system", "dependency-groups"):
        assert pyproject[table] == before[PYPROJECT][table]
    assert before[PYPROJECT]["build-system"]["requires"] == ["maturin>=1.65,<2"]


def test_line_endings_of_the_user_stay(project: Path) -> None:
    path = project / PYPROJECT
    run(["git", "config", "core.autocrlf", "false"], cwd=project)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    commit(project)
    plain_update(project, "v1.2.0")
    assert b"\r\n" in path.read_bytes()
    assert not re.search(rb"(?<!\r)\n", path.read_bytes())
    assert "pyright" in toml(path)["tool"]


def test_line_endings_of_the_work_tree_stay(project: Path) -> None:
    """If git writes CRLF to the work tree, the update does too."""
    Edit("attributes", ".gitattributes", "", "* text=auto eol=crlf\n")(project)
    Edit("a dependency", CARGO, "[dependencies]\n", '[dependencies]\nitoa = "1"\n')(project)
    commit(project)
    names = run(["git", "ls-files"], cwd=project).stdout.split()
    for name in names:
        (project / name).unlink()
    run(["git", "checkout", "--quiet", "."], cwd=project)
    assert b"\r\n" in (project / CARGO).read_bytes()
    assert copier_pyo3("update", project, "--vcs-ref", "v1.2.0").returncode == 0
    for name in (CARGO, CI, "src/distance.rs"):
        assert not re.search(rb"(?<!\r)\n", (project / name).read_bytes()), name
    assert toml(project / CARGO)["dependencies"].keys() == {"itoa", "pyo3", "memchr"}


def test_a_file_that_git_filters_is_kept_as_it_is_used(versions: Path, tmp_path: Path) -> None:
    """Like with git-lfs, the contents in the repository and in the work tree differ."""
    repository = Path(shutil.copytree(versions, tmp_path / "template"))
    for number in (1, 2):
        run(["git", "checkout", "--quiet", "v1.0.0"], cwd=repository)
        (repository / "template/logo.svg").write_text(f"<svg>{number}</svg>\n", encoding="utf-8")
        commit(repository, f"v2.{number}.0")
    project = made(repository, tmp_path / "sample", "v2.1.0")
    run(["git", "config", "filter.rot.clean", "tr a-z n-za-m"], cwd=project)
    run(["git", "config", "filter.rot.smudge", "tr a-z n-za-m"], cwd=project)
    Edit("attributes", ".gitattributes", "", "*.svg filter=rot\n")(project)
    run(["git", "add", "--renormalize", "."], cwd=project)
    commit(project)
    assert "<fit>" in run(["git", "show", "HEAD:logo.svg"], cwd=project).stdout
    plain_update(project, "v2.2.0")
    assert (project / "logo.svg").read_text("utf-8") == "<svg>2</svg>\n"
    assert not unmerged(project)


def test_a_project_that_is_reached_by_a_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    assert copier_pyo3("update", tmp_path / "link", "--vcs-ref", "v1.1.0").returncode == 0


def test_what_was_wrong_before_is_not_told_as_the_updates_doing(project: Path) -> None:
    Edit("for a test", "tests/data/bad.toml", "", "a = \n")(project)
    commit(project)
    done = copier_pyo3("update", project, "--vcs-ref", "v1.1.0")
    assert done.returncode == 0, done.stdout
    assert "bad.toml" not in done.stdout


def test_hooks_of_the_user_do_not_run_in_the_updates_own_work_tree(project: Path) -> None:
    hook = project / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    assert copier_pyo3("update", project, "--vcs-ref", "v1.1.0").returncode == 0


def test_a_project_in_a_folder_of_a_larger_repository(versions: Path, start: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(start, tmp_path / "mono/python/sample", ignore=shutil.ignore_patterns(".git")))
    Edit("strip", CARGO, "[dependencies]\n", '[dependencies]\nitoa = "1"\n')(project)
    Edit("code", "src/distance.rs", "let second: Vec<char> =", "let other: Vec<char> =")(project)
    (tmp_path / "mono/README.md").write_text("all of it\n", encoding="utf-8")
    run(["git", "init", "--quiet"], cwd=tmp_path / "mono")
    commit(tmp_path / "mono")
    done = copier_pyo3("update", project, "--vcs-ref", "v1.2.0")
    assert done.returncode == 1, done.stderr
    assert toml(project / CARGO)["dependencies"].keys() == {"itoa", "pyo3", "memchr"}
    assert unmerged(project).endswith("\tsrc/distance.rs\n")
    assert sorted(path.name for path in (tmp_path / "mono").iterdir()) == [".git", "README.md", "python"]


# --- resolve -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def versions_without_migration(versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same template without the migration, with only Copier's merge."""
    repository = tmp_path_factory.mktemp("bare") / "template"
    run(["git", "clone", "--quiet", versions, repository], cwd=ROOT)
    for tag_name in ("v1.0.0", "v1.2.0"):
        run(["git", "checkout", "--quiet", tag_name], cwd=repository)
        path = repository / "copier.yml"
        text = re.sub(r"\n_migrations:\n(  .*\n)+", "\n", path.read_text("utf-8"))
        path.write_text(text, encoding="utf-8")
        commit(repository)
        run(["git", "tag", "--force", tag_name], cwd=repository)
    return repository


@pytest.fixture
def conflicted(versions_without_migration: Path, tmp_path: Path) -> Path:
    """A project with Copier's conflict markers in the manifests."""
    project = made(versions_without_migration, tmp_path / "sample")
    Edit("pyo3", CARGO, '"abi3-py310"', '"abi3-py310", "multiple-pymethods"')(project)
    Edit("maturin", PYPROJECT, '"maturin>=1.15,<2"', '"maturin>=1.15,<2", "numpy"')(project)
    commit(project)
    plain_update(project, "v1.2.0")
    assert {line.rpartition("\t")[2] for line in unmerged(project).splitlines()} == {CARGO, PYPROJECT}
    return project


@pytest.mark.parametrize("committed", [False, True], ids=["in the index", "committed by a bot"])
def test_resolve(conflicted: Path, committed: bool) -> None:
    if committed:
        commit(conflicted)
        Edit("work went on", "README.md", "", "More.\n")(conflicted)
        commit(conflicted)
    done = copier_pyo3("resolve", conflicted)
    assert done.returncode == 0, done.stdout + done.stderr
    check_files(conflicted)
    pyo3 = toml(conflicted / CARGO)["dependencies"]["pyo3"]
    assert pyo3["version"] == "0.30.1"
    assert "multiple-pymethods" in pyo3["features"]
    assert toml(conflicted / PYPROJECT)["build-system"]["requires"] == ["maturin>=1.16,<2", "numpy"]
    assert not unmerged(conflicted)
    assert "Nothing left" in copier_pyo3("resolve", conflicted).stdout


def test_resolve_leaves_what_was_edited_since(conflicted: Path) -> None:
    commit(conflicted)
    Edit("by hand", CARGO, "", "# half done\n")(conflicted)
    commit(conflicted)
    done = copier_pyo3("resolve", conflicted)
    assert done.returncode == 1
    assert "Cargo.toml: edited since the update" in done.stdout
    assert "# half done" in (conflicted / CARGO).read_text("utf-8")
    toml(conflicted / PYPROJECT)


def test_resolve_leaves_what_was_edited_before_the_commit(conflicted: Path) -> None:
    """Files that were edited by hand, with a committed and with an uncommitted update."""
    Edit("by hand", CARGO, "", "# half done\n")(conflicted)
    for _ in range(2):
        done = copier_pyo3("resolve", conflicted)
        assert done.returncode == 1
        assert "Cargo.toml: edited since the update" in done.stdout
        assert "# half done" in (conflicted / CARGO).read_text("utf-8")
        commit(conflicted)
        Edit("by hand again", CARGO, "", "# more\n")(conflicted)
    assert "# more" in (conflicted / CARGO).read_text("utf-8")
    toml(conflicted / PYPROJECT)


def test_resolve_keeps_out_of_a_merge_of_branches(project: Path) -> None:
    """The conflict is not from the update, but there was an update before."""
    Edit("ours", CARGO, "strip = true", 'strip = "symbols"')(project)
    commit(project)
    run(["git", "branch", "other", "HEAD~1"], cwd=project)
    plain_update(project, "v1.1.0")
    commit(project)
    run(["git", "checkout", "--quiet", "other"], cwd=project)
    Edit("theirs", CARGO, "strip = true", "strip = false")(project)
    commit(project)
    run(["git", "checkout", "--quiet", "-"], cwd=project)
    run(["git", "merge", "--quiet", "other"], cwd=project, check=False)
    before = state(project), unmerged(project)
    assert CARGO in before[1]
    done = copier_pyo3("resolve", project)
    assert done.returncode == 1
    assert "git has conflicts that are not from an update (Cargo.toml)" in done.stderr
    assert (state(project), unmerged(project)) == before


# --- merge ---------------------------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path: Path) -> Path:
    texts = {"base": 'a = "1.0"\nb = 1\n', "ours": 'a = "1.0" # mine\nb = 1\n', "theirs": 'a = "1.1"\nb = 1\n'}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def merge(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run([*CLI, "merge", "base", "ours", "theirs", "--name", "x.toml", *options], cwd=folder, check=False)


def test_merge_writes_to_ours_or_to_out(three: Path) -> None:
    assert merge(three, "-o", "out").returncode == 0
    assert (three / "ours").read_text("utf-8") == 'a = "1.0" # mine\nb = 1\n'
    assert (three / "out").read_text("utf-8") == 'a = "1.1" # mine\nb = 1\n'
    assert merge(three).returncode == 0
    assert (three / "ours").read_text("utf-8") == (three / "out").read_text("utf-8")


def test_merge_tells_each_decision(three: Path) -> None:
    (three / "ours").write_text('a = "1.0"\nb = 2\n', encoding="utf-8")
    (three / "theirs").write_text('a = "1.0"\nb = 3\n', encoding="utf-8")
    strict = merge(three, "--strict", "-o", "out")
    assert strict.returncode == 1
    assert "<<<<<<< ours" in (three / "out").read_text("utf-8")
    done = merge(three)
    assert done.returncode == 0
    assert "x.toml: b: kept ours (the file has 2, the template 3)" in done.stderr
    assert (three / "ours").read_text("utf-8") == 'a = "1.0"\nb = 2\n'


def test_merge_refuses_what_it_cannot_read(three: Path) -> None:
    (three / "theirs").write_text("a = \n", encoding="utf-8")
    done = merge(three)
    assert done.returncode == 2
    assert (three / "ours").read_text("utf-8") == 'a = "1.0" # mine\nb = 1\n'
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    (three / "base").unlink()
    assert merge(three).returncode == 2


def test_merge_leaves_markers_in_other_text(three: Path) -> None:
    (three / "ours").write_text('a = "1.2"\nb = 1\n', encoding="utf-8")
    done = run([*CLI, "merge", "base", "ours", "theirs", "--name", "x.txt"], cwd=three, check=False)
    assert done.returncode == 1
    assert "<<<<<<< ours" in (three / "ours").read_text("utf-8")


def test_merge_is_a_driver_of_git(start: Path, project: Path) -> None:
    """Two branches that git alone cannot merge."""
    driver = f'"{sys.executable}" -m copier_pyo3.cli merge --strict --name %P %O %A %B'
    run(["git", "config", "merge.copier-pyo3.driver", driver], cwd=project)
    Edit("attributes", ".gitattributes", "", "*.toml merge=copier-pyo3\n")(project)
    commit(project)
    run(["git", "checkout", "--quiet", "-b", "other"], cwd=project)
    Edit("theirs", CARGO, '"abi3-py310"', '"abi3-py310", "num-bigint"')(project)
    commit(project)
    run(["git", "checkout", "--quiet", "-"], cwd=project)
    Edit("ours", CARGO, '"abi3-py310"', '"abi3-py310", "multiple-pymethods"')(project)
    commit(project)
    run(["git", "merge", "--quiet", "other"], cwd=project)
    assert {"num-bigint", "multiple-pymethods"} <= set(toml(project / CARGO)["dependencies"]["pyo3"]["features"])


# --- interruptions -------------------------------------------------------------------------------------


def state(project: Path) -> dict[str, bytes]:
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(project).parts
    }


def broken_off(script: str, project: Path, name: str, at: int) -> subprocess.CompletedProcess[str]:
    return small.broken_off(script, name, at, "update", project, "--vcs-ref", "v1.3.0")


@pytest.fixture(scope="session")
def updated(start: Path, versions: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The result of an update without interruptions."""
    project = Path(shutil.copytree(start, tmp_path_factory.mktemp("updated") / "sample"))
    assert copier_pyo3("update", project, "--vcs-ref", "v1.3.0").returncode == 0
    return state(project)


@pytest.mark.parametrize(
    ("name", "at"),
    [("_run_copier", 1), ("_plan", 1), ("move_in", 1), ("_move", 1), ("_move", 4), ("discard", 3)],
)
def test_a_killed_update_is_finished_by_the_next(
    project: Path, updated: Mapping[str, bytes], name: str, at: int
) -> None:
    before = state(project)
    assert broken_off(KILL, project, name, at).returncode == 9
    if name in ("_run_copier", "_plan", "move_in") or at == 1:
        assert state(project) == before
    if name == "discard":
        assert state(project) == updated
    assert copier_pyo3("update", project, "--vcs-ref", "v1.3.0").returncode == 0
    assert state(project) == updated
    assert not (project / ".git/copier-pyo3").exists()
    assert run(["git", "worktree", "list"], cwd=project).stdout.count("\n") == 1


def test_an_update_that_was_broken_off_and_undone_starts_anew(project: Path, updated: Mapping[str, bytes]) -> None:
    broken_off(KILL, project, "_move", 4)
    run(["git", "restore", "."], cwd=project)
    run(["git", "clean", "--quiet", "--force", "-d"], cwd=project)
    done = copier_pyo3("update", project, "--vcs-ref", "v1.3.0")
    assert done.returncode == 0
    assert "interrupted" not in done.stdout
    assert state(project) == updated


@pytest.mark.parametrize("path", [CARGO, "CHANGELOG.md", ".copier-answers.yml"])
def test_what_was_edited_after_an_update_was_broken_off_stays(
    project: Path, updated: Mapping[str, bytes], path: str
) -> None:
    """A file that was not moved yet, one to be deleted, and the last one."""
    broken_off(KILL, project, "_move", 3)
    Edit("since", path, "", "# since\n")(project)
    before = state(project)
    done = copier_pyo3("update", project, "--vcs-ref", "v1.3.0")
    assert done.returncode == 1
    assert f"an update was interrupted, and {path} was changed since" in done.stderr
    assert state(project) == before
    run(["git", "stash", "--quiet", "--include-untracked"], cwd=project)
    assert copier_pyo3("update", project, "--vcs-ref", "v1.3.0").returncode == 0
    assert state(project) == updated


def test_an_update_of_another_project_of_the_repository_is_not_taken_for_this_one(start: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(start, tmp_path / name, ignore=shutil.ignore_patterns(".git"))
    run(["git", "init", "--quiet"], cwd=tmp_path)
    commit(tmp_path)
    broken_off(KILL, tmp_path / "one", "_move", 3)
    before = state(tmp_path / "two")
    done = copier_pyo3("update", tmp_path / "two", "--vcs-ref", "v1.3.0")
    assert done.returncode == 1
    assert 'an update of "one/" in this repository was interrupted' in done.stderr
    assert state(tmp_path / "two") == before


def test_two_updates_at_once(project: Path, updated: Mapping[str, bytes]) -> None:
    first = subprocess.Popen([*CLI, "update", str(project), "--vcs-ref", "v1.3.0"], stdout=subprocess.DEVNULL)
    while not (project / ".git/copier-pyo3").exists() and first.poll() is None:
        time.sleep(0.01)
    second = copier_pyo3("update", project, "--vcs-ref", "v1.3.0")
    assert second.returncode == 1
    assert "another update is running in this repository" in second.stderr
    assert first.wait() == 0
    assert state(project) == updated


@pytest.mark.parametrize(("name", "at"), [("_plan", 1), ("_move", 1), ("_move", 4)])
def test_a_full_disk_leaves_the_project_as_it_was(project: Path, name: str, at: int) -> None:
    """Simulated: the call fails like on a full disk."""
    before = state(project)
    done = broken_off(FULL, project, name, at)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "The project is unchanged" in done.stderr
    assert "Traceback" not in done.stderr
    assert state(project) == before
    assert run(["git", "status", "--porcelain"], cwd=project).stdout == ""


def test_a_killed_copier_leaves_the_project_as_it_was(
    project: Path, versions: Path, updated: Mapping[str, bytes], tmp_path: Path
) -> None:
    """The process is killed at different times during the run."""
    before = state(project)
    for seconds in (0.8, 1.6, 2.4, 3.2):
        running = subprocess.Popen([*CLI, "update", str(project), "--vcs-ref", "v1.3.0"], stdout=subprocess.DEVNULL)
        try:
            running.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        assert state(project) in (before, updated) or (project / ".git/copier-pyo3/plan.json").exists()
    assert copier_pyo3("update", project, "--vcs-ref", "v1.3.0").returncode in (0, 1)
    assert state(project) == updated


def test_an_update_killed_while_git_makes_the_work_tree(project: Path, updated: Mapping[str, bytes]) -> None:
    """Until a work tree is complete, git locks it; then `git worktree prune` keeps it."""
    broken_off(KILL, project, "_plan", 1)
    (made,) = (project / ".git/worktrees").iterdir()
    (made / "locked").write_text("initializing", encoding="utf-8")
    assert copier_pyo3("update", project, "--vcs-ref", "v1.3.0").returncode == 0
    assert state(project) == updated
    assert not (project / ".git/worktrees").exists()


def test_a_read_only_file_is_updated(project: Path, updated: Mapping[str, bytes]) -> None:
    """Git and Copier replace such files too; the mode is kept."""
    (project / CARGO).chmod(0o444)
    assert copier_pyo3("update", project, "--vcs-ref", "v1.3.0").returncode == 0
    assert state(project) == updated


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda project: (project / "new.txt").write_text("x"), "uncommitted changes"),
        (lambda project: (project / ".copier-answers.yml").unlink(), "there is no .copier-answers.yml"),
        (lambda project: (project / ".copier-answers.yml").write_text("a: 1\n"), "has no _src_path or no _commit"),
        (lambda project: shutil.rmtree(project / ".git"), "not in a git repository"),
        (lambda project: shutil.rmtree(project), "is not a folder"),
    ],
)
def test_what_stands_in_the_way_is_said_in_one_sentence(project: Path, spoil: Any, says: str) -> None:
    spoil(project)
    done = copier_pyo3("update", project)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("profilng=true", 'there is no question "profilng": did you mean profiling?'),
        ("free_threading=flase", "free_threading is true or false"),
        ("features=numpy", "write a list, such as features=[numpy]"),
        ("author_email=me", "write an address such as me@example.org"),
    ],
)
def test_an_answer_that_is_refused_changes_nothing(project: Path, data: str, says: str) -> None:
    before = state(project)
    done = copier_pyo3("update", project, "--vcs-ref", "v1.1.0", "--data", data)
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.endswith("The project is unchanged.\n")
    assert len(done.stderr.splitlines()) == 1
    assert state(project) == before
    assert run(["git", "status", "--porcelain"], cwd=project).stdout == ""


def test_a_home_that_is_out_of_reach_is_named(project: Path) -> None:
    home = "https://127.0.0.1:1/nobody/template.git"
    path = project / ".copier-answers.yml"
    path.write_text(re.sub("(?m)^_src_path: .*$", f"_src_path: {home}", path.read_text("utf-8")), encoding="utf-8")
    commit(project)
    done = copier_pyo3("update", project)
    assert done.returncode == 1
    assert f"cannot reach the template {home} (fatal: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_from_a_hook_of_git(project: Path) -> None:
    """Git sets variables with its repository for hooks."""
    names = {"GIT_DIR": str(project / ".git"), "GIT_INDEX_FILE": str(project / ".git/index")}
    done = run([*CLI, "update", project, "--vcs-ref", "v1.1.0"], cwd=ROOT, check=False, **names)
    assert done.returncode == 0, done.stderr
    assert "0.30.1" in (project / CARGO).read_text("utf-8")


# --- other answers ---------------------------------------------------------------------------------------

OURS = [
    edit
    for edit in EDITS
    if edit.name
    in {
        "a dependency by hand", "a feature of pyo3", "a comment above a dependency", "lints", "a dependency group",
        "a classifier", "a link", "longer lines", "mypy's overrides", "code", "a line of README", "a hook of pre-commit",
        "a step", "a job", "a test",
    }
]  # fmt: skip
SWITCHES: list[dict[str, Any]] = [
    {"kind": "extension"},
    {"build_backend": "setuptools-rust", "wheel_builder": "cibuildwheel"},
    {"profiling": True},
    {"abi3": False},
    {"min_python": f"3.{sys.version_info.minor}"},  # the newest that this interpreter can check
    {"min_python": "3.9"},
    {"free_threading": True},
    {"features": ["numpy"]},
    {"features": ["parallel"]},
    {"license": "Apache-2.0"},
    {"publish_to": "none"},
    {"dependency_updates": "renovate"},
    {"wheel_builder": "cibuildwheel"},
    {"version_source": "git-tag"},
    {"profiling": True, "features": ["numpy", "parallel"], "free_threading": True},
]


def data_of(project: Path) -> dict[str, Any]:
    """The data of the manifests."""
    return {str(path.relative_to(project)): dict(facts(toml(path))) for path in sorted(project.rglob("*.toml"))}


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: ",".join(f"{k}={v}" for k, v in switch.items()))
def test_an_answer_switched_there_and_back(
    versions: Path, start: Path, project: Path, tmp_path: Path, switch: dict[str, Any]
) -> None:
    """The project is as if created with that answer, and then returns to its previous state, always with the edits."""
    for edit in OURS:
        edit(project)
    commit(project)
    edited = Path(shutil.copytree(project, tmp_path / "edited"))
    plain_update(project, "v1.0.0", **switch)
    switched = made(versions, tmp_path / "switched" / "sample", **switch)
    check_files(project)
    assert not unmerged(project)
    for manifest in (CARGO, PYPROJECT):
        check_manifest(*(folder / manifest for folder in (start, edited, switched, project)))
    files = set(run(["git", "ls-files"], cwd=switched).stdout.splitlines())
    assert all((project / path).is_file() for path in files)
    for edit in OURS:
        if edit.path not in (CARGO, PYPROJECT):
            assert edit.new.strip() in (project / edit.path).read_text("utf-8"), edit.name
    run(["cargo", "check", "--quiet", "--workspace", "--all-targets"], cwd=project, PYO3_PYTHON=sys.executable)

    commit(project)
    plain_update(project, "v1.0.0", **{name: default_of(name) for name in switch})
    check_files(project)
    assert not unmerged(project)
    assert data_of(project) == data_of(edited)
    assert state(project).keys() - {"Cargo.lock"} == state(edited).keys()


def default_of(name: str) -> Any:
    return {"kind": "mixed", "build_backend": "maturin", "min_python": "3.10", "license": "MIT", "publish_to": "pypi",
            "dependency_updates": "dependabot", "wheel_builder": "maturin", "version_source": "cargo", "abi3": True,
            "features": []}.get(name, False)  # fmt: skip
