"""What pyproject.toml cannot set: the version, the profile of editable installs, times in sdists."""

import gzip
import io
import os
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.sdist import sdist

# By default, setuptools-rust does not optimize editable installs.
if "editable_wheel" in sys.argv:
    os.environ.setdefault("SETUPTOOLS_RUST_CARGO_PROFILE", "editable")


class RepeatableSdist(sdist):
    """Takes the times in the sdist from SOURCE_DATE_EPOCH: see pypa/setuptools#2133."""

    def make_archive(self, *arguments: Any, **options: Any) -> str:
        archive = str(super().make_archive(*arguments, **options))
        if time := int(os.environ.get("SOURCE_DATE_EPOCH", "0")):
            new = io.BytesIO()
            with tarfile.open(archive) as old, tarfile.open(fileobj=new, mode="w") as tar:
                for info in sorted(old, key=lambda info: info.name):
                    info.mtime, info.pax_headers = time, {}
                    info.uid, info.gid, info.uname, info.gname = 0, 0, "", ""
                    tar.addfile(info, old.extractfile(info))
            Path(archive).write_bytes(gzip.compress(new.getvalue(), mtime=time))
        return archive


manifest = Path(__file__).with_name("Cargo.toml").read_text(encoding="utf-8")
package = manifest.partition("[package]")[2].partition("\n[")[0]
version = re.findall(r'^version = "(.+?)"', package, re.MULTILINE)[0]
setup(version=version, cmdclass={"sdist": RepeatableSdist})
