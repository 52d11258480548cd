"""An organization's file: answers that are locked, default answers, a layer on top, and a policy."""

import http.client
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, NoReturn

import yaml

from copier_pyo3.errors import UserError, why_git_failed
from copier_pyo3.generate.asking import check_data, read_questions
from copier_pyo3.generate.fetched import Fetched
from copier_pyo3.project.answers import LAYER_ANSWERS
from copier_pyo3.project.home import ADDRESS, as_copier, as_git, scrubbed, without_password
from copier_pyo3.project.policy import Policy, path_of

KEYS: Final = ("locked", "defaults", "layer", "policy")
LARGEST: Final = 1_000_000  # bytes of a file from a URL
WEB: Final = re.compile(r"(?i)(https://|http://(localhost|127\.0\.0\.1)[:/])")


@dataclass(frozen=True)
class Organization:
    """The contents of the file."""

    name: str
    """The file as the user wrote it, without a password or the query of a URL, which can have a token."""
    locked: Mapping[str, Any]
    """Answers that are recorded, not asked."""
    defaults: Mapping[str, Any]
    """Default answers."""
    layer: str | None
    """The address of the extra template, as Copier understands it."""
    policy: Policy


NONE: Final = Organization("", {}, {}, None, Policy())


def read_organization(source: str) -> Organization:
    """Read an organization's file.

    Args:
        source: a path; an https URL of the file; or the address of a git repository, ``#``, and the file's path in it.

    Raises:
        UserError: it cannot be read, or something in it is wrong or unknown.
    """
    name = re.sub(r"(?i)^(https?://[^?#]*)\?[^#]*", r"\1", without_password(source))
    address, hash_sign, path = source.rpartition("#")
    if Path(source).is_file() or not ADDRESS.fullmatch(source):
        return _parsed(name, _read(name, Path(source)), layer_of=lambda layer: _local_layer(name, Path(source), layer))
    if hash_sign:
        return _from_git(name, address, path)
    if not WEB.match(source):
        raise UserError(f"{name} does not name a file: write ADDRESS#PATH, such as {name}#organization.yml.")
    return _parsed(name, _download(name, source), layer_of=lambda layer: _no_folder(name, layer))


def check_answers(
    organization: Organization, data: Mapping[str, Any], questions: Mapping[str, Mapping[str, Any]]
) -> None:
    """Check the organization's answers, and that nobody answers a locked question.

    Args:
        organization: the organization's file.
        data: the user's answers.
        questions: the questions of the template and of the layer.

    Raises:
        UserError: an answer is not valid, or locked.
    """
    try:
        check_data({**organization.defaults, **organization.locked}, questions)
    except UserError as error:
        raise UserError(f"{organization.name}: {error}") from error
    if refused := next((name for name in data if name in organization.locked), None):
        raise UserError(
            f"{organization.name} locks {refused}={organization.locked[refused]}: remove your answer to {refused}."
        )


def layer_questions(layer: str | None) -> dict[str, dict[str, Any]]:
    """The questions of the newest version of the layer, or nothing if there is no layer.

    Raises:
        UserError: it cannot be fetched, or has no copier.yml.
    """
    if layer is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
        Fetched(Path(aside)).template(layer).checkout(Path(aside, "layer"))
        try:
            return read_questions(Path(aside, "layer"))
        except (OSError, AttributeError, yaml.YAMLError) as error:
            raise UserError(f"the layer {without_password(layer)} has no valid copier.yml: add one.") from error


def add_layer(
    layer: str, folder: Path, answers: Mapping[str, Any], user_defaults: Mapping[str, Any], defaults: bool
) -> None:
    """Copy the layer over the files of a new project, with its own answers file.

    Args:
        layer: the address, as Copier understands it. Its tasks run.
        folder: the project's folder.
        answers: answers to its questions, such as those of the project. Other names are ignored.
        user_defaults: default answers.
        defaults: ask no questions.

    Raises:
        UserError: it cannot be rendered, or has no template of the answers file.
    """
    import warnings

    import copier

    from copier_pyo3.generate.asking import one_sentence

    with one_sentence("Nothing was written.", without_password(layer)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copier.run_copy(
            layer,
            folder,
            data=dict(answers),
            user_defaults=dict(user_defaults),
            answers_file=LAYER_ANSWERS,
            defaults=defaults,
            overwrite=True,
            quiet=True,
            unsafe=True,
        )
    if not (folder / LAYER_ANSWERS).is_file():
        raise UserError(
            f"the layer {without_password(layer)} does not record its answers, so it could not be updated: add the file "
            '"{{ _copier_conf.answers_file }}.jinja" with "{{ _copier_answers | to_nice_yaml }}" to it. Nothing was written.'
        )


# --- the file --------------------------------------------------------------------------------------


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the organization's file {name} ({error.strerror}): check the path.") from error


def _download(name: str, url: str) -> bytes:
    if without_password(url) != url:
        raise UserError(
            f"the URL of {name} has a password, which is not sent: write the address of its git repository, #, and its path."
        )
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            content: bytes = answer.read(LARGEST + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UserError(f"cannot read {name} ({scrubbed(str(reason))}): check the URL and the network.") from error
    if len(content) > LARGEST:
        raise UserError(f"{name} is larger than 1 MB: pass the URL of the raw YAML file.")
    return content


def _from_git(name: str, address: str, path: str) -> Organization:
    with tempfile.TemporaryDirectory(prefix="copier-pyo3-", ignore_cleanup_errors=True) as aside:
        url, clone = as_git(as_copier(address)), Path(aside, "clone")
        command = ["git", "clone", "--quiet", "--depth=1", "--", url, str(clone)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            reason = scrubbed(why_git_failed(done.stderr.decode(errors="replace")))
            raise UserError(f"cannot clone {without_password(address)} ({reason}): check the address and the network.")
        if ".." in PurePosixPath(path).parts or PurePosixPath(path).is_absolute():
            raise UserError(f"{name}: the path after # is relative to the repository: write it without .. and /.")

        def layer_of(layer: str) -> str:
            if (clone / PurePosixPath(path).parent / layer).resolve() == clone.resolve():
                return without_password(as_copier(address))
            return _no_folder(name, layer)

        return _parsed(name, _read(name, clone / path), layer_of)


def _local_layer(name: str, file: Path, layer: str) -> str:
    folder = (file.parent / layer).resolve()
    command = ["git", "rev-parse", "--show-toplevel"]
    with suppress(OSError):
        done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
        if not done.returncode and Path(done.stdout.strip()).resolve() == folder:
            return str(folder)
    return _no_folder(name, layer)


def _no_folder(name: str, layer: str) -> NoReturn:
    raise UserError(
        f"{name}: the layer {layer} is not a git repository, so it could not be updated: write the address of its "
        'repository, or "." for the repository with this file, whose copier.yml can have `_subdirectory`.'
    )


def _parsed(name: str, content: bytes, layer_of: Callable[[str], str]) -> Organization:
    try:
        fields = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{name} is not valid YAML in UTF-8 ({' '.join(str(error).split())}): fix the file.") from error
    fields = {} if fields is None else fields
    _need(name, isinstance(fields, dict), f"it has no keys: write {', '.join(KEYS)}")
    _need_known(name, fields, KEYS)
    tables = {key: fields.get(key) or {} for key in ("locked", "defaults", "policy")}
    for key, table in tables.items():
        _need(name, isinstance(table, dict), f"`{key}` is a mapping: write one name and value per line below it")
    locked, defaults, policy = tables.values()
    if both := sorted(map(str, locked.keys() & defaults.keys())):
        raise UserError(f"{name}: {both[0]} is locked and has a default: remove one of them.")
    layer = fields.get("layer")
    _need(name, layer is None or (isinstance(layer, str) and layer != ""), "`layer` is an address or a folder")
    if layer is not None:
        layer = as_copier(layer) if ADDRESS.fullmatch(layer) else layer_of(layer)
        layer = without_password(layer)
    return Organization(name, locked, defaults, layer, _policy(name, policy, locked))


def _policy(name: str, fields: Mapping[str, Any], locked: Mapping[str, Any]) -> Policy:
    _need_known(name, fields, ("keys", "files"), "policy.")
    files, keys = fields.get("files") or [], fields.get("keys") or {}
    are_files = isinstance(files, list) and all(isinstance(path, str) for path in files)
    _need(name, are_files, "`policy.files` is a list of paths")
    _need(name, isinstance(keys, dict), "`policy.keys` has a mapping for each TOML file")
    for path, wanted in keys.items():
        _need(name, str(path).endswith(".toml"), f"`policy.keys` is for TOML files, and {path} is not one")
        _need(name, isinstance(wanted, dict), f"`policy.keys` of {path} is a mapping from keys to values")
        for key in wanted:
            try:
                path_of(str(key))
            except ValueError as error:
                raise UserError(
                    f'{name}: "{key}" is not a key of TOML: write, for example, project.license.'
                ) from error
    return Policy(keys, tuple(files), locked)


def _need_known(name: str, fields: Mapping[str, Any], known: tuple[str, ...], prefix: str = "") -> None:
    strange = next((key for key in fields if key not in known), None)
    _need(name, strange is None, f'unknown key "{prefix}{strange}": use {", ".join(prefix + key for key in known)}')


def _need(name: str, condition: bool, otherwise: str) -> None:
    if not condition:
        raise UserError(f"{name}: {otherwise}.")
