"""Builds the page in docs/start/ into a folder that any static host serves: python tools/page.py [OUT].

The template is that of the last commit. Needs Node.js, npm, and git.
"""

import argparse
import hashlib
import io
import json
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import tomlkit
from filelock import FileLock

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "hooks"))

from copier_pyo3.errors import UserError
from copier_pyo3.generate.organization import NONE, read_organization
from copier_pyo3.project.home import as_copier, without_password

WORK: Final = ROOT / "build" / "page-work"
PAGE: Final = ROOT / "docs" / "start"
TEMPLATE: Final = ("copier.yml", "versions.yml", "names.yml", "template/", "licenses/", "parts/")
HOOK: Final = tuple(
    f"hooks/copier_pyo3/{name}" for name in ("errors.py", "__init__.py", "generate/", "merge/", "project/")
)
OLDER: Final = 10  # versions whose files the page has, to show what an update changes
# The tags of Pyodide 314, and of any Linux: the packages without a wheel for Pyodide have the same in Python.
TAGS: Final = ["pyemscripten_2026_0_wasm32", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
UNUSED: Final = ("pydantic/v1/", "plumbum/cli/", "copier/_cli.py")  # large, and of no use here


def main() -> int:
    """Build the page. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "build" / "page")
    parser.add_argument("--source", type=Path, default=ROOT, help="the repository of the template")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    with FileLock(WORK / "lock"):
        build(options.source, options.out.resolve())
    if git(options.source, "status", "--porcelain", "--", *TEMPLATE, "hooks"):
        print("The page has the template of the last commit, without your changes.")
    print(f"Built {options.out}. Try it: python3 -m http.server --directory {shlex.quote(str(options.out))}")
    return 0


def build(source: Path, out: Path) -> None:
    """Build the page from a repository of the template into a folder, which is emptied first."""
    installed, wanted = PAGE / "node_modules/.package-lock.json", PAGE / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < wanted.stat().st_mtime:
        run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=PAGE)
    listed = PAGE / "wheels.txt"
    wheels = WORK / f"wheels-{hashlib.sha256(listed.read_bytes()).hexdigest()[:12]}"
    tags = [argument for tag in TAGS for argument in ("--platform", tag)]
    needs = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(listed), "--dest", str(wheels)]
    python = ["--python-version=3.14", "--implementation=cp", "--abi=cp314", "--abi=none"]
    run(sys.executable, "-m", "pip", "download", "--quiet", *needs, *python, *tags, cwd=ROOT)
    pack_files(source, pack_packages(wheels, source))
    shutil.rmtree(out, ignore_errors=True)
    run("node", "build.mjs", str(WORK), str(out), cwd=PAGE)


def pack_packages(wheels: Path, source: Path) -> list[tuple[str, bytes]]:
    """Put the Python files into one archive. Returns the names and contents of the files that cannot be in an archive."""
    native = []
    with zipfile.ZipFile(WORK / "packages.zip", "w") as archive:
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as files:
                for name in files.namelist():
                    if name.startswith("pydantic_core/"):
                        native.append((f"lib/python3.14/site-packages/{name}", files.read(name)))
                    elif name.endswith((".py", "/METADATA")) and not name.startswith(UNUSED):
                        archive.writestr(name, files.read(name))
        for name, content, _ in tracked(source, "HEAD", HOOK):
            archive.writestr(name.removeprefix("hooks/"), content)
        archive.write(PAGE / "engine.py", "engine.py")
    return native


def pack_files(source: Path, native: list[tuple[str, bytes]]) -> None:
    """Put the template, its address, and its version into one archive, and each older version into one."""
    told = about(source)
    with zipfile.ZipFile(WORK / "files.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content, executable in tracked(source, "HEAD", TEMPLATE):
            add(archive, f"template/{name}", content, executable)
        for name, content in native:
            add(archive, name, content)
        add(archive, "build.json", json.dumps(told).encode())
    for version in told["versions"]:
        with zipfile.ZipFile(WORK / f"{version}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content, executable in tracked(source, version, (*TEMPLATE, *HOOK)):
                add(archive, f"older/{version}/{name}", content, executable)


def about(source: Path) -> dict[str, Any]:
    """The address and version of the template, and the answers of the organization, if there are any."""
    project = tomlkit.parse((source / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["project"]
    (version,) = git(source, "describe", "--tags", "--always")
    tags = git(source, "tag", "--merged", "HEAD", "--sort=-version:refname", "--list", "v[0-9]*")
    older = [tag for tag in tags if tag != version][:OLDER]
    address = without_password(as_copier(project["urls"]["Repository"]))
    file = source / "organization.yml"
    own = read_organization(str(file)) if file.is_file() else NONE
    if own.layer:
        raise UserError(f"{file} has a layer, which the page cannot add to a project: remove it, or build no page.")
    answers = {"locked": dict(own.locked), "defaults": dict(own.defaults)}
    return {
        "address": address,
        "version": version,
        "versions": older,
        "organization": own.name and file.name,
        **answers,
    }


def tracked(source: Path, version: str, paths: tuple[str, ...]) -> Iterator[tuple[str, bytes, bool]]:
    """The name and content of each file below the paths in a version, and whether it is executable."""
    archive = subprocess.check_output(["git", "-c", "core.autocrlf=false", "archive", version], cwd=source)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            if member.name.startswith(paths) and (content := files.extractfile(member)):
                yield member.name, content.read(), bool(member.mode & 0o100)


def git(source: Path, *arguments: str) -> list[str]:
    """The lines of git's output."""
    return subprocess.check_output(["git", *arguments], cwd=source, encoding="utf-8").splitlines()


def add(archive: zipfile.ZipFile, name: str, content: bytes, executable: bool = False) -> None:
    """Add a file. It has no date, so that two builds are equal."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (0o100755 if executable else 0o100644) << 16
    archive.writestr(info, content, zipfile.ZIP_DEFLATED)


def run(command: str, *arguments: str, cwd: Path) -> None:
    """Run a command, and stop if it fails, below its output."""
    program = shutil.which(command)  # npm is npm.cmd on Windows
    if not program:
        raise UserError(f"{command} is not installed: install it, for example with `python3 dev.py tools`.")
    if code := subprocess.run([program, *arguments], cwd=cwd, check=False).returncode:
        raise UserError(f"`{Path(command).name} {arguments[0]}` failed ({code}): see above.")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"page.py: {error}")
