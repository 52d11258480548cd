"""Edits that users make to a generated project, one kind each, as data.

They are taken from the histories of PyO3 projects: dependencies and features, added by hand, cargo add, uv add, and bots;
metadata before the first release; settings of tools; and code that replaces the sample.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CARGO, PYPROJECT, PRE_COMMIT = "Cargo.toml", "pyproject.toml", ".pre-commit-config.yaml"
CI, RELEASE = ".github/workflows/ci.yml", ".github/workflows/release.yml"


@dataclass(frozen=True)
class Edit:
    """Replace a text in a file; append if there is no old text."""

    name: str
    path: str
    old: str
    new: str

    def __call__(self, project: Path) -> None:
        """Make the edit. If the old text is missing, this list is wrong."""
        path = project / self.path
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        if self.old == "CHECKOUT":
            old = re.search(r"actions/checkout@\S+ # v\S+", text)
            assert old
            text = text.replace(old[0], self.old)
        assert self.old in text, f"{self.name}: {self.path} has no {self.old!r}"
        path.parent.mkdir(parents=True, exist_ok=True)
        edited = text.replace(self.old, self.new, 1) if self.old else text + self.new
        path.write_bytes(edited.encode("utf-8"))


PYO3 = 'pyo3 = { version = "0.30", features = ["abi3-py310"'
CLASSIFIER = '  "Programming Language :: Rust",\n'

EDITS = [
    # Cargo.toml
    Edit("a dependency by hand", CARGO, "[build-dependencies]", 'itoa = "1" # fast\n\n[build-dependencies]'),
    Edit("a dependency first", CARGO, "[dependencies]\n", '[dependencies]\neither = { version = "1", default-features = false }\n'),
    Edit("a dependency as a table of its own", CARGO, "[profile.release]", '[dependencies.rayon]\nversion = "1"\n\n[profile.release]'),
    Edit("a feature of pyo3", CARGO, PYO3, PYO3 + ', "multiple-pymethods"'),
    Edit("features of pyo3 on lines", CARGO, PYO3, 'pyo3 = { version = "0.30", features = [\n  "multiple-pymethods", # several blocks\n  "abi3-py310"'),
    Edit("a higher abi3", CARGO, '"abi3-py310"', '"abi3-py311"'),
    Edit("pyo3 bumped further", CARGO, '"0.30"', '"0.30.1"'),
    Edit("the version released", CARGO, 'version = "0.1.0"', 'version = "1.4.2"'),
    Edit("a higher minimum of Rust", CARGO, 'rust-version = "1.85"', 'rust-version = "1.88"'),
    Edit("published as a crate", CARGO, "publish = false # published as a wheel, not as a crate\n", ""),
    Edit("keywords and authors", CARGO, 'readme = "README.md"', 'readme = "README.md"\nkeywords = ["statistics"]\nauthors = ["Ada"]'),
    Edit("a comment above a dependency", CARGO, "[dependencies]\n", "[dependencies]\n# keep in step with the numpy crate\n"),
    Edit("lints", CARGO, "", '\n[lints.rust]\nunsafe_code = "forbid"\n\n[lints.clippy]\npedantic = { level = "allow", priority = -1 }\n'),
    Edit("another profile", CARGO, "", '\n[profile.bench]\ndebug = true # for perf\n'),
    Edit("thin LTO", CARGO, 'lto = "fat"', 'lto = "thin"'),
    Edit("no strip", CARGO, "strip = true\n", ""),
    Edit("features of one's own", CARGO, "[dependencies]\n", '[features]\ndefault = []\nfast = []\n\n[dependencies]\n'),
    Edit("dev-dependencies", CARGO, "[build-dependencies]", '[dev-dependencies]\nitoa = "1"\n\n[build-dependencies]'),
    Edit("a dependency for one platform", CARGO, "", "\n[target.'cfg(windows)'.dependencies]\nitoa = \"1\"\n"),
    Edit("sorted by cargo-sort", CARGO, 'crate-type = ["cdylib", "rlib"]', 'crate-type = [\n    "cdylib",\n    "rlib",\n]'),
    # pyproject.toml
    Edit("dependencies", PYPROJECT, "dynamic = [", 'dependencies = ["numpy>=2.1", "typing-extensions>=4; python_version < \'3.11\'"]\ndynamic = ['),
    Edit("an optional dependency", PYPROJECT, "[project.urls]", '[project.optional-dependencies]\nplot = ["matplotlib"]\n\n[project.urls]'),
    Edit("a console script", PYPROJECT, "[project.urls]", '[project.scripts]\nhints = "sample.hints:main"\n\n[project.urls]'),
    Edit("a classifier", PYPROJECT, CLASSIFIER, CLASSIFIER + '  "Topic :: Scientific/Engineering",\n'),
    Edit("a beta", PYPROJECT, "3 - Alpha", "4 - Beta"),
    Edit("a classifier less", PYPROJECT, '  "Intended Audience :: Developers",\n', ""),
    Edit("a description", PYPROJECT, 'description = "A Python extension module written in Rust"', 'description = "Means, fast" # at most one line'),
    Edit("more authors", PYPROJECT, "authors = [", 'authors = [{ name = "Grace Hopper" }, '),
    Edit("keywords", PYPROJECT, '"extension"]', '"extension", "statistics"]'),
    Edit("a link", PYPROJECT, "[project.urls]\n", '[project.urls]\nDocumentation = "https://docs.example.org"\n'),
    Edit("the build tool pinned", PYPROJECT, '"maturin>=1.15,<2"', '"maturin==1.15.*"'),
    Edit("a build requirement more", PYPROJECT, '"maturin>=1.15,<2"', '"maturin>=1.15,<2", "numpy>=2"'),
    Edit("pytest's plugins", PYPROJECT, 'test = ["pytest"]', 'test = ["pytest>=8.3", "pytest-cov", "hypothesis"]'),
    Edit("a dependency group", PYPROJECT, "[dependency-groups]\n", '[dependency-groups]\ndocs = ["mkdocs-material"]\n'),
    Edit("ruff bumped by a bot", PYPROJECT, '"ruff==0.17.4"', '"ruff==0.18.0"'),
    Edit("longer lines", PYPROJECT, "line-length = 100", 'line-length = 120\ntarget-version = "py310"'),
    Edit("rules of ruff", PYPROJECT, 'extend-select = ["B",', 'extend-select = ["A", "B",'),
    Edit("rules ignored", PYPROJECT, "per-file-ignores = { ", 'per-file-ignores = { "tests/*" = ["S101"], '),
    Edit("mypy's overrides", PYPROJECT, "[tool.uv]", '[[tool.mypy.overrides]]\nmodule = "numpy.*"\nignore_missing_imports = true\n\n[tool.uv]'),
    Edit("warnings of pytest", PYPROJECT, 'filterwarnings = ["error"]', 'filterwarnings = [\n  "error",\n  "ignore::DeprecationWarning:numpy.*", # upstream\n]'),
    Edit("cibuildwheel", PYPROJECT, "", '\n[tool.cibuildwheel]\nskip = ["pp*", "*-musllinux_i686"]\ntest-command = "pytest {project}/tests"\n'),
    Edit("no marker checks", PYPROJECT, ', "--strict-markers"', ""),
    Edit("files in the sdist", PYPROJECT, "[tool.maturin]\n", '[tool.maturin]\ninclude = [{ path = "LICENSE", format = "sdist" }]\n'),
    Edit("the extension's features", PYPROJECT, "[tool.maturin]\n", '[tool.maturin]\nfeatures = ["pyo3/abi3-py310"]\n'),
    # YAML
    Edit("a hook of pre-commit", PRE_COMMIT, "      - id: check-toml\n", "      - id: check-toml\n      - id: check-json # ours\n"),
    Edit("a repository of hooks", PRE_COMMIT, "", "\n  - repo: https://github.com/crate-ci/typos\n    rev: v1.40.0\n    hooks:\n      - id: typos\n"),
    Edit("a hook's arguments", PRE_COMMIT, "      - id: check-added-large-files\n", "      - id: check-added-large-files\n        args: [--maxkb=900]\n"),
    Edit("hooks bumped by a bot", PRE_COMMIT, "rev: v0.17.4", "rev: v0.18.0"),
    Edit("a step", CI, "      - name: Lint\n", "      - name: A library of the system\n        run: sudo apt-get install libfoo-dev\n      - name: Lint\n"),
    Edit("a job", CI, "  gate:", "  docs:\n    name: Docs\n    runs-on: ubuntu-24.04\n    steps:\n      # ours\n      - run: make docs\n\n  gate:"),
    Edit("a job that the gate needs", CI, "needs: [lint,", "needs: [docs, lint,"),
    Edit("a longer time limit", CI, "timeout-minutes: 30", "timeout-minutes: 45 # slow tests"),
    Edit("a variable for a step", CI, "          PYTHON: ${{ matrix.python }}\n", "          PYTHON: ${{ matrix.python }}\n          RUST_BACKTRACE: 1\n"),
    Edit("another branch", CI, "branches: [main]", "branches: [main, develop]"),
    Edit("an action bumped by a bot", RELEASE, "CHECKOUT", "actions/checkout@0123456789012345678901234567890123456789 # v99.0.0"),
    Edit("a workflow of one's own", ".github/workflows/docs.yml", "", "name: Docs\non: push\njobs: {}\n"),
    # code, documents, other files
    Edit("code", "src/distance.rs", "", "\n/// Twice the value.\npub fn twice(value: f64) -> f64 {\n    2.0 * value\n}\n"),
    Edit("a test", "tests/test_package.py", "", "\n\ndef test_of_ours() -> None:\n    assert True\n"),
    Edit("a file", "python/sample/more.py", "", "ANSWER = 42\n"),
    Edit("a line of README", "README.md", "## Install", "It is fast.\n\n## Install"),
    Edit("a line of .gitignore", ".gitignore", "", "/data/\n"),
    Edit("a changelog", "CHANGELOG.md", "", "\n- Twice the value.\n"),
    Edit("the example changed", "examples/demo.py", '"version"', '"the version"'),
]  # fmt: skip


@dataclass(frozen=True)
class Change:
    """A new version of the template: edits of its files, and other changes."""

    name: str
    edits: tuple[Edit, ...]
    more: Callable[[Path], None] = lambda template: None

    def __call__(self, template: Path) -> None:
        """Create the new version."""
        for edit in self.edits:
            edit(template)
        self.more(template)


BASE, GITHUB = "template", "template/{{ part.github }}"


def older_versions(template: Path) -> None:
    """The version that creates the projects: a little older than the current one."""
    for name, old in {"pyo3": "0.30", "pyo3_build_config": "0.30", "maturin": "1.15", "ruff": "0.17.4"}.items():
        path = template / "versions.yml"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines = [f'    {name}: "{old}"\n' if line.strip().startswith(f"{name}:") else line for line in lines]
        path.write_text("".join(lines), encoding="utf-8")


def _large(template: Path) -> None:
    (template / BASE / "examples/demo.py.jinja").rename(template / BASE / "examples/tour.py.jinja")
    (template / BASE / "CHANGELOG.md").unlink()


SMALL = (
    Edit("pyo3", "versions.yml", 'pyo3: "0.30"', 'pyo3: "0.30.1"'),
    Edit("build config", "versions.yml", 'pyo3_build_config: "0.30"', 'pyo3_build_config: "0.30.1"'),
    Edit("maturin", "versions.yml", 'maturin: "1.15"', 'maturin: "1.16"'),
    Edit("ruff", "versions.yml", 'ruff: "0.17.4"', 'ruff: "0.17.5"'),
    Edit("classifier", f"{BASE}/pyproject.toml.d/zz.toml", "", '[project]\nclassifiers = ["Topic :: Software Development :: Libraries"]\n'),
)  # fmt: skip
MIDDLE = (
    Edit("tables", f"{BASE}/pyproject.toml.d/zzz.toml", "", "[tool.pyright]\nstrict = ['python']\n\n[tool.mypy]\npretty = true\n"),
    Edit("dependencies", f"{BASE}/Cargo.toml.d/zzz.toml", "", '[dependencies]\nmemchr = "2" # finds bytes\n\n[profile.dev]\ndebug = 1\n'),
    Edit("an option", "copier.yml", "# --- computed, and not stored", 'extra:\n  type: bool\n  help: Extra?\n  default: true\n\n# --- computed, and not stored'),
    Edit("its part", "copier.yml", "      kind,\n", '      kind,\n      "extra" if extra else "",\n'),
    Edit("its name", "copier.yml", '{% set names = "', '{% set names = "extra '),
    Edit("its files", "template/{{ part.extra }}/pyproject.toml.d/extra.toml", "", '[dependency-groups]\nextra = ["nox"]\ntest = ["pytest-randomly"]\n'),
    Edit("a hook", f"{BASE}/.pre-commit-config.yaml.jinja", "      - id: check-toml\n", "      - id: check-toml\n      - id: check-ast\n"),
    Edit("a checkout", f"{GITHUB}/{RELEASE}", "CHECKOUT", "actions/checkout@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa # v8.0.0"),
    Edit("a job", f"{GITHUB}/{CI}.d/10-gate.yml.jinja", "  gate:", "  msrv:\n    name: Oldest Rust\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cargo check\n\n  gate:"),
    Edit("needed", f"{GITHUB}/{CI}.d/10-gate.yml.jinja", ", sdist{{", ", msrv, sdist{{"),
    Edit("a limit", f"{GITHUB}/{CI}", "timeout-minutes: 20", "timeout-minutes: 25"),
    Edit("code", f"{BASE}/src/distance.rs", "    let second: Vec<char>", "    // The template's own line.\n    let second: Vec<char>"),
    Edit("a file", f"{BASE}/SECURITY.md", "", "# Security\n\nWrite to us.\n"),
)  # fmt: skip
LARGE = (
    Edit("an array on one line", f"{BASE}/pyproject.toml.jinja", 'addopts = ["-ra", "--strict-config", "--strict-markers", "--doctest-glob=*.md"]', 'addopts = [\n  "--doctest-glob=*.md",\n  "--import-mode=importlib",\n  "--strict-config",\n  "--strict-markers",\n]'),
    Edit("a key renamed", f"{BASE}/pyproject.toml.jinja", "extend-select = [", "select = [\"E\", \"F\", "),
    Edit("a group renamed", f"{BASE}/pyproject.toml.jinja", "typing = [", "types = ["),
    Edit("and its use", f"{BASE}/pyproject.toml.jinja", '{ include-group = "typing" }', '{ include-group = "types" }'),
    Edit("a table gone", f"{BASE}/pyproject.toml.jinja", '[tool.uv]\n# `uv run` rebuilds the module when one of these changes.\ncache-keys = [\n  { file = "pyproject.toml" },\n  { file = "build.rs" },\n  { file = ".cargo/*.toml" },\n  { file = "src/**/*.rs" },\n  { file = "Cargo.toml" },\n  { file = "Cargo.lock" },\n{{ \'  { git = { commit = true, tags = true } },\\n\' if version_source == \'git-tag\' else \'\' -}}\n]\n', ""),
    Edit("a table moved", f"{BASE}/Cargo.toml.jinja", '[profile.release]\nlto = "fat"\ncodegen-units = 1\nstrip = true\n', ""),
    Edit("to the top", f"{BASE}/Cargo.toml.jinja", "[lib]\n", '[profile.release]\nlto = "fat"\ncodegen-units = 1\nopt-level = 3\nstrip = "symbols"\n\n[lib]\n'),
    Edit("README", f"{BASE}/README.md.jinja", "## License", "## Terms"),
)  # fmt: skip

CHANGES = [
    Change("small", SMALL),
    Change("middle", (*SMALL, *MIDDLE)),
    Change("large", (*SMALL, *MIDDLE, *LARGE), _large),
]
