"""Reads an existing Rust/Python project without running anything of it: its manifests, its layout, and what it says of itself."""

import ast
import configparser
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from copier_pyo3.errors import UserError
from copier_pyo3.project.repository import Repository

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomlkit as tomllib

Found = tuple[Any, str]
"""A value, and where it is: "pyproject.toml [project] name"."""

_SKIPPED: Final = {"target", "vendor", "third_party", "node_modules", ".venv", "tests", "examples", "benches", "fuzz"}
_LARGE: Final = 1_000_000  # bytes; larger files are not read
_DEPENDENCIES: Final = ("dependencies", "dev-dependencies", "build-dependencies")


@dataclass
class Crate:
    """A Cargo package."""

    path: str
    """Of its Cargo.toml, relative to the project."""
    data: dict[str, Any]
    workspace: dict[str, Any] = field(default_factory=dict)
    """The table [workspace] that it inherits from."""

    def package(self, key: str) -> Any:
        """A key of [package], also if it is inherited."""
        value = table(self.data, "package").get(key)
        if isinstance(value, dict) and value.get("workspace") is True:
            return table(self.workspace, "package").get(key)
        return value

    def dependency(self, name: str) -> dict[str, Any] | None:
        """A dependency as a table, also if it is inherited; None if there is none."""
        for place in self._dependencies():
            for key, value in place.items():
                entry = {"version": value} if isinstance(value, str) else value
                if not isinstance(entry, dict) or entry.get("package", key) != name:
                    continue
                if entry.get("workspace") is True:
                    above = table(self.workspace, "dependencies").get(key, {})
                    above = {"version": above} if isinstance(above, str) else above if isinstance(above, dict) else {}
                    features = [*listed(above.get("features")), *listed(entry.get("features"))]
                    return {**above, **entry, "features": features}
                return entry
        return None

    def pyo3(self) -> dict[str, Any] | None:
        """The dependency on PyO3, or on its raw bindings."""
        return self.dependency("pyo3") or self.dependency("pyo3-ffi")

    def _dependencies(self) -> Iterator[dict[str, Any]]:
        yield table(self.data, "dependencies")
        for target in table(self.data, "target").values():
            yield table(target, "dependencies")

    def features(self) -> list[str]:
        """The features that PyO3 can have: those of its dependency, and those that features of the crate turn on."""
        own = [item for items in table(self.data, "features").values() for item in listed(items)]
        pyo3 = self.pyo3() or {}
        return [
            *map(str, listed(pyo3.get("features"))),
            *(str(item).removeprefix("pyo3/").removeprefix("pyo3?/") for item in own),
        ]


@dataclass
class Reading:
    """What an existing project says of itself."""

    project: Path
    files: list[str]
    """The paths of its files, as git knows them."""
    pyproject: dict[str, Any]
    setup: dict[str, Any]
    """Arguments of ``setup()`` that can be read, and the metadata in setup.cfg."""
    crate: Crate
    workflows: dict[str, str]
    """The texts of workflows and other pipelines, by path."""
    origin: str
    """The address of git's remote."""
    top: Path
    """The top of its repository."""

    @property
    def inner(self) -> bool:
        """Whether the project is a subfolder of its repository."""
        return self.top != self.project

    def get(self, *path: str) -> Any:
        """A value of pyproject.toml, or None."""
        return at(self.pyproject, *path)

    def text(self, path: str) -> str:
        """The contents of a text file, or "" if it does not exist or is large."""
        return _text(self.project / path)


def read(repository: Repository) -> Reading:
    """Read a project.

    Raises:
        UserError: it is not a Rust/Python project with PyO3, or a manifest cannot be read.
    """
    project = repository.project
    top = _top(repository)
    files = sorted(repository.paths("ls-files", "-z"))
    pyproject = _toml(project / "pyproject.toml") if "pyproject.toml" in files else {}
    setup = _setup_cfg(project / "setup.cfg") | _setup_py(project / "setup.py")
    if not (pyproject or setup or "setup.py" in files):
        _refuse_without_python(repository, files)
    if not _builds_rust(pyproject, project):
        _refuse_for_inner(project, files, "no build backend for Rust")
    crate = _crate(repository, files, pyproject, setup)
    workflows = {path: _text(project / path) for path in files if _is_pipeline(path)} | _workflows_above(
        repository, top
    )
    origin = repository.found("config", "--get", "remote.origin.url").decode("utf-8", "replace").strip()
    return Reading(project, files, pyproject, setup, crate, workflows, origin, top)


def _builds_rust(pyproject: Mapping[str, Any], project: Path) -> bool:
    requires = " ".join(map(str, listed(at(pyproject, "build-system", "requires"))))
    named = any(at(pyproject, "tool", tool) is not None for tool in ("maturin", "setuptools-rust"))
    return named or bool(re.search(r"maturin|setuptools[-_]rust", requires + _text(project / "setup.py")))


def table(data: Any, key: str) -> dict[str, Any]:
    """The table at a key, or an empty one."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """The value if it is a list, or an empty one."""
    return value if isinstance(value, list) else []


def at(data: Any, *path: str) -> Any:
    """The value at a path, or None."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _is_pipeline(path: str) -> bool:
    names = (".gitlab-ci.yml", ".cirrus.yml", ".travis.yml", "azure-pipelines.yml", ".circleci/config.yml")
    return path in names or (path.startswith(".github/workflows/") and path.endswith((".yml", ".yaml")))


def _workflows_above(repository: Repository, top: Path) -> dict[str, str]:
    """The workflows at the top of the repository that name the project's folder, if it is a subfolder."""
    folder = repository.prefix.rstrip("/")
    names = repository.paths("ls-files", "-z", "--full-name", ":/.github/workflows") if folder else []
    texts = {name: _text(top / name) for name in names if _is_pipeline(name)}
    return {f"{name} at the top": text for name, text in texts.items() if re.search(rf"\b{re.escape(folder)}\b", text)}


def _refuse_without_python(repository: Repository, files: list[str]) -> None:
    where = repository.project
    if not any(name.endswith(("Cargo.toml", ".py", ".rs")) for name in files) and len(files) < 10:
        raise UserError(
            f"{where} has no code yet: run `copier-pyo3 new .` there, which keeps a README, a license, and a .gitignore."
        )
    _refuse_for_inner(where, files, "no pyproject.toml and no setup.py")
    raise UserError(
        f"{where} has no pyproject.toml and no setup.py, so it is not a Python package: only a Rust/Python project can be adopted."
    )


def _refuse_for_inner(project: Path, files: list[str], why: str) -> None:
    """Raise UserError if a folder below has a package that is built with Rust."""
    for name in files:
        parts = name.split("/")
        known = parts[-1] in ("pyproject.toml", "setup.py") and 1 < len(parts) < 5 and not {*parts} & _SKIPPED
        if known and re.search(r"maturin|setuptools[-_]rust", _text(project / name)):
            folder = project / name.rpartition("/")[0]
            raise UserError(f"{project} has {why}: run `copier-pyo3 adopt {folder}` if you mean the package there.")


# --- the crate -------------------------------------------------------------------------------------


def _crate(repository: Repository, files: list[str], pyproject: Mapping[str, Any], setup: Mapping[str, Any]) -> Crate:
    """The crate of the native module: the one that the build settings name, else the only one with PyO3.

    Raises:
        UserError: there is none, or more than one.
    """
    project = repository.project
    named = _named_manifest(pyproject, setup)
    if named and not (project / named).is_file():
        raise UserError(f"the build settings name {named}, but there is no such file: fix them, commit, and try again.")
    manifests = [
        name for name in files if name.rpartition("/")[2] == "Cargo.toml" and not {*name.split("/")} & _SKIPPED
    ]
    names = [named] if named else sorted(manifests, key=lambda name: (name.count("/"), name))
    if not names:
        raise UserError(
            f"{project} has no Cargo.toml, so it is not a Rust/Python project: run `copier-pyo3 new` for a new one, in another folder."
        )
    crates = [_in_workspace(repository, Crate(name, _toml(project / name))) for name in names]
    found = [crate for crate in crates if crate.pyo3() is not None]
    if not found:
        bindings = at(pyproject, "tool", "maturin", "bindings")
        other = next(
            (name for name in ("cpython", "uniffi", "cffi") if any(c.dependency(name) is not None for c in crates)), ""
        )
        why = f" (its bindings are {bindings or other})" if bindings or other else ""
        raise UserError(f"no Cargo.toml of {project} depends on pyo3{why}: only projects with PyO3 can be adopted.")
    modules = [crate for crate in found if "cdylib" in _kinds(crate)] or found
    top = [crate for crate in modules if "/" not in crate.path]
    if len(modules) > 1 and not top:
        names_of_crates = ", ".join(crate.path for crate in modules)
        raise UserError(
            f"{len(modules)} crates depend on pyo3 ({names_of_crates}): name the one of the module as `manifest-path` in [tool.maturin], "
            "commit, and try again."
        )
    return (top or modules)[0]


def _kinds(crate: Crate) -> list[str]:
    lib = table(crate.data, "lib")
    return listed(lib.get("crate-type")) or listed(lib.get("crate_type"))


def _named_manifest(pyproject: Mapping[str, Any], setup: Mapping[str, Any]) -> str | None:
    path = at(pyproject, "tool", "maturin", "manifest-path")
    if isinstance(path, str):
        return Path(path).as_posix()
    for extension in extensions(pyproject, setup):
        if isinstance(extension.get("path"), str):
            return Path(extension["path"]).as_posix()
    return None


def extensions(pyproject: Mapping[str, Any], setup: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The extensions of setuptools-rust, with ``target`` and ``path``."""
    every = listed(at(pyproject, "tool", "setuptools-rust", "ext-modules")) or listed(setup.get("rust_extensions"))
    return [extension for extension in every if isinstance(extension, dict)]


def _in_workspace(repository: Repository, crate: Crate) -> Crate:
    """Add the table [workspace] of the crate or of a folder above, up to the top of the repository."""
    crate.workspace = table(crate.data, "workspace")
    top = _top(repository)
    folder = (repository.project / crate.path).parent
    while not crate.workspace and folder not in (top, folder.parent):
        folder = folder.parent
        if (folder / "Cargo.toml").is_file():
            crate.workspace = table(_toml(folder / "Cargo.toml"), "workspace")
    return crate


def _top(repository: Repository) -> Path:
    top = repository.project
    for _ in Path(repository.prefix).parts:
        top = top.parent
    return top


# --- files -----------------------------------------------------------------------------------------


def _toml(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {path} ({error}): fix the file, commit, and try again.") from error
    return dict(data)


def _text(path: Path) -> str:
    with suppress(OSError):
        if not path.is_symlink() and path.stat().st_size <= _LARGE:
            return path.read_bytes().decode("utf-8-sig", "replace")
    return ""


def _setup_cfg(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_text(path))
    except configparser.Error as error:
        raise UserError(
            f"cannot read {path} ({' '.join(str(error).split())}): fix the file, commit, and try again."
        ) from error
    found: dict[str, Any] = dict(parser["metadata"]) if parser.has_section("metadata") else {}
    for section, key in (("options", "python_requires"), ("options", "package_dir")):
        if parser.has_option(section, key):
            found[key] = parser[section][key]
    if "classifiers" in found:
        found["classifiers"] = [line.strip() for line in str(found["classifiers"]).splitlines() if line.strip()]
    return found


def _setup_py(path: Path) -> dict[str, Any]:
    """The arguments of ``setup()`` that are literals or names of literals, and those of ``RustExtension()``.

    The file is parsed, never run.

    Raises:
        UserError: it is not Python.
    """
    if not path.is_file():
        return {}
    try:
        tree = ast.parse(_text(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"cannot read {path} ({error}): fix the file, commit, and try again.") from error
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    named = {name.id: node.value for node in assigned for name in node.targets if isinstance(name, ast.Name)}

    def literal(value: ast.expr) -> Any:
        return _literal(named.get(value.id, value) if isinstance(value, ast.Name) else value)

    found: dict[str, Any] = {}
    rust: list[dict[str, Any]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments = {keyword.arg: literal(keyword.value) for keyword in node.keywords if keyword.arg}
        if called == "setup":
            found |= {name: value for name, value in arguments.items() if value is not None}
        elif called == "RustExtension":
            given = dict(zip(("target", "path"), map(literal, node.args), strict=False))
            rust.append({key: value for key, value in (given | arguments).items() if value is not None})
    return found | ({"rust_extensions": rust} if rust else {})


def _literal(node: ast.expr) -> Any:
    with suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ast.literal_eval(node)
    return None


def license_file(files: list[str]) -> str | None:
    """The first file at the top whose name says that it is a license."""
    pattern = re.compile(r"(un)?licen[cs]e|copying", re.IGNORECASE)
    return next((name for name in sorted(files) if "/" not in name and pattern.match(name)), None)
