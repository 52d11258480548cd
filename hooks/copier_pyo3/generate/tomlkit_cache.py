"""Makes tomlkit importable where only Copier is installed, for example by uvx or pipx.

Copier runs the hooks with its own interpreter and does not depend on tomlkit. So uv or pip installs a pinned copy with a
checked hash into the user's cache, once. Both respect the user's index settings. The files in the cache are compared with a
pinned hash on every use, and replaced if they differ.
"""

import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from copier_pyo3.errors import UserError
from copier_pyo3.project.surroundings import for_pip

REQUIREMENTS = Path(__file__).with_name("tomlkit.txt")
OPTIONS = ["--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes"]  # known to uv and pip


def provide_tomlkit() -> None:
    """Make tomlkit importable: use the installed one, else the cached copy, which is downloaded if it is missing.

    Raises:
        UserError: tomlkit is neither installed nor cached, and neither uv nor pip could download it into the cache.
    """
    if importlib.util.find_spec("tomlkit"):
        return
    import platformdirs  # a dependency of Copier

    text = REQUIREMENTS.read_text(encoding="utf-8")
    ((version, wanted),) = re.findall(r"^tomlkit==(\S+) .*\n# files: (\w+)$", text, re.MULTILINE)
    cached = platformdirs.user_cache_path("copier-pyo3") / f"tomlkit-{version}"
    if digest(cached) != wanted:
        try:
            _fill(cached, wanted)
        except OSError as error:
            where = error.filename or cached
            raise UserError(
                f"tomlkit cannot be stored in {where} ({error.strerror}): make room there, or make the folder writable."
            ) from error
    sys.path.append(str(cached))


def digest(folder: Path) -> str:
    """A hash of the package's files in a folder: of their names and hashes, as sha256sum prints them.

    "" if a file cannot be read. Files of other names, such as bytecode that Python would load instead, count, too.
    """
    try:
        names = sorted(
            path.relative_to(folder).as_posix() for path in (folder / "tomlkit").rglob("*") if path.is_file()
        )
        lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    except OSError:
        return ""
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _installers() -> Iterator[list[str]]:
    """Install commands available on this machine; all accept pip's options."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        # Hard links would let a damaged file here damage uv's cache.
        yield (with_uv := [uv, "pip", "install", "--python", sys.executable, "--link-mode", "copy"])
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    for name in ("pip3", "pip"):
        if pip := shutil.which(name):
            yield [pip, "install", "--disable-pip-version-check"]
    if uv:
        yield [*with_uv, "--no-cache"]  # if uv's cache is damaged


def _fill(cached: Path, wanted: str) -> None:
    """Install into a new folder for each installer, and move the first with the wanted files into the cache."""
    said = []
    cached.parent.mkdir(parents=True, exist_ok=True)
    # A temporary folder first, so that a killed or concurrent run leaves no incomplete cache.
    with tempfile.TemporaryDirectory(dir=cached.parent, ignore_cleanup_errors=True) as aside:
        # The working folder is not the project: it may have modules named like pip's.
        for number, installer in enumerate(_installers()):
            target = Path(aside, str(number))
            env = for_pip(installer[: installer.index("install")])
            command = [*installer, *OPTIONS, "--target", str(target), "-r", str(REQUIREMENTS)]
            try:
                done = subprocess.run(
                    command, cwd=aside, env=env, capture_output=True, encoding="utf-8", errors="replace", check=False
                )
            except OSError as error:
                said.append(f"{installer[0]}: {error.strerror}")
                continue
            if done.returncode == 0 and digest(target) == wanted:
                _move_in(target, cached, Path(aside, "damaged"), wanted)
                if digest(cached) == wanted:
                    return
                said.append(f"the files in {cached} were changed")
            else:
                said.append(_reason(done.stderr) if done.returncode else f"{Path(installer[0]).name} left other files")
    raise UserError(_advice(said, cached))


def _move_in(target: Path, cached: Path, damaged: Path, wanted: str) -> None:
    try:
        if cached.exists() and digest(cached) != wanted:
            cached.replace(damaged)
        target.replace(cached)
    except OSError:
        if digest(cached) != wanted:  # otherwise another run was faster
            raise


def _reason(stderr: str) -> str:
    """The reason in the output of uv or pip, in a few words."""
    if re.search("hash mismatch|do not match the hashes", stderr, re.IGNORECASE):
        return "hash mismatch"
    if "No space left on device" in stderr:
        return "No space left on device"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def _advice(said: list[str], cached: Path) -> str:
    name = cached.name.replace("-", " ")
    if "hash mismatch" in said:
        return (
            f"the index has a file for {name} with another hash than the template expects, so it was not used: the file was "
            "changed on the way or on your mirror of PyPI. Use another index (UV_DEFAULT_INDEX, PIP_INDEX_URL), or install "
            "Copier with a tomlkit that you trust."
        )
    why = next((each for each in said if "No space" in each), said[-1] if said else "neither uv nor pip was found")
    kept = cached.with_name(f"{cached.name}.txt")
    try:
        shutil.copy(REQUIREMENTS, kept)
    except OSError as error:
        return f"{name} cannot be stored in {cached.parent} ({error.strerror}): make room there, or make it writable."
    command = ["python3", "-m", "pip", "install", *OPTIONS[1:], "--target", str(cached), "-r", str(kept)]
    return (
        f"the template needs {name}, which is not installed with Copier and could not be downloaded ({why}). Connect to the "
        f"network and try again, or fill the cache with any pip: {shlex.join(command)}"
    )
