"""What a release is made of, and how each part of it is built, checked and tested.

The workflows beside this file and the nox sessions wheels, sdist, release and doctor run it, so
what passes here passes there. pyproject.toml says which platforms get a wheel, in [tool.release],
and by its classifiers which Pythons; the features of pyo3 in Cargo.toml say for which ABI.
"""

from __future__ import annotations

import argparse
import datetime
import difflib
import importlib
import json
import os
import platform as host
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib  # type: ignore[import-not-found, no-redef]

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
ON_CI = os.environ.get("CI") == "true"

# Where each wheel is built; Rust's target; the end of its file name, with the oldest system that it
# serves (when maturin builds it, when cibuildwheel does); the container to test it in where the
# runner is of another kind.
TABLE = """
linux-x86_64  ubuntu-24.04     x86_64-unknown-linux-gnu      x86_64  2_17  2_28   -
linux-aarch64 ubuntu-24.04-arm aarch64-unknown-linux-gnu     aarch64 2_17  2_28   -
linux-armv7   ubuntu-24.04     armv7-unknown-linux-gnueabihf armv7l  2_17  2_31   linux/arm/v7
linux-i686    ubuntu-24.04     i686-unknown-linux-gnu        i686    2_17  2_28   linux/386
linux-ppc64le ubuntu-24.04     powerpc64le-unknown-linux-gnu ppc64le 2_28  2_28   linux/ppc64le
linux-s390x   ubuntu-24.04     s390x-unknown-linux-gnu       s390x   2_17  2_28   linux/s390x
linux-riscv64 ubuntu-24.04     riscv64gc-unknown-linux-gnu   riscv64 2_31  2_39   linux/riscv64
musl-x86_64   ubuntu-24.04     x86_64-unknown-linux-musl     x86_64  1_2   1_2    linux/amd64
musl-aarch64  ubuntu-24.04-arm aarch64-unknown-linux-musl    aarch64 1_2   1_2    linux/arm64
macos-x86_64  macos-15-intel   x86_64-apple-darwin           x86_64  10_12 11_0   -
macos-arm64   macos-15         aarch64-apple-darwin          arm64   11_0  11_0   -
windows-x64   windows-2025     x86_64-pc-windows-msvc        amd64   -     -      -
windows-x86   windows-2025     i686-pc-windows-msvc          32      -     -      -
windows-arm64 windows-11-arm   aarch64-pc-windows-msvc       arm64   -     -      -
pyodide       ubuntu-24.04     wasm32-unknown-emscripten     wasm32  -     2026_0 -
"""

FREE_THREADED = "3.14"  # its free-threaded wheel serves this version alone
ABI3T = "3.15"  # the first with a stable ABI that free-threaded Python has too
PYODIDE = "3.14"  # the Python that the Pyodide above has

# The versions that SemVer and PEP 440 both know. One from git has more behind it between tags.
VERSION = re.compile(
    r"((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*))"
    r"(?:-(dev|alpha|beta|rc)\.(0|[1-9]\d*))?(\+[a-z0-9.]+)?"
)
PHASES = {"dev": ".dev", "alpha": "a", "beta": "b", "rc": "rc"}


class Refused(Exception):
    """What is wrong and what helps, in a sentence for the user."""


@dataclass(frozen=True)
class Platform:
    """One row of the table."""

    name: str
    runner: str
    target: str
    arch: str
    maturin: str
    cibuildwheel: str
    container: str

    @property
    def system(self) -> str:
        return self.name.partition("-")[0]

    def has(self, python: str) -> bool:
        """Whether there is such a Python to test with, from uv or in a container."""
        if self.system == "pyodide":
            return python == PYODIDE
        if self.name == "windows-arm64":
            return numbers(python.rstrip("t")) >= (3, 11)
        return not (self.name == "linux-i686" and python.endswith("t"))

    def request(self, python: str) -> str:
        """What uv calls this Python: on Windows it would take that of another processor."""
        arch = {"windows-x86": "x86", "windows-arm64": "aarch64"}.get(self.name)
        return f"cpython-{python}-windows-{arch}" if arch else python

    @property
    def emulated(self) -> bool:
        return self.container in ("linux/arm/v7", "linux/ppc64le", "linux/s390x", "linux/riscv64")

    def tag(self, builder: str) -> str:
        """The last part of the wheel's file name."""
        prefix = {"linux": "manylinux", "musl": "musllinux", "macos": "macosx", "windows": "win"}
        oldest = self.maturin if builder == "maturin" else self.cibuildwheel
        if self.system == "windows":
            return "win32" if self.arch == "32" else f"win_{self.arch}"
        tag = f"{prefix.get(self.system, 'pyemscripten')}_{oldest}_{self.arch}"
        # maturin puts the older name of this one before it
        return f"manylinux2014_{self.arch}.{tag}" if tag.startswith("manylinux_2_17") else tag


PLATFORMS = {row.split()[0]: Platform(*row.split()) for row in TABLE.strip().splitlines()}


@dataclass(frozen=True)
class Abi:
    """One wheel of each platform: its tag, the Python to build it with, those to test it on."""

    tag: str
    python: str
    tested: tuple[str, ...]
    features: tuple[str, ...] = ()


class Project:
    """What the project's own files say."""

    def __init__(self) -> None:
        self.pyproject = load_toml("pyproject.toml")
        self.cargo = load_toml("Cargo.toml")
        release = self.pyproject["tool"]["release"]
        if unknown := set(release["platforms"]) - set(PLATFORMS):
            raise Refused(
                f"[tool.release] in pyproject.toml names unknown platforms: "
                f"{', '.join(sorted(unknown))}. Known are {', '.join(PLATFORMS)}."
            )
        self.platforms = [PLATFORMS[name] for name in release["platforms"]]
        self.wheel_builder: str = release["builder"]
        self.maturin = "maturin" in self.pyproject["tool"]
        self.crate: str = self.cargo["package"]["name"]
        self.name = re.sub(r"[-_.]+", "_", self.pyproject["project"]["name"]).lower()
        self.from_git = self.pyproject["build-system"]["build-backend"] == "version_from_git"
        self.version: str = (
            version_from_git().version() if self.from_git else self.cargo["package"]["version"]
        )
        if not VERSION.fullmatch(self.version):
            raise Refused(f"the version {self.version} {WRONG_VERSION}")

    @property
    def pythons(self) -> list[str]:
        """Every Python that the classifiers name, the oldest first."""
        classifier = re.compile(r"Programming Language :: Python :: 3\.(\d+)")
        matches = map(classifier.fullmatch, self.pyproject["project"]["classifiers"])
        return [f"3.{minor}" for minor in sorted(int(match[1]) for match in matches if match)]

    @property
    def free_threading(self) -> bool:
        classifiers = self.pyproject["project"]["classifiers"]
        return any(":: Free Threading" in classifier for classifier in classifiers)

    @property
    def abi3(self) -> str:
        """The oldest Python of the abi3 wheel, "" where each Python has a wheel of its own."""
        pyo3 = self.cargo["dependencies"]["pyo3"]
        features = pyo3.get("features", []) if isinstance(pyo3, dict) else []
        matches = (re.fullmatch(r"abi3-py3(\d+)", feature) for feature in features)
        return next((f"3.{match[1]}" for match in matches if match), "")

    def builder(self, platform: Platform) -> str:
        return "cibuildwheel" if platform.system == "pyodide" else self.wheel_builder

    def abis(self, platform: Platform) -> list[Abi]:
        """The wheels of one platform, each an invocation of its own: in one, they go wrong."""
        pythons = [python for python in self.pythons if platform.has(python)]
        if self.abi3:
            tested = tuple(dict.fromkeys([pythons[0], pythons[-1]]))
            abis = [Abi(f"{tag(self.abi3)}-abi3", pythons[0], tested)]
        else:
            abis = [Abi(f"{tag(python)}-{tag(python)}", python, (python,)) for python in pythons]
        if self.free_threading and platform.system != "pyodide":
            only = f"{FREE_THREADED}t"
            abis += [
                Abi(f"{tag(FREE_THREADED)}-{tag(only)}", only, (only,)),
                Abi(f"{tag(ABI3T)}-abi3.abi3t", ABI3T, (ABI3T, f"{ABI3T}t"), ("pyo3/abi3t",)),
            ]
        return abis

    def wheel(self, platform: Platform, abi: Abi) -> str:
        last = platform.tag(self.builder(platform))
        return f"{self.name}-{pep440(self.version)}-{abi.tag}-{last}.whl"

    def sdist(self) -> str:
        return f"{self.name}-{pep440(self.version)}.tar.gz"

    def files(self) -> list[str]:
        """Every file of the release, and no other."""
        wheels = (self.wheel(each, abi) for each in self.platforms for abi in self.abis(each))
        return sorted([self.sdist(), *wheels])

    def stamped(self) -> AbstractContextManager[None]:
        """The tag's version in Cargo.toml, for maturin's command line: it skips the backend."""
        return version_from_git().stamped() if self.from_git else nullcontext()


# --- what the workflows ask ----------------------------------------------------------------------


def ci() -> None:
    """Tell ci.yml where to test: oldest, newest, free-threaded Python, each system released for."""
    project = Project()
    pythons = [project.pythons[0], project.pythons[-1]]
    if project.free_threading:
        pythons.append(f"{FREE_THREADED}t")
    jobs = [{"runner": "ubuntu-24.04", "python": python} for python in dict.fromkeys(pythons)]
    newest = project.pythons[-1]
    others = {
        each.runner: newest if each.name == "windows-x86" else each.request(newest)
        for each in project.platforms
        if each.system in ("macos", "windows")
    }
    jobs += [{"runner": runner, "python": python} for runner, python in sorted(others.items())]
    output(tests=json.dumps(jobs))


def plan(pushed_tag: str) -> None:
    """Check that tag, version, changelog and lock agree; tell release.yml what to build."""
    project = Project()
    notes = changelog_section(project.version)
    if pushed_tag and pushed_tag != f"v{project.version}":
        raise Refused(f"the tag is {pushed_tag}, the version {project.version}: they differ.")
    if pushed_tag and not notes:
        raise Refused(f"CHANGELOG.md has no section [{project.version}], or nothing in it.")
    if "+" in project.version:
        raise Refused(f"{project.version} is no release: start this workflow on a tag.")
    check_lock()
    platforms = [
        {"platform": each.name, "runner": each.runner, "emulated": each.emulated}
        for each in project.platforms
    ]
    indexes = project.pyproject["tool"].get("uv", {}).get("index", [])
    targets = [index["publish-url"] for index in indexes if "publish-url" in index]
    output(
        version=project.version,
        prerelease=json.dumps("-" in project.version),
        notes=notes,
        platforms=json.dumps(platforms),
        files="\n".join(project.files()),
        index=targets[0] if targets else "",
    )


def output(**values: str) -> None:
    """Set the outputs of a step; on a developer's machine, show them."""
    lines = [f"{name}<<END-OF-VALUE\n{value}\nEND-OF-VALUE\n" for name, value in values.items()]
    if path := os.environ.get("GITHUB_OUTPUT"):
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(lines)
    print("".join(f"{name}: {value}\n" for name, value in values.items()), end="")


def changelog_section(version: str) -> str:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    pattern = rf"^## \[{re.escape(version)}\].*\n((?:(?!## ).*\n?)*)"
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else ""


def check_lock() -> None:
    try:
        run("cargo", "tree", "--locked", "--quiet", "--depth=0", quiet=True)
    except subprocess.CalledProcessError:
        raise Refused("Cargo.lock is not up to date: run `cargo update --workspace`.") from None


# --- building ------------------------------------------------------------------------------------


def wheels(names: list[str]) -> None:
    """Build, check and test the wheels of these platforms; for none named, of all that can be."""
    project = Project()
    unknown = set(names) - set(PLATFORMS)
    if unknown:
        raise Refused(f"unknown: {', '.join(sorted(unknown))}. Known are {', '.join(PLATFORMS)}.")
    built = False
    for platform in [PLATFORMS[name] for name in names] or project.platforms:
        obstacle = why_not(project, platform)
        if obstacle and names:
            raise Refused(f"{platform.name} cannot be built here: {obstacle}.")
        if obstacle:
            print(f"{platform.name}: left out, {obstacle}", flush=True)
            continue
        built = True
        by_maturin = project.builder(platform) == "maturin"
        for abi in project.abis(platform):
            wheel = DIST / project.wheel(platform, abi)
            wheel.unlink(missing_ok=True)
            if by_maturin:
                with project.stamped():
                    build_by_maturin(platform, abi)
            else:
                build_by_cibuildwheel(platform, abi)
            check(project, wheel, abi)
            for python in abi.tested if by_maturin else left_to_test(abi):
                test(wheel, python, platform)
    if not built:
        raise Refused("this machine can build none of the platforms in [tool.release].")


def why_not(project: Project, platform: Platform) -> str:
    """What stands against building for this platform here, "" for nothing."""
    if project.builder(platform) == "cibuildwheel":
        if platform.system == "macos" and sys.platform != "darwin":
            return "cibuildwheel needs macOS for it"
        if platform.system == "windows" and sys.platform != "win32":
            return "cibuildwheel needs Windows for it"
        if platform.system in ("linux", "musl") and not docker():
            return "cibuildwheel needs Docker for it, and no Docker answers"
        return ""
    if platform.system == "windows" and sys.platform != "win32":
        return "it needs Windows"
    if platform.target not in installed_targets():
        if not ON_CI:
            return f"Rust's target is missing: rustup target add {platform.target}"
        run("rustup", "target", "add", platform.target)
    return ""


def installed_targets() -> list[str]:
    if not shutil.which("rustup"):
        return []
    return run("rustup", "target", "list", "--installed", quiet=True).split()


def build_by_maturin(platform: Platform, abi: Abi) -> None:
    command = ["maturin", "build", "--release", "--locked", "--out", str(DIST)]
    command += ["--target", platform.target, "--interpreter", f"python{abi.python}"]
    if abi.features:
        command += ["--features", ",".join(abi.features)]
    if platform.system in ("linux", "musl"):  # zig links against the oldest libc that is asked for
        libc = "manylinux" if platform.system == "linux" else "musllinux"
        command += ["--zig", "--compatibility", f"{libc}_{platform.maturin}"]
    elif platform.system == "macos" and sys.platform != "darwin":
        command.append("--zig")
    run(*command)


def build_by_cibuildwheel(platform: Platform, abi: Abi) -> None:
    """Its settings stand in pyproject.toml; the choice of the wheel is made here."""
    environment = {"CIBW_BUILD": " ".join(identifiers(platform, abi))}
    if abi.features:
        environment["CIBW_CONFIG_SETTINGS"] = f"build-args=--features={','.join(abi.features)}"
    if platform.system == "pyodide":  # it brings Emscripten, but not the Rust that fits it
        pyodide = ["uvx", "--python", PYODIDE, "--from", "pyodide-build", "pyodide"]
        toolchain = run(*pyodide, "config", "get", "rust_toolchain", quiet=True).strip()
        run("rustup", "toolchain", "install", toolchain, "--target", platform.target)
        environment["RUSTUP_TOOLCHAIN"] = toolchain
    system = "linux" if platform.system == "musl" else platform.system
    command = ["cibuildwheel", "--platform", system, "--archs", "all", "--output-dir", str(DIST)]
    run(*command, env=environment)


def identifiers(platform: Platform, abi: Abi) -> list[str]:
    """What cibuildwheel calls this wheel, and the later Pythons that it tests an abi3 wheel on."""
    suffix = re.sub(r"_[\d_]+_", "_", platform.tag("cibuildwheel"))
    suffix = suffix.replace("pyemscripten", "pyodide")
    pythons = [python for python in abi.tested if python not in left_to_test(abi)]
    return [f"{tag(python)}-{suffix}" for python in dict.fromkeys([abi.python, *pythons])]


def left_to_test(abi: Abi) -> list[str]:
    """The Pythons that cibuildwheel cannot test on: it would build the abi3t wheel once more."""
    return [python for python in abi.tested if python.endswith("t") and python != abi.python]


def check(project: Project, wheel: Path, abi: Abi) -> None:
    """The wheel has the name that the release expects, the ABI that it promises, and an SBOM."""
    if not wheel.exists():
        found = "\n  ".join(sorted(path.name for path in DIST.glob("*.whl"))) or "none"
        raise Refused(f"the build did not make {wheel.name}. Wheels in {DIST.name}/:\n  {found}")
    known = "abi3t" not in abi.tag and not wheel.stem.endswith("wasm32")
    if "abi3" in abi.tag and known:  # abi3audit knows neither abi3t nor WebAssembly
        run("abi3audit", "--strict", str(wheel))
    if project.maturin:  # setuptools-rust writes none
        with zipfile.ZipFile(wheel) as archive:
            if not any(".dist-info/sboms/" in name for name in archive.namelist()):
                raise Refused(f"{wheel.name} has no SBOM.")


def sdist() -> None:
    """Build the sdist; from what is in it alone, and locked, a wheel; and test that one."""
    project = Project()
    check_lock()
    here = [python for python in project.pythons if ON_CI or installed(python)]
    python = (here or project.pythons)[-1]
    run("uv", "build", "--sdist", "--python", python, "--out-dir", str(DIST))
    archive = DIST / project.sdist()
    if not archive.exists():
        raise Refused(f"the build did not make {archive.name}.")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as file:
            built = [name for name in file.getnames() if name.endswith((".so", ".pyd", ".whl"))]
            if built:
                raise Refused(f"{archive.name} holds what was built before: {', '.join(built)}.")
            file.extractall(folder, filter="data")
        unpacked = Path(folder, archive.name.removesuffix(".tar.gz"))
        lock = (unpacked / "Cargo.lock").read_bytes()
        run("cargo", "fetch", "--locked", cwd=unpacked)
        command = ["uv", "build", "--wheel", "--python", python, "--out-dir", folder]
        run(*command, cwd=unpacked, env={"CARGO_NET_OFFLINE": "true"})
        if lock != (unpacked / "Cargo.lock").read_bytes():
            raise Refused("the build changed the Cargo.lock in the sdist.")
        (wheel,) = Path(folder).glob("*.whl")
        test(wheel, python, None)


# --- testing -------------------------------------------------------------------------------------


def test(wheel: Path, python: str, platform: Platform | None) -> None:
    """Install the wheel into a fresh environment, on a machine of its kind, and run the tests."""
    if platform and not platform.has(python):
        print(f"{wheel.name}: not tested on {python}, neither uv nor an image has it", flush=True)
        return
    container = platform.container if platform else "-"
    request = platform.request(python) if platform else python
    obstacle = ""
    if container != "-":
        obstacle = "" if docker() else f"that takes a {container} container, and no Docker answers"
    elif platform and not native(platform):
        obstacle = f"this is not {platform.name}"
    elif not ON_CI and not installed(request):
        obstacle = "it is not installed"
    if obstacle and ON_CI:
        raise Refused(f"{wheel.name} cannot be tested on {python}: {obstacle}.")
    if obstacle:
        print(f"{wheel.name}: not tested on {python}, {obstacle}", flush=True)
    elif container == "-":
        with tempfile.TemporaryDirectory() as folder:
            for command in test_commands(wheel, request, folder):
                run(*command)
    else:
        system = "alpine" if platform and platform.system == "musl" else "slim"
        image = f"python:{python.rstrip('t')}-{system}"  # uv has not each Python for each processor
        steps = [["pip", "install", "--quiet", "uv"], *test_commands(wheel, python, "/venv")]
        script = " && ".join(shlex.join(step) for step in steps)
        mount = f"{ROOT}:{ROOT}:ro"
        options = ["--rm", "--platform", container, "--volume", mount, "--workdir", str(ROOT)]
        run("docker", "run", *options, image, "sh", "-c", script)


def test_commands(wheel: Path, python: str, folder: str) -> list[list[str]]:
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    return [
        ["uv", "venv", "--quiet", "--clear", "--python", python, folder],
        ["uv", "pip", "install", "--quiet", "--python", folder, "--group", "test", str(wheel)],
        [str(Path(folder, scripts, "python")), "-B", "-m", "pytest", "-p", "no:cacheprovider"],
    ]


def native(platform: Platform) -> bool:
    systems = {"linux": "linux", "darwin": "macos", "win32": "windows"}
    machine = host.machine().lower()
    runs = {"amd64": ("amd64", "32")}.get(machine, (machine,))
    return systems.get(sys.platform) == platform.system and platform.arch in runs


def docker() -> bool:
    return succeeds("docker", "info")


def installed(python: str) -> bool:
    return succeeds("uv", "python", "find", python)


# --- the next version ----------------------------------------------------------------------------


def prepare(version: str, dry_run: bool) -> None:
    """Set the version in Cargo.toml and Cargo.lock, write the changelog, commit, tag."""
    project = Project()
    if not VERSION.fullmatch(version) or "+" in version:
        raise Refused(f"{version} {WRONG_VERSION}")
    if run("git", "status", "--porcelain", quiet=True):
        raise Refused("files have changed since the last commit (git status): commit them first.")
    if run("git", "tag", "--list", f"v{version}", quiet=True):
        raise Refused(f"the tag v{version} exists: a released version is never released again.")
    if not succeeds("git", "symbolic-ref", "--quiet", "HEAD"):
        raise Refused("HEAD is on no branch, so there is none to push: git switch to one first.")
    if order(version) < order(project.version):
        raise Refused(f"{version} is before {project.version}, the version so far.")
    check_lock()
    new = {"CHANGELOG.md": changelog_with(version)}
    if not project.from_git:
        new["Cargo.toml"] = replaced(r'(?m)(^version = ")[^"]*', version, "Cargo.toml")
        lock = rf'(name = "{re.escape(project.crate)}"\nversion = ")[^"]*'
        new["Cargo.lock"] = replaced(lock, version, "Cargo.lock")
    old = {name: (ROOT / name).read_bytes() for name in new}
    for name, text in new.items():
        before = (ROOT / name).read_text(encoding="utf-8").splitlines(keepends=True)
        after = text.splitlines(keepends=True)
        sys.stdout.writelines(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))
    if dry_run:
        print(f"Nothing was changed. Without --dry-run: one commit, and the tag v{version}.")
        return
    head = run("git", "rev-parse", "HEAD", quiet=True).strip()
    try:
        for name, text in new.items():
            ends = "\r\n" if b"\r\n" in old[name] else "\n"  # as Windows may have them
            (ROOT / name).write_bytes(text.replace("\n", ends).encode("utf-8"))
        check_lock()
        run("git", "commit", "--quiet", f"--message=chore(release): {version}", "--", *new)
        run("git", "tag", "--annotate", f"v{version}", f"--message={project.name} {version}")
    except BaseException:  # nothing is left half done
        for name, content in old.items():
            (ROOT / name).write_bytes(content)
        run("git", "reset", "--quiet", head)
        raise
    print(f"v{version} is ready. To release it:\n\n    git push --atomic origin HEAD v{version}")


def changelog_with(version: str) -> str:
    """The changelog with a section of this version: the notes under Unreleased, then commits."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if f"\n## [{version}]" in text:
        raise Refused(f"CHANGELOG.md has a section [{version}] already.")
    entries = f"{changelog_section('Unreleased')}\n\n{commits_since_the_last_release()}".strip()
    if not entries:
        raise Refused("nothing has happened since the last release.")
    unreleased = "## [Unreleased]\n"
    section = f"## [{version}] - {datetime.date.today()}\n\n{entries}\n"
    if unreleased not in text:
        raise Refused("CHANGELOG.md has no line `## [Unreleased]`: the new section goes below it.")
    before, _, after = text.partition(unreleased)
    releases = after[match.start() :] if (match := re.search(r"^## ", after, re.MULTILINE)) else ""
    return f"{before}{unreleased}\n{section}" + (f"\n{releases}" if releases else "")


def commits_since_the_last_release() -> str:
    """Their first lines, in the groups of [tool.git-cliff] in pyproject.toml."""
    options = ["--config", "pyproject.toml", "--unreleased", "--context"]
    groups: dict[str, list[str]] = {}
    for release in json.loads(run("git-cliff", *options, quiet=True)):
        for commit in release["commits"]:
            line = commit["message"].splitlines()[0]
            breaking = "**Breaking:** " if commit.get("breaking") else ""
            groups.setdefault(commit["group"], []).append(
                f"- {breaking}{line[:1].upper()}{line[1:]}"
            )
    return "\n\n".join("\n".join([f"### {group}\n", *groups[group]]) for group in sorted(groups))


def replaced(pattern: str, version: str, name: str) -> str:
    old = (ROOT / name).read_text(encoding="utf-8")
    text, count = re.subn(pattern, rf"\g<1>{version}", old, count=1)
    if not count:
        raise Refused(f"{name} has no version to set.")
    return text


# --- the machine ---------------------------------------------------------------------------------


def doctor() -> None:
    """Tell what the nox sessions need, whether it is here, and how to get what is not."""
    project = Project()
    oldest: str = project.cargo["package"]["rust-version"]
    rust = run("rustc", "--version", quiet=True).split()[1] if shutil.which("rustc") else "0"
    new_enough = numbers(rust.partition("-")[0]) >= numbers(oldest)
    libraries = Path(sysconfig.get_config_var("LIBDIR") or sys.base_prefix)
    libpython = list(libraries.glob("python3*.dll" if sys.platform == "win32" else "libpython3*"))
    compiler = "cl" if sys.platform == "win32" else "cc"
    needed = [
        (f"Rust {oldest} or later", new_enough, "rustup update stable (rustup is at rustup.rs)"),
        ("rustfmt", succeeds("cargo", "fmt", "--version"), "rustup component add rustfmt"),
        ("clippy", succeeds("cargo", "clippy", "--version"), "rustup component add clippy"),
        ("git", succeeds("git", "--version"), "apt install git, brew install git or git-scm.com"),
        (
            "a C compiler, to link",
            bool(shutil.which(compiler)) or sys.platform == "win32",
            "apt install gcc, or xcode-select --install",
        ),
        (
            "libpython, for cargo test",
            bool(libpython),
            "apt install libpython3-dev, or uv's Python",
        ),
    ]
    tests = [
        (
            f"Python {python}",
            installed(python),
            f"uv python install {python}",
        )
        for python in project.pythons
    ]
    docker_help = "start it, or leave this to the release workflow"
    tests.append(("Docker, for other Linux wheels", docker(), docker_help))
    targets = installed_targets()
    by_maturin = [each for each in project.platforms if project.builder(each) == "maturin"]
    wheels = [
        (f"the target of {each.name}", each.target in targets, f"rustup target add {each.target}")
        for each in by_maturin
        if each.system in ("linux", "musl", "macos") or sys.platform == "win32"
    ]
    missing = 0
    titles = {"needed": needed, "to test more": tests, "to build more": wheels}
    for title, checks in titles.items():
        if checks:
            print(f"{title}:")
        for name, found, help_ in checks:
            missing += title == "needed" and not found
            print(f"  [{'x' if found else ' '}] {name}" + ("" if found else f": {help_}"))
    if by_maturin:
        print("zig, for the wheels of other processors, comes with `nox -s wheels`.")
    if missing:
        raise Refused(f"{missing} of what is needed is missing.")


# --- versions and commands -----------------------------------------------------------------------

WRONG_VERSION = (
    "is not a version that Cargo and Python read alike: write X.Y.Z, or X.Y.Z-rc.1 for a "
    "prerelease, with rc, beta, alpha or dev."
)


def pep440(version: str) -> str:
    """As Python writes it: 1.2.0-rc.1 is 1.2.0rc1."""
    found = VERSION.fullmatch(version)
    assert found, "checked before"
    release, phase, number, local = found.groups("")
    return release + (PHASES[phase] + number if phase else "") + local


def order(version: str) -> tuple[tuple[int, ...], int, int]:
    found = VERSION.fullmatch(version)
    assert found, "checked before"
    release, phase, number, _ = found.groups()
    place = [*PHASES, None].index(phase)
    return numbers(release), place, int(number or 0)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def tag(python: str) -> str:
    return f"cp{python.replace('.', '')}"


def load_toml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / name).read_text(encoding="utf-8"))
    return content


def version_from_git() -> Any:
    """The build backend of a project whose version comes from the git tag."""
    sys.path.insert(0, str(ROOT))
    return importlib.import_module("version_from_git")


def run(
    *command: str, quiet: bool = False, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> str:
    """Run a command and stop if it fails; show it and what it says, or return what it says."""
    if not quiet:
        print(f"$ {shlex.join(command)}", flush=True)
    result = subprocess.run(
        command,
        check=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE if quiet else None,
        encoding="utf-8",
    )
    return result.stdout or ""


def succeeds(*command: str) -> bool:
    """Whether a command is there and has nothing to complain of."""
    if not shutil.which(command[0]):
        return False
    nowhere = subprocess.DEVNULL
    return subprocess.call(command, cwd=ROOT, stdout=nowhere, stderr=nowhere) == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("ci", help="what ci.yml tests on")
    command = commands.add_parser("plan", help="what release.yml builds")
    command.add_argument("tag", nargs="?", default="", help="the tag that was pushed")
    command = commands.add_parser("wheels", help="build, check and test wheels")
    command.add_argument("platforms", nargs="*", metavar="PLATFORM")
    commands.add_parser("sdist", help="build the sdist, and a wheel out of it")
    command = commands.add_parser("prepare", help="set the next version, commit and tag")
    command.add_argument("version", metavar="X.Y.Z")
    command.add_argument("--dry-run", action="store_true", help="show it all, change nothing")
    commands.add_parser("doctor", help="what this machine has, and what it lacks")
    arguments = parser.parse_args()
    try:
        if arguments.command == "ci":
            ci()
        elif arguments.command == "plan":
            plan(arguments.tag)
        elif arguments.command == "wheels":
            wheels(arguments.platforms)
        elif arguments.command == "sdist":
            sdist()
        elif arguments.command == "prepare":
            prepare(arguments.version, arguments.dry_run)
        else:
            doctor()
    except Refused as refusal:
        sys.exit(f"release: {refusal}")
    except FileNotFoundError as error:
        sys.exit(f"release: {error.filename} is not there (nox -s doctor tells how to get tools).")
    except subprocess.CalledProcessError as error:
        sys.exit(f"release: `{shlex.join(error.cmd)}` failed (exit code {error.returncode}).")


if __name__ == "__main__":
    main()
