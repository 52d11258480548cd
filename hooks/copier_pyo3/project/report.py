"""What an update did, for people; and the last look at every manifest and workflow."""

import sys
from dataclasses import dataclass, field

from copier_pyo3.merge.file import unreadable
from copier_pyo3.project.repository import GitError, Repository


@dataclass
class Report:
    """What an update did, for people."""

    told: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def print(self) -> None:
        """Tell it on stderr, as Copier does."""
        for line in self.told:
            print(f"  {line}", file=sys.stderr)
        for path, why in sorted(self.left.items()):
            print(f"  {path}: LEFT FOR YOU: {why}", file=sys.stderr)


def check(repository: Repository, before: str, report: Report) -> None:
    """Read every TOML file and workflow once more, whether it was merged or not; what was wrong before is not told."""
    for path in repository.files():
        name = path.relative_to(repository.project).as_posix()
        if path.suffix not in (".toml", ".yml", ".yaml") or name in report.left:
            continue
        if path.suffix != ".toml" and not name.startswith((".github/", ".pre-commit")):
            continue
        if (problem := unreadable(name, path.read_bytes())) and not _was_unreadable(repository, before, name):
            report.left[name] = problem


def _was_unreadable(repository: Repository, before: str, name: str) -> bool:
    try:
        return unreadable(name, repository.git("show", f"{before}:./{name}")) is not None
    except GitError:  # there was none
        return False
