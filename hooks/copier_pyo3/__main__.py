"""``python -m copier_pyo3``: the same as the console script."""

import sys

from copier_pyo3.cli import main

if __name__ == "__main__":
    sys.exit(main())
