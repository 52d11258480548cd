"""The hooks that copier.yml runs in the generated project: python -B hooks/run.py HOOK ARGUMENT...

fold --without=PLACE,... FILE...      task, after each rendering: merge the options' fragments into these files
before ANSWERS_FILE OLD NEW           migration of the answers, before an update renders
finish ANSWERS_FILE TEMPLATE OLD NEW  structural merge and migration of files, after Copier's merge
"""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent))

from copier_pyo3.errors import UserError


def main(arguments: list[str]) -> int:
    """Run one hook in the current folder. Returns 0 on success, 1 with a message on stderr on failure."""
    name, *rest = arguments
    if name not in HOOKS:
        raise SystemExit(f"unknown hook: {name}")
    try:
        HOOKS[name](*rest)
    except UserError as error:
        print(f"copier-pyo3: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # for example, a full disk
        where = error.filename or Path.cwd()
        print(f"copier-pyo3: cannot read or write {where} ({error.strerror}).", file=sys.stderr)
        return 1
    return 0


# Each hook imports only what it needs: imports would take most of its time, and a copy waits for it.


class TomlkitOnDemand:
    """A finder for tomlkit, used if it is not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the cached copy. Raises the same errors as `provide_tomlkit`."""
        if fullname != "tomlkit":
            return None
        from copier_pyo3.generate.tomlkit_cache import provide_tomlkit

        sys.meta_path.remove(self)
        provide_tomlkit()
        return PathFinder.find_spec(fullname)


def _need_own_git() -> None:
    """Raise UserError if Copier's git did not use the template's repository: the answers file would have no version."""
    names = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")  # `copier-pyo3` removes them
    if found := next((name for name in names if name in os.environ), None):
        raise UserError(
            f"{found} is set, as in a git hook, so Copier's git uses another repository: unset it and try again."
        )
    if (Path(__file__).parents[1] / ".git").exists() and not shutil.which("git"):
        raise UserError("git is required (`copier update` uses it): install it from https://git-scm.com and try again.")


def _fold(*arguments: str) -> None:
    _need_own_git()
    names = [argument for argument in arguments if not argument.startswith("--")]
    if any(":" in argument for argument in arguments) or any(Path(f"{name}.d").is_dir() for name in names):
        sys.meta_path.append(TomlkitOnDemand())
        from copier_pyo3.generate.fold import fold

        fold(Path.cwd(), arguments)
    if os.environ.get("COPIER_OPERATION") == "update":
        from copier_pyo3.generate.kept import keep

        keep(Path.cwd())


def _before(answers_file: str, old: str, new: str) -> None:
    from copier_pyo3.generate.tomlkit_cache import provide_tomlkit

    provide_tomlkit()
    from copier_pyo3.migrations import before
    from copier_pyo3.project.modes import remember
    from copier_pyo3.project.repository import Repository
    from copier_pyo3.project.surroundings import prepare

    prepare()
    remember(Repository(Path.cwd()))
    before(Path.cwd(), answers_file, old, new)


def _finish(answers_file: str, template: str, old: str, new: str) -> None:
    from copier_pyo3.generate.tomlkit_cache import provide_tomlkit

    provide_tomlkit()
    from copier_pyo3.project.surroundings import prepare
    from copier_pyo3.verbs.finish import finish

    prepare()
    finish(Path.cwd(), answers_file, template, old, new)


HOOKS: dict[str, Callable[..., None]] = {"fold": _fold, "before": _before, "finish": _finish}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
