"""The nox sessions for releases. The build command of each wheel is in release.yml."""

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
from contextlib import suppress
from functools import partial
from pathlib import Path

import nox
from packaging.tags import platform_tags
from packaging.version import Version

PYPROJECT = nox.project.load_toml("pyproject.toml")
CARGO = nox.project.load_toml("Cargo.toml")
NAME = re.sub(r"[-_.]+", "_", PYPROJECT["project"]["name"]).lower()
CHANGELOG = Path("CHANGELOG.md")
LICENSES = Path("THIRD-PARTY-LICENSES.txt")
WORKFLOW = Path(".github/workflows/release.yml")
ON_CI = os.environ.get("CI") == "true"
# The versions that Cargo and Python read in the same way.
VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(dev|alpha|beta|rc)\.(0|[1-9]\d*))?")
LICENSE_FILE = re.compile(r"(un)?licen[cs]e|copying|copyright|notice", re.IGNORECASE)
# The template's placeholders, which must not be published.
DEFAULTS = ["@example.com", "github.com/example/", "A Python extension module written in Rust"]

Row = dict[str, str]  # a row of the matrix in release.yml
group = partial(nox.project.dependency_groups, PYPROJECT)
on_demand = nox.session(default=False)


@on_demand
def plan(session: nox.Session) -> None:
    """Check that tag, version, changelog, and lock file agree; list the files to publish."""
    session.install("pyyaml")
    version = current_version(session)
    tag = "".join(session.posargs)
    if tag and tag != f"v{version}":
        session.error(f"the tag {tag} does not match the version {version}")
    if tag and not changes(version):
        session.error(f"CHANGELOG.md has no section [{version}], or it is empty")
    if not VERSION.fullmatch(version):
        session.error(f"{version} cannot be released: run this workflow on a tag")
    check_defaults(session)
    check_lock(session)
    licenses(session)
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


def licenses(session: nox.Session) -> None:
    """Write the license texts of the crates in the wheels of all platforms; builds include them."""
    tree = ["tree", "--edges=normal,no-proc-macro", "--target=all", "--prefix=none", "--locked"]
    linked = {line.split(" (")[0] for line in output(session, "cargo", *tree).splitlines()}
    metadata = output(session, "cargo", "metadata", "--format-version=1", "--locked")
    crates: dict[str, str] = {}  # the names of the crates with the same text
    for crate in json.loads(metadata)["packages"]:
        name, folder = f"{crate['name']} v{crate['version']}", Path(crate["manifest_path"]).parent
        if name not in linked or not crate["source"]:  # a crate of this project
            continue
        texts = [path for path in sorted(folder.iterdir()) if LICENSE_FILE.match(path.name)]
        by_hand = Path("licenses", f"{crate['name']}.txt")
        if not (texts := [by_hand] if by_hand.exists() else texts):
            session.error(f"the crate {name} has no license text: write it to {by_hand}")
        for path in texts:
            text = path.read_text("utf-8", "replace").strip()
            crates[text] = f"{crates.get(text, '')}{name} ({crate['license']})\n"
    parts = [f"{names}\n{text}\n" for text, names in crates.items()]
    LICENSES.write_bytes(f"\n{'-' * 80}\n\n".join(sorted(parts)).encode())


@on_demand
def sdist(session: nox.Session) -> None:
    """Build the sdist, build a wheel from it offline, and test the wheel."""
    session.install(*group("release"))
    check_lock(session)
    licenses(session)
    session.run("cargo", "fetch", "--locked", external=True)
    out = Path(session.create_tmp(), "dist")
    shutil.rmtree(out, ignore_errors=True)
    env = repeatable() | {"CARGO_NET_OFFLINE": "true"}
    session.run("uv", "build", f"--out-dir={out}", env=env)
    (archive,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    shutil.unpack_archive(archive, out, filter="data")
    unpacked = out / archive.name.removesuffix(".tar.gz")
    products = {".so", ".pyd", ".whl"}
    if built := [path.name for path in unpacked.rglob("*.*") if path.suffix in products]:
        session.error(f"{archive.name} contains build products: {', '.join(built)}")
    with session.chdir(unpacked):
        check_lock(session)
    test(session, wheel, PYPROJECT["project"]["requires-python"], container="")
    Path("dist").mkdir(exist_ok=True)
    archive.replace(Path("dist", archive.name))


@on_demand
def wheels(session: nox.Session) -> None:
    """Build, check, and test the wheels for the platforms after --, or all that can be built."""
    session.install(*group("release", "wheels"))
    known = {row["name"]: row for row in rows(session)}
    if unknown := set(session.posargs) - set(known):
        session.error(f"unknown: {', '.join(unknown)}. release.yml has: {', '.join(known)}")
    licenses(session)
    built, tests = [], 0
    for row in [known[name] for name in session.posargs or known]:
        if why := obstacle(row):
            message = f"{row['name']} cannot be built: {why}"
            (session.error if session.posargs else session.warn)(message)
            continue
        for wheel in (files := wheels_of(row, current_version(session))):
            wheel.unlink(missing_ok=True)
        words = shlex.split(row["build"])
        env = dict(word.split("=", 1) for word in words if re.match("[A-Z_]+=", word))
        session.run(*words[len(env) :], env=repeatable() | env, external=True)
        for wheel in files:
            check(session, wheel)
        tests += test_all(session, row, files)
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


def check(session: nox.Session, wheel: Path) -> None:
    """Check the wheel's name, ABI, SBOM, and licenses; remove the build folder from the SBOM."""
    if not wheel.exists():
        found = ", ".join(sorted(path.name for path in wheel.parent.glob("*.whl"))) or "none"
        session.error(f"the build did not create {wheel.name}. Wheels in dist/: {found}")
    if "-abi3-" in wheel.name and "wasm" not in wheel.name:  # abi3audit supports no others
        session.run("abi3audit", "--strict", str(wheel))
    code = "import sys, pathlib, build_backend as b; b.check_wheel(pathlib.Path(sys.argv[1]))"
    session.run("python", "-c", code, str(wheel), log=False)  # only files that git tracks
    session.run("wheel", "unpack", f"--dest={session.create_tmp()}", str(wheel), silent=True)
    folder = Path(session.create_tmp(), "-".join(wheel.name.split("-")[:2]))
    (info,) = folder.glob("*.dist-info")
    if not (info / "licenses" / LICENSES).exists():
        session.error(f"{wheel.name} has no {LICENSES}")
    sboms = list(info.glob("sboms/*.json"))
    if not sboms and "maturin" in str(PYPROJECT["build-system"]):  # setuptools-rust writes none
        session.error(f"{wheel.name} has no SBOM")
    for sbom in sboms:
        sbom.write_bytes(re.sub(rb"path\+file://[^#]*", b"path+file:///", sbom.read_bytes()))
    session.run("wheel", "pack", f"--dest={wheel.parent}", str(folder), env=repeatable())
    shutil.rmtree(folder)


def test_all(session: nox.Session, row: Row, wheels: list[Path]) -> int:
    """Test on the row's Pythons (if one is missing: abi3 on a later one); return the number."""
    tests = 0
    for python in row["test"].split():
        end = f"-cp{''.join(re.findall('[0-9]+t?', python)[:2])}-{row['tag']}.whl"
        wheel = next((wheel for wheel in wheels if wheel.name.endswith(end)), wheels[0])
        pythons = [python, f">={python}"] if "abi3" in row["abi"] else [python]
        if container := row.get("container", ""):
            here = pythons if said("docker", "info") else []
        else:
            here = [each for each in pythons if ON_CI or (is_native(row) and installed(each))]
        if here:
            test(session, wheel, here[0], container)
            tests += 1
        else:
            message = f"{wheel.name}: not tested on Python {python}, which this machine cannot run"
            (session.error if ON_CI else session.warn)(message)
    return tests


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
        uv = " ".join(each for each in group("release") if each.startswith("uv="))
        script = " && ".join([f"pip install --quiet {uv}", *map(shlex.join, commands)])
        options = ["--rm", "--platform", container, f"--volume={Path.cwd()}:/project:ro"]
        options += ["--env=PIP_INDEX_URL", "--env=UV_DEFAULT_INDEX"]  # a mirror, if there is one
        commands = [["docker", "run", *options, "--workdir=/project", image, "sh", "-c", script]]
    for command in commands:
        session.run(*command, external=True)


@on_demand
def reproducible(session: nox.Session) -> None:
    """Build the last commit in two folders, and compare the sdists and wheels."""
    session.install(*group("release"))
    builds: list[dict[str, bytes]] = []
    for name in ("one", "the/other"):
        folder = Path(session.create_tmp(), name)
        shutil.rmtree(folder, ignore_errors=True)
        session.run("git", "clone", "--quiet", ".", str(folder), external=True)
        with session.chdir(folder):
            licenses(session)
            target = {"CARGO_TARGET_DIR": str(Path("target").resolve())}
            session.run("uv", "build", "--sdist", "--wheel", env=repeatable() | target)
            check(session, *Path("dist").glob("*.whl"))
            builds.append({path.name: path.read_bytes() for path in Path("dist").glob(f"{NAME}-*")})
    if different := [name for name in builds[0] if builds[0][name] != builds[1].get(name)]:
        session.error(f"the two builds differ: {', '.join(different)}")


@on_demand
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
    linker = sys.platform == "win32" or bool(shutil.which("cc"))
    library = Path(*map(str, sysconfig.get_config_vars("LIBDIR", "LDLIBRARY")))
    linked = sys.platform != "linux" or (library.suffix != ".a" and library.exists())
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


def repeatable() -> dict[str, str]:
    """Return the environment in which one commit gives the same bytes in any folder."""
    cargo = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    folders = {str(Path.cwd()): ".", cargo: "/cargo"}
    flags = [f"--remap-path-prefix={a}={b}" for a, b in folders.items() if " " not in a]
    time = said("git", "log", "-1", "--format=%ct") or "315532800"  # the first that zip knows
    return {"SOURCE_DATE_EPOCH": time, "CARGO_BUILD_RUSTFLAGS": " ".join(flags)}


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
