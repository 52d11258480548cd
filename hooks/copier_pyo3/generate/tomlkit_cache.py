"""Makes tomlkit importable where only Copier is installed, for example by uvx or pipx.

Copier runs the hooks with its own interpreter and does not depend on tomlkit. So uv or pip installs a pinned copy with a
checked hash into the user's cache, once. Both respect the user's index settings.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from copier_pyo3.errors import UserError

REQUIREMENTS = Path(__file__).with_name("tomlkit.txt")


def provide_tomlkit() -> None:
    """Make tomlkit importable: use the installed one, else the cached copy, which is downloaded if it is missing.

    Raises:
        UserError: tomlkit is neither installed nor cached, and neither uv nor pip could download it.
    """
    if importlib.util.find_spec("tomlkit"):
        return
    requirement = _requirement()
    cached = _cache_folder() / requirement.replace("==", "-")
    if not _is_filled(cached):
        _fill(cached, requirement)
    sys.path.append(str(cached))


def _is_filled(cached: Path) -> bool:
    """Whether the files are there: cache cleaners may delete files and leave the folders."""
    return (cached / "tomlkit" / "__init__.py").is_file()


def _requirement() -> str:
    """The pinned requirement, for example ``tomlkit==1.2.3``."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return next(line.split()[0] for line in lines if line.startswith("tomlkit=="))


def _cache_folder() -> Path:
    import platformdirs  # a dependency of Copier

    return platformdirs.user_cache_path("copier-pyo3")


def _installers() -> Iterator[list[str]]:
    """Install commands available on this machine; all accept pip's options."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        yield [uv, "pip", "install", "--quiet", "--python", sys.executable]
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for name in ("pip3", "pip"):
        if pip := shutil.which(name):
            yield [pip, "install", "--quiet", "--disable-pip-version-check"]


def _fill(cached: Path, requirement: str) -> None:
    said = []
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        # Install into a temporary folder, then move it, so that a killed or concurrent run leaves no incomplete cache.
        with tempfile.TemporaryDirectory(dir=cached.parent, ignore_cleanup_errors=True) as aside:
            for installer in _installers():
                target = Path(aside, "site")
                options = [
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    "--require-hashes",
                    "--target",
                    str(target),
                    "-r",
                    str(REQUIREMENTS),
                ]
                try:
                    done = subprocess.run([*installer, *options], capture_output=True, text=True, check=False)
                except OSError as error:
                    said.append(str(error))
                    continue
                if done.returncode == 0:
                    if not _is_filled(cached):
                        if cached.exists():
                            cached.replace(Path(aside, "emptied"))
                        target.replace(cached)
                    return
                said.append(done.stderr.strip().rpartition("\n")[2])
    except OSError as error:
        said.append(str(error))
    why = f" ({said[-1]})" if said else ""
    raise UserError(
        f"The template needs tomlkit, which is not installed with Copier and could not be downloaded{why}. Install it "
        f"with the following command, then try again: {_remedy(requirement)}"
    )


def _remedy(requirement: str) -> str:
    """The command that installs tomlkit, depending on how Copier was installed."""
    prefix = Path(sys.prefix)
    if prefix.parent.name == "venvs" and (prefix / "pipx_metadata.json").is_file():  # pipx install, not pipx run
        return f"pipx inject {prefix.name} {requirement}"
    if "pipx" in prefix.parts:
        return (
            f"pipx install copier && pipx inject copier {requirement} (then use `copier` instead of `pipx run copier`)"
        )
    if "uv" in prefix.parts:
        return f"uv tool install --with {requirement} copier"
    return f'"{sys.executable}" -m pip install {requirement}'
