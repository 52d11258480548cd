"""The console script ``copier-pyo3``."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from copier_pyo3 import __version__
from copier_pyo3.errors import UserError
from copier_pyo3.project import surroundings

FLEET = "Report on many projects, and update them. fleet.toml lists the projects: see docs/fleet.md."

if TYPE_CHECKING:
    from copier_pyo3.generate.organization import Organization

# Importing Copier takes most of a second, and git calls `merge` for each file, so each command imports only what it needs.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the console script.

    Returns:
        0 on success, 1 with a message on stderr on failure, 2 with the usage on stderr if no command is given, 130 after
        Ctrl-C, and 128 + N after the signal N.
    """
    _open_streams()
    surroundings.prepare()
    signals = _interrupt_on_signals()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for names that the terminal cannot show
    try:
        parser = _parser()
        options = parser.parse_args(arguments)
        if "run" not in options:
            parser.print_help(sys.stderr)
            return 2
        status: int = options.run(options)
        print(end="", flush=True)
    except UserError as error:
        print(f"copier-pyo3: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt as error:
        print("\ncopier-pyo3:", *["interrupted.", *map(str, error.args)], file=sys.stderr)
        status = 128 + (signals[0] if signals else signal.SIGINT)
    except EOFError:  # Ctrl-D at a question, or the terminal was closed
        print("\ncopier-pyo3: interrupted.", file=sys.stderr)
        status = 1
    except OSError as error:
        where = error.filename or "standard output"
        print(f"copier-pyo3: cannot read or write {where} ({error.strerror}).", file=sys.stderr)
        status = 1
    finally:
        _drop_what_cannot_be_printed()
    return status


def _open_streams() -> None:
    """Open /dev/null for each standard stream that is closed; otherwise the next file gets its number."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest free number
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


def _interrupt_on_signals() -> list[int]:
    """Treat TERM and HUP like Ctrl-C, so that child processes are ended and temporary files are removed.

    Returns:
        The received signals, which are added when they arrive.
    """
    received: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, interrupt)
    return received


def _drop_what_cannot_be_printed() -> None:
    """Discard unprinted output; otherwise Python tries to print it again at exit and reports an error."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _done(what: str) -> Iterator[None]:
    """Say what was done if the output about it cannot be written."""
    try:
        yield
        print(end="", flush=True)
    except OSError as error:
        raise UserError(f"{what}, but the output could not be written ({error.strerror}).") from error


def _new(options: argparse.Namespace) -> int:
    """Create a project: ask questions, write files, set up git, build, import."""
    from copier_pyo3.verbs.new import new

    data = _data(options)
    new(
        _folder(options),
        data=data,
        defaults=options.defaults,
        build=options.build,
        template=options.template,
        organization=_organization(options.org),
    )
    return 0


def _update(options: argparse.Namespace) -> int:
    """Update a project to a newer version of its template. If the update fails, the project is unchanged.

    Returns:
        0 if the project is up to date and nothing is left to resolve, else 1.
    """
    from copier_pyo3.verbs.update import update

    defaults = options.defaults or not sys.stdin.isatty()
    done = update(
        options.folder,
        data=_data(options),
        defaults=defaults,
        vcs_ref=options.vcs_ref,
        answers_file=options.answers_file,
        trust=options.trust,
    )
    if not done.changed:
        print(f"Already up to date at {done.new_version}.")
        return 1 if done.report.left else 0
    left = f"; resolve by hand: {', '.join(sorted(done.report.left))}" if done.report.left else ""
    with _done(f"updated from {done.old_version} to {done.new_version}{left}"):
        if done.finished_earlier:
            print("Finished the interrupted update.")
        print(f"Updated from {done.old_version} to {done.new_version}:")
        print("".join(f"  {path}\n" for path in done.changed), end="")
        if done.report.told:
            print("Decisions:")
            print("".join(f"  {line}\n" for line in done.report.told), end="")
        return _left(done.report.left)


def _adopt(options: argparse.Namespace) -> int:
    """Make an existing Rust/Python project one of this template: show the plan, ask, and apply it on a new git branch.

    Returns:
        0 if the plan was shown, saved, or applied, else 1.
    """
    from copier_pyo3.project.report import Report
    from copier_pyo3.verbs import adopt as verb

    plan = verb.read_plan(options.plan) if options.plan and options.plan.exists() else None
    saves = options.plan is not None and plan is None
    _need_folder(options.plan)
    others = ("data", "data_file", "modernize", "org", "template", "vcs_ref")
    if plan and any(getattr(options, name) for name in others):
        raise UserError(f"{options.plan} has all answers: remove the other options, or save a new plan with them.")
    if not (options.check or saves or plan or options.yes or sys.stdin.isatty()):
        raise UserError(
            "cannot ask without a terminal: add --check to see the plan, --plan FILE to save it, or --yes to apply it."
        )
    if options.check and (version := verb.adopted_version(options.folder, options.answers_file)):
        print(
            f"Nothing to do: the project has the template already (version {version}). `copier-pyo3 update` updates it."
        )
        return 0

    def agree(made: verb.Adoption) -> bool:
        if plan:
            verb.need_same(made, plan)
        print(verb.describe(made), end="", flush=True)
        if options.check or saves:
            return False
        return bool(options.yes or plan or _confirmed(f"Apply this on a new branch {verb.BRANCH}?"))

    made = verb.adopt(
        options.folder,
        data=plan["answers"] if plan else _data(options),
        defaults=bool(options.yes or options.check or plan or (saves and not sys.stdin.isatty())),
        modernize=plan["modernize"] if plan else options.modernize,
        template=plan["template"] if plan else options.template,
        vcs_ref=plan["vcs_ref"] if plan else options.vcs_ref,
        answers_file=plan["answers_file"] if plan else options.answers_file,
        plan=options.plan,
        head=plan["head"] if plan else None,
        organization=_organization(plan["organization"] if plan else options.org),
        only_shows=options.check or saves,
        agree=agree,
    )
    if isinstance(made, Report):
        print(f"Finished the interrupted adoption, on the branch {verb.BRANCH}.")
        return _left(made.left)
    if saves:
        options.plan.write_text(verb.saved(made), encoding="utf-8", newline="\n")
        where = "" if options.folder == Path() else f"{options.folder} "
        print(f"\nSaved. `copier-pyo3 adopt {where}--plan {options.plan}` applies this plan to the same commit.")
    if not made.agreed:
        print("" if saves or options.check else "Nothing was changed.")
        return 0
    with _done(f"adopted on the branch {verb.BRANCH}"):
        print(
            f"\nAdopted on the branch {verb.BRANCH}. Review `git diff` and the new files, run the tests, `git add .`, and commit."
        )
        return 1 if made.report.left else 0


def _confirmed(question: str) -> bool:
    import questionary

    return bool(questionary.confirm(question, default=False).unsafe_ask())


def _resolve(options: argparse.Namespace) -> int:
    """Resolve conflicts that an update left in the index or that were committed with conflict markers.

    Returns:
        0 if nothing is left to resolve, else 1.
    """
    from copier_pyo3.verbs.resolve import resolve

    report = resolve(options.folder, options.answers_file, options.trust)
    left = f"left to resolve by hand: {', '.join(sorted(report.left))}" if report.left else "nothing is left to resolve"
    with _done(left):
        print("".join(f"  {line}\n" for line in report.told), end="")
        return _left(report.left)


def _left(left: dict[str, str]) -> int:
    if not left:
        print("Nothing left to resolve. Review `git diff`, run the tests, and commit.")
        return 0
    print("Resolve by hand:")
    print("".join(f"  {path}: {why}\n" for path, why in sorted(left.items())), end="")
    return 1


def _merge(options: argparse.Namespace) -> int:
    """Merge three versions of a file. This can be git's merge driver: see docs/update.md.

    Returns:
        0 if merged, 1 if conflict markers are left, 2 if the input is unusable and nothing was written.
    """
    from copier_pyo3.verbs.merge import merge

    return merge(options.base, options.ours, options.theirs, options.name, options.out, options.strict)


def _fleet_list(options: argparse.Namespace) -> int:
    """List the projects in fleet.toml."""
    import json

    from copier_pyo3.project.fleet_file import listed

    report = listed(options.file, options.shards, options.shard)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print(
            "".join(
                f"{each['name']}  {each['source']}  {each['folder']}".rstrip() + "\n" for each in report["projects"]
            ),
            end="",
        )
    return 0


def _fleet_status(options: argparse.Namespace) -> int:
    """Report the state of each project, without changing anything.

    Returns:
        0, whatever the states are.
    """
    from copier_pyo3.verbs.fleet import fleet_status, print_json, print_table

    _need_folder(options.html)
    report = fleet_status(options.file, shard=options.shard, jobs=options.jobs, trust=options.trust)
    try:
        (print_json if options.json else print_table)(report)
    finally:  # also if the output was closed
        _write_page(report, options.html)
    return 0


def _fleet_report(options: argparse.Namespace) -> int:
    """Join the reports of several machines, which `fleet status --json` printed.

    Returns:
        0, whatever the states are.
    """
    from copier_pyo3.verbs.fleet import print_json, print_table
    from copier_pyo3.verbs.fleet_report import join

    _need_folder(options.html)
    report = join(options.reports)
    try:
        (print_json if options.json else print_table)(report)
    finally:  # also if the output was closed
        _write_page(report, options.html)
    return 0


def _need_folder(page: Path | None) -> None:
    """Find out before the work starts, which can take minutes."""
    if page and page.is_dir():
        raise UserError(f"{page} is a folder: write the name of a file in it, such as {page / 'fleet.html'}.")
    if page and not page.absolute().parent.is_dir():
        raise UserError(
            f"{page.parent} is not a folder, so {page.name} cannot be written in it: create the folder first."
        )


def _write_page(report: dict[str, Any], page: Path | None) -> None:
    from copier_pyo3.verbs.fleet_report import write_page

    if page:
        write_page(report, page)


def _fleet_workflow(options: argparse.Namespace) -> int:
    """Print a workflow for GitHub Actions. `fleet` reports on all projects each week, in parts that run at the same time. \
`resolve` resolves conflicts in pull requests of Renovate, in a project.
    """
    from copier_pyo3.verbs.fleet_report import workflow

    print(workflow(options.name), end="")
    return 0


def _fleet_check(options: argparse.Namespace) -> int:
    """Check the organization's policy in each project.

    Returns:
        1 if a project violates it or cannot be read, else 0.
    """
    from copier_pyo3.verbs.fleet import fleet_check, print_json, print_problems

    report = fleet_check(options.file, shard=options.shard, jobs=options.jobs)
    wrong = [each for each in report["projects"] if each["violations"] or each["message"]]
    if options.json:
        print_json(report)
    else:
        print_problems(report)
        print(f"{len(report['projects'])} projects, {len(wrong)} with violations or errors.")
    return 1 if wrong else 0


def _fleet_update(options: argparse.Namespace) -> int:
    """Update the projects that are behind, each on a branch that is pushed. A project whose update fails is left unchanged.

    Returns:
        1 if a project failed, else 0.
    """
    from copier_pyo3.verbs.fleet import print_json
    from copier_pyo3.verbs.fleet_update import FAILED, Wishes, fleet_update, print_results

    if options.check == []:
        raise UserError("--check has no command: write, for example, --check uv run pytest.")
    wishes = Wishes(options.trust, tuple(options.check or ()), options.push, options.pull_request)
    report = fleet_update(options.file, shard=options.shard, jobs=options.jobs, wishes=wishes, state=options.state)
    (print_json if options.json else print_results)(report)
    return 1 if any(each["result"] in FAILED for each in report["projects"]) else 0


class _CommandParser(argparse.ArgumentParser):
    def format_help(self) -> str:
        """Add the questions to the help of `new`; only here, because reading them takes time."""
        if self.get_default("run") is _new:
            from copier_pyo3.generate.asking import describe_questions, read_questions
            from copier_pyo3.project.home import TEMPLATE

            self.epilog = f"questions (answer with --data):\n{describe_questions(read_questions(TEMPLATE))}"
        return super().format_help()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="copier-pyo3", description="Create and update Python packages written in Rust with PyO3."
    )
    parser.add_argument("--version", action="version", version=f"copier-pyo3 {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_CommandParser)

    verb = verbs.add_parser(
        "new",
        help="create a project, build it, and import it",
        description=_new.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.set_defaults(run=_new)
    verb.add_argument("folder", nargs="?", metavar="DIR", help="folder of the project, new or empty (default: ask)")
    _add_answers(verb)
    verb.add_argument("--no-build", dest="build", action="store_false", help="write the files only; does not need Rust")
    verb.add_argument("--template", metavar="SOURCE", help="use another template: a folder or a git URL")
    _add_organization(verb)

    verb = verbs.add_parser("update", help="update a project to a newer template", description=_first(_update.__doc__))
    verb.set_defaults(run=_update)
    _add_folder(verb)
    _add_answers(verb)
    verb.add_argument("--vcs-ref", metavar="REF", help="version of the template (default: the newest)")

    verb = verbs.add_parser(
        "adopt", help="bring an existing project to this template", description=_first(_adopt.__doc__)
    )
    verb.set_defaults(run=_adopt)
    verb.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", type=Path, help="folder of the project (default: .)"
    )
    verb.add_argument("--check", action="store_true", help="only show the plan")
    verb.add_argument("--yes", action="store_true", help="ask nothing: use the default answers, and apply the plan")
    verb.add_argument(
        "--plan", metavar="FILE", type=Path, help="save the plan in a new FILE; or apply the plan in FILE, if it exists"
    )
    verb.add_argument(
        "--modernize", action="store_true", help="raise PyO3, the build backend, and Python's oldest version"
    )
    _add_data(verb)
    _add_organization(verb)
    verb.add_argument("--template", metavar="SOURCE", help="use another template: a folder or a git URL")
    verb.add_argument("--vcs-ref", metavar="REF", help="version of the template (default: the newest)")
    verb.add_argument(
        "--answers-file", default=".copier-answers.yml", metavar="FILE", help="answers file (default: %(default)s)"
    )

    verb = verbs.add_parser("resolve", help="resolve conflicts left by an update", description=_first(_resolve.__doc__))
    verb.set_defaults(run=_resolve)
    _add_folder(verb)

    verb = verbs.add_parser("merge", help="merge three versions of a file", description=_first(_merge.__doc__))
    verb.set_defaults(run=_merge)
    for name, says in (
        ("base", "the common ancestor"),
        ("ours", "your file; the result is written to it"),
        ("theirs", "the other file"),
    ):
        verb.add_argument(name, metavar=name.upper(), type=Path, help=says)
    verb.add_argument("--name", metavar="PATH", help="name of the file, if OURS is a temporary file")
    verb.add_argument("-o", dest="out", metavar="OUT", type=Path, help="write the result to OUT instead of OURS")
    verb.add_argument(
        "--strict", action="store_true", help="leave conflict markers where both sides changed the same value"
    )

    verb = verbs.add_parser("fleet", help="report on many projects, and update them", description=FLEET)
    _add_fleet(verb.add_subparsers(title="commands", metavar="COMMAND", required=True))
    return parser


def _add_fleet(verbs: Any) -> None:
    """Add the commands of `fleet`."""
    for name, run, text in (
        ("list", _fleet_list, "list the projects"),
        ("status", _fleet_status, "report the state of each project; changes nothing"),
        ("check", _fleet_check, "check the organization's policy in each project"),
        ("update", _fleet_update, "update the projects that are behind, each on a branch"),
    ):
        verb = verbs.add_parser(name, help=text, description=_first(run.__doc__))
        verb.set_defaults(run=run)
        verb.add_argument("--file", default="fleet.toml", metavar="FILE", type=Path, help="list (default: %(default)s)")
        verb.add_argument("--shard", type=_shard, metavar="I/N", help="every N-th project, from the I-th")
        verb.add_argument("--json", action="store_true", help="print JSON: see docs/fleet.md")
        if name == "list":
            verb.add_argument(
                "--shards", type=int, default=1, metavar="N", help="with --json: the names of up to N shards"
            )
        else:
            count = min(os.cpu_count() or 1, 8)
            verb.add_argument("--jobs", type=_jobs, default=count, metavar="N", help="processes (default: %(default)s)")
        if name == "status":
            _add_page(verb)
        if name in ("status", "update"):
            verb.add_argument("--trust", action="store_true", help="run the code of the templates of all projects")
    verb.add_argument("--no-push", dest="push", action="store_false", help="only commit, in clones in the state folder")
    verb.add_argument(
        "--no-pull-request", dest="pull_request", action="store_false", help="do not create pull requests with gh"
    )
    verb.add_argument("--state", metavar="DIR", type=Path, help="state folder (default: .copier-pyo3-fleet)")
    verb.add_argument(
        "--check",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="run this command in each updated project, and push only if it succeeds; must be the last option",
    )

    verb = verbs.add_parser(
        "report", help="join the reports of several machines", description=_first(_fleet_report.__doc__)
    )
    verb.set_defaults(run=_fleet_report)
    verb.add_argument("reports", nargs="+", metavar="REPORT", type=Path, help="a file that `status --json` wrote")
    verb.add_argument("--json", action="store_true", help="print JSON: see docs/fleet.md")
    _add_page(verb)

    verb = verbs.add_parser("workflow", help="print a workflow for GitHub Actions", description=_fleet_workflow.__doc__)
    verb.set_defaults(run=_fleet_workflow)
    verb.add_argument("name", nargs="?", default="fleet", choices=["fleet", "resolve"], help="which (default: fleet)")


def _add_page(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--html", metavar="FILE", type=Path, help="also write the report as a page, in one file")


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f'"{text}" is not I/N; write, for example, 1/4')
    return int(number), int(count)


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of processes; write, for example, 2')
    return int(text)


def _first(text: str | None) -> str:
    return (text or "").partition("\n\n")[0]


def _add_folder(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", type=Path, help="folder of the project (default: .)"
    )
    verb.add_argument(
        "--answers-file", default=".copier-answers.yml", metavar="FILE", help="answers file (default: %(default)s)"
    )
    verb.add_argument("--trust", action="store_true", help="run the code of the template that the answers file names")


def _add_answers(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--defaults", action="store_true", help="ask no questions; use the default answers")
    _add_data(verb)


def _add_data(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--data",
        action="append",
        default=[],
        type=_pair,
        metavar="KEY=VALUE",
        help="answer a question; can be repeated",
    )
    verb.add_argument("--data-file", metavar="FILE", type=Path, help="read answers from a YAML file")


def _add_organization(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--org",
        metavar="FILE_OR_URL",
        help="use the answers and the layer of an organization: a path, an https URL, or ADDRESS#PATH in a git repository",
    )


def _data(options: argparse.Namespace) -> dict[str, Any]:
    return _read_data_file(options.data_file) | dict(options.data)


def _organization(source: str | None) -> "Organization":
    from copier_pyo3.generate.organization import NONE, read_organization

    return read_organization(source) if source else NONE


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f'"{text}" is not KEY=VALUE; write, for example, license=MIT')
    return key, value


def _folder(options: argparse.Namespace) -> Path:
    if not options.defaults and not sys.stdin.isatty():
        raise UserError(
            "cannot ask questions without a terminal: add --defaults, and --data or --data-file for other answers."
        )
    if options.folder is None and not options.defaults:
        import questionary

        options.folder = questionary.text("Folder for the new project", default=_default_folder()).unsafe_ask()
    return Path(options.folder or ".")


def _default_folder() -> str:
    """The current folder if it is a fresh clone, else a new one."""
    from copier_pyo3.project.place import existing_files

    with suppress(UserError, OSError):
        if Path(".git").exists():
            existing_files(Path.cwd())
            return "."
    return "my-extension"


def _read_data_file(path: Path | None) -> dict[str, Any]:
    import yaml

    if path is None:
        return {}
    try:
        answers = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}): pass an existing file to --data-file.") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: invalid UTF-8, or an impossible date
        raise UserError(f"{path} is not valid YAML ({' '.join(str(error).split())}): fix the file.") from error
    except RecursionError as error:
        raise UserError(f"{path} is nested too deep: write one answer per line, such as `license: MIT`.") from error
    if not isinstance(answers, dict):
        raise UserError(f"{path} has no answers: write one per line, such as `license: MIT`.")
    return answers


if __name__ == "__main__":
    sys.exit(main())
