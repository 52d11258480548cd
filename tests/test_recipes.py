"""Applies the code of all recipes in docs/recipes.md to new projects, and runs their checks."""

import re
from pathlib import Path

import pytest

from conftest import ROOT, Render, run
from test_stubs import nox, stub

PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
RECIPES = PAGE.split("\n## ")[1:]
BLOCK = re.compile(r"^`([^`]+)`, ([^\n]+):\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = re.compile(r"In `(\S+)`, add ([^.]+?) to the import from `\._core`")


def put(path: Path, where: str, code: str) -> None:
    """Do what the line above a block describes."""
    if where == "a new file":
        assert not path.exists(), path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    if where == "inside `mod _core`":
        end = text.index("\n}\n", text.index("pub mod _core"))
        text = f"{text[: end + 1]}\n{code}{text[end + 1 :]}"
    elif where == "beside the other `mod` lines":
        lines = re.findall(r"^(?:pub )?mod \w+;\n", text, re.MULTILINE)
        ordered = sorted([*lines, code], key=lambda line: line.removeprefix("pub "))
        text = text.replace("".join(lines), "".join(ordered))
    elif where == "at the end":
        text = f"{text}\n{code}"
    else:
        header = where.removeprefix("below `").removesuffix("`")
        assert where == f"below `{header}`"
        assert f"{header}\n" in text
        text = text.replace(f"{header}\n", f"{header}\n{code}", 1)
    path.write_text(text, encoding="utf-8")


def export(path: Path, names: list[str]) -> None:
    """Add names to the import from ._core and to __all__; ruff sorts them."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"from \._core import \(?", rf"\g<0>{', '.join(names)}, ", text)
    text = text.replace("__all__ = [\n", "__all__ = [\n" + "".join(f'    "{name}",\n' for name in names))
    path.write_text(text, encoding="utf-8")
    run(["ruff", "check", "--quiet", "--fix", path], cwd=path.parent)
    run(["ruff", "format", "--quiet", path], cwd=path.parent)


def apply(recipe: str, project: Path, kind: str) -> None:
    """Edit the project like a reader of the page."""
    for path, where, code in BLOCK.findall(recipe):
        if kind == "extension" and path.endswith(".pyi"):
            path = str(stub(project).relative_to(project))
        put(project / path, where, code)
    for command in re.findall(r"^```sh\n(.+?)^```$", recipe, re.MULTILINE | re.DOTALL):
        run(["sh", "-ec", command], cwd=project)
    for path, names in NAMES.findall(recipe):
        if kind == "mixed":
            export(project / path, re.findall(r"`(\w+)`", names))
    for package in re.findall(r"add `(\w+)` to\s+`additional_dependencies`", recipe):
        config = project / ".pre-commit-config.yaml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[nox, ", f"[nox, {package}, "), encoding="utf-8")


def test_the_page_has_every_recipe() -> None:
    wanted = "function class submodule exception buffers optional call rust python command data second"
    titles = [recipe.partition("\n")[0].lower() for recipe in RECIPES]
    assert len(titles) == 12
    for word, title in zip(wanted.split(), titles, strict=True):
        assert word in title


@pytest.mark.parametrize("kind", ["mixed", "extension"])
def test_recipes(render: Render, kind: str) -> None:
    """Apply all recipes, then build once. min_python is the one that the recipe for buffers requires."""
    project = render("my-extension", {"kind": kind, "min_python": "3.11"})
    for recipe in RECIPES:
        if "needs `build_backend=setuptools-rust`" in recipe:
            continue
        if kind == "mixed" or not re.search(r"^`python/\S+\.py`", recipe, re.MULTILINE):
            apply(recipe, project, kind)
    nox(project, "stubs")
    written = stub(project).read_text(encoding="utf-8")
    assert "class TooLong(ValueError): ...  # by hand" in written
    assert '"TooLong", "' in written.replace("\n    ", " ")
    assert "import collections.abc\n" in written
    assert 'def padded(text: str, width: SupportsIndex | None = None, *, fill: str = " ") -> str:' in written
    nox(project, "stubs")
    assert stub(project).read_text(encoding="utf-8") == written
    run(["cargo", "fmt", "--all", "--check"], cwd=project)
    run(["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], cwd=project)
    run(["ruff", "check", "--no-cache", "."], cwd=project)
    run(["ruff", "format", "--no-cache", "--check", "."], cwd=project)
    said = run(["uv", "run", "--group", "typing", "pytest"], cwd=project).stdout
    assert int(re.findall(r"(\d+) passed", said)[0]) > 30
    run(["uv", "run", "mypy"], cwd=project)
    run(["uv", "run", "stubtest", "my_extension"], cwd=project)
    if kind == "mixed":
        assert run(["uv", "run", "my-extension", "kitten", "sitting"], cwd=project).stdout == "3\n"
        forgotten(project)


def forgotten(project: Path) -> None:
    """The errors on the page: a name is missing in __init__.py, or _core is used as a package."""
    package = project / "python/my_extension/__init__.py"
    text = package.read_text(encoding="utf-8")
    package.write_text(re.sub(r"^ +(shout|\"shout\"),\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    said = run(["uv", "run", "pytest", "tests/test_package.py"], cwd=project, check=False).stdout
    assert re.search(r"1 failed, \d+ passed", said), said
    assert "shout" in said
    package.write_text(text, encoding="utf-8")
    asked = "from my_extension._core.voice import whisper"
    done = run(["uv", "run", "python", "-c", asked], cwd=project, check=False)
    told = re.findall(r"^ModuleNotFoundError: .+", PAGE, re.MULTILINE)
    assert told == [done.stderr.splitlines()[-1]]


@pytest.mark.system(
    "setuptools-rust",
    built="editable install, sdist, wheel from the sdist, with a data file and two native modules",
    ran="the project's tests with the editable install and with the wheel",
)
def test_recipes_of_setuptools_rust(render: Render, tmp_path: Path) -> None:
    """A data file and a second native module, in an editable install, the sdist, and the wheel that is built from it."""
    project = render("my-extension", {"build_backend": "setuptools-rust", "min_python": "3.11"})
    for recipe in RECIPES[-2:]:
        apply(recipe, project, "mixed")
    for name, old, new in (
        ("build_backend.py", '"profiling", ', '"profiling", "second", '),
        ("MANIFEST.in", "graft src\n", "graft src\ngraft second\n"),
        (
            "pyproject.toml",
            '  { file = "build.rs" },\n',
            '  { file = "build.rs" },\n  { file = "second/src/**/*.rs" },\n',
        ),
    ):
        text = (project / name).read_text(encoding="utf-8")
        assert old in text
        (project / name).write_text(text.replace(old, new), encoding="utf-8")
    run(["git", "init", "--quiet"], cwd=project)
    run(["cargo", "generate-lockfile"], cwd=project)
    run(["git", "add", "--all"], cwd=project)
    run(["uv", "run", "pytest", "tests/test_pairs.py", "tests/test_second.py"], cwd=project)
    lib = project / "second/src/lib.rs"
    lib.write_text(lib.read_text(encoding="utf-8").replace(".rev()", ".skip(1)"), encoding="utf-8")
    asked = "from my_extension._second import reverse; print(reverse('abc'))"
    assert run(["uv", "run", "python", "-c", asked], cwd=project).stdout == "bc\n"
    run(["uv", "build", "--quiet", "--out-dir", tmp_path], cwd=project)
    (wheel,) = tmp_path.glob("*-abi3-*.whl")
    run(["uv", "venv", "--quiet", tmp_path / "venv"], cwd=tmp_path)
    run(["uv", "pip", "install", "--quiet", "--python", tmp_path / "venv", wheel], cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    assert run([python, "-c", asked], cwd=tmp_path).stdout == "bc\n"
    asked = "from my_extension.pairs import pairs; print(pairs())"
    assert run([python, "-c", asked], cwd=tmp_path).stdout == "[('kitten', 'sitting')]\n"
