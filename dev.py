"""Develop copier-pyo3. Requires Python 3.10 or later, git, and Rust.

python3 dev.py new DIR [...]   create a project from this checkout, build it, and import it (like `copier-pyo3 new`)
python3 dev.py test [...]      run the tests (arguments go to pytest); `-m render` runs the fast ones
python3 dev.py tools           install the tools that the workflow tests need: act, actionlint, Node.js ...
python3 dev.py versions        compare the versions in the template with the registries; --raise raises them
python3 dev.py faults          try bad input, kills, and a full disk, and count what is lost (--minutes, --seed)
python3 dev.py systems         build and run each system in docs/systems.md, for an hour, and write the page
python3 dev.py page            build the page of docs/start/ into a folder (build/page), for any static host
python3 dev.py bench           print the figures in docs/benchmarks.md; bench-update measures updates, bench-loop edits
python3 dev.py bench-fleet     measure how the time of a report and an update grows with the number of projects
"""

import os
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036 (this check must come before the annotations below)
    sys.exit("dev.py: Python 3.10 or later is required.")

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = BIN / ("python.exe" if sys.platform == "win32" else "python")
# What runs in the user's folder is a script, not `python -m`, which imports from the current folder.
NEW = BIN / ("copier-pyo3.exe" if sys.platform == "win32" else "copier-pyo3")
TESTS = ["-m", "pytest", "--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal"]
COMMANDS = {
    "new": ["new"],
    "test": TESTS,
    "tools": ["tests/tools.py"],
    "page": ["tools/page.py"],
    "bench": ["tools/bench_new.py"],
    "bench-merge": ["tools/bench_merge.py"],
    "bench-copy": ["tools/bench_copy.py"],
    "bench-update": ["tools/bench_update.py"],
    "bench-loop": ["tools/bench_loop.py"],
    "bench-page": ["tools/bench_page.py"],
    "bench-fleet": ["tools/bench_fleet.py"],
    "versions": ["tools/versions.py"],
    "faults": ["tools/faults.py"],
    "systems": [*TESTS, "-m", "system", "--write-systems"],
}


def main(arguments: list[str]) -> int:
    """Create the environment on first use or when pyproject.toml has changed, then run the command in it."""
    if not arguments or arguments[0] not in COMMANDS:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    verb, *rest = arguments
    install("new", []) if verb == "new" else install("test", ["--group", "test"])
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.call(
        [str(NEW if verb == "new" else PYTHON), *COMMANDS[verb], *rest],
        cwd=None if verb == "new" else HERE,
        env=os.environ | {"PATH": path} | ({"SLOW": "1"} if verb == "systems" else {}),
    )


def install(name: str, needs: list[str]) -> None:
    """Install this checkout as editable, and its requirements, unless pyproject.toml is unchanged since the last time."""
    wanted = f"{sys.version}\n{(HERE / 'pyproject.toml').read_text(encoding='utf-8')}"
    stamp = VENV / f"installed-for-{name}"
    if PYTHON.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print("dev.py: installing into .venv ...", flush=True)
    sys.path.append(str(HERE / "hooks"))
    from copier_pyo3.project.surroundings import for_pip

    try:
        subprocess.run(
            [sys.executable, "-m", "venv", *([] if is_of_this_python() else ["--clear"]), str(VENV)],
            check=True,
            cwd=HERE,
        )
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        env = for_pip(pip[:3])
        subprocess.run([*pip, "pip>=25.1"], check=True, cwd=HERE, env=env)  # needed for --group
        subprocess.run([*pip, "--editable", ".", *needs], check=True, cwd=HERE, env=env)
    except subprocess.CalledProcessError as error:
        sys.exit(f"dev.py: `{' '.join(map(str, error.cmd))}` failed: see above.")
    stamp.write_text(wanted, encoding="utf-8")


def is_of_this_python() -> bool:
    """Whether .venv works and uses the current interpreter."""
    try:
        version = subprocess.check_output([str(PYTHON), "-Ic", "import sys; print(sys.version)"], encoding="utf-8")
    except (OSError, subprocess.CalledProcessError):
        return False
    return version.strip() == sys.version.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
