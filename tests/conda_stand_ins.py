"""Makes a channel with stand-ins for the packages of conda-forge: conda_stand_ins.py CHANNEL PYTHON.

They have the programs of this machine: Python, pip, maturin and pytest from PyPI, and wrappers of cargo and rustc. The stand-in for
cargo-bundle-licenses only writes the file. Run it with a Python that has rattler-build.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from rattler_build import Stage0Recipe, ToolConfiguration  # type: ignore[import-not-found]

RECIPE = """
package: {{ name: {name}, version: "{version}" }}
source: {{ path: "{tree}" }}
build:
  string: {build}
  script: cp -R . "$PREFIX"
  dynamic_linking: {{ binary_relocation: false }}
  prefix_detection: {{ ignore: true }}
  python: {{ skip_pyc_compilation: ["**/*.py"] }}
requirements: {{ run: {needs} }}
about: {{ license: MIT }}
"""


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def main(channel: Path, python: Path) -> None:
    """Fill the folders of the packages, and build them."""
    for platform in ("linux-64", "noarch"):
        (channel / platform).mkdir(parents=True)
        (channel / platform / "repodata.json").write_text(json.dumps({"packages": {}, "packages.conda": {}}))
    code = "import platform; print(platform.python_version())"
    full = subprocess.run([python, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout.strip()
    minor = full.rpartition(".")[0]
    trees, library = channel.parent / "trees", f"lib/python{minor}"

    real, ignored = (
        python.resolve(),
        shutil.ignore_patterns("config-*", "site-packages", "test", "tests", "__pycache__"),
    )
    shutil.copytree(real.parents[1] / library, trees / "python" / library, ignore=ignored)
    (trees / "python/bin").mkdir()
    shutil.copy(real, trees / "python/bin/python-real")
    script(trees / "python/bin/python", 'exec "$(dirname "$0")/python-real" "$@"')
    for tool in ("pip", "maturin", "pytest"):
        site = trees / tool / library / "site-packages"
        version = ["--python-version", minor, "--only-binary=:all:"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", *version, "--no-compile", "--target", site, tool]
        subprocess.run(pip, check=True)
        script(trees / tool / "bin" / tool, f'exec python -m {tool} "$@"')
    (trees / "maturin/bin/maturin").unlink()
    shutil.move(trees / "maturin" / library / "site-packages/bin/maturin", trees / "maturin/bin/maturin")
    for tool in ("cargo", "rustc"):
        script(trees / "rust_linux-64/bin" / tool, f'export HOME="{Path.home()}"\nexec {shutil.which(tool)} "$@"')
    script(trees / "cargo-bundle-licenses/bin/cargo-bundle-licenses", 'for file; do :; done; echo "licenses" > "$file"')
    for name in ("gcc_linux-64", "sysroot_linux-64", "python-abi3"):
        (trees / name / "share").mkdir(parents=True)
        (trees / name / "share" / name).touch()

    for tree in sorted(trees.iterdir(), key=lambda tree: tree.name != "python"):
        recipe = RECIPE.format(
            name=tree.name,
            tree=tree,
            version=full if tree.name == "python" else {"maturin": "1.16"}.get(tree.name, minor),
            build=f"0_{'cpython' if minor < '3.13' else 'cp' + minor.replace('.', '')}"
            if tree.name == "python"
            else "0",
            needs=["python"] if (tree / library).exists() and tree.name != "python" else [],
        )
        options = {"output_dir": channel, "channels": [channel.as_uri()], "package_format": "conda:1"}
        Stage0Recipe.from_yaml(recipe).run_build(tool_config=ToolConfiguration(), **options)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
