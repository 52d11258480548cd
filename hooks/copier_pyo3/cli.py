"""The console script ``copier-pyo3``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import questionary
import yaml

from copier_pyo3 import __version__
from copier_pyo3.errors import UserError
from copier_pyo3.new import new


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the console script.

    Returns:
        0 when all is done, 1 with one sentence on stderr when it is not, 130 when the user broke off.
    """
    options = _parser().parse_args(arguments)
    try:
        folder = _folder(options)
        data = _read_data_file(options.data_file) | dict(options.data)
        new(folder, data=data, defaults=options.defaults, build=options.build, template=options.template)
    except UserError as error:
        print(f"copier-pyo3: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncopier-pyo3: broken off.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="copier-pyo3", description="Start Rust/Python (PyO3) packages.")
    parser.add_argument("--version", action="version", version=f"copier-pyo3 {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    verb = verbs.add_parser(
        "new", help="make a project, build it and import it", description=(new.__doc__ or "").partition("\n")[0]
    )
    verb.add_argument("folder", nargs="?", metavar="DIR", help="folder of the project, new or empty (asked if missing)")
    verb.add_argument("--defaults", action="store_true", help="ask nothing: take the default of each question")
    verb.add_argument(
        "--data", action="append", default=[], type=_pair, metavar="KEY=VALUE", help="answer a question beforehand"
    )
    verb.add_argument(
        "--data-file", metavar="FILE", type=Path, help="YAML file with answers, such as an organisation's"
    )
    verb.add_argument("--no-build", dest="build", action="store_false", help="do not build: needs no Rust")
    verb.add_argument("--template", metavar="SOURCE", help="another home of the template: a folder or a git address")
    return parser


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f'"{text}" is not KEY=VALUE, such as license=MIT')
    return key, value


def _folder(options: argparse.Namespace) -> Path:
    if not options.defaults and not sys.stdin.isatty():
        raise UserError("there is no terminal to ask on: add --defaults, and --data or --data-file for other answers.")
    if options.folder is None and not options.defaults:
        options.folder = questionary.text("Folder of the new project", default="my-extension").unsafe_ask()
    return Path(options.folder or ".")


def _read_data_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        answers = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): give an existing file to --data-file.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML: {error}") from error
    if not isinstance(answers, dict):
        raise UserError(f"{path} has no answers: write one to a line, such as `license: MIT`.")
    return answers


if __name__ == "__main__":
    sys.exit(main())
