"""Creates each project in docs/examples.md, runs its commands, and looks for the files that the page names."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, Render, run
from pairs import ANSWERS
from test_recipes import apply

SECTIONS = dict(part.split("\n", 1) for part in (ROOT / "docs/examples.md").read_text("utf-8").split("\n## ")[1:])
BLOCK = r"^```{}\n(.*?)^```$"
SEED = [
    *("basic", "python and rust", "cross-compilation", "ci pipelines", "private distribution", "features"),
    *("versions", "manylinux", "platform-specific", "advanced"),
]


def slug(title: str) -> str:
    """The name of the answers file."""
    return title.lower().replace(" ", "-")


def block(language: str, section: str) -> str:
    """The one code block of this language."""
    (found,) = re.findall(BLOCK.format(language), section, re.MULTILINE | re.DOTALL)
    return str(found)


def steps(console: str) -> list[tuple[list[str], list[str]]]:
    """The commands, with the patterns of the lines that they print: … is any text."""
    found: list[tuple[list[str], list[str]]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append((shlex.split(line[2:]), []))
        else:
            found[-1][1].append(re.escape(line).replace("…", ".*"))
    return found


def test_the_page_has_each_example_of_the_guide() -> None:
    """The list is that of the guide S in docs/older-guides.md."""
    assert len(SECTIONS) == len(SEED)
    files = {path.stem: path.read_text(encoding="utf-8") for path in (ANSWERS / "examples").glob("*.yml")}
    assert files == {slug(title): block("yaml", section) for title, section in SECTIONS.items()}
    for word, title in zip(SEED, SECTIONS, strict=True):
        assert word in title.lower()


@pytest.mark.system("ten examples", built="each example as its page says", ran="the commands on the page: examples.md")
@pytest.mark.system(
    "CARGO_FEATURE_PARALLEL",
    built="a wheel without default features",
    ran="it is not needed: Cargo sets `cfg(feature)`",
)
@pytest.mark.parametrize("title", SECTIONS)
def test_example(title: str, render: Render) -> None:
    section = SECTIONS[title]
    project = render("my-extension", yaml.safe_load(block("yaml", section)))
    run(["git", "init", "--quiet", "-b", "main"], cwd=project)
    apply(section, project, "mixed")
    run(["git", "add", "."], cwd=project)
    said = ""
    for command, patterns in steps(block("console", section)):
        done = run(command, cwd=project)
        said = done.stdout + done.stderr
        lines = iter(said.splitlines())
        for pattern in patterns:
            assert any(re.fullmatch(pattern, line) for line in lines), f"{command}: no {pattern}\n{said}"
        if command[0] == "ls":
            assert len(done.stdout.split()) == len(patterns), done.stdout
    if "The last command prints nothing" in section:
        assert said == ""
    names = re.findall(r"`([\w./-]+\.(?:rs|py|pyi|toml|yml))`", section.rpartition("\nLook at ")[2])
    assert names
    for name in names:
        assert Path(project, name).is_file(), name
