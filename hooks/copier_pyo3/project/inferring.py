"""Infers the answers of an existing project, each with its source."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from copier_pyo3.project.home import without_password
from copier_pyo3.project.place import license_of
from copier_pyo3.project.reading import Found, Reading, at, extensions, license_file, listed, table

OLDEST: Final = 9  # the oldest minor version of Python 3 that the template supports

_LICENSES: Final = {
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "apache-2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "mit or apache-2.0": "MIT OR Apache-2.0",
    "apache-2.0 or mit": "MIT OR Apache-2.0",
    "mit/apache-2.0": "MIT OR Apache-2.0",
    "apache-2.0/mit": "MIT OR Apache-2.0",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "mpl-2.0": "MPL-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "gpl-3.0-or-later": "GPL-3.0-or-later",
    "gpl-3.0+": "GPL-3.0-or-later",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "other/proprietary license": "proprietary",
    "licenseref-proprietary": "proprietary",
    "proprietary": "proprietary",
}
_NO_PACKAGES: Final = {"tests", "test", "docs", "doc", "examples", "benches", "benchmarks", "scripts", "tools"}


def infer(reading: Reading, texts: Path) -> dict[str, Found]:
    """The answers that the project gives, by the name of the question.

    Args:
        reading: the project.
        texts: the folder with a text for each license, such as ``MIT.txt``.
    """
    found: dict[str, Found | None] = {
        "project_name": _first(_names(reading)),
        "description": _first(_descriptions(reading)),
        "author_name": None,
        "author_email": None,
        "license": _license(reading, texts),
        "repository_url": _first(_repositories(reading)),
        "build_backend": backend(reading),
        "min_python": _min_python(reading),
        "abi3": _abi3(reading),
        "features": _features(reading),
        "version_source": _version_source(reading),
        "copyright_year": _year(reading),
    }
    if author := _first(_authors(reading)):
        (name, email), where = author
        found["author_name"] = (name, where) if name else None
        found["author_email"] = (email, where if email else f"{where}, which has none")
    module, native, where = module_names(reading)
    found["module_name"] = (module, where)
    kind = "mixed" if "." in native or _package(reading, module) else "extension"
    found["kind"] = (
        kind,
        f"the native module is {native}" + ("" if kind == "extension" else f", in the package {module}"),
    )
    found["publish_to"] = _publish_to(reading)
    found["index_url"] = _index(reading) if found["publish_to"] and found["publish_to"][0] == "private" else None
    found["ci"] = _ci(reading)
    found["dependency_updates"] = _dependency_updates(reading)
    found["free_threading"] = _free_threading(reading)
    return {name: answer for name, answer in found.items() if answer is not None}


def _first(found: Iterator[Found]) -> Found | None:
    """The first one that is not empty, and that is text or a pair of texts."""
    return next(((value, where) for value, where in found if value and isinstance(value, (str, tuple))), None)


# --- what the project is called --------------------------------------------------------------------


def _names(reading: Reading) -> Iterator[Found]:
    yield reading.get("project", "name"), "pyproject.toml [project]"
    yield reading.get("tool", "poetry", "name"), "pyproject.toml [tool.poetry]"
    yield reading.setup.get("name"), "setup.py or setup.cfg"
    yield reading.crate.package("name"), f"{reading.crate.path} [package]"


def module_names(reading: Reading) -> tuple[str, str, str]:
    """The name that users import, the full name of the native module, and where it is."""
    name = reading.get("tool", "maturin", "module-name")
    name = name if isinstance(name, str) else None
    where = "module-name in pyproject.toml [tool.maturin]"
    if not name:
        targets = [extension.get("target") for extension in extensions(reading.pyproject, reading.setup)]
        name, where = (
            next((target for target in targets if isinstance(target, str)), None),
            "the extension of setuptools-rust",
        )
    if not name:
        lib = table(reading.crate.data, "lib").get("name")
        name = lib if isinstance(lib, str) else str(reading.crate.package("name")).replace("-", "_")
        where = f"{reading.crate.path} [{'lib' if lib else 'package'}]"
        if _package(reading, name):  # maturin puts the module into the package of the same name
            name = f"{name}.{name}"
    if "." not in name and not _package(reading, name) and (packages := _packages(reading)):
        own = re.sub(r"[-_.]+", "_", str(next((found for found, _ in _names(reading) if found), ""))).lower()
        if name.startswith("_") or own in packages:
            package = own if own in packages else packages[0]
            return package, name, f"the package {package}/"
    return name.partition(".")[0], name, where


def sources(reading: Reading) -> list[str]:
    """The folders that can have the Python packages, the likely one first; "" is the top."""
    named = [reading.get("tool", "maturin", "python-source"), at(reading.setup, "package_dir", "")]
    named += listed(reading.get("tool", "setuptools", "packages", "find", "where"))
    named += [
        entry.get("from") for entry in listed(reading.get("tool", "poetry", "packages")) if isinstance(entry, dict)
    ]
    beside = PurePosixPath(reading.crate.path).parent.as_posix()
    folders = [*(name.strip("/") for name in named if isinstance(name, str)), "python", "src", "", beside, "py"]
    return ["" if name == "." else name for name in dict.fromkeys(folders)]


def _package(reading: Reading, module: str) -> str | None:
    """The folder of a Python package, or None."""
    for source in sources(reading):
        folder = f"{source}/{module}" if source else module
        if f"{folder}/__init__.py" in reading.files:
            return folder
    return None


def _packages(reading: Reading) -> list[str]:
    """The names of all packages at the top of the folders for them."""
    found = []
    for source in sources(reading):
        pattern = re.compile(rf"{re.escape(source)}{'/' if source else ''}(\w+)/__init__\.py")
        names = (match[1] for match in map(pattern.fullmatch, reading.files) if match)
        found += [name for name in names if name not in _NO_PACKAGES]
    return found


# --- what the metadata says ------------------------------------------------------------------------


def _descriptions(reading: Reading) -> Iterator[Found]:
    yield reading.get("project", "description"), "pyproject.toml [project]"
    yield reading.get("tool", "poetry", "description"), "pyproject.toml [tool.poetry]"
    yield reading.setup.get("description"), "setup.py or setup.cfg"
    yield reading.crate.package("description"), f"{reading.crate.path} [package]"


def _authors(reading: Reading) -> Iterator[Found]:
    """Pairs of a name and an email address."""
    for person in [*listed(reading.get("project", "authors")), *listed(reading.get("project", "maintainers"))]:
        if isinstance(person, dict) and person.get("name"):
            yield (str(person["name"]), str(person.get("email", ""))), "pyproject.toml [project]"
    for text in listed(reading.get("tool", "poetry", "authors")):
        yield _person(text), "pyproject.toml [tool.poetry]"
    if reading.setup.get("author"):
        yield (str(reading.setup["author"]), str(reading.setup.get("author_email", ""))), "setup.py or setup.cfg"
    for text in listed(reading.crate.package("authors")):
        yield _person(text), f"{reading.crate.path} [package]"
    if name := license_file(reading.files):
        holder = re.search(
            r"(?im)^\s*copyright (?:\(c\)|©)?\s*(?:[\d, -]|present)+\s+(?:by )?([^\n<]+)", reading.text(name)
        )
        if holder and "[" not in holder[1]:
            yield (holder[1].strip(" ."), ""), name


def _person(text: object) -> tuple[str, str]:
    name, _, email = str(text).partition("<")
    return name.strip(), email.strip("> ")


def _license(reading: Reading, texts: Path) -> Found | None:
    stated = _first(_stated_licenses(reading))
    if stated and (known := _LICENSES.get(" ".join(str(stated[0]).lower().split()))):
        return known, stated[1]
    classifiers = [
        str(line).rpartition(":: ")[2].lower() for line in _classifiers(reading) if "License ::" in str(line)
    ]
    named = {_LICENSES[line] for line in classifiers if line in _LICENSES}
    if named and named <= {"MIT", "Apache-2.0"}:
        return "MIT OR Apache-2.0" if len(named) == 2 else named.pop(), "the classifiers"
    if len(named) == 1:
        return named.pop(), "the classifiers"
    if stated and not re.search(r"license|file", str(stated[0]), re.IGNORECASE) and len(str(stated[0])) < 60:
        return stated
    tops = [name for name in reading.files if "/" not in name]
    if text := license_of(reading.project, tops, texts):
        return text, "the text of the license file"
    return stated


def _stated_licenses(reading: Reading) -> Iterator[Found]:
    stated = reading.get("project", "license")
    yield stated if isinstance(stated, str) else at(stated, "text"), "pyproject.toml [project]"
    yield reading.get("tool", "poetry", "license"), "pyproject.toml [tool.poetry]"
    yield reading.setup.get("license"), "setup.py or setup.cfg"
    yield reading.crate.package("license"), f"{reading.crate.path} [package]"


def _classifiers(reading: Reading) -> list[str]:
    places = (
        reading.get("project", "classifiers"),
        reading.get("tool", "poetry", "classifiers"),
        reading.setup.get("classifiers"),
    )
    return [str(line) for place in places for line in listed(place)]


def _year(reading: Reading) -> Found | None:
    name = license_file(reading.files)
    year = re.search(r"(?i)copyright (?:\(c\)|©)?\s*(\d{4}(?:-\d{4})?)\b", reading.text(name)) if name else None
    return (year[1], str(name)) if year else None


def _repositories(reading: Reading) -> Iterator[Found]:
    urls = {str(key).lower(): str(value) for key, value in table(reading.get("project"), "urls").items()}
    for key in ("repository", "source", "source code", "github", "gitlab", "code", "homepage"):
        yield _forge(urls.get(key)), "pyproject.toml [project.urls]"
    yield _forge(reading.get("tool", "poetry", "repository")), "pyproject.toml [tool.poetry]"
    yield _forge(reading.setup.get("url")), "setup.py or setup.cfg"
    yield _forge(reading.crate.package("repository")), f"{reading.crate.path} [package]"
    yield _forge(reading.origin), "git's remote origin"


def _forge(url: object) -> str | None:
    """The repository on its host as https://host/owner/name, without a password; None if the URL is another page."""
    text = re.sub(r"^(?:ssh://)?(?:[^@/\s]+@)([\w.-]+\.[a-z]+)(?::\d+/|[:/])", r"https://\1/", str(url or "").strip())
    text = re.sub(r"^(https?)://[^/@]*@", r"\1://", text)
    found = re.match(
        r"https?://((?:[\w-]+\.)+[a-z]+/[\w.~-]+(?:/[\w.~-]+?)+?)(?:\.git)?/?(?:[#?].*|/(?:-|tree|blob)/.*)?$", text
    )
    return (
        f"https://{found[1]}"
        if found and not re.match(r"pypi\.org|.*(readthedocs|github)\.io|docs\.", found[1])
        else None
    )


# --- how it is built -------------------------------------------------------------------------------


def backend(reading: Reading) -> Found | None:
    """The build backend, if it is one of the template's."""
    requires = [str(item).lower() for item in listed(reading.get("build-system", "requires"))]
    where = "pyproject.toml [build-system]"
    if any(item.startswith("maturin") for item in requires):
        return "maturin", where
    if any(item.startswith(("setuptools-rust", "setuptools_rust")) for item in requires):
        return "setuptools-rust", where
    if extensions(reading.pyproject, reading.setup) or "setuptools_rust" in reading.text("setup.py"):
        return "setuptools-rust", "setup.py"
    if reading.get("tool", "maturin") is not None:
        return "maturin", "pyproject.toml [tool.maturin]"
    return (requires[0], where) if requires else None


def requires_python(reading: Reading) -> Found | None:
    """The project's limits of Python's version, as text."""
    places = (
        (reading.get("project", "requires-python"), "pyproject.toml [project] requires-python"),
        (reading.get("tool", "poetry", "dependencies", "python"), "pyproject.toml [tool.poetry.dependencies]"),
        (reading.setup.get("python_requires"), "python_requires in setup.py or setup.cfg"),
    )
    return next(((value, where) for value, where in places if isinstance(value, str)), None)


def oldest_python(text: str) -> int | None:
    """The minor version of the oldest Python 3 that a specifier allows."""
    minors = [int(minor) for minor in re.findall(r"(?:>=|~=|\^|==|>)\s*3\.(\d+)", text)]
    return max(minors, default=None)


def _min_python(reading: Reading) -> Found | None:
    stated = requires_python(reading)
    minor = oldest_python(stated[0]) if stated else None
    where = stated[1] if stated else ""
    if minor is None:
        tags = [int(tag[1]) for name in reading.crate.features() if (tag := re.fullmatch(r"abi3-py3(\d+)", str(name)))]
        minor, where = (min(tags), f"abi3 in {reading.crate.path}") if tags else (None, "")
    if minor is None:
        return None
    told = "" if minor >= OLDEST else f", which is 3.{minor}; 3.{OLDEST} is the oldest that the template knows"
    return f"3.{max(minor, OLDEST)}", where + told


def _abi3(reading: Reading) -> Found:
    named = [str(name) for name in reading.crate.features() if str(name).startswith("abi3")]
    maturin = [str(name) for name in listed(reading.get("tool", "maturin", "features")) if "abi3" in str(name)]
    if named or maturin:
        return (
            True,
            f"{reading.crate.path} (the feature {(named or maturin)[0]})" if named else "pyproject.toml [tool.maturin]",
        )
    return False, f"{reading.crate.path}, where pyo3 has no feature abi3"


def _features(reading: Reading) -> Found:
    crates = {"numpy": ["numpy"], "parallel": ["rayon"], "async": ["tokio", "pyo3-async-runtimes", "pyo3-asyncio"]}
    found = {
        name: crate for name, each in crates.items() for crate in each if reading.crate.dependency(crate) is not None
    }
    if not found:
        return [], f"{reading.crate.path}, which has no dependency numpy, rayon, or tokio"
    return [*found], f"{reading.crate.path} (the crates {', '.join(found.values())})"


def _version_source(reading: Reading) -> Found | None:
    requires = " ".join(map(str, listed(reading.get("build-system", "requires"))))
    tool = next(
        (name for name in ("setuptools_scm", "setuptools-git-versioning") if reading.get("tool", name) is not None), ""
    )
    tool = tool or next(
        (name for name in ("setuptools_scm", "setuptools-scm", "dunamai", "versioneer") if name in requires), ""
    )
    if tool:
        return "git-tag", f"pyproject.toml ({tool})"
    if reading.get("project", "version"):
        return "cargo", "pyproject.toml has its own version; keep the one in Cargo.toml in sync"
    return "cargo", f"{reading.crate.path} [package]"


def _free_threading(reading: Reading) -> Found | None:
    for path, text in reading.workflows.items():
        if re.search(r"3\.1[3-9]t\b|cp31[3-9]t\b", text):
            return True, path
    return False, "no workflow builds a wheel for it"


# --- how it is published and tested ----------------------------------------------------------------


def _publish_to(reading: Reading) -> Found | None:
    if "Private :: Do Not Upload" in _classifiers(reading):
        return "none", "the classifiers"
    if _index(reading):
        return "private", "pyproject.toml [tool.uv.index]"
    for path, text in reading.workflows.items():
        if re.search(r"gh-action-pypi-publish|maturin (upload|publish)|uv publish|twine upload|command: upload", text):
            return "pypi", path
    return None


def _index(reading: Reading) -> Found | None:
    """The upload URL of a private index, without a password."""
    urls = [index.get("publish-url") for index in listed(reading.get("tool", "uv", "index")) if isinstance(index, dict)]
    private = (without_password(url) for url in urls if isinstance(url, str) and "pypi.org" not in url)
    return next(((url, "pyproject.toml [tool.uv.index]") for url in private), None)


def _ci(reading: Reading) -> Found | None:
    for path, text in reading.workflows.items():
        if re.search(r"maturin|cargo|pytest|tox|nox|cibuildwheel|pip install|twine|pypi-publish", text):
            return (
                "none",
                f"{path}, which tests or publishes already: your workflows stay (`--data ci=github` adds the template's)",
            )
    if reading.inner:
        return "none", "the folder: workflows are read at the top of the repository only (see docs/monorepos.md)"
    if why := unfit(reading):
        return "none", f"its shape: the template's workflows need its nox sessions, and {why}"
    if why := unfit_for_ci(reading):
        return "none", f"its shape: the template's workflows could not release it, because {why}"
    return None


def _dependency_updates(reading: Reading) -> Found | None:
    bots = [
        name
        for name in (
            ".github/dependabot.yml",
            ".github/dependabot.yaml",
            "renovate.json",
            ".github/renovate.json",
            "renovate.json5",
            ".github/renovate.json5",
            ".renovaterc",
            ".renovaterc.json",
        )
        if name in reading.files
    ]
    if bots:
        return "none", f"{bots[0]}, which stays as it is"
    return None


def unfit(reading: Reading) -> str:
    """Why the template's nox sessions cannot work in the project; "" if they can."""
    if "noxfile.py" in reading.files:
        return "the project has its own noxfile.py"
    if "Cargo.toml" not in reading.files:
        return "there is no Cargo.toml beside pyproject.toml, where cargo would look for it"
    if not reading.get("project", "name"):
        return "pyproject.toml has no [project] with a name"
    if not (stated := reading.get("project", "requires-python")) or oldest_python(str(stated)) is None:
        return "pyproject.toml has no requires-python with a lower limit"
    return ""


def unfit_for_ci(reading: Reading) -> str:
    """Why the template's release sessions cannot work in the project; "" if they can."""
    package = table(reading.crate.data, "package")
    if reading.crate.path != "Cargo.toml" or not isinstance(package.get("version"), str):
        return "Cargo.toml beside pyproject.toml has no [package] with a version"
    if (version := reading.get("project", "version")) and version != package["version"]:
        return "the version in pyproject.toml is not the one in Cargo.toml"
    tags = sorted({name for name in reading.crate.features() if name.startswith("abi3")})
    oldest = oldest_python(str(reading.get("project", "requires-python"))) or OLDEST
    wanted = f"abi3-py3{max(oldest, OLDEST)}"
    if tags and wanted not in tags:
        return f"PyO3 has the feature {tags[-1]}, but requires-python would need {wanted}"
    return ""
