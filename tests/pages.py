"""What the page is compared with: projects of Copier; and the page's worker in Node.js."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import copier

from conftest import PAGE_VERSION, ROOT, Page


def copied(page: Page, answers: Mapping[str, Any], folder: Path, version: str = PAGE_VERSION) -> Path:
    """A project that Copier makes from the repository, as `copier copy --trust --defaults` does."""
    copier.run_copy(page.address, folder, data=dict(answers), vcs_ref=version, defaults=True, quiet=True, unsafe=True)
    return folder


def contents(project: Path) -> dict[str, tuple[bytes, bool]]:
    """The content of each file, and whether it is executable."""
    files = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.relative_to(project).parts)
    return {
        path.relative_to(project).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100)) for path in files
    }


def ask(page: Page, requests: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The replies of the page's worker, in one process of Node.js: each has a result (bytes are base64) or an error."""
    lines = "".join(json.dumps({"id": number, **request}) + "\n" for number, request in enumerate(requests))
    done = subprocess.run(
        ["node", "tests/page.mjs", page.folder],
        cwd=ROOT,
        input=lines,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[:2000]}\n{done.stderr[-2000:]}"
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    return [reply for reply in replies if "result" in reply or "error" in reply]
