"""Reads CIBW_BUILD and the options like cibuildwheel, and builds without a container."""

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
    for identifier in os.environ["CIBW_BUILD"].split():
        version = f"3.{identifier.partition('-')[0].removeprefix('cp3')}"
        with tempfile.TemporaryDirectory() as folder:
            run("uv", "build", "--wheel", "--python", version, "--out-dir", folder)
            (built,) = Path(folder).glob("*.whl")
            run("wheel", "tags", "--remove", "--platform-tag", "manylinux_2_28_x86_64", str(built))
            (wheel,) = Path(folder).glob("*.whl")
            Path(options.output_dir).mkdir(exist_ok=True)
            wheel.replace(Path(options.output_dir) / wheel.name)


def run(*command: str) -> None:
    subprocess.run(command, check=True)
