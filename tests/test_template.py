"""The template: the limits in CONTRIBUTING.md, settings that Copier supports, paths that every system can check out."""

import re
import shutil
from pathlib import Path

import copier
import pytest
import yaml

import pairs
from conftest import ROOT, Render, run, tell

pytestmark = pytest.mark.render

TEMPLATE = ROOT / "template"
FOLDERS = (TEMPLATE, ROOT / "licenses", ROOT / "parts")
FILES = [path for folder in FOLDERS for path in sorted(folder.rglob("*")) if path.is_file()]
# The limit per file does not apply to short files and to license texts, which nobody edits.
COUNTED = [path for path in FILES if path.suffix == ".jinja" and "license" not in path.parent.name]
PART = re.compile(r"\{\{ part\.(\w+) \}\}")


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def control_lines(path: Path) -> int:
    return sum("{%" in line for line in lines(path)) if path.suffix == ".jinja" else 0


def test_control_lines() -> None:
    """At most 10% of a file and 3% of all lines."""
    for path in COUNTED:
        if len(lines(path)) >= 15:
            assert control_lines(path) <= 0.10 * len(lines(path)), path
    counted = [path for path in FILES if "license" not in path.parent.name]
    assert sum(map(control_lines, counted)) <= 0.03 * sum(len(lines(path)) for path in counted)


def test_verbatim_files() -> None:
    files = [path for path in FILES if path.parent.name != "parts"]  # those only exist for their Jinja
    verbatim = [path for path in files if path.suffix != ".jinja"]
    assert len(verbatim) >= 0.55 * len(files)


def test_the_suffix_promises_jinja() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert (path.suffix == ".jinja") == bool(re.search(r"(?<!\$)\{\{|\{%", text)), path
        assert "{% raw" not in text, path


def test_text_is_utf8_with_plain_newlines() -> None:
    for path in FILES:
        content = path.read_bytes()
        content.decode("utf-8")
        assert b"\r" not in content, path
        assert content == b"" or content.endswith(b"\n"), path


def test_paths_can_be_checked_out_everywhere() -> None:
    for path in FILES:
        relative = path.relative_to(ROOT).as_posix()
        assert len(relative) <= 120, relative
        assert not set(relative) & set("\"'<>:|?*\\"), relative
        assert not path.is_symlink(), relative


def test_every_part_is_a_folder_and_every_folder_a_part() -> None:
    part = pairs.settings_and_questions()["part"]["default"]
    declared = re.search(r'set names = "([^"]+)"', part)
    assert declared
    assert set(declared[1].split()) == {name for path in FILES for name in PART.findall(str(path))}


def test_options_are_folders_of_template_itself() -> None:
    """Copier compiles every part of every path twice, or once for disabled options."""
    for path in TEMPLATE.rglob("*"):
        above = path.relative_to(TEMPLATE).parts[:-1]
        assert not any(PART.search(part) for part in [*above, path.name][1:]), path


def test_an_option_that_is_off_is_a_few_entries() -> None:
    """Each of its files and folders takes Copier about 0.25 ms: see docs/benchmarks.md."""
    entries = [1 + sum(1 for _ in option.rglob("*")) for option in TEMPLATE.glob("{{ part.* }}")]
    tell(f"template/: {len(entries)} folders of options, {sum(entries)} entries in them, at most {max(entries)} in one")
    assert max(entries) <= 12
    assert sum(entries) <= 6 * len(entries)


def test_what_is_never_rendered_alone_is_not_in_the_walk() -> None:
    """Included files are outside of template/, except a few lines that an option adds to a common file."""
    for path in TEMPLATE.rglob("*.part"):
        assert len(lines(path)) <= 15, path


def test_copier_knows_every_setting() -> None:
    """Copier ignores unknown settings."""
    source = Path(copier._template.__file__).read_text("utf-8")
    known = set(re.findall(r'_?config(?:_data)?(?:\.get\(|\[)\s*"_?(\w+)"', source))
    assert {"min_copier_version", "tasks", "envops", "subdirectory"} <= known, "Copier's source is read another way now"
    settings = {name[1:] for name in pairs.settings_and_questions() if name.startswith("_")}
    assert settings <= known


def test_copier_knows_every_key_of_a_question() -> None:
    from copier._user_data import Question

    known = set(Question.__dataclass_fields__)
    for name, question in pairs.settings_and_questions().items():
        if not name.startswith("_"):
            assert set(question) <= known, name


def test_every_version_is_used_and_written_once() -> None:
    versions = yaml.safe_load((ROOT / "versions.yml").read_text(encoding="utf-8"))["versions"]["default"]
    everything = "".join(path.read_text(encoding="utf-8") for path in [*FILES, ROOT / "copier.yml"])
    for name, version in versions.items():
        assert f"versions.{name} " in everything, f"{name} is not used"
        assert f'"{version}"' not in everything, f"{name} is written again"


def test_every_pair_of_choices_has_a_case() -> None:
    tell(f"{len(pairs.cases())} cases, {len(pairs.all_pairs())} pairs of choices")
    assert not pairs.missing_pairs()


def test_every_choice_is_built() -> None:
    """Also each license, though of cases that differ only in it, one is built."""
    built = {choice for name in pairs.built() for choice in pairs.flat(pairs.cases()[name]).items()}
    assert {(name, value) for name, values in pairs.choices().items() for value in values} <= built


def test_every_choice_alone_has_a_case() -> None:
    default = pairs.flat({})
    flips = [{name: value} for name, values in pairs.choices().items() for value in values if default[name] != value]
    made = [pairs.flat(answers) for answers in pairs.cases().values()]
    for flip in flips:
        assert default | flip in made, flip
    assert [pairs.cases()[extra] for extra in pairs.extras({})] == [{"extras": [extra]} for extra in pairs.extras({})]


def test_default_project_is_small(render: Render) -> None:
    project = render("default", {})
    files = [path for path in project.rglob("*") if path.is_file()]
    tell(f"default project: {len(files)} files")
    assert len(files) <= 28
    python = [project / "build_backend.py", project / "noxfile.py", project / ".github/release.py"]
    infrastructure = sum(len(lines(path)) for path in python)
    tell(f"default project: {infrastructure} lines of Python infrastructure")
    assert infrastructure <= 610
    assert {path for path in files if path.suffix == ".py" and path.parent in (project, project / ".github")} == {
        *python
    }


def test_rust_sources_of_the_template_are_formatted() -> None:
    """Files without Jinja can be checked and edited in the template. One with a file of the project in it is checked there."""
    if not shutil.which("rustfmt"):
        pytest.skip("rustfmt is not installed")
    sources = [path for path in FILES if path.suffix == ".rs" and "#[path = " not in path.read_text(encoding="utf-8")]
    run(["rustfmt", "--edition", "2024", "--check", *sources], cwd=ROOT)


@pytest.mark.parametrize("name", ["default", "pair-01", "pair-02"])
def test_rendering_is_pure(render: Render, name: str) -> None:
    """The same answers give the same bytes."""
    answers = pairs.cases()[name]
    first, second = (render(name, answers | {"copyright_year": "2026", **again}) for again in ({}, {"more": False}))
    files = [path for path in first.rglob("*") if path.is_file()]
    assert first != second
    assert all(path.read_bytes() == (second / path.relative_to(first)).read_bytes() for path in files)
