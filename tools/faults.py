"""Try bad input and faults on the commands, and count what goes wrong: python3 dev.py faults [--minutes N] [--seed S] [--only TRY].

Each try creates a project or changes one, and gives a command a hostile answer or answers file, a damaged project, a full disk,
or kills it. Then it checks:

lost          a file or an edit of the user is gone, or the next run does not finish what was interrupted
half-written  a file is neither the old nor the new one, or a part of a project was left
hung          the command did not end within three minutes
traceback     of this package; a user sees one sentence instead

Exits 1 if one of the counts is not 0. Needs fork, so it does not run on Windows.
"""

import argparse
import contextlib
import itertools
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import copier
import copier._cli
import plumbum

import small
from conftest import run
from copier_pyo3 import cli
from copier_pyo3.generate.asking import read_questions
from copier_pyo3.verbs import new, resolve, update  # noqa: F401 (each try is a fork that has them)

TIMEOUT = 180
BAD = ("lost", "half-written", "hung", "traceback")
MARK = "# an edit of the user\n"
# fmt: off
TEXTS = [
    "", " ", "x" * 5000, "a\nb", "\x00", "\x1b[31m", "\u202e", "\U0001f980", "ünï-çödé", "C:\\x", "\\", "'", '"', "{{ 7*7 }}", "{% raw %}",
    "$(id)", "`id`", "-rf", "--help", "../../x", "/etc/passwd", "con", "null", "true", "1e999", "0x1F", "[", "{", "%s", "# c", "a: b",
    "!!python/object:os.system id", "&a [*a]", "<script>", "https://user:token@example.org/x", "...", "---",
]
# fmt: on

Files = Mapping[str, bytes]
outputs: list[str] = []  # of the commands of this try


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int
    output: str

    @property
    def faults(self) -> Counter[str]:
        """A hang or a traceback."""
        mine = "Traceback" in self.output and ("copier_pyo3" in self.output or "hooks/" in self.output)
        return Counter({"hung": int(self.status == -signal.SIGALRM), "traceback": int(mine)})


def call(
    arguments: Sequence[str],
    folder: Path,
    kill_after: float | None = None,
    limit: int | None = None,
    path: Path | None = None,
) -> Ended:
    """Run a command of copier-pyo3, or of Copier if the first argument is ``copier``, in a fork.

    Args:
        arguments: the command line.
        folder: the current folder.
        kill_after: seconds after which it is killed, with its children.
        limit: the size in bytes of files that it can write.
        path: a folder in front of PATH.
    """
    output = folder.with_name(f"{folder.name}.output")
    output.touch()
    child = os.fork()
    if not child:
        status = 70
        try:
            os.setsid()
            file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(file, 1)
            os.dup2(file, 2)
            os.chdir(folder)
            if path:
                os.environ["PATH"] = f"{path}{os.pathsep}{os.environ['PATH']}"
                plumbum.local.env["PATH"] = os.environ["PATH"]
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # also in the children: writing fails, as on a full disk
            if arguments[0] == "copier":
                _, status = copier._cli.CopierApp.run([*arguments], exit=False)
            else:
                status = cli.main(arguments)
            sys.stdout.flush()
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except BaseException:  # noqa: BLE001
            os.write(2, traceback.format_exc().encode(errors="replace"))
        finally:
            os._exit(status or 0)
    end = time.monotonic() + (TIMEOUT if kill_after is None else kill_after)
    hung = False
    while True:
        done, state = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            hung = kill_after is None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            _, state = os.waitpid(child, 0)
            break
        time.sleep(0.005)
    text = output.read_text(encoding="utf-8", errors="replace")
    outputs.append(f"{' '.join(arguments)}\n{text}")
    return Ended(-signal.SIGALRM if hung else os.waitstatus_to_exitcode(state), text)


def files(folder: Path) -> dict[str, bytes]:
    """The files of a project, without its git repository."""
    found = (path for path in folder.rglob("*") if ".git" not in path.parts and (path.is_file() or path.is_symlink()))
    return {
        path.relative_to(folder).as_posix(): os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in found
    }


class Tries:
    """What is tried. Each method makes one try in a new folder and returns the faults that it found."""

    def __init__(self, home: Path) -> None:
        """Create the templates and the projects."""
        self.home = home
        self.template = home / "whole"
        names = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
                (self.template / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.template / name)
        self.questions = {
            name: question
            for name, question in read_questions(self.template).items()
            if question.get("when") is not False and name not in ("more", "copyright_year")
        }
        made = small.Template(home / "template")
        made.release("v1.0.0", {})
        made.release("v1.1.0", small.NEWER | {"docs/index.md": "# Documentation\n"})
        self.project = made.make(home / "project")
        for name in ("README.md", small.CARGO, small.CODE):
            with (self.project / name).open("a", encoding="utf-8") as file:
                file.write(MARK)
        small.commit(self.project)
        (home / "settings.yml").write_text(yaml.safe_dump({"trust": [f"{home}/"]}), encoding="utf-8")
        os.environ["COPIER_SETTINGS_PATH"] = str(home / "settings.yml")
        self.old = files(self.project)
        start = time.monotonic()
        done = self.copied("updated")
        assert call(["update", str(done)], done).status == 0
        self.new = files(done)
        self.seconds = time.monotonic() - start
        small.commit(done)
        for name in (small.CARGO, "README.md"):
            small.write(done / f"{name}.rej", "")
        small.commit(done)
        self.rejected = done

    def copied(self, name: str, project: Path | None = None) -> Path:
        """A copy of a project."""
        return Path(shutil.copytree(project or self.project, self.home / name / "project", symlinks=True))

    def answer(self, name: str, chance: random.Random) -> Counter[str]:
        """Hostile answers, through both doors."""
        folder, target = self.home / name, self.home / name / "made"
        folder.mkdir()
        asked = chance.sample([*self.questions], chance.choice((1, 1, 2, 3)))
        data = {question: bad_answer(chance, self.questions[question]) for question in asked}
        (folder / "answers.yml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        options = ["--defaults", "--data-file", "answers.yml"]
        if chance.random() < 0.5:
            ended = call(["new", "made", "--no-build", "--template", str(self.template), *options], folder)
        else:
            copy = ["copier", "copy", "--trust", "--quiet", *options, str(self.template), "made"]
            ended = call(copy, folder)
        found = ended.faults
        if ended.status == 0:
            found["half-written"] += not {"Cargo.toml", "pyproject.toml", ".copier-answers.yml"} <= files(target).keys()
        else:
            found["half-written"] += target.exists()
        return found

    def answers_file(self, name: str, chance: random.Random) -> Counter[str]:
        """A damaged answers file, committed."""
        project = self.copied(name)
        path = project / small.ANSWERS
        path.write_bytes(damaged(path.read_bytes(), chance))
        small.commit(project)
        before = files(project)
        ended = call([chance.choice(("update", "resolve")), str(project)], project)
        return ended.faults + changes(project, before, ended)

    def damaged_project(self, name: str, chance: random.Random) -> Counter[str]:
        """Files of the project are damaged, gone, links, or folders; committed."""
        project = self.copied(name)
        for path in chance.sample([*self.old], 2):
            file = project / path
            kind = chance.choice(("bytes", "gone", "folder", "link", "text", "crlf"))
            content = file.read_bytes() if file.is_file() else b""
            file.unlink(missing_ok=True)
            if kind == "folder":
                small.write(file / chance.choice(("x", "ünï", "a b")), MARK)
            elif kind == "link":
                file.symlink_to(chance.choice(("README.md", "nowhere", "/dev/null", ".")))
            elif kind != "gone":
                change = {"bytes": damaged(content, chance), "crlf": content.replace(b"\n", b"\r\n")}
                file.write_bytes(change.get(kind, (chance.choice(TEXTS) + "\n").encode()))
        small.commit(project)
        before = files(project)
        ended = call(["update", str(project)], project)
        return ended.faults + changes(project, before, ended)

    def killed_update(self, name: str, chance: random.Random) -> Counter[str]:
        """Killed at a random moment; then it is run again."""
        project = self.copied(name)
        ended = call(["update", str(project)], project, kill_after=chance.uniform(0, self.seconds * 1.2))
        found = ended.faults + self.mixed(project)
        again = call(["update", str(project)], project)
        found += again.faults
        found["lost"] += files(project) != self.new
        return found

    def killed_resolve(self, name: str, chance: random.Random) -> Counter[str]:
        """Killed at a random moment; then it is run again."""
        project = self.copied(name, self.rejected)
        before = files(project)
        ended = call(["resolve", str(project)], project, kill_after=chance.uniform(0, self.seconds))
        found, after = ended.faults, files(project)
        found["lost"] += any(
            MARK.encode() in content and MARK.encode() not in after.get(path, b"") for path, content in before.items()
        )
        found += call(["resolve", str(project)], project).faults
        return found

    def killed_new(self, name: str, chance: random.Random) -> Counter[str]:
        """Killed at a random moment."""
        folder = self.home / name
        folder.mkdir()
        command = ["new", "made", "--no-build", "--defaults", "--template", str(self.template)]
        ended = call(command, folder, kill_after=chance.uniform(0, self.seconds * 1.5))
        found, made = ended.faults, files(folder / "made")
        found["half-written"] += bool(made) and not {"Cargo.toml", "README.md", small.ANSWERS} <= made.keys()
        return found

    def full_disk(self, name: str, chance: random.Random) -> Counter[str]:
        """Files cannot be written beyond a size, or git reports a full disk at one of its calls."""
        verb = chance.choice(("update", "update", "new"))
        project = self.copied(name)
        options: dict[str, Any] = {"limit": chance.choice((0, 100, 1000, 10_000))}
        if chance.random() < 0.6:
            options = {"path": failing_git(self.home / name, chance.randint(1, 60))}
        if verb == "new":
            command = ["new", "made", "--no-build", "--defaults", "--template", str(self.template)]
            ended = call(command, self.home / name, **options)
            found, made = ended.faults, files(self.home / name / "made")
            found["half-written"] += bool(made) and not {"Cargo.toml", "README.md", small.ANSWERS} <= made.keys()
            return found
        ended = call(["update", str(project)], project, **options)
        found = ended.faults + self.mixed(project)
        found["lost"] += ended.status == 0 and files(project) != self.new
        call(["update", str(project)], project)
        found["lost"] += files(project) != self.new
        return found

    def mixed(self, project: Path) -> Counter[str]:
        """Files that are neither old nor new."""
        now = files(project)
        strange = [path for path, content in now.items() if content not in (self.old.get(path), self.new.get(path))]
        gone = [path for path in self.old if path not in now and path in self.new]
        return Counter({"half-written": len(strange), "lost": len(gone)})


def bad_answer(chance: random.Random, question: Mapping[str, Any]) -> Any:
    """A hostile or a valid answer of any type."""
    valid = [value["value"] if isinstance(value, dict) else value for value in (question.get("choices") or {}).values()]
    kinds: list[Callable[[], Any]] = [
        lambda: chance.choice(TEXTS),
        lambda: chance.choice(TEXTS) + chance.choice(TEXTS),
        lambda: "".join(
            chr(chance.choice((chance.randrange(128), chance.randrange(0xD7FF)))) for _ in range(chance.randrange(40))
        ),
        lambda: chance.choice(
            [None, True, False, 0, -1, 10**400, 1.5, float("nan"), [], {}, [[]], {"a": [1]}, ["x", "x"]]
        ),
        lambda: chance.choice(valid) if valid else chance.choice(TEXTS),
        lambda: chance.sample(valid, chance.randint(0, len(valid))),
    ]
    return chance.choice(kinds)()


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with one damage."""
    lines = content.splitlines(keepends=True)
    line = chance.randrange(len(lines) or 1)
    place = chance.randrange(len(content) + 1)
    text = chance.choice(TEXTS).encode()
    return chance.choice(
        [
            content[:place],
            content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :],
            content[:place] + text + content[place:],
            b"".join(lines[:line] + lines[line + 1 :]),
            b"".join([*lines[:line], b"_commit: " + text + b"\n", *lines[line:]]),
            b"".join([*lines[:line], b"_src_path: " + text + b"\n", *lines[line:]]),
            b"x: " + b"[" * 5000 + b"]" * 5000,
            b"a: &a [x]\n" + b"".join(b"k%d: &a [*a, *a, *a]\n" % number for number in range(20)) + content,
            b"\xef\xbb\xbf" + content,
            content.decode(errors="replace").encode("utf-16"),
            b"",
        ]
    )


def changes(project: Path, before: Files, ended: Ended) -> Counter[str]:
    """After a failure nothing has changed; after a success, the edits of the user are still there."""
    after = files(project)
    if ended.status != 0 and "Updated from" not in ended.output and "Resolve by hand" not in ended.output:
        return Counter({"lost": int(after != before)})
    mark = MARK.strip().encode()
    return Counter(
        {"lost": sum(mark in content and mark not in after.get(path, b"") for path, content in before.items())}
    )


def failing_git(folder: Path, call_number: int) -> Path:
    """A folder with a git that reports a full disk at this call."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    script = (
        f"#!/bin/sh\necho >> '{folder}/calls'\n"
        f"if [ $(wc -l < '{folder}/calls') -eq {call_number} ]; then\n"
        '  echo "fatal: write error: No space left on device" >&2; exit 128\nfi\n'
        f'exec "{shutil.which("git")}" "$@"\n'
    )
    (bin_folder / "git").write_text(script, encoding="utf-8")
    (bin_folder / "git").chmod(0o755)
    return bin_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Try until the time is over, and print the table."""
    parser = argparse.ArgumentParser(prog="faults", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--only", type=int, metavar="TRY", help="make only the try with this number")
    options = parser.parse_args(arguments)
    for who in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@example.org"}
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as home:
        tries = Tries(Path(home))
        shares = {tries.answer: 12, tries.answers_file: 5, tries.damaged_project: 2, tries.killed_update: 2}
        shares |= {tries.killed_resolve: 1, tries.killed_new: 1, tries.full_disk: 2}
        kinds = [kind for kind, share in shares.items() for _ in range(share)]
        end = time.monotonic() + options.minutes * 60
        for number in itertools.count(1) if options.only is None else [options.only]:
            if time.monotonic() > end:
                break
            chance = random.Random(f"{options.seed} {number}")
            kind = chance.choice(kinds)
            name = f"try-{number}"
            found = kind(name, chance)
            row = counts.setdefault(kind.__name__.replace("_", " "), Counter())
            row["tries"] += 1
            for fault in BAD:
                row[fault] += bool(found[fault])
            if bad := [fault for fault in BAD if found[fault]]:
                print(f"try {number} ({kind.__name__}): {', '.join(bad)}", flush=True)
                for text in outputs:
                    print("    " + "\n    ".join([*text.splitlines()[:2], *text.splitlines()[2:][-12:]]), flush=True)
            outputs.clear()
            for path in Path(home).glob(f"{name}*"):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    print(f"{'':<16} {'tries':>6} " + " ".join(f"{fault:>12}" for fault in BAD))
    total: Counter[str] = sum(counts.values(), Counter())
    for title, row in [*sorted(counts.items()), ("all", total)]:
        print(f"{title:<16} {row['tries']:>6} " + " ".join(f"{row[fault]:>12}" for fault in BAD))
    return int(any(total[fault] for fault in BAD))


if __name__ == "__main__":
    sys.exit(main())
