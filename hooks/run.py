"""What copier.yml calls in the generated project: python -B hooks/run.py HOOK ARGUMENT...

fold FILE...                          a task, after each rendering: what the options bring goes into these files
before ANSWERS_FILE OLD NEW           the migrations of the answers, before an update renders
finish ANSWERS_FILE TEMPLATE OLD NEW  the merge by meaning and the migrations of files, after Copier's own merge
"""

import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parent))

from copier_pyo3.errors import UserError


def main(arguments: list[str]) -> int:
    """Run one hook in the current folder; 0 done, 1 with one sentence on stderr."""
    name, *rest = arguments
    if name not in HOOKS:
        raise SystemExit(f"unknown hook: {name}")
    try:
        HOOKS[name](*rest)
    except UserError as error:
        print(f"copier-pyo3: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # most of all a full disk
        where = error.filename or Path.cwd()
        print(f"copier-pyo3: {where} cannot be read or written ({error.strerror}).", file=sys.stderr)
        return 1
    return 0


# A copy waits for the fold, and most of its time would be imports: each hook imports what it needs, when it needs it.


class TomlkitOnDemand:
    """The last finder of modules: it is asked for tomlkit where the environment has none."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the cached copy is; see `provide_tomlkit` for what is raised."""
        if fullname != "tomlkit":
            return None
        from copier_pyo3.generate.tomlkit_cache import provide_tomlkit

        sys.meta_path.remove(self)
        provide_tomlkit()
        return PathFinder.find_spec(fullname)


def _fold(*names: str) -> None:
    if any(Path(f"{name}.d").is_dir() for name in names):
        sys.meta_path.append(TomlkitOnDemand())
        from copier_pyo3.generate.fold import fold

        fold(Path.cwd(), names)
    if os.environ.get("COPIER_OPERATION") == "update":
        from copier_pyo3.generate.kept import keep

        keep(Path.cwd())


def _before(answers_file: str, old: str, new: str) -> None:
    from copier_pyo3.generate.tomlkit_cache import provide_tomlkit

    provide_tomlkit()
    from copier_pyo3.migrations import before
    from copier_pyo3.project.modes import remember
    from copier_pyo3.project.repository import Repository

    remember(Repository(Path.cwd()))
    before(Path.cwd(), answers_file, old, new)


def _finish(answers_file: str, template: str, old: str, new: str) -> None:
    from copier_pyo3.generate.tomlkit_cache import provide_tomlkit

    provide_tomlkit()
    from copier_pyo3.verbs.finish import finish

    finish(Path.cwd(), answers_file, template, old, new)


HOOKS: dict[str, Callable[..., None]] = {"fold": _fold, "before": _before, "finish": _finish}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
