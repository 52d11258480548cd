"""Compares the versions in the template with the registries: python3 tools/versions.py [--raise].

In versions.yml, a comment after each version names its registry (`# crates.io pyo3`). TOML fragments without Jinja contain
versions too. The exit code is 1 if a version is outdated; with --raise, the newest versions are written instead. The registries
are queried with cargo and pip, so their settings apply. Renovate does the same every week: see renovate.json.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ROOT / "versions.yml"
ENTRY = re.compile(
    r'(?m)^    \w+: "(?P<version>[^"]+)" # (?P<registry>crates\.io|PyPI) (?P<name>[\w-]+)(?P<about>[^\n]*)$'
)
CRATE = re.compile(r'(?m)^(?P<name>[\w-]+) = (?:\{ version = )?"(?P<version>\d[\d.]*)"')
IN_WORKFLOWS = (
    re.compile(r"version: (?P<version>[\d.]+) # PyPI (?P<name>\w+)"),
    re.compile(r"uvx (?P<name>\w+)@(?P<version>\d[\d.]*)"),
    re.compile(r"ghcr\.io/astral-sh/(?P<name>uv):(?P<version>[\d.]+)"),
)
CRATE_IN_WORKFLOWS = re.compile(r"VERSION: (?P<version>[\d.]+) # crates\.io (?P<name>[\w-]+)")
PINNED = re.compile(r'"(?P<name>[A-Za-z][\w.-]*)==(?P<version>\d[\d.]*)"')


@dataclass(frozen=True)
class Written:
    """A version in a file."""

    path: Path
    span: tuple[int, int]
    registry: str
    name: str
    version: str
    about: str = ""

    @property
    def held(self) -> bool:
        """Whether the comment gives a reason for not using the newest version."""
        return "not the newest" in self.about


def main(arguments: list[str]) -> int:
    """Compare the versions, print them, and write the newest ones with --raise."""
    if arguments not in ([], ["--raise"]):
        print(__doc__, file=sys.stderr)
        return 2
    behind = []
    for written in all_versions():
        newest = written.version if written.held else newest_version(written)
        if newest is None:
            print(f"{written.name}: {written.registry} did not answer", file=sys.stderr)
            return 2
        wanted = as_precise(newest, written.version)
        mark = "held" if written.held else "" if numbers(wanted) <= numbers(written.version) else f"-> {wanted}"
        print(f"{written.registry:<9} {written.name:<24} {written.version:<9} {mark}")
        if mark.startswith("->"):
            behind.append((written, wanted))
    if arguments:
        raise_versions(behind)
        return 0
    return 1 if behind else 0


def all_versions(root: Path = ROOT) -> Iterator[Written]:
    """The versions in versions.yml and in the fragments."""
    candidates = (path for folder in (".github", "template") for path in (root / folder).rglob("*.yml*"))
    workflows = sorted(path for path in candidates if path.is_file())
    for path, registry, pattern in [
        (root / "versions.yml", "", ENTRY),
        *((path, "crates.io", CRATE) for path in sorted(root.glob("template/**/Cargo.toml.d/*.toml"))),
        *((path, "PyPI", PINNED) for path in sorted(root.glob("template/**/pyproject.toml.d/*.toml*"))),
        *((path, "PyPI", each) for path in workflows for each in IN_WORKFLOWS),
        *((path, "crates.io", CRATE_IN_WORKFLOWS) for path in workflows),
    ]:
        for found in pattern.finditer(path.read_text(encoding="utf-8")):
            about = found.groupdict().get("about") or ""
            yield Written(
                path, found.span("version"), registry or found["registry"], found["name"], found["version"], about
            )


def newest_version(written: Written) -> str | None:
    """The newest final release, or for a rust-version, the Rust version that this release requires."""
    if written.registry == "PyPI":
        command = [sys.executable, "-m", "pip", "index", "versions", "--disable-pip-version-check", written.name]
        pattern = r"^[\w.-]+ \((\d[\d.]*)\)"
    else:
        command = ["cargo", "info", "--quiet", "--color", "never", "--registry", "crates-io", written.name]
        field = "rust-version" if "rust-version" in written.about else "version"
        pattern = rf"(?m)^{field}: (\d[\d.]*)"
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path.home()).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(pattern, said)
    return found[1] if found else None


def as_precise(newest: str, written: str) -> str:
    """The version with as many numbers as the written one: 1.16 for 1.16.2."""
    return ".".join(newest.split(".")[: written.count(".") + 1])


def numbers(version: str) -> tuple[int, ...]:
    """The numbers in a version, for comparison."""
    return tuple(int(part) for part in version.split(".") if part)


def raise_versions(behind: list[tuple[Written, str]]) -> None:
    """Write the versions, starting at the end of each file, so that positions remain valid."""
    for written, wanted in sorted(behind, key=lambda item: item[0].span, reverse=True):
        text = written.path.read_text(encoding="utf-8")
        start, stop = written.span
        written.path.write_bytes(f"{text[:start]}{wanted}{text[stop:]}".encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
