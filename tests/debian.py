"""Unpack packages of any Debian release and processor, with their dependencies, into a folder. Nothing is installed.

`python tests/debian.py FOLDER SUITE ARCHITECTURE PACKAGE...` needs only apt and dpkg, no root. Tests that use it run only with SLOW=1: the
folders need up to 1.3 GB, and are kept in build/.
"""

import subprocess
import sys
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def unpack(folder: Path, suite: str, architecture: str, *packages: str) -> Path:
    """Return the folder, with the packages in it. A folder that is complete is used again."""
    done = folder / f"{' '.join(packages)}.unpacked"
    if done.exists():
        return folder
    state = folder.with_name(f"{folder.name}.apt").resolve()
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()  # nothing is installed, so that apt downloads all dependencies
    (state / "sources.list").write_text(f"deb [signed-by={KEYS}] {MIRROR} {suite} main\n", encoding="utf-8")
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Dir::Cache": str(state / "cache"),
        "Dir::Etc::SourceList": str(state / "sources.list"),
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": str(state / "lists"),
        "Dir::State::Status": str(state / "status"),
    }
    apt = ["apt-get", "-qq", *(f"--option={name}={value}" for name, value in settings.items())]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "install", "--yes", "--download-only", *packages], check=True)
    folder.mkdir(parents=True, exist_ok=True)
    # Since Debian 12, /bin, /lib, and /sbin are links to folders in /usr.
    for name in ("bin", "lib", "lib64", "sbin"):
        (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"usr/{name}")
    for package in sorted((state / "cache/archives").glob("*.deb")):
        archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
        extract = ["tar", "--extract", "--keep-directory-symlink", f"--directory={folder}"]
        subprocess.run(extract, input=archive, check=True)
    done.touch()
    return folder


def inside(root: Path, tools: Path, *binds: Path) -> list[str | Path]:
    """The start of a command that runs in a folder as if it were the whole system; tools has the package bubblewrap.

    Args:
        root: the folder for /.
        tools: a folder with bubblewrap, which may be for another release than this machine.
        binds: folders that have the same path inside.
    """
    library = f"{tools}/usr/lib/x86_64-linux-gnu"
    bwrap: list[str | Path] = [tools / "lib64/ld-linux-x86-64.so.2", "--library-path", library, tools / "usr/bin/bwrap"]
    (root / "tmp").mkdir(exist_ok=True)
    same: list[str | Path] = [word for folder in binds for word in ("--bind", folder, folder)]
    return [*bwrap, "--die-with-parent", "--bind", root, "/", "--dev", "/dev", "--proc", "/proc", *same]


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(f"arguments are missing: write {sys.argv[0]} FOLDER SUITE ARCHITECTURE PACKAGE...")
    print(unpack(Path(sys.argv[1]), *sys.argv[2:]))
