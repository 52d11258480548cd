"""The project's folder in its git repository, which an update reads and writes."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from copier_pyo3.errors import UserError, why_git_failed
from copier_pyo3.merge.blob import Blob, Tree

OLDEST_GIT: Final = (2, 31)  # the first with GIT_CONFIG_COUNT and `git ls-files --deduplicate`


def need_git() -> None:
    """Check that git is installed and not too old.

    Raises:
        UserError: it is not.
    """
    if not shutil.which("git"):
        raise UserError("git is required (`copier update` uses it): install it from https://git-scm.com and try again.")
    said = subprocess.run(["git", "--version"], capture_output=True, check=False)
    found = re.search(rb"(\d+)\.(\d+)", said.stdout)
    if said.returncode or not found:
        raise UserError(f"`git --version` failed ({_words(said.stderr)}): fix your installation of git.")
    if (int(found[1]), int(found[2])) < OLDEST_GIT:
        raise UserError(
            f"git {'.'.join(map(str, OLDEST_GIT))} or later is required, but the installed version is "
            f"{found[0].decode()}: update it."
        )


def work_tree(folder: Path) -> Path | None:
    """The top folder of the git work tree that contains a folder, or None if no repository does.

    Raises:
        UserError: there is a repository, but git refuses to use it, for example because another user owns it.
    """
    command = ["git", "rev-parse", "--show-toplevel"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if not done.returncode:
        return Path(os.fsdecode(done.stdout).removesuffix("\n"))
    if b"not a git repository (or any" in done.stderr:
        return None
    raise UserError(f"git cannot use the repository of {folder}: {_words(done.stderr)}")


def _words(stderr: bytes) -> str:
    """What git says, on one line: the reason and what to do."""
    return " ".join(stderr.decode(errors="replace").split()).removeprefix("fatal: ") or "git gave no reason"


class Repository:
    """The git repository of a project, which may be a subfolder of it."""

    def __init__(self, project: Path) -> None:
        """Find the repository.

        Raises:
            UserError: there is no repository, git refuses to use it, or git is not installed.
        """
        self.project = project.resolve()
        if not self.project.is_dir():
            raise UserError(f"{project} is not a folder: pass the project's folder.")
        need_git()
        if not work_tree(self.project):
            raise UserError(f"{project} is not in a git repository: run `git init` and commit first.")
        self.prefix, _, folder = self.text("rev-parse", "--show-prefix", "--git-dir").rpartition("\n")
        self.folder = self.project / folder

    def git(self, *arguments: str, stdin: bytes | None = None, **env: str) -> bytes:
        """Run git in the project's folder.

        Raises:
            GitError: git failed.
        """
        done = subprocess.run(
            ["git", *arguments], cwd=self.project, input=stdin, env=os.environ | env, capture_output=True, check=False
        )
        if done.returncode:
            raise GitError.of(arguments, done)
        return done.stdout

    def found(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """The output of a git command that exits with 1 if it finds nothing."""
        try:
            return self.git(*arguments, stdin=stdin)
        except GitError as error:
            if error.status != 1:
                raise
            return b""

    def text(self, *arguments: str) -> str:
        """The output of git without the trailing newline."""
        return os.fsdecode(self.git(*arguments)).removesuffix("\n")

    def paths(self, *arguments: str) -> list[str]:
        """The paths in the output of git with -z."""
        return [os.fsdecode(path) for path in self.git(*arguments).split(b"\0") if path]

    def changes(self, *but: Path) -> list[str]:
        """The uncommitted changes in the project, from `git status`, except in the given files."""
        inside = (path.resolve() for path in but if path.resolve().is_relative_to(self.project))
        excluded = [f":(exclude,literal){path.relative_to(self.project).as_posix()}" for path in inside]
        return self.text("status", "--porcelain", "--", ".", *excluded).splitlines()

    def ignored(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths that git ignores, and that are not in the index."""
        names = "".join(f"{path}\0" for path in paths)
        return [
            os.fsdecode(path)
            for path in self.found("check-ignore", "-z", "--stdin", stdin=os.fsencode(names)).split(b"\0")
            if path
        ]

    def is_merging(self) -> bool:
        """Whether git is in the middle of a merge, a rebase, a cherry-pick or a revert."""
        marks = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
        return any((self.folder / mark).exists() for mark in marks)

    def tree(self, revision: str) -> Tree:
        """The project's folder in a commit."""
        oid = self.text("rev-parse", "--verify", "--quiet", f"{revision}:{self.prefix}")
        return self._listed(oid)

    def files(self) -> list[Path]:
        """The project's files, except files that git ignores and files in nested repositories."""
        names = self.paths("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        paths = (self.project / name for name in sorted(names))
        return [path for path in paths if path.is_file() and not path.is_symlink()]

    def tree_of(self, folder: Path, index: Path) -> Tree:
        """Add a folder outside of the repository to git's objects, using a separate index.

        The project's attributes apply, so that filtered files, such as large files, can be compared.
        """
        env = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(folder), "GIT_DIR": str(self.folder)}
        attributes = self.project / ".gitattributes"
        options = ["-c", f"core.attributesFile={attributes}"] if attributes.is_file() else []
        done = subprocess.run(
            ["git", "-c", "core.safecrlf=false", *options, "add", "--all", "--force", "."],
            cwd=folder,
            env=os.environ | env,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise GitError.of(("add",), done)
        return self._listed(os.fsdecode(self.git("write-tree", GIT_INDEX_FILE=str(index))).strip())

    def _listed(self, oid: str) -> Tree:
        files = {}
        for line in self.paths("ls-tree", "-r", "-z", "--full-tree", oid):
            about, path = line.split("\t", 1)
            mode, _, blob = about.split(" ")
            files[path] = Blob(mode, blob)
        return Tree(oid, files)

    def moves(self, old: Tree, new: Tree) -> dict[str, str]:
        """Renamed files with similar contents, by old path."""
        fields = iter(self.paths("diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", old.oid, new.oid))
        return {source: target for _, source, target in zip(fields, fields, fields, strict=True)}

    def contents(self, blobs: Iterable[Blob]) -> dict[str, bytes]:
        """The contents of the blobs by oid."""
        oids = sorted({blob.oid for blob in blobs})
        answer = self.git("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in oids).encode())
        found = {}
        for oid in oids:
            head, _, answer = answer.partition(b"\n")
            size = int(head.rsplit(b" ", 1)[1])
            found[oid], answer = answer[:size], answer[size + 1 :]
        return found

    def checked_out(self, path: str, content: bytes) -> bytes:
        """The contents that git would check out, with the line endings and filters of the project's attributes."""
        oid = self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        return self.git("cat-file", "--filters", f"--path={self.prefix}{path}", oid)

    def unmerged(self) -> dict[str, dict[int, Blob]]:
        """The stages of each unmerged path."""
        stages: dict[str, dict[int, Blob]] = {}
        for line in self.paths("ls-files", "--unmerged", "-z"):
            about, path = line.split("\t", 1)
            mode, oid, stage = about.split(" ")
            stages.setdefault(path, {})[int(stage)] = Blob(mode, oid)
        return stages

    def set_index(self, entries: Mapping[str, Mapping[int, Blob]]) -> None:
        """Set the index entries of paths: stage 0, the stages of an unmerged file, or none to remove the entry."""
        lines = []
        none = "0" * len(self.text("rev-parse", "HEAD"))  # 64 with SHA-256
        for path, stages in entries.items():
            place = f"{self.prefix}{path}"
            lines.append(f"0 {none}\t{place}")
            lines += [f"{blob.mode} {blob.oid} {stage}\t{place}" for stage, blob in sorted(stages.items())]
        if lines:
            self.git("update-index", "-z", "--index-info", stdin=os.fsencode("\0".join([*lines, ""])))


class GitError(UserError):
    """git failed. The message has the command and the reason."""

    status = 0
    """Git's exit code."""

    @classmethod
    def of(cls, arguments: Sequence[str], done: "subprocess.CompletedProcess[bytes]") -> "GitError":
        """Create the error from git's arguments and result."""
        words = [word for word in arguments if not word.startswith(("-", "core."))]
        error = cls(f"`git {words[0]}` failed ({why_git_failed(done.stderr.decode(errors='replace'))})")
        error.status = done.returncode
        return error
