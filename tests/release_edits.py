"""Three releases of the template, and the users' earlier edits of eight kinds of project, as data.

The edits are like those in the histories of well-known PyO3 projects, but have other text.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from edits import BASE, CARGO, CI, GITHUB, PRE_COMMIT, PYPROJECT, RELEASE, older_versions

PROFILING, DEPENDABOT, NOX = "profiling/Cargo.toml", ".github/dependabot.yml", "noxfile.py"
RELEASE_TOOLS, WHEELS = f"{BASE}/pyproject.toml.d/release-tools.toml.jinja", f"{GITHUB}/{RELEASE}.d/30-wheels.yml"


# --- the releases -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rewrite:
    """Replace all occurrences of a text in a file of the template; append if the text is empty."""

    path: str
    old: str
    new: str

    def __call__(self, template: Path) -> None:
        """Make the change. If the text is missing, this list is wrong."""
        path = template / self.path
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert self.old in text, f"{self.path} has no {self.old!r}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(self.old, self.new) if self.old else text + self.new, encoding="utf-8")


def sha(digit: str) -> str:
    """An invented commit hash."""
    return digit * 40


CHECKOUT_1 = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
CHECKOUT_2 = f"actions/checkout@{sha('a')} # v7.0.2"
UV_1 = "astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1"
UV_2 = f"astral-sh/setup-uv@{sha('b')} # v10.1.0"
CACHE_1 = "Swatinem/rust-cache@6323deb102c322ba6fcbdcafc7e3dddab59af2b6 # v2.9.2"
CACHE_2 = f"example/cargo-cache@{sha('c')} # v3.1.0"
ZIZMOR = "zizmorcore/zizmor-action@3dc1ecc9bcb9e94e9b2c709687979e1298497054 # v0.6.2"
SAVE_IF = "        with:\n          save-if: ${{ github.ref_name == github.event.repository.default_branch }}\n"
HARDEN = f"      - name: Harden the runner\n        uses: step-security/harden-runner@{sha('d')} # v2.13.1\n        with:\n          egress-policy: audit\n"

# Version 1.0.0, which creates the projects: this template, a little older, and with a matrix in the workflow.
FIRST = (
    Rewrite(f"{GITHUB}/{CI}", "        include: # the oldest and the newest Python, and every system with wheels\n", """\
        python: ["3.10", "3.11", "3.12", "3.13", "3.14"]
        runner: [ubuntu-24.04, macos-15]
        include:
          - python: "3.10"
            runner: windows-2025
          - python: "3.14"
            runner: windows-2025
"""),
    Rewrite(f"{BASE}/pyproject.toml.jinja", ', "--doctest-glob=*.md"]', ', "-W", "error", "-W", "ignore::PendingDeprecationWarning"]'),
    Rewrite(f"{BASE}/pyproject.toml.jinja", "[tool.uv]\n", '[[tool.mypy.overrides]]\nmodule = ["nox", "nox.*"]\nignore_missing_imports = true\n\n[tool.uv]\n'),
)  # fmt: skip

# 1.1.0: a step first in every job, pins and versions raised, newer versions in the matrix, a new first commit parser.
HARDENED = (
    Rewrite(f"{GITHUB}/{CI}", "      - uses: actions/checkout@", f"{HARDEN}      - uses: actions/checkout@"),
    Rewrite(f"{GITHUB}/{RELEASE}", "      - uses: actions/checkout@", f"{HARDEN}      - uses: actions/checkout@"),
    Rewrite(WHEELS, "      - uses: actions/checkout@", f"{HARDEN}      - uses: actions/checkout@"),
    Rewrite(f"{GITHUB}/{CI}", CHECKOUT_1, CHECKOUT_2),
    Rewrite(f"{GITHUB}/{RELEASE}", CHECKOUT_1, CHECKOUT_2),
    Rewrite(WHEELS, CHECKOUT_1, CHECKOUT_2),
    Rewrite(f"{GITHUB}/{CI}", UV_1, UV_2),
    Rewrite(f"{GITHUB}/{RELEASE}", UV_1, UV_2),
    Rewrite(WHEELS, UV_1, UV_2),
    Rewrite(f"{GITHUB}/{CI}", 'python: ["3.10", "3.11", "3.12", "3.13", "3.14"]', 'python: ["3.11", "3.12", "3.13", "3.14", "3.15"]'),
    Rewrite(f"{GITHUB}/{CI}", '          - python: "3.10"\n', '          - python: "3.11"\n'),
    Rewrite(f"{GITHUB}/{CI}", '          - python: "3.14"\n', '          - python: "3.15"\n'),
    Rewrite("versions.yml", 'pyo3: "0.30"', 'pyo3: "0.30.1"'),
    Rewrite("versions.yml", 'pyo3_build_config: "0.30"', 'pyo3_build_config: "0.30.1"'),
    Rewrite("versions.yml", 'maturin: "1.15"', 'maturin: "1.16"'),
    Rewrite("versions.yml", 'ruff: "0.17.4"', 'ruff: "0.17.5"'),
    Rewrite("versions.yml", 'python_minor: "15"', 'python_minor: "16"'),
    Rewrite(f"{BASE}/pyproject.toml.jinja", '"-ra", "--strict-config"', '"-ra", "-p", "no:cacheprovider", "--strict-config"'),
    Rewrite(f"{BASE}/pyproject.toml.jinja", '"-W", "ignore::PendingDeprecationWarning"', '"-W", "ignore::ResourceWarning"'),
    Rewrite(RELEASE_TOOLS, "commit_parsers = [\n", "commit_parsers = [\n  { message = '^chore\\(release\\)', skip = true },\n"),
    Rewrite(f"{BASE}/.pre-commit-config.yaml.jinja", "      - id: check-added-large-files\n", "      - id: check-ast\n      - id: check-added-large-files\n"),
)  # fmt: skip

# 1.2.0: steps in another order, a job, a step and a dependency group renamed, a file moved, lists in another order.
TIDIED = (
    Rewrite(f"{GITHUB}/{CI}", f"      - uses: {UV_2}\n      - uses: {CACHE_1}\n{SAVE_IF}", f"      - uses: {CACHE_1}\n{SAVE_IF}      - uses: {UV_2}\n"),
    Rewrite(f"{GITHUB}/{CI}", "      - name: Lint\n", "      - name: Format and lint\n"),
    Rewrite(f"{GITHUB}/{CI}", "      - name: Test the Rust code, then the wheel\n", "      - name: Test\n"),
    Rewrite(f"{GITHUB}/{CI}", "  typing:\n", "  types:\n"),
    Rewrite(f"{GITHUB}/{CI}", "lint, typing, test", "lint, types, test"),
    Rewrite(f"{GITHUB}/{CI}", "uvx nox -s typing", "uvx nox -s types"),
    Rewrite(f"{BASE}/noxfile.py.jinja", "def typing(", "def types("),
    Rewrite(f"{BASE}/noxfile.py.jinja", 'group("typing"', 'group("types"'),
    Rewrite(f"{BASE}/pyproject.toml.jinja", "typing = [", "types = ["),
    Rewrite(f"{BASE}/pyproject.toml.jinja", '{ include-group = "typing" }', '{ include-group = "types" }'),
    Rewrite(f"{BASE}/pyproject.toml.jinja", '["B", "C4", "I", "PT", "PYI", "RUF", "SIM", "UP"]', '["UP", "SIM", "RUF", "PYI", "PT", "I", "C4", "B"]'),
    Rewrite(f"{BASE}/pyproject.toml.jinja", 'testpaths = ["tests", "README.md"]', 'testpaths = ["README.md", "tests"]'),
    Rewrite(RELEASE_TOOLS, """\
  { message = '^fix(\\(.+\\))?!?:', group = "Fixed" },
  { message = '^perf(\\(.+\\))?!?:', group = "Faster" },
""", """\
  { message = '^perf(\\(.+\\))?!?:', group = "Faster" },
  { message = '^fix(\\(.+\\))?!?:', group = "Fixed" },
"""),
    Rewrite(f"{BASE}/.pre-commit-config.yaml.jinja", "      - id: check-toml\n      - id: check-yaml\n", "      - id: check-yaml\n      - id: check-toml\n"),
    Rewrite("template/{{ part.dependabot }}/.github/dependabot.yml", "interval: weekly", "interval: monthly"),
)  # fmt: skip

# 1.3.0: an action replaced by another, and one by a command; a dependency inherited from the workspace; a newer matrix.
SHARED = (
    Rewrite(f"{GITHUB}/{CI}", CACHE_1, CACHE_2),
    Rewrite(f"{GITHUB}/{CI}", f"      - uses: {ZIZMOR}\n        with:\n          advanced-security: false\n          persona: auditor\n", "      - run: uvx zizmor --persona auditor .github\n"),
    Rewrite(f"{GITHUB}/{CI}", "on:\n  push:\n", "on:\n  workflow_dispatch:\n  push:\n"),
    Rewrite(f"{GITHUB}/{CI}", 'python: ["3.11", "3.12", "3.13", "3.14", "3.15"]', 'python: ["3.12", "3.13", "3.14", "3.15", "3.16"]'),
    Rewrite(f"{GITHUB}/{CI}", '          - python: "3.11"\n', '          - python: "3.12"\n'),
    Rewrite(f"{GITHUB}/{CI}", "timeout-minutes: 20", "timeout-minutes: 25"),
    Rewrite("versions.yml", 'pyo3: "0.30.1"', 'pyo3: "0.30.2"'),
    Rewrite("versions.yml", 'pyo3_build_config: "0.30.1"', 'pyo3_build_config: "0.30.2"'),
    Rewrite(f"{BASE}/Cargo.toml.jinja", 'pyo3 = "{{ versions.pyo3 }}"', "pyo3 = { workspace = true }"),
    Rewrite(f"{BASE}/Cargo.toml.jinja", 'pyo3-build-config = "{{ versions.pyo3_build_config }}"', "pyo3-build-config = { workspace = true }"),
    Rewrite(f"{BASE}/Cargo.toml.jinja", "strip = true\n", 'strip = true\ndebug = "line-tables-only"\n\n# One number for all crates of the workspace.\n[workspace.dependencies]\npyo3 = "{{ versions.pyo3 }}"\npyo3-build-config = "{{ versions.pyo3_build_config }}"\n'),
    Rewrite("template/{{ part.profiling }}/profiling/Cargo.toml.jinja", 'pyo3 = "{{ versions.pyo3 }}"', "pyo3 = { workspace = true }"),
    Rewrite("template/{{ part.profiling }}/profiling/Cargo.toml.jinja", 'pyo3-build-config = "{{ versions.pyo3_build_config }}"', "pyo3-build-config = { workspace = true }"),
    Rewrite(f"{BASE}/pyproject.toml.jinja", '[[tool.mypy.overrides]]\n', '[[tool.mypy.overrides]]\nmodule = "pytest.*"\ndisallow_any_decorated = false\n\n[[tool.mypy.overrides]]\n'),
    Rewrite(f"{BASE}/README.md.jinja", "## Usage\n", "## Use\n"),
    Rewrite(f"{BASE}/tests/test_distance.py.jinja", "import sys\n", "# The native module, seen from Python.\nimport sys\n"),
    Rewrite(f"{BASE}/SECURITY.md", "", "# Security\n\nWrite to us.\n"),
)  # fmt: skip

RELEASES = {"v1.1.0": HARDENED, "v1.2.0": TIDIED, "v1.3.0": SHARED}
MOVED = {"v1.2.0": {"examples/demo.py": "examples/tour.py"}}


def first_release(template: Path) -> None:
    """Change the template to version 1.0.0."""
    older_versions(template)
    # In one file, and without a matrix.
    fragments = template / GITHUB / f"{CI}.d"
    names = ("10-gate.yml.jinja", "20-test.yml")
    text = "".join((fragments / name).read_text(encoding="utf-8") for name in names)
    with (template / GITHUB / CI).open("a", encoding="utf-8") as file:
        for old, new in [('{{ ", extras" if ci_extras else "" }}', ""), ('{{ "{{', "{{"), ('}}" }}', "}}")]:
            text = text.replace(old, new)
        file.write(text)
    shutil.rmtree(fragments)
    for rewrite in FIRST:
        rewrite(template)


def next_release(template: Path, tag: str) -> None:
    """Change the template to the next version."""
    for rewrite in RELEASES[tag]:
        rewrite(template)
    for old, new in MOVED.get(tag, {}).items():
        (template / BASE / f"{old}.jinja").rename(template / BASE / f"{new}.jinja")


# --- the edits ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """A user's edit of one file, and what must be true after the three updates."""

    name: str
    path: str
    old: str
    """Empty: append, or make the file."""
    new: str
    has: tuple[str, ...] = ()
    """Texts that must be there, in this order, each once in its part of the file."""
    lacks: tuple[str, ...] = ()
    """Texts that must not be there."""
    within: str = ""
    """The part in which that must hold: a job's key, or a table's header with its brackets; else the whole file."""
    both: tuple[str, ...] = ()
    """Parts of lines that both sides change, so that `has` alone says what must become of them."""
    told: tuple[str, ...] = ()
    """What the report of some update must say."""
    left: str = ""
    """What the last update must leave for a person, if it has to."""
    now: str = ""
    """Where the file is at the end, if it has moved."""


CACHE_STEP = f"      - uses: {CACHE_1}\n{SAVE_IF}"

RPDS = (
    Edit("a library for the linter", CI, "      - name: Lint\n", "      - name: A library of the system\n        run: sudo apt-get install --yes libfoo-dev\n      - name: Lint\n",
         within="lint", has=("Harden the runner", CHECKOUT_2, "A library of the system", "libfoo-dev", "Format and lint"), lacks=("name: Lint\n",)),
    Edit("a step renamed", CI, "- name: Check the types", "- name: mypy and stubtest",
         within="types", has=(CHECKOUT_2, CACHE_2, UV_2, "mypy and stubtest", "uvx nox -s types"), lacks=("Check the types",)),
    Edit("a job that needs a renamed one", CI, "  gate:", "  docs:\n    name: Documentation\n    needs: [lint, typing]\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make docs # ours\n\n  gate:",
         within="docs", has=("needs: [lint, types]", "make docs # ours"), lacks=("typing",), both=("needs: [lint, typing]",)),
    Edit("another Python in the matrix", CI, '"3.13", "3.14"]', '"3.13", "3.14", "pypy-3.11"]',
         within="test", has=('python: ["3.12", "3.13", "3.14", "3.15", "3.16", "pypy-3.11"]',), both=("python: [",)),
    Edit("a group that includes a renamed one", PYPROJECT, "[dependency-groups]\n", '[dependency-groups]\ndocs = ["furo", { include-group = "typing" }]\n',
         within="[dependency-groups]", has=('docs = ["furo", { include-group = "types" }]', "types = [\"mypy\""), lacks=("typing",), both=("furo",)),
    Edit("pyo3 raised further", CARGO, 'pyo3 = { version = "0.30"', 'pyo3 = { version = "0.30.5"',
         within="[dependencies]", has=('pyo3 = { version = "0.30.5", features = ["abi3-py310"] }',), lacks=("workspace",), told=("dependencies.pyo3",), both=("pyo3 = {",)),
    Edit("a pin with a note", RELEASE, f"      - uses: {CHECKOUT_1}\n        with:\n          persist-credentials: false\n      - uses: astral-sh/setup-uv", f"      - uses: {CHECKOUT_1} # zizmor: ignore[artipacked]\n        with:\n          persist-credentials: false\n      - uses: astral-sh/setup-uv",
         within="plan", has=("Harden the runner", f"{CHECKOUT_2} # zizmor: ignore[artipacked]", UV_2), both=("zizmor: ignore",)),
    Edit("an option between", PYPROJECT, '"--strict-config", ', '"--strict-config", "--import-mode=importlib", ',
         has=('addopts = ["-ra", "-p", "no:cacheprovider", "--strict-config", "--import-mode=importlib", "--strict-markers", "-W", "error", "-W", "ignore::ResourceWarning"]',), both=("addopts",)),
    Edit("a session of nox", NOX, 'if __name__ == "__main__":', '@nox.session(default=False)\ndef docs(session: nox.Session) -> None:\n    """Build the documentation."""\n    session.install("furo")\n\n\nif __name__ == "__main__":',
         has=("def types(", "def docs(")),
)  # fmt: skip

NH3 = (
    Edit("rights for all jobs", CI, "permissions: {}\n\nconcurrency", "permissions:\n  contents: read # all jobs\n\nconcurrency",
         has=("permissions:\n  contents: read # all jobs\n",), lacks=("permissions: {}\n\nconcurrency",)),
    Edit("a job behind the tests", CI, "  gate:", "  coverage:\n    name: Coverage\n    needs: test\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v6\n      - uses: codecov/codecov-action@v5\n\n  gate:",
         within="coverage", has=("needs: test\n", "actions/checkout@v6\n", "codecov/codecov-action@v5\n"), lacks=("Harden",)),
    Edit("a job renamed", CI, "  lint:\n", "  style:\n",
         within="style", has=("Harden the runner", CHECKOUT_2, CACHE_2, UV_2, "Format and lint"), lacks=("name: Lint\n",)),
    Edit("a job renamed, needed", CI, "needs: [lint, typing,", "needs: [style, typing,",
         within="gate", has=("needs: [style, types, test, workflows, deny, sdist]",), both=("needs: [lint", "needs: [style")),
    Edit("another action for the same", CI, "      - uses: EmbarkStudios/cargo-deny-action@3c6349835b2b7b196a839186cb8b78e02f7b5f25 # v2.1.1\n        with:\n          arguments: --locked\n", "      - uses: taiki-e/install-action@v2\n        with:\n          tool: cargo-deny\n      - run: cargo deny check\n",
         within="deny", has=("Harden the runner", CHECKOUT_2, "taiki-e/install-action@v2", "cargo deny check"), lacks=("EmbarkStudios",)),
    Edit("an id for a step that the template renames", CI, "      - name: Test the Rust code, then the wheel\n", "      - name: Test the Rust code, then the wheel\n        id: tests\n",
         within="test", has=(UV_2, "- name: Test\n        id: tests\n"), lacks=("then the wheel",)),
    Edit("pyo3 from git", CARGO, 'pyo3 = { version = "0.30", features', 'pyo3 = { git = "https://github.com/PyO3/pyo3", branch = "main", features',
         within="[dependencies]", has=('pyo3 = { git = "https://github.com/PyO3/pyo3", branch = "main", features = ["abi3-py310"] }',), lacks=("workspace", 'version = "0.'), told=("dependencies.pyo3",), both=("pyo3 = {",)),
    Edit("features", CARGO, "[build-dependencies]", 'ammonia = { version = "4", optional = true }\n\n[features]\ndefault = ["clean"]\nclean = ["dep:ammonia"]\n\n[build-dependencies]',
         has=('ammonia = { version = "4", optional = true }', 'default = ["clean"]', 'clean = ["dep:ammonia"]')),
    Edit("a pin by ratchet", RELEASE, f"      - uses: {CHECKOUT_1}\n        with:\n          persist-credentials: false\n      - uses: astral-sh/setup-uv", "      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # ratchet:actions/checkout@v7.0.1\n        with:\n          persist-credentials: false\n      - uses: astral-sh/setup-uv",
         within="plan", has=("Harden the runner", f"actions/checkout@{sha('a')} # ratchet:actions/checkout@v7.0.2\n"), both=("ratchet",)),
    Edit("mypy's overrides", PYPROJECT, "[tool.uv]\n", '[[tool.mypy.overrides]]\nmodule = "bs4.*" # no types yet\nignore_missing_imports = true\n\n[tool.uv]\n',
         has=('module = "pytest.*"', 'module = ["nox", "nox.*"]', 'module = "bs4.*" # no types yet', "[tool.uv]")),
)  # fmt: skip

JITER = (
    Edit("a member of the workspace", CARGO, 'members = ["profiling"]', 'members = ["fuzz", "profiling"]', has=('members = ["fuzz", "profiling"]',)),
    Edit("its manifest", "fuzz/Cargo.toml", "", '[package]\nname = "fuzz"\nversion = "0.0.0"\nedition = "2024"\npublish = false\n\n[dependencies]\nsample = { path = "..", default-features = false }\n', has=('name = "fuzz"',)),
    Edit("its code", "fuzz/src/main.rs", "", "fn main() {}\n", has=("fn main() {}",)),
    Edit("pyo3 from the workspace", CARGO, 'pyo3 = { version = "0.30", features', "pyo3 = { workspace = true, features",
         within="[dependencies]", has=('pyo3 = { workspace = true, features = ["abi3-py310"] }',)),
    Edit("its number", CARGO, "[workspace]\n", '[workspace.dependencies]\npyo3 = { version = "0.30" } # for all members\n\n[workspace]\n',
         within="[workspace.dependencies]", has=('pyo3 = { version = "0.30.2" } # for all members', 'pyo3-build-config = "0.30.2"'), both=("for all members", "pyo3 = ", "# One number")),
    Edit("a member that takes it", PROFILING, 'pyo3 = "0.30"', "pyo3.workspace = true", within="[dependencies]", has=("pyo3.workspace = true",), both=("pyo3 = ",)),
    Edit("a group renamed", PYPROJECT, 'lint = ["ruff==', 'style = ["ruff==', within="[dependency-groups]", has=('style = ["ruff==0.17.5"', '{ include-group = "style" }'), lacks=("lint",), both=("style = [", "lint = [")),
    Edit("a group renamed, included", PYPROJECT, '{ include-group = "lint" }', '{ include-group = "style" }', both=("dev = [",)),
    Edit("a group renamed, installed", NOX, 'group("lint")', 'group("style")', has=('group("style")', 'group("types"')),
    Edit("a commit parser first", PYPROJECT, "commit_parsers = [\n", "commit_parsers = [\n  { message = '^bench', skip = true }, # numbers only\n",
         within="[tool.git-cliff.git]", has=("^bench', skip = true }, # numbers only", "^chore\\(release\\)", "^feat", "^perf", "^fix", "^Merge")),
    Edit("a job that needs a renamed one alone", CI, "  gate:", "  bench:\n    name: Benchmarks\n    needs: typing\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cargo bench\n\n  gate:",
         within="bench", has=("needs: types\n", "cargo bench"), lacks=("typing",), both=("needs: typing",)),
    Edit("a variable for a step that is renamed", CI, "          PYTHON: ${{ matrix.python }}\n", "          PYTHON: ${{ matrix.python }}\n          RUST_BACKTRACE: 1\n",
         within="test", has=("- name: Test\n", "PYTHON: ${{ matrix.python }}", "RUST_BACKTRACE: 1")),
)  # fmt: skip

ORJSON = (
    Edit("a job less", CI, """\
  workflows:
    name: Workflow security (zizmor)
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read # checkout
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - uses: zizmorcore/zizmor-action@3dc1ecc9bcb9e94e9b2c709687979e1298497054 # v0.6.2
        with:
          advanced-security: false
          persona: auditor

""", "", lacks=("zizmor", "workflows"), both=("uvx zizmor",)),
    Edit("a job less, needed", CI, "needs: [lint, typing, test, workflows, deny, sdist]", "needs: [lint, typing, test, deny, sdist]",
         within="gate", has=("needs: [lint, types, test, deny, sdist]",), both=("needs: [lint",)),
    Edit("another entry of the matrix", CI, '          - python: "3.14"\n            runner: windows-2025\n', '          - python: "3.14"\n            runner: windows-2025\n          - python: "3.14"\n            runner: ubuntu-24.04-arm # ours\n',
         within="test", has=('- python: "3.12"\n            runner: windows-2025', '- python: "3.15"\n            runner: windows-2025', '- python: "3.14"\n            runner: ubuntu-24.04-arm # ours'), both=('- python: "3.14"',)),
    Edit("a profile", CARGO, 'lto = "fat"\ncodegen-units = 1\nstrip = true\n', 'lto = "thin"\ncodegen-units = 1\npanic = "abort"\n',
         within="[profile.release]", has=('lto = "thin"', 'debug = "line-tables-only"', 'panic = "abort"'), lacks=("strip",)),
    Edit("an option less", PYPROJECT, 'addopts = ["-ra", ', "addopts = [",
         has=('addopts = ["-p", "no:cacheprovider", "--strict-config", "--strict-markers", "-W", "error", "-W", "ignore::ResourceWarning"]',), both=("addopts",)),
    Edit("maturin raised", PYPROJECT, '"maturin>=1.15,<2"', '"maturin>=1.15.3,<2"', within="[build-system]", has=('"maturin>=1.16,<2"',), both=("maturin>=1.15.3",), told=("build-system.requires[maturin",)),
    Edit("ruff raised by a bot", PYPROJECT, '"ruff==0.17.4"', '"ruff==0.18.0"', within="[dependency-groups]", has=('"ruff==0.18.0"',), both=("lint = [",)),
    Edit("ruff's hook raised by a bot", PRE_COMMIT, "rev: v0.17.4", "rev: v0.18.0", has=("rev: v0.18.0",), lacks=("v0.17",), both=("rev: v0.17.5",)),
    Edit("another cache", CI, f"{CACHE_STEP}      - name: Test the Rust", "      - uses: actions/cache@v5\n        with:\n          path: target\n          key: cargo-${{ matrix.runner }}\n      - name: Test the Rust",
         within="test", has=(CHECKOUT_2, "actions/cache@v5", "key: cargo-${{ matrix.runner }}", "- name: Test\n"), lacks=("rust-cache", "cargo-cache", "save-if"), told=("jobs.test.steps",)),
    Edit("runners of one's own", CI, "  deny:\n    name: Crate licenses and advisories (cargo-deny)\n    runs-on: ubuntu-24.04\n", "  deny:\n    name: Crate licenses and advisories (cargo-deny)\n    runs-on: [self-hosted, linux]\n",
         within="deny", has=("runs-on: [self-hosted, linux]", CHECKOUT_2)),
)  # fmt: skip

# All files of this project have CRLF line endings.
CSS_INLINE = (
    Edit("a step last", CI, "        run: uvx nox -s sdist\n", "        run: uvx nox -s sdist\n      - name: Keep it\n        uses: actions/upload-artifact@v7\n        with:\n          path: dist\n",
         within="sdist", has=("Harden the runner", CHECKOUT_2, CACHE_2, UV_2, "uvx nox -s sdist", "- name: Keep it", "path: dist")),
    Edit("a dependency under another name", CARGO, "[build-dependencies]", 'css = { package = "cssparser", version = "0.35" } # ours\n\n[build-dependencies]', within="[dependencies]", has=('css = { package = "cssparser", version = "0.35" } # ours',)),
    Edit("a feature of pyo3", CARGO, '"abi3-py310"', '"abi3-py310", "multiple-pymethods"', within="[dependencies]", has=('pyo3 = { workspace = true, features = ["abi3-py310", "multiple-pymethods"] }',), both=("pyo3 = {",)),
    Edit("a group for benchmarks", PYPROJECT, "[dependency-groups]\n", '[dependency-groups]\n# of the Python side\nbench = ["pyperf", { include-group = "test" }]\n', within="[dependency-groups]", has=("# of the Python side", 'bench = ["pyperf", { include-group = "test" }]')),
    Edit("classifiers", PYPROJECT, '  "Typing :: Typed",\n', '  "Topic :: Text Processing :: Markup :: HTML",\n  "Typing :: Typed",\n', has=('3.15",', '3.16",', "Implementation :: CPython", "Topic :: Text Processing :: Markup :: HTML", "Typing :: Typed")),
    Edit("a benchmark", "benches/bench.py", "", "import pyperf\n", has=("import pyperf",)),
    Edit("the example", "examples/demo.py", 'print("version"', 'print("css-inline", "version"', now="examples/tour.py", has=('print("css-inline", "version"',), told=("examples/tour.py",)),
    Edit("a heading that the template changes, too", "README.md", "## Usage\n", "## Examples\n", has=("## Examples\n", "## Use\n"), left="conflict markers"),
    Edit("a key of the matrix renamed", CI, """\
        python: ["3.10", "3.11", "3.12", "3.13", "3.14"]
        runner: [ubuntu-24.04, macos-15]
        include:
          - python: "3.10"
            runner: windows-2025
          - python: "3.14"
            runner: windows-2025
""", """\
        python-version: ["3.10", "3.11", "3.12", "3.13", "3.14"]
        runner: [ubuntu-24.04, macos-15]
        include:
          - python-version: "3.10"
            runner: windows-2025
          - python-version: "3.14"
            runner: windows-2025
""", within="test", has=('python-version: ["3.12", "3.13", "3.14", "3.15", "3.16"]', '- python-version: "3.12"', '- python-version: "3.15"'), lacks=("  python:", "- python:"), both=("python: ", "python-version: ")),
    Edit("a key of the matrix renamed, in the title", CI, "Python ${{ matrix.python }},", "Python ${{ matrix.python-version }},"),
    Edit("a key of the matrix renamed, in a step", CI, "PYTHON: ${{ matrix.python }}", "PYTHON: ${{ matrix.python-version }}"),
    Edit("triggers as a list", CI, "on:\n  push:\n    branches: [main]\n  pull_request:\n", "on: [push, pull_request]\n", has=("\non: [workflow_dispatch, push, pull_request]\n",), both=("on: [", "workflow_dispatch:")),
    Edit("a note in the changelog", "CHANGELOG.md", "", "\n- Inlines faster.\n", has=("- Inlines faster.",)),
)  # fmt: skip

WATCHFILES = (
    Edit("a schedule", CI, "  pull_request:\n", '  pull_request: {}\n  schedule:\n    - cron: "17 4 * * 1"\n',
         has=("\non:\n", "workflow_dispatch:", "push:", "pull_request: {}", 'cron: "17 4 * * 1"', "\njobs:")),
    Edit("a name for an action", CI, f"""\
      - uses: {UV_1}
      - uses: {CACHE_1}
{SAVE_IF}      - name: Lint
""", f"""\
      - name: Install uv
        uses: {UV_1}
      - uses: {CACHE_1}
{SAVE_IF}      - name: Lint
""", within="lint", has=(CHECKOUT_2, CACHE_2, f"- name: Install uv\n        uses: {UV_2}", "Format and lint"), lacks=("rust-cache", UV_1), both=("uses: astral-sh/setup-uv",)),
    Edit("an id for an action", CI, f"""\
      - uses: {CHECKOUT_1}
        with:
          persist-credentials: false
      - uses: EmbarkStudios""", f"""\
      - id: checkout
        uses: {CHECKOUT_1}
        with:
          persist-credentials: false
          fetch-depth: 0
      - uses: EmbarkStudios""", within="deny", has=("Harden the runner", f"- id: checkout\n        uses: {CHECKOUT_2}", "fetch-depth: 0", "EmbarkStudios"), both=("uses: actions/checkout",)),
    Edit("steps in the order that the template takes later", CI, f"      - uses: {UV_1}\n{CACHE_STEP}      - name: Build and test\n", f"{CACHE_STEP}      - uses: {UV_1}\n      - name: Build and test\n",
         within="sdist", has=("Harden the runner", CHECKOUT_2, CACHE_2, UV_2, "Build and test")),
    Edit("a step between two that swap", CI, f"      - uses: {CACHE_1}\n{SAVE_IF}      - name: Check the types\n", f"      - run: rustup component add rustfmt # ours\n      - uses: {CACHE_1}\n{SAVE_IF}      - name: Check the types\n",
         within="types", has=(CHECKOUT_2, "rustup component add rustfmt # ours", "Check the types"), lacks=("rust-cache", "typing")),
    Edit("a group of one's own in the group for all", PYPROJECT, 'dev = ["pre-commit", ', 'docs = ["mkdocs-material"]\ndev = ["pre-commit", { include-group = "docs" }, ',
         within="[dependency-groups]", has=('docs = ["mkdocs-material"]', 'dev = ["pre-commit", { include-group = "docs" }, { include-group = "test" }, { include-group = "lint" }, { include-group = "types" }]'), both=("dev = [",)),
    Edit("a module more in an override", PYPROJECT, 'module = ["nox", "nox.*"]', 'module = ["nox", "nox.*", "anyio.*"]', has=('module = "pytest.*"', 'module = ["nox", "nox.*", "anyio.*"]')),
    Edit("a job under another title", CI, "    name: Test on Python ${{ matrix.python }}, ${{ matrix.runner }}\n", "    name: test ${{ matrix.python }} on ${{ matrix.runner }}\n", within="test", has=("name: test ${{ matrix.python }} on ${{ matrix.runner }}", '"3.16"')),
    Edit("the matrix, a line each", CI, 'python: ["3.10", "3.11", "3.12", "3.13", "3.14"]', """\
python:
          - "3.10"
          - "3.11"
          - "3.12"
          - "3.13" # of the server
          # the newest
          - "3.14"\
""", within="test", has=("python:\n          - \"3.12\"\n          - \"3.13\" # of the server\n          # the newest\n          - \"3.14\"\n          - \"3.15\"\n          - \"3.16\"\n",), both=('"3.10"', '"3.11"', "python: [")),
    Edit("a filter before another one", PYPROJECT, '"-W", "ignore::PendingDeprecationWarning"', '"-W", "ignore::UserWarning", "-W", "ignore::PendingDeprecationWarning"', has=('"-W", "error", "-W", "ignore::UserWarning", "-W", "ignore::ResourceWarning"]',), both=("addopts",)),
    Edit("pyo3 under another name", CARGO, 'pyo3 = { version = "0.30"', 'py = { package = "pyo3", version = "0.30"', within="[dependencies]", has=('py = { package = "pyo3", version = "0.30.1", features = ["abi3-py310"] }',), lacks=("workspace",), both=("pyo3 = {", "py = {"), told=("dependencies.py:",)),
    Edit("Docker for the bot", DEPENDABOT, "  - package-ecosystem: cargo\n", "  - package-ecosystem: docker\n    directory: /\n    schedule:\n      interval: daily\n  - package-ecosystem: cargo\n", has=("github-actions", "docker", "interval: daily", "cargo", "pip")),
)  # fmt: skip

PYDANTIC_CORE = (
    Edit("what the gate needs, a line each", CI, "    needs: [lint, typing, test, workflows, deny, sdist]\n", "    needs:\n      - coverage # ours\n      - lint\n      - typing\n      - test\n      - workflows\n      - deny\n      - sdist\n",
         within="gate", has=("needs:\n      - coverage # ours\n      - lint\n      - types\n      - test\n      - workflows\n      - deny\n      - sdist\n",), both=("- typing", "needs: [lint")),
    Edit("a job that asks how another one went", CI, "  gate:", "  coverage:\n    name: Coverage\n    if: ${{ needs.typing.result == 'success' }}\n    needs: [test, typing]\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make coverage\n\n  gate:",
         within="coverage", has=("if: ${{ needs.types.result == 'success' }}", "needs: [test, types]", "make coverage"), lacks=("typing",), both=("needs.typing.result", "needs: [test, typing]")),
    Edit("a key more in an entry of the matrix", CI, '          - python: "3.14"\n            runner: windows-2025\n', '          - python: "3.14"\n            runner: windows-2025\n            experimental: true\n',
         within="test", has=('- python: "3.12"\n            runner: windows-2025\n          - python: "3.15"\n            runner: windows-2025\n            experimental: true\n',)),
    Edit("a step behind the plan", RELEASE, '        run: uvx nox@2026.10.20 -s plan -- "$TAG"\n', '        run: uvx nox@2026.10.20 -s plan -- "$TAG"\n      - name: Tell the files\n        env:\n          FILES: ${{ steps.plan.outputs.files }}\n        run: echo "$FILES"\n',
         within="plan", has=("Harden the runner", CHECKOUT_2, "Plan the release", "Tell the files", "steps.plan.outputs.files }}\n        run: echo")),
    Edit("pyo3 patched", CARGO, "", '\n[patch.crates-io]\npyo3 = { git = "https://github.com/PyO3/pyo3", rev = "abc1234" } # until the next release\n', has=("[patch.crates-io]", 'rev = "abc1234" } # until the next release')),
    Edit("groups by default", PYPROJECT, "[tool.uv]\n", '[tool.uv]\ndefault-groups = ["dev", "typing"]\n', within="[tool.uv]", has=('default-groups = ["dev", "types"]',), both=("default-groups",)),
    Edit("an extra", PYPROJECT, "[project.urls]", '[project.optional-dependencies]\nemail = ["email-validator>=2"] # checks addresses\n\n[project.urls]', has=('email = ["email-validator>=2"] # checks addresses',)),
    Edit("a pin by tag", CI, f"      - uses: {CHECKOUT_1}\n        with:\n          persist-credentials: false\n      - uses: EmbarkStudios", "      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # tag=v7.0.1\n        with:\n          persist-credentials: false\n      - uses: EmbarkStudios",
         within="deny", has=("Harden the runner", f"actions/checkout@{sha('a')} # tag=v7.0.2\n", "EmbarkStudios"), both=("tag=v7.0.1",)),
    Edit("an option last", PYPROJECT, '"ignore::PendingDeprecationWarning"]', '"ignore::PendingDeprecationWarning", "--import-mode=importlib"]',
         has=('addopts = ["-ra", "-p", "no:cacheprovider", "--strict-config", "--strict-markers", "-W", "error", "-W", "ignore::ResourceWarning", "--import-mode=importlib"]',), both=("addopts",)),
    Edit("tests moved", "tests/test_distance.py", "", "", now="tests/unit/test_distance.py", has=("# The native module, seen from Python.",)),
)  # fmt: skip

TOKENIZERS = (
    Edit("pyo3 without its default features", CARGO, 'pyo3 = { version = "0.30", features = ["abi3-py310"] }', 'pyo3 = { version = "0.30", default-features = false, features = ["abi3-py310", "macros"] }',
         within="[dependencies]", has=("default-features = false", 'features = ["abi3-py310", "macros"]'), lacks=("workspace",), both=("pyo3 = {",), told=("dependencies.pyo3",)),
    Edit("a dependency on one system", CARGO, "[build-dependencies]", "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n\n[build-dependencies]", has=("[target.'cfg(unix)'.dependencies]", 'libc = "0.2"')),
    Edit("lints", CARGO, "", '\n[lints.clippy]\npedantic = { level = "warn", priority = -1 }\n', within="[lints.clippy]", has=("pedantic",)),
    Edit("a parser's group", PYPROJECT, 'group = "Faster"', 'group = "Performance"', within="[tool.git-cliff.git]", has=("^chore\\(release\\)", "^feat", '^perf(\\(.+\\))?!?:\', group = "Performance"', "^fix", "^Merge"), lacks=("Faster",)),
    Edit("a rule more", PYPROJECT, 'extend-select = ["B", "C4",', 'extend-select = ["ANN", "B", "C4",', within="[tool.ruff.lint]", has=('"ANN"',), both=("extend-select",)),
    Edit("a folder of tests more", PYPROJECT, 'testpaths = ["tests", "README.md"]', 'testpaths = ["tests", "README.md", "benches"]', has=('testpaths = ["README.md", "tests", "benches"]',), both=("testpaths",)),
    Edit("the whole history", CI, f"""\
      - uses: {CHECKOUT_1}
        with:
          persist-credentials: false
      - uses: {UV_1}
      - uses: {CACHE_1}
{SAVE_IF}      - name: Lint
""", f"""\
      - uses: {CHECKOUT_1}
        with:
          persist-credentials: false
          fetch-depth: 0 # for the version
      - uses: {UV_1}
      - uses: {CACHE_1}
{SAVE_IF}      - name: Lint
""", within="lint", has=("Harden the runner", CHECKOUT_2, "fetch-depth: 0 # for the version", CACHE_2, UV_2, "Format and lint")),
    Edit("another cache's settings", CI, f"{CACHE_STEP}      - name: Build and test", f"{CACHE_STEP}          shared-key: ours\n      - name: Build and test",
         within="sdist", has=(CACHE_2, "save-if", "shared-key: ours", UV_2), lacks=("rust-cache",)),
    Edit("a hook", PRE_COMMIT, "      - id: check-toml\n", "      - id: check-json # ours\n      - id: check-toml\n", has=("check-ast", "check-added-large-files", "check-json # ours", "check-toml", "end-of-file-fixer")),
    Edit("a job less", CI, """\
  typing:
    name: Types and stubs
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    permissions:
      contents: read # checkout
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
          fetch-depth: 0 # with tags: the version may come from them
      - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
      - uses: Swatinem/rust-cache@6323deb102c322ba6fcbdcafc7e3dddab59af2b6 # v2.9.2
        with:
          save-if: ${{ github.ref_name == github.event.repository.default_branch }}
      - name: Check the types
        run: uvx nox -s typing

""", "", lacks=("types:", "typing"), both=("types:", "uvx nox -s types")),
    Edit("a job less, needed", CI, "needs: [lint, typing, test,", "needs: [lint, test,", within="gate", has=("needs: [lint, test, workflows, deny, sdist]",), both=("needs: [lint",)),
    Edit("a group less", PYPROJECT, 'typing = ["mypy", "nox", { include-group = "test" }]\n', "", within="[dependency-groups]", lacks=("typing", "types"), both=("types = [",)),
    Edit("a group less, included", PYPROJECT, ', { include-group = "typing" }]', "]", within="[dependency-groups]", has=('dev = ["pre-commit", { include-group = "test" }, { include-group = "lint" }]',), both=("dev = [",)),
    Edit("no bot", DEPENDABOT, "", "", now="-", told=(f"{DEPENDABOT}: kept deleted",)),
)  # fmt: skip

PROJECTS = {
    "rpds": RPDS,
    "nh3": NH3,
    "jiter": JITER,
    "orjson": ORJSON,
    "css-inline": CSS_INLINE,
    "watchfiles": WATCHFILES,
    "pydantic-core": PYDANTIC_CORE,
    "tokenizers": TOKENIZERS,
}
CRLF = {"css-inline"}
