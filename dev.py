"""Work on copier-pyo3 with nothing but Python 3.10 or later, git and Rust.

python3 dev.py new DIR [...]   make a project from this checkout, build it and import it (as `copier-pyo3 new`)
python3 dev.py test [...]      run the tests (as `pytest`)
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = BIN / ("python.exe" if sys.platform == "win32" else "python")


def main(arguments: list[str]) -> int:
    """Make the environment on first use, or when pyproject.toml has changed, then run the command in it."""
    if not arguments or arguments[0] not in ("new", "test"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    verb, *rest = arguments
    needs = [] if verb == "new" else ["--group", "test"]
    install(f"{verb}-{sysconfig.get_python_version()}", needs)
    command = ["copier_pyo3.cli", "new"] if verb == "new" else ["pytest"]
    return subprocess.call([str(PYTHON), "-m", *command, *rest], cwd=HERE if verb == "test" else None)


def install(stamp_name: str, needs: list[str]) -> None:
    """Install this checkout, editable, and what is needed besides; again only if pyproject.toml has changed since."""
    wanted = (HERE / "pyproject.toml").read_text(encoding="utf-8")
    stamp = VENV / stamp_name
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print("dev.py: installing into .venv ...", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--upgrade", "pip"], check=True)  # --group needs pip 25.1
        subprocess.run([*pip, "--editable", ".", *needs], check=True, cwd=HERE)
    except subprocess.CalledProcessError as error:
        sys.exit(f"dev.py: `{' '.join(map(str, error.cmd))}` failed: see above.")
    stamp.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
