"""Reads what cibuildwheel would, CIBW_BUILD and its options, and does its work without a container."""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--platform", required=True)
    parser.add_argument("--archs", required=True)
    parser.add_argument("--output-dir", required=True)
    options = parser.parse_args()
    pythons = [identifier.partition("-")[0] for identifier in os.environ["CIBW_BUILD"].split()]
    versions = [f"3.{python.removeprefix('cp3')}" for python in pythons]
    with tempfile.TemporaryDirectory() as folder:
        run("uv", "build", "--wheel", "--python", versions[0], "--out-dir", folder)
        (built,) = Path(folder).glob("*.whl")
        run("wheel", "tags", "--remove", "--platform-tag", "manylinux_2_28_x86_64", str(built))
        (wheel,) = Path(folder).glob("*.whl")
        for version in versions:
            run("uv", "venv", "--quiet", "--clear", "--python", version, f"{folder}/venv")
            run("uv", "pip", "install", "--quiet", "--python", f"{folder}/venv", "--group", "test", str(wheel))
            run(f"{folder}/venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider", "tests")
        Path(options.output_dir).mkdir(exist_ok=True)
        wheel.rename(Path(options.output_dir) / wheel.name)


def run(*command: str) -> None:
    subprocess.run(command, check=True)
