"""The template's address: as Copier understands it, without a password, and whether its code may run unasked."""

import importlib.metadata
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from copier_pyo3.errors import UserError, why_git_failed

PACKAGE: Final = Path(__file__).resolve().parents[1]
CHECKOUT: Final = PACKAGE.parents[1]
BUNDLE: Final = PACKAGE / "bundle"
TEMPLATE: Final = CHECKOUT if (CHECKOUT / "copier.yml").is_file() else BUNDLE

# What copier._vcs.get_repo takes for the address of a git repository (Copier 9.19); anything else is a folder to it.
KNOWN: Final = ("git+", "git@", "git://", "gh:", "gl:", "https://github.com/", "https://gitlab.com/")
# A URL, or git's user@host:path; a single letter before the colon is a drive of Windows.
ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.+|([^/@:\\\s]+@)?[^/@:\\\s]{2,}:.+")
# A tag. Unlike a hash, a describe text or a path of refs, it cannot name a commit that is on no branch.
TAG: Final = re.compile(r"v[0-9](?!.*-g[0-9a-f]+$)[A-Za-z0-9.+-]*")


def as_copier(source: str) -> str:
    """The template's address in a form that Copier clones: other addresses of git repositories get the prefix ``git+``.

    Args:
        source: a folder, or any address that git understands.
    """
    if not ADDRESS.fullmatch(source) or Path(source).exists():
        return source
    address = source.rstrip("/")
    return address if address.startswith(KNOWN) or address.endswith(".git") else f"git+{address}"


def as_git(address: str) -> str:
    """The URL that Copier passes to git.

    Args:
        address: as Copier understands it.
    """
    url = _without_alias(address).removeprefix("git+")
    hosted = url.startswith(("https://github.com/", "https://gitlab.com/")) and not address.startswith("git+")
    return f"{url}.git" if hosted and not url.endswith(".git") else url


def without_password(address: str) -> str:
    """The address without a password or token, which git asks for or has stored."""
    address = re.sub(r"(?i)^((?:git\+)?https?://)[^/]*@", r"\1", address)
    return re.sub(r"(?i)^((?:git\+)?[a-z][a-z0-9+.-]*://[^/:@]*):[^/]*@", r"\1@", address)


def scrubbed(text: str) -> str:
    """A text, such as a message of git, without the passwords and tokens of the addresses in it."""
    text = re.sub(r"(?i)(https?://)[^/\s'\"]*@", r"\1", text)
    return re.sub(r"(?i)([a-z][a-z0-9+.-]*://[^/:@\s]*):[^/@\s]*@", r"\1@", text)


def home_address() -> str:
    """The address of this package's repository, which has the template."""
    urls = importlib.metadata.metadata("copier-pyo3").get_all("Project-URL") or []
    address = next(url.partition(", ")[2] for url in urls if url.startswith("Repository, "))
    return without_password(as_copier(address))


def is_home(source: str, *versions: str) -> bool:
    """Whether a project's template is that of this package, so that its code is as trustworthy as the package itself.

    Anyone can offer a commit to a repository: GitHub serves those of forks and pull requests from the repository itself. So
    each version must be on a branch or have a tag.

    Args:
        source: the template's address or folder.
        versions: the versions that will run code: tags, commits, or texts of `git describe`.

    Raises:
        UserError: the repository cannot be reached.
    """
    if TEMPLATE == CHECKOUT and Path(source).is_dir():
        return CHECKOUT.samefile(source)
    address = _plain(home_address())
    host, _, path = address.removeprefix("https://").partition("/")
    if _plain(source) not in (address, f"git@{host}:{path}", f"ssh://git@{host}/{path}"):
        return False
    unsure = [version for version in versions if not TAG.fullmatch(version)]
    return not unsure or _published(source, unsure)


def _plain(address: str) -> str:
    return _without_alias(address).removeprefix("git+").rstrip("/").removesuffix(".git")


def _without_alias(address: str) -> str:
    for alias, site in (("gh:", "https://github.com/"), ("gl:", "https://gitlab.com/")):
        address = re.sub(f"^{alias}/?", site, address)
    return address


def _published(source: str, versions: list[str]) -> bool:
    """Whether each version is a commit on a branch or under a tag."""
    url = as_copier(source).removeprefix("git+")
    if url.startswith(("gh:", "gl:")):
        url = _plain(url)
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as folder:
        clone = ["git", "clone", "--quiet", "--bare", "--filter=tree:0", "--", url, folder]
        done = subprocess.run(clone, capture_output=True, encoding="utf-8", errors="replace", check=False)
        if done.returncode:
            raise UserError(
                f"cannot reach the template {source} ({why_git_failed(done.stderr)}): check the URL and the network."
            )
        listing = ["git", "--git-dir", folder, "rev-list", "--branches", "--tags"]
        commits = subprocess.run(listing, capture_output=True, encoding="utf-8", check=False).stdout.split()
    ends = [version.rpartition("-g")[2] for version in versions]
    return all(re.fullmatch("[0-9a-f]{4,}", end) and any(each.startswith(end) for each in commits) for end in ends)
