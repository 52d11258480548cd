"""The console script ``copier-pyo3``."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from copier_pyo3 import __version__
from copier_pyo3.errors import UserError

# Copier takes most of a second to import, and git calls `merge` for each file: each verb imports what it needs.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the console script.

    Returns:
        0 when all is done, 1 with one sentence on stderr when it is not, 130 when the user broke off.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may have what the terminal has not
    try:
        options = _parser().parse_args(arguments)
        status: int = options.run(options)
        print(end="", flush=True)
    except UserError as error:
        print(f"copier-pyo3: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt as error:
        print("\ncopier-pyo3:", *["broken off.", *map(str, error.args)], file=sys.stderr)
        status = 130
    except OSError as error:
        where = error.filename or "the output"
        print(f"copier-pyo3: {where} cannot be read or written ({error.strerror}).", file=sys.stderr)
        status = 1
    finally:
        _drop_what_cannot_be_printed()
    return status


def _drop_what_cannot_be_printed() -> None:
    """Python would try again at its exit, and tell of it."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _new(options: argparse.Namespace) -> int:
    """Make a project: ask, generate, lock, initialise git, build, import."""
    from copier_pyo3.verbs.new import new

    data = _data(options)
    new(_folder(options), data=data, defaults=options.defaults, build=options.build, template=options.template)
    return 0


def _update(options: argparse.Namespace) -> int:
    """Update a project to a newer version of its template: whole, or not at all.

    Returns:
        0 updated; 1 updated with something left for a person, or not updated, as the last line says.
    """
    _forget_repository()
    from copier_pyo3.verbs.update import update

    defaults = options.defaults or not sys.stdin.isatty()
    done = update(
        options.folder,
        data=_data(options),
        defaults=defaults,
        vcs_ref=options.vcs_ref,
        answers_file=options.answers_file,
    )
    if done.finished_earlier:
        print("Finished the update that was broken off.")
    if not done.changed:
        print(f"Nothing to do: the project is at {done.new_version}.")
        return 1 if done.report.left else 0
    print(f"Updated from {done.old_version} to {done.new_version}:")
    print("".join(f"  {path}\n" for path in done.changed), end="")
    if done.report.told:
        print("Decided:")
        print("".join(f"  {line}\n" for line in done.report.told), end="")
    return _left(done.report.left)


def _resolve(options: argparse.Namespace) -> int:
    """Merge by meaning what an update has left in conflict, in the index or committed with its markers.

    Returns:
        0 nothing is left; 1 something is, as the last lines say.
    """
    _forget_repository()
    from copier_pyo3.verbs.resolve import resolve

    report = resolve(options.folder, options.answers_file)
    print("".join(f"  {line}\n" for line in report.told), end="")
    return _left(report.left)


def _forget_repository() -> None:
    """Called from a git hook, the environment names a repository; ours is that of the project's folder.

    Before Copier is imported: it runs git in the environment of that moment.
    """
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"):
        os.environ.pop(name, None)


def _left(left: dict[str, str]) -> int:
    if not left:
        print("Nothing is left to settle: look at `git diff`, test, and commit.")
        return 0
    print("Left for you:")
    print("".join(f"  {path}: {why}\n" for path, why in sorted(left.items())), end="")
    return 1


def _merge(options: argparse.Namespace) -> int:
    """Merge a file by its meaning; as git's merge driver, see docs/update.md.

    Returns:
        0 merged; 1 left for a person, in git's markers; 2 unusable input, nothing written.
    """
    from copier_pyo3.verbs.merge import merge

    return merge(options.base, options.ours, options.theirs, options.name, options.out, options.strict)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="copier-pyo3", description="Start Rust/Python (PyO3) packages.")
    parser.add_argument("--version", action="version", version=f"copier-pyo3 {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("new", help="make a project, build it and import it", description=_new.__doc__)
    verb.set_defaults(run=_new)
    verb.add_argument("folder", nargs="?", metavar="DIR", help="folder of the project, new or empty (asked if missing)")
    _add_answers(verb)
    verb.add_argument("--no-build", dest="build", action="store_false", help="do not build: needs no Rust")
    verb.add_argument("--template", metavar="SOURCE", help="another home of the template: a folder or a git address")

    verb = verbs.add_parser("update", help="bring a project to a newer template", description=_first(_update.__doc__))
    verb.set_defaults(run=_update)
    _add_folder(verb)
    _add_answers(verb)
    verb.add_argument("--vcs-ref", metavar="REF", help="version of the template (the newest if missing)")

    verb = verbs.add_parser("resolve", help="settle what an update left", description=_first(_resolve.__doc__))
    verb.set_defaults(run=_resolve)
    _add_folder(verb)

    verb = verbs.add_parser("merge", help="merge three versions of a file", description=_first(_merge.__doc__))
    verb.set_defaults(run=_merge)
    for name, says in (
        ("base", "what both came from"),
        ("ours", "your file, written to"),
        ("theirs", "the other file"),
    ):
        verb.add_argument(name, metavar=name.upper(), type=Path, help=says)
    verb.add_argument("--name", metavar="PATH", help="the file's name, if OURS is a temporary file, as with git")
    verb.add_argument("-o", dest="out", metavar="OUT", type=Path, help="where the result goes, if not to OURS")
    verb.add_argument(
        "--strict", action="store_true", help="where both sides changed the same value, leave git's markers: not ours"
    )
    return parser


def _first(text: str | None) -> str:
    return (text or "").partition("\n\n")[0]


def _add_folder(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", nargs="?", default=".", metavar="DIR", type=Path, help="folder of the project (here)")
    verb.add_argument("--answers-file", default=".copier-answers.yml", metavar="FILE", help="its answers file")


def _add_answers(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--defaults", action="store_true", help="ask nothing: take the default of each question")
    verb.add_argument(
        "--data", action="append", default=[], type=_pair, metavar="KEY=VALUE", help="answer a question beforehand"
    )
    verb.add_argument(
        "--data-file", metavar="FILE", type=Path, help="YAML file with answers, such as an organisation's"
    )


def _data(options: argparse.Namespace) -> dict[str, Any]:
    return _read_data_file(options.data_file) | dict(options.data)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f'"{text}" is not KEY=VALUE, such as license=MIT')
    return key, value


def _folder(options: argparse.Namespace) -> Path:
    if not options.defaults and not sys.stdin.isatty():
        raise UserError("there is no terminal to ask on: add --defaults, and --data or --data-file for other answers.")
    if options.folder is None and not options.defaults:
        import questionary

        options.folder = questionary.text("Folder of the new project", default="my-extension").unsafe_ask()
    return Path(options.folder or ".")


def _read_data_file(path: Path | None) -> dict[str, Any]:
    import yaml

    if path is None:
        return {}
    try:
        answers = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): give an existing file to --data-file.") from error
    except (yaml.YAMLError, ValueError) as error:  # the latter for bytes that are not UTF-8, and dates that are none
        raise UserError(f"{path} is not YAML ({' '.join(str(error).split())}): mend it.") from error
    if not isinstance(answers, dict):
        raise UserError(f"{path} has no answers: write one to a line, such as `license: MIT`.")
    return answers


if __name__ == "__main__":
    sys.exit(main())
