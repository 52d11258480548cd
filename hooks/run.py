"""What the tasks in copier.yml call: python -B hooks/run.py fold MANIFEST..., in the generated project."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from copier_pyo3.append import append
from copier_pyo3.errors import UserError
from copier_pyo3.tomlkit_cache import provide_tomlkit


def main(arguments: list[str]) -> int:
    """Run one hook in the current folder; 0 done, 1 with one sentence on stderr."""
    name, *manifests = arguments
    if name not in ("fold", "append"):
        raise SystemExit(f"unknown hook: {name}")
    try:
        if name == "append":
            append(Path.cwd(), manifests)
            return 0
        provide_tomlkit()
        from copier_pyo3.fold import fold  # needs tomlkit

        fold(Path.cwd(), manifests)
    except UserError as error:
        print(f"copier-pyo3: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
