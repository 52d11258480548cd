"""Makes tomlkit importable under a bare Copier, as uvx and pipx install it.

Copier runs the hooks with its own interpreter, and tomlkit is not among its dependencies. So a pinned, hash-checked
copy is kept in the user's cache, filled once by uv or pip (which follow the user's own index settings).
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
    """Put tomlkit on ``sys.path``: the environment's own, else the cached copy, which is filled if it is missing.

    Raises:
        UserError: tomlkit is not installed, not cached, and neither uv nor pip could get it.
    """
    if importlib.util.find_spec("tomlkit"):
        return
    requirement = _requirement()
    cached = _cache_folder() / requirement.replace("==", "-")
    if not _is_filled(cached):
        _fill(cached, requirement)
    sys.path.append(str(cached))


def _is_filled(cached: Path) -> bool:
    """Cleaners of caches take files, and may leave the folders."""
    return (cached / "tomlkit" / "__init__.py").is_file()


def _requirement() -> str:
    """The pinned requirement, for example ``tomlkit==1.2.3``."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return next(line.split()[0] for line in lines if line.startswith("tomlkit=="))


def _cache_folder() -> Path:
    import platformdirs  # a dependency of Copier, so it is there

    return platformdirs.user_cache_path("copier-pyo3")


def _installers() -> Iterator[list[str]]:
    """Commands that install, as far as they are on this machine; each takes pip's own options."""
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
        # Filled aside and moved: a run that is killed, or two at once, leave no half-filled cache.
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
        f"The template patches TOML with tomlkit, which this Copier lacks and which could not be fetched{why}. Install "
        f"it beside Copier, then run the same command again: {_remedy(requirement)}"
    )


def _remedy(requirement: str) -> str:
    """The one command that helps, by the way in which this Copier was installed."""
    prefix = Path(sys.prefix)
    if prefix.parent.name == "venvs" and (prefix / "pipx_metadata.json").is_file():  # pipx install, not pipx run
        return f"pipx inject {prefix.name} {requirement}"
    if "pipx" in prefix.parts:
        return f"pipx install copier && pipx inject copier {requirement} (and no `pipx run` before `copier` then)"
    if "uv" in prefix.parts:
        return f"uv tool install --with {requirement} copier"
    return f'"{sys.executable}" -m pip install {requirement}'
