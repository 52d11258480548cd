"""Compiles the page's Python once, in Pyodide, instead of in each browser, and leaves out what a rendering does not import.

Reads /standard.zip and /packages.zip, and writes /python.zip and the first state of the page, /first.json.
"""

import importlib._bootstrap_external as importer
import io
import pathlib
import sys
import zipfile

archives: list[bytes] = [pathlib.Path(name).read_bytes() for name in ("/standard.zip", "/packages.zip")]
sys.path.insert(0, "/packages.zip")
import engine

pathlib.Path("/first.json").write_text(engine.state("{}"), encoding="utf-8")
engine.state('{"more": true, "project_name": "-", "runners": "{"}')  # problems, too
engine.pack("{}")
engine.parse("license: MIT\nlicence: MIT\n")
used = {name.partition(".")[0] for name in sys.modules}

with zipfile.ZipFile("/python.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
    for archive, own in zip(archives, (False, True), strict=True):
        with zipfile.ZipFile(io.BytesIO(archive)) as source:
            for name in source.namelist():
                top = name.partition("/")[0]
                if name.endswith(".py") and (own or top.removesuffix(".py") in used):
                    code = compile(source.read(name), name, "exec", dont_inherit=True, optimize=2)
                    content = importer._code_to_hash_pyc(code, bytes(8), checked=False)
                    target.writestr(zipfile.ZipInfo(f"{name}c"), content, zipfile.ZIP_DEFLATED)
                elif name.endswith("/METADATA"):  # Copier asks for versions
                    target.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)
