"""The environment of child processes, without the user's settings that contradict what they do.

Settings that say where things come from or go stay: proxies, mirrors, credentials, caches, Cargo's target folder.
"""

import ast
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Final

# Git's variables that name another repository, as in a git hook, or that change what commands print or match.
_GIT: Final = re.compile(
    r"GIT_(DIR|WORK_TREE|IMPLICIT_WORK_TREE|INDEX_FILE|COMMON_DIR|PREFIX|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES"
    r"|SHALLOW_FILE|GRAFT_FILE|QUARANTINE_PATH|NAMESPACE|ATTR_SOURCE|CONFIG|EXTERNAL_DIFF|DIFF_OPTS|\w+_PATHSPECS)"
)
# Git's settings that change what is read from its output, reject files, or run programs. Copier's git has them, too.
_GIT_SETTINGS: Final = {
    "apply.ignoreWhitespace": "no",
    "apply.whitespace": "nowarn",
    "clone.defaultRemoteName": "origin",
    "color.branch": "false",
    "color.diff": "false",
    "color.grep": "false",
    "color.status": "false",
    "color.ui": "false",
    "commit.gpgSign": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "true",
    "core.safecrlf": "false",
    "diff.mnemonicPrefix": "false",
    "diff.noprefix": "false",
    "diff.orderFile": "/dev/null",
    "diff.relative": "false",
    "diff.renames": "true",
    "grep.extendedRegexp": "false",
    "grep.fullName": "false",
    "grep.patternType": "basic",
    "log.follow": "false",
    "log.showSignature": "false",
    "status.showUntrackedFiles": "normal",
    "submodule.recurse": "false",
}
# Options of pip that say where to install, or that prevent it from installing the project with its requirements.
_PIP: Final = re.compile(
    r"abi|dry.run|editable|group|implementation|no.build.isolation|no.deps|platform|prefix|python|python.version"
    r"|require.virtualenv|requirement|root|target|user"
)
_PYTHON: Final = re.compile(r"PYTHON(EXECUTABLE|HOME|INSPECT|PATH|PLATLIBDIR|WARNINGS)|__PYVENV_LAUNCHER__|VIRTUAL_ENV")
_UV: Final = re.compile(
    r"UV_(ENV_FILE|FROZEN|ISOLATED|LOCKED|NO_(BUILD\w*|DEFAULT_GROUPS|DEV|EDITABLE|GROUP|INSTALL_\w+|PROJECT|SYNC)"
    r"|PROJECT|PROJECT_ENVIRONMENT|PYTHON|SYSTEM_PYTHON|WORKING_DIR(ECTORY)?)"
)
_BUILD: Final = re.compile(r"PYO3_(PYTHON|CONFIG_FILE|CROSS\w*)|MATURIN_PEP517_ARGS")


def prepare() -> None:
    """Change this process's environment so that git does what is expected, also when Copier runs it.

    This must happen before Copier is imported, because Copier copies the environment at import.
    """
    for name in filter(_GIT.fullmatch, list(os.environ)):
        del os.environ[name]
    os.environ["LANGUAGE"] = "C"  # git's messages are compared with English ones
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    if os.environ.get(f"GIT_CONFIG_KEY_{first - 1}") == list(_GIT_SETTINGS)[-1]:  # this is a hook of Copier's
        return
    for number, (key, value) in enumerate(_GIT_SETTINGS.items(), first):
        os.environ[f"GIT_CONFIG_KEY_{number}"] = key
        os.environ[f"GIT_CONFIG_VALUE_{number}"] = value
    os.environ["GIT_CONFIG_COUNT"] = str(first + len(_GIT_SETTINGS))


def for_build() -> dict[str, str]:
    """The environment of commands that create a virtual environment, and build, install, and import in it."""
    return {name: value for name, value in os.environ.items() if not _contradicts(name)}


def _contradicts(name: str) -> bool:
    pip = name.startswith("PIP_") and _PIP.fullmatch(name[4:].lower())
    return bool(pip or _PYTHON.fullmatch(name) or _UV.fullmatch(name) or _BUILD.fullmatch(name))


def for_pip(pip: Sequence[str]) -> dict[str, str]:
    """The environment of pip: as above, also without such options in pip's configuration files.

    Environment variables cannot unset an option of a file, so if there is one, pip gets the others as variables.

    Args:
        pip: command that runs pip, such as ``["python", "-m", "pip"]``.
    """
    env = for_build()
    with tempfile.TemporaryDirectory() as empty:  # Python would import modules from the working folder
        try:
            listed = subprocess.run([*pip, "config", "list"], cwd=empty, env=env, capture_output=True, check=False)
        except OSError:  # it is reported when pip installs
            return env
    options = _options(listed.stdout.decode(errors="replace"))
    if not any(map(_PIP.fullmatch, options)):
        return env
    kept = {
        f"PIP_{name.upper().replace('-', '_')}": value for name, value in options.items() if not _PIP.fullmatch(name)
    }
    return kept | env | {"PIP_CONFIG_FILE": os.devnull}


def _options(listed: str) -> Mapping[str, str]:
    """The options in the output of `pip config list` that apply to `pip install`."""
    options = {}
    for section in ("global", "install"):  # the second overrides the first
        for name, value in re.findall(rf"(?m)^{section}\.([\w-]+)=('.*'|\".*\")$", listed):
            options[name] = str(ast.literal_eval(value))
    return options
