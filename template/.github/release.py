"""The nox sessions for releases, loaded by noxfile.py.

They read the matrix in release.yml, which has the build command of each wheel.
"""

import datetime
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from contextlib import suppress
from pathlib import Path

import nox
from packaging.tags import platform_tags
from packaging.version import Version

PYPROJECT = nox.project.load_toml("pyproject.toml")
CARGO = nox.project.load_toml("Cargo.toml")
NAME = re.sub(r"[-_.]+", "_", PYPROJECT["project"]["name"]).lower()
CHANGELOG = Path("CHANGELOG.md")
WORKFLOW = Path(".github/workflows/release.yml")
ON_CI = os.environ.get("CI") == "true"
# The versions that Cargo and Python read in the same way.
VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(dev|alpha|beta|rc)\.(0|[1-9]\d*))?")
# The template's placeholders, which must not be published.
DEFAULTS = ["@example.com", "github.com/example/", "A Python extension module written in Rust"]

Row = dict[str, str]  # a row of the matrix in release.yml


@nox.session(default=False)
def plan(session: nox.Session) -> None:
    """Check that tag, version, changelog, and lock file agree; list the files to publish."""
    session.install("pyyaml")
    version = current_version(session)
    for tag in filter(None, session.posargs):
        if tag != f"v{version}":
            session.error(f"the tag {tag} does not match the version {version}")
        if not changes(version):
            session.error(f"CHANGELOG.md has no section [{version}], or it is empty")
    if not VERSION.fullmatch(version):
        session.error(f"{version} cannot be released: run this workflow on a tag")
    check_defaults(session)
    check_lock(session)
    names = [wheel.name for row in rows(session) for wheel in wheels_of(row, version)]
    indexes = PYPROJECT["tool"].get("uv", {}).get("index", [])
    outputs = {
        "prerelease": json.dumps("-" in version),
        "notes": changes(version),
        "files": "\n".join(sorted([f"{NAME}-{Version(version)}.tar.gz", *names])),
        "index": next((index["publish-url"] for index in indexes if "publish-url" in index), ""),
    }
    print("".join(f"{name}: {value}\n" for name, value in outputs.items()), end="")
    end = secrets.token_hex()  # a delimiter that no changelog contains
    with open(os.environ.get("GITHUB_OUTPUT", os.devnull), "a", encoding="utf-8") as file:
        file.writelines(f"{name}<<{end}\n{value}\n{end}\n" for name, value in outputs.items())


@nox.session(default=False)
def check(session: nox.Session) -> None:
    """Check and test the wheels in dist/ for the platform after --."""
    session.install(*group("release"))
    (row,) = (row for row in rows(session) if row["name"] in session.posargs)
    check_and_test(session, row)


def check_and_test(session: nox.Session, row: Row) -> int:
    """Check the name, ABI, and SBOM of the row's wheels; return the number of Pythons tested."""
    wheels = wheels_of(row, current_version(session))
    for wheel in wheels:
        if not wheel.exists():
            found = ", ".join(sorted(path.name for path in Path("dist").glob("*.whl"))) or "none"
            session.error(f"the build did not create {wheel.name}. Wheels in dist/: {found}")
        if "-abi3-" in wheel.name and "wasm" not in wheel.name:  # abi3audit supports no others
            session.run("abi3audit", "--strict", str(wheel))
        code = "import sys, pathlib, build_backend as b; b.check_wheel(pathlib.Path(sys.argv[1]))"
        session.run("python", "-c", code, str(wheel), log=False)  # only files that git tracks
        inside = " ".join(zipfile.ZipFile(wheel).namelist())  # setuptools-rust writes no SBOM
        if "maturin" in PYPROJECT["tool"] and ".dist-info/sboms/" not in inside:
            session.error(f"{wheel.name} has no SBOM")
    pythons, container = row["test"].split(), row.get("container", "")
    if container or ON_CI:
        can = pythons if not container or said("docker", "info") else []
    else:
        later = [f">={python}" for python in pythons[:1] if "abi3" in row["abi"]]
        here = [each for each in [*pythons, *later] if is_native(row) and installed(each)]
        can = [each for each in here if each in pythons] or here
    for python in [python for python in pythons if python not in can]:
        message = f"{wheels[0].name}: not tested on Python {python}, which this machine cannot run"
        (session.error if ON_CI else session.warn)(message)
    for python in can:
        end = f"-cp{''.join(re.findall('[0-9]+t?', python)[:2])}-{row['tag']}.whl"
        wheel = next((wheel for wheel in wheels if wheel.name.endswith(end)), wheels[0])
        test(session, wheel, python, container)
    return len(can)


def test(session: nox.Session, wheel: Path, python: str, container: str) -> None:
    """Run the tests with the wheel in a new environment, in a container if the row has one."""
    folder = "/venv" if container else f"{session.create_tmp()}/venv"
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    commands = [
        ["uv", "venv", "--quiet", "--clear", "--python", python, folder],
        ["uv", "pip", "install", "--quiet", "--python", folder, "--group", "test", str(wheel)],
        [f"{folder}/{scripts}/python", "-B", "-m", "pytest", "-p", "no:cacheprovider"],
    ]
    if container:
        image = f"python:{python.rstrip('t')}-{'alpine' if 'musl' in wheel.name else 'slim'}"
        script = " && ".join(["pip install --quiet uv", *map(shlex.join, commands)])
        options = ["--rm", "--platform", container, f"--volume={Path.cwd()}:/project:ro"]
        commands = [["docker", "run", *options, "--workdir=/project", image, "sh", "-c", script]]
    for command in commands:
        session.run(*command, external=True)


@nox.session(default=False)
def sdist(session: nox.Session) -> None:
    """Build the sdist, build a wheel from it offline, and test the wheel."""
    session.install(*group("release"))
    check_lock(session)
    archive = Path("dist", f"{NAME}-{Version(current_version(session))}.tar.gz")
    session.run("uv", "build", "--sdist", "--out-dir=dist")
    unpacked = Path(session.create_tmp(), archive.name.removesuffix(".tar.gz"))
    shutil.rmtree(unpacked, ignore_errors=True)
    shutil.unpack_archive(archive, unpacked.parent, filter="data")
    if built := [
        path.name for path in unpacked.rglob("*.*") if path.suffix in {".so", ".pyd", ".whl"}
    ]:
        session.error(f"{archive} contains build products: {', '.join(built)}")
    lock = Path(unpacked, "Cargo.lock").read_bytes()
    with session.chdir(unpacked):
        session.run("cargo", "fetch", "--locked", external=True)
        session.run("uv", "build", "--wheel", "--out-dir=dist", env={"CARGO_NET_OFFLINE": "true"})
    if lock != Path(unpacked, "Cargo.lock").read_bytes():
        session.error("the build changed the Cargo.lock in the sdist")
    (wheel,) = Path(unpacked, "dist").glob("*.whl")
    test(session, wheel, PYPROJECT["project"]["requires-python"], container="")


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Build, check, and test the wheels for the platforms after --, or all that can be built."""
    session.install(*group("release", "wheels"))
    known = {row["name"]: row for row in rows(session)}
    if unknown := set(session.posargs) - set(known):
        session.error(f"unknown: {', '.join(unknown)}. release.yml has: {', '.join(known)}")
    built, tests = [], 0
    for name in session.posargs or known:
        if why := obstacle(row := known[name]):
            (session.error if session.posargs else session.warn)(f"{name} cannot be built: {why}")
            continue
        for wheel in wheels_of(row, current_version(session)):
            wheel.unlink(missing_ok=True)
        words = shlex.split(row["build"])
        env = dict(word.split("=", 1) for word in words if re.match("[A-Z_]+=", word))
        session.run(*words[len(env) :], env=env, external=True)
        tests += check_and_test(session, row)
        built.append(row)
    if not built:
        session.error("this machine cannot build any of the wheels in release.yml")
    if not tests and any(map(is_native, built)):
        session.error("no wheel was tested: install a supported Python")


def obstacle(row: Row) -> str:
    """Return why this machine cannot build the row, or "" if it can."""
    has = {"Windows": sys.platform == "win32", "macOS": sys.platform == "darwin"}
    if (needs := row.get("needs", "")) and not has.get(needs, said("docker", "info")):
        return f"it requires {needs}"
    target = row["target"]
    return "" if not target or has_target(target) else f"run `rustup target add {target}`"


@nox.session(default=False)
def release(session: nox.Session) -> None:
    """Commit the version and changelog of a release: -- 1.2.0 (--dry-run only shows them)."""
    session.install(*group("release"))
    version = "".join(word for word in session.posargs if word != "--dry-run")
    if not VERSION.fullmatch(version):
        bare = version.removeprefix("v")
        hint = bare if VERSION.fullmatch(bare) else "X.Y.Z, or X.Y.Z-rc.1 (or alpha, beta, dev)"
        session.error(f"write {hint}: Cargo and Python read {version!r} differently")
    now, text = current_version(session), CHANGELOG.read_text(encoding="utf-8")
    for refused, why in [
        (output(session, "git", "status", "--porcelain"), "commit your changes first (git status)"),
        (output(session, "git", "tag", "--list", f"v{version}"), f"the tag v{version} exists"),
        (not output(session, "git", "branch", "--show-current"), "HEAD is not on a branch"),
        (Version(version) < Version(now), f"{version} is lower than the current version {now}"),
        (f"\n## [{version}]" in text, f"CHANGELOG.md already has a section [{version}]"),
        ("\n## [Unreleased]\n" not in text, "CHANGELOG.md has no line `## [Unreleased]`"),
    ]:
        if refused:
            session.error(why)
    check_defaults(session)
    check_lock(session)
    commits = output(session, "git-cliff", "--config=pyproject.toml", "--unreleased")
    if not (notes := f"{changes('Unreleased')}\n\n{commits}".strip()):
        session.error("nothing has changed since the last release")
    sections = f"## [Unreleased]\n\n## [{version}] - {datetime.date.today()}\n\n{notes}\n\n"
    text = re.sub(r"## \[Unreleased\]\n((?!## ).*\n?)*", lambda _: sections, text)
    names = ["CHANGELOG.md", "Cargo.toml", "Cargo.lock"]
    crlf = [name for name in names if b"\r\n" in Path(name).read_bytes()]
    try:
        CHANGELOG.write_bytes(f"{text.rstrip()}\n".encode())
        if not Path("version_from_git.py").exists():
            cargo = Path("Cargo.toml").read_text(encoding="utf-8")
            cargo = re.sub(r'(?m)(?<=^version = ").*?(?=")', version, cargo, count=1)
            Path("Cargo.toml").write_bytes(cargo.encode())
            session.run("cargo", "update", "--workspace", "--quiet", external=True)
        for name in crlf:
            Path(name).write_bytes(re.sub(rb"\r?\n", b"\r\n", Path(name).read_bytes()))
        session.run("git", "--no-pager", "diff", external=True)
        if "--dry-run" not in session.posargs:
            message = f"--message=chore(release): {version}"
            session.run("git", "commit", "--quiet", message, "--", *names, external=True)
            print("To edit the notes: edit CHANGELOG.md, then git commit --amend --all. Then:\n")
            print(f"    git tag v{version}\n    git push --atomic origin HEAD v{version}")
    finally:  # restore what is not committed
        session.run("git", "checkout", "--quiet", "HEAD", "--", *names, external=True, log=False)


@nox.session(venv_backend="none", default=False)
def doctor(session: nox.Session) -> None:
    """List required tools, which ones are missing, and how to install them."""
    oldest = CARGO["package"]["rust-version"]
    rust = (said("rustc", "--version") or "rustc 0").split()[1].partition("-")[0]
    library = Path(*map(str, sysconfig.get_config_vars("LIBDIR", "LDLIBRARY")))
    linked = sys.platform != "linux" or (library.suffix != ".a" and library.exists())
    linker = sys.platform == "win32" or bool(shutil.which("cc"))
    needed = {
        f"Rust {oldest} or later: see rustup.rs": Version(rust) >= Version(oldest),
        "rustfmt: rustup component add rustfmt": bool(said("cargo", "fmt", "--version")),
        "clippy: rustup component add clippy": bool(said("cargo", "clippy", "--version")),
        "git: see git-scm.com": bool(said("git", "--version")),
        "a C compiler, to link: apt install gcc, or xcode-select --install": linker,
        "libpython, for cargo test: apt install libpython3-dev, or use uv's Python": linked,
    }
    pythons = nox.project.python_versions(PYPROJECT)
    more = {f"Python {each}: uv python install {each}": installed(each) for each in pythons}
    for target in sorted(set(re.findall(r"(?m)^ +target: (\w.+)$", WORKFLOW.read_text("utf-8")))):
        if "linux" in target or sys.platform != "linux":
            more[f"Rust for {target}: rustup target add {target}"] = has_target(target)
    for title, checks in {"required": needed, "optional, to test and build more": more}.items():
        print(f"{title}:")
        for what, found in checks.items():
            print(f"  [{'x' if found else ' '}] {what.partition(':')[0] if found else what}")
    if not all(needed.values()):
        session.error("a required tool is missing")
    check_defaults(session)


def group(*names: str) -> list[str]:
    """Return the requirements of these dependency groups in pyproject.toml."""
    return list(nox.project.dependency_groups(PYPROJECT, *names))


def rows(session: nox.Session) -> list[Row]:
    """Return the matrix in release.yml."""
    code = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))['jobs']))"
    jobs = json.loads(output(session, "python", "-c", code, str(WORKFLOW)))
    return list(jobs["wheels"]["strategy"]["matrix"]["include"])


def wheels_of(row: Row, version: str) -> list[Path]:
    start = f"{NAME}-{Version(version)}"
    return [Path("dist", f"{start}-{abi}-{row['tag']}.whl") for abi in row["abi"].split()]


def current_version(session: nox.Session) -> str:
    if not Path("version_from_git.py").exists():
        return str(CARGO["package"]["version"])
    return output(session, "python", "-c", "import version_from_git as v; print(v.version())")


def changes(version: str) -> str:
    """Return the section of a version in the changelog."""
    pattern = rf"^## \[{re.escape(version)}\].*\n((?:(?!## ).*\n?)*)"
    found = re.search(pattern, CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else ""


def check_defaults(session: nox.Session) -> None:
    project = json.dumps(PYPROJECT["project"])
    if found := ", ".join(default for default in DEFAULTS if default in project):
        session.error(f"replace these placeholders in pyproject.toml: {found}")


def check_lock(session: nox.Session) -> None:
    if not Path("Cargo.lock").exists():
        session.error("Cargo.lock is missing: run `cargo generate-lockfile` and commit it")
    if not said("cargo", "tree", "--locked", "--depth=0"):
        session.error("Cargo.lock is not up to date: run `cargo update --workspace`")


def is_native(row: Row) -> bool:
    return "container" not in row and not {*platform_tags()}.isdisjoint(row["tag"].split("."))


def installed(python: str) -> bool:
    return bool(said(f"python{python}", "--version") or said("uv", "python", "find", python))


def has_target(target: str) -> bool:
    return Path(said("rustc", "--print=target-libdir", "--target", target) or "?").is_dir()


def output(session: nox.Session, *command: str) -> str:
    return str(session.run(*command, silent=True, stderr=None, log=False, external=True)).strip()


def said(*command: str) -> str:
    """Return what the command prints, or "" if it is not installed or fails."""
    with suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(command, capture_output=True, check=True).stdout.decode().strip()
    return ""
