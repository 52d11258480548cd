"""Refuses to build a package of this repository that would have files that git does not track."""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):  # type: ignore[misc, unused-ignore]
    """Called by hatchling before it builds an sdist or a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Stop if there are such files; an sdist, which has no .git, and editable installs are not checked."""
        if version == "editable" or not Path(self.root, ".git").exists():
            return
        # Like hatchling, ignore what .gitignore lists, but not what a person's own settings do.
        command = ["git", "ls-files", "--others", "--exclude-per-directory=.gitignore"]
        folders = ["docs", "hooks", "licenses", "parts", "template", "tests"]
        files = ["tools/hatch_build.py", "*.md", "*.yml", "dev.py"]
        run = subprocess.run(
            [*command, "--", *folders, *files], cwd=self.root, capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise SystemExit(f"git failed: {run.stderr.strip()}")
        if run.stdout:
            names = ", ".join(run.stdout.splitlines())
            raise SystemExit(f"git does not track {names}. Run `git add`, or move or ignore these files.")
