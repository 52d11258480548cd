"""``python -m copier_pyo3``: the same as the console script."""

import sys

if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):  # from Python 3.11
        del sys.path[0]  # the current folder, which may have modules named like those that are imported

    from copier_pyo3.cli import main

    sys.exit(main())
