"""Measures the CPU time of `copier copy` with default answers: `python3 dev.py bench-copy [TEMPLATE ...]`.

A TEMPLATE is the path of a git repository, followed by answers if it needs them: PATH,backend=maturin,org=example. This
template is also measured, without changes and with 10 more options that are off. Each template is copied to a repository
with one commit, because a long history takes time. All templates alternate in one run, and ratios are per round, because
the speed of a machine varies.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MORE = 10
WORK_TREE = ("--cached", "--others", "--exclude-standard")
FOLDER = "template/{{{{ part.extra{n} }}}}"
QUESTION = "extra{n}:\n  type: bool\n  help: Extra?\n  ask: '{{{{ more }}}}'\n  default: false\n\n"
NO_CONFIG = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def run(*command: object, cwd: Path | None = None) -> None:
    """Run a command quietly."""
    subprocess.run(
        [str(part) for part in command], cwd=cwd, check=True, capture_output=True, env=os.environ | NO_CONFIG
    )


def seconds(template: str) -> float:
    """The CPU time of `copier copy` from HEAD of a repository in seconds, including child processes."""
    path, *answers = template.split(",")
    data = [part for answer in answers for part in ("--data", answer)]
    options = ["--quiet", "--trust", "--defaults", "--vcs-ref", "HEAD", *data]
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(sys.executable, "-m", "copier", "copy", *options, path, Path(folder, "my-extension"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def committed(source: Path, folder: Path, *which: str) -> Path:
    """A repository with one commit of the files that git tracks in another."""
    listed = subprocess.check_output(["git", "ls-files", "-z", *which], cwd=source, encoding="utf-8")
    for name in filter(None, listed.split("\0")):
        if (source / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, folder / name)
    run("git", "init", "--quiet", cwd=folder)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    run("git", "add", "--all", cwd=folder)
    run("git", *identity, "commit", "--quiet", "--message", "bench", cwd=folder)


def with_more_options(folder: Path) -> Path:
    """The template with `MORE` more options. Each has a question, a name in `part`, a fragment, and a file."""
    committed(ROOT, folder, *WORK_TREE)
    config = folder / "copier.yml"
    text = config.read_text(encoding="utf-8")
    for number in range(MORE):
        option = folder / FOLDER.format(n=number)
        (option / "pyproject.toml.d").mkdir(parents=True)
        (option / "pyproject.toml.d" / f"extra{number}.toml").write_text("[tool.extra]\n", encoding="utf-8")
        (option / f"extra{number}.txt").write_text("extra\n", encoding="utf-8")
        for old, new in (
            ("# --- computed, and stored", f"{QUESTION.format(n=number)}# --- computed, and stored"),
            ('{% set names = "', f'{{% set names = "extra{number} '),
            ("interpreters + [", f'interpreters + ["extra{number}" if extra{number} else "",'),
        ):
            assert old in text, old
            text = text.replace(old, new, 1)
    config.write_text(text, encoding="utf-8")
    commit(folder)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("templates", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        templates = [str(committed(ROOT, Path(work, "ours"), *WORK_TREE)), str(with_more_options(Path(work, "more")))]
        for number, template in enumerate(options.templates):
            path, comma, answers = template.partition(",")
            templates.append(f"{committed(Path(path), Path(work, f'{number}'))}{comma}{answers}")
        for template in templates:
            seconds(template)
        rounds = [[seconds(template) for template in templates] for _ in range(options.rounds)]
    print(f"copier copy, {options.rounds} alternating rounds  seconds  of ours")
    names = ["ours", f"ours, {MORE} more options", *(Path(one.partition(",")[0]).name for one in options.templates)]
    for place, name in enumerate(names):
        median = statistics.median(one[place] for one in rounds)
        ratio = statistics.median(one[place] / one[0] for one in rounds)
        print(f"  {name:<38} {median:7.3f} {ratio:8.2f}")
    each = statistics.median(one[1] - one[0] for one in rounds) / MORE * 1000
    print(f"  one more option that is off, ms        {each:7.2f}")


if __name__ == "__main__":
    main()
