"""What copier.yml calls in the generated project: python -B hooks/run.py HOOK ARGUMENT...

fold FILE...                          a task, after each rendering: what the options bring goes into these files
before ANSWERS_FILE OLD NEW           the migrations of the answers, before an update renders
finish ANSWERS_FILE TEMPLATE OLD NEW  the merge by meaning and the migrations of files, after Copier's own merge
"""

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from copier_pyo3.errors import UserError
from copier_pyo3.generate.tomlkit_cache import provide_tomlkit


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


# Some modules need tomlkit, and Copier is slow to import: each hook imports what it needs.


def _fold(*names: str) -> None:
    from copier_pyo3.generate.kept import keep

    provide_tomlkit()
    from copier_pyo3.generate.fold import fold

    fold(Path.cwd(), names)
    keep(Path.cwd())


def _before(answers_file: str, old: str, new: str) -> None:
    provide_tomlkit()
    from copier_pyo3.migrations import before
    from copier_pyo3.project.modes import remember
    from copier_pyo3.project.repository import Repository

    remember(Repository(Path.cwd()))
    before(Path.cwd(), answers_file, old, new)


def _finish(answers_file: str, template: str, old: str, new: str) -> None:
    provide_tomlkit()
    from copier_pyo3.verbs.finish import finish

    finish(Path.cwd(), answers_file, template, old, new)


HOOKS: dict[str, Callable[..., None]] = {"fold": _fold, "before": _before, "finish": _finish}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
