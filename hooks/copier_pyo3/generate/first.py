"""The first rendering of a project: asks the questions, and records where updates come from. Used by `new` and `adopt`."""

import re
import subprocess
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import copier
from copier.errors import CopierWarning

from copier_pyo3 import __version__
from copier_pyo3.generate.asking import one_sentence
from copier_pyo3.project.answers import ANSWERS
from copier_pyo3.project.home import BUNDLE, CHECKOUT, home_address, without_password


def ask_and_render(
    source: str,
    folder: Path,
    data: Mapping[str, Any],
    defaults: bool,
    found: Mapping[str, Any],
    check: Callable[[Mapping[str, Any]], None],
    *,
    vcs_ref: str | None = None,
    answers_file: str = ANSWERS,
    after: str = "Nothing was written.",
) -> dict[str, Any]:
    """Ask the questions that data does not answer, and render the template.

    Args:
        source: the template, in Copier's form.
        folder: the target.
        data: answers by question name.
        defaults: use the default answers.
        found: answers that are offered as defaults.
        check: called with the template's questions, which are known only after it is fetched; raises UserError.
        vcs_ref: version of the template, or None for the newest.
        answers_file: path of the answers file.
        after: sentence to add to errors.

    Returns:
        The answers.

    Raises:
        UserError: an answer is invalid, or the template cannot be rendered.
    """
    with one_sentence(after, without_password(source)), warnings.catch_warnings():
        warnings.simplefilter("ignore", CopierWarning)
        worker = copier.run_copy(
            source,
            folder,
            data=dict(data),
            answers_file=answers_file,
            user_defaults=_git_identity() | dict(copier.load_settings().defaults) | dict(found),
            vcs_ref=vcs_ref or ("HEAD" if source == str(CHECKOUT) else None),
            defaults=defaults,
            quiet=True,
            unsafe=True,
        )
        check(worker.template.questions_data)
    if source == str(BUNDLE):
        _record(folder / answers_file, f"_commit: v{__version__}\n_src_path: {home_address()}")
    elif source != without_password(source):
        _record(folder / answers_file, f"_src_path: {without_password(source)}")
    questions = worker.template.questions_data
    return {name: value for name, value in worker.answers.combined.items() if name in questions}


def _git_identity() -> dict[str, str]:
    """The name and email in git's configuration, as default answers, if copier.yml accepts them."""
    name, email = (_configured(key) for key in ("user.name", "user.email"))
    identity = {}
    if name and name.isprintable():
        identity["author_name"] = name
    if email and re.fullmatch(
        r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@([A-Za-z0-9]+(-+[A-Za-z0-9]+)*[.])+[A-Za-z0-9]+", email
    ):
        identity["author_email"] = email
    return identity


def _configured(key: str) -> str:
    done = subprocess.run(["git", "config", key], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace").strip()


def _record(path: Path, address: str) -> None:
    """Record where `copier update` finds newer versions of the template."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_bytes(re.sub(r"(?m)^_src_path: .*$", lambda _: address, text).encode("utf-8"))
