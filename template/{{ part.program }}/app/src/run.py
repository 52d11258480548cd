"""Imports the files in the program from memory, and runs the package.

Python runs this file as it runs the text after `python -c`.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
from functools import cache
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, cast

import _program  # type: ignore[import-not-found] # in main.rs

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Sequence
    from importlib.metadata import Distribution, DistributionFinder
    from types import ModuleType, TracebackType

FILES = cast("dict[str, bytes]", _program.FILES)
ARGV = cast("list[str]", _program.ARGV)
MAIN = f"{_program.PACKAGE}.__main__"
NATIVE = f"{_program.PACKAGE}._core"
ROOT = f"{sys.executable}/"  # paths of packed files begin with that of the program
FOLDERS = {name[:at] for name in FILES for at, letter in enumerate(name) if letter == "/"}


@cache
def archive() -> zipfile.ZipFile:
    """The packed files, as resources and metadata need them."""
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in FILES.items():
            file.writestr(name, content)
    return zipfile.ZipFile(buffer)


class Native(importlib.abc.Loader):
    """Loads the native module, which the program registers under its last name."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module("_core")

    def exec_module(self, module: ModuleType) -> None:
        """PyO3 has done it."""


class Packed(importlib.abc.MetaPathFinder, importlib.abc.ExecutionLoader):
    """Finds and loads packed modules."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == NATIVE:
            return ModuleSpec(name, Native())
        folder = name.replace(".", "/")
        if (file := f"{folder}/__init__.py") in FILES or folder in FOLDERS:
            # A folder without __init__.py is a package as well, and an empty one.
            spec = ModuleSpec(name, self, origin=ROOT + file, is_package=True)
            spec.submodule_search_locations = [ROOT + folder]
        elif (file := f"{folder}.py") in FILES:
            spec = ModuleSpec(name, self, origin=ROOT + file)
        else:
            return None
        spec.has_location = file in FILES
        return spec

    def get_filename(self, name: str) -> str:
        spec = self.find_spec(MAIN if name == "__main__" else name)
        if spec is None or spec.origin is None:
            raise ImportError(f"{name} is not in the program", name=name)
        return spec.origin

    def get_source(self, name: str) -> str:
        """Also for the source lines in tracebacks."""
        path = self.get_filename(name)
        in_program = path.removeprefix(ROOT) in FILES
        return importlib.util.decode_source(self.get_data(path)) if in_program else ""

    def get_data(self, path: str) -> bytes:
        name = path.removeprefix(ROOT).replace(os.sep, "/")
        if name not in FILES:
            raise FileNotFoundError(path)
        return FILES[name]

    def get_resource_reader(self, name: str) -> Resources:
        return Resources(self.get_filename(name).removeprefix(ROOT).rpartition("/")[0])

    def find_distributions(self, context: DistributionFinder.Context) -> Iterator[Distribution]:
        """Find the metadata of packed packages, for importlib.metadata."""
        import zipfile
        from importlib.metadata import PathDistribution

        for folder in sorted(FOLDERS):
            name, _, rest = folder.partition("-")
            same = context.name is None or context.name.replace("-", "_").lower() == name.lower()
            if same and rest.endswith(".dist-info"):
                yield PathDistribution(zipfile.Path(archive(), f"{folder}/"))


class Resources:
    """The files of a package, for importlib.resources."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def files(self) -> zipfile.Path:
        import zipfile

        return zipfile.Path(archive(), f"{self.folder}/")


class Folder(importlib.abc.PathEntryFinder):
    """The modules in a packed folder, for pkgutil.iter_modules."""

    def __init__(self, path: str) -> None:
        self.start = f"{path.removeprefix(ROOT)}/"
        if not path.startswith(ROOT) or self.start[:-1] not in FOLDERS:
            raise ImportError(path)

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        for file in sorted(name for name in FILES if name.startswith(self.start)):
            module, _, rest = file.removeprefix(self.start).partition("/")
            if rest == "__init__.py":
                yield f"{prefix}{module}", True
            elif not rest and module.endswith(".py") and module != "__init__.py":
                yield f"{prefix}{module[:-3]}", False


def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback that begins in the package, and has source lines on every Python."""
    while trace and trace.tb_frame.f_code.co_filename.startswith("<"):
        trace = trace.tb_next
    if issubclass(kind, KeyboardInterrupt):  # whose exit code any other hook changes
        sys.__excepthook__(kind, error.with_traceback(trace), trace)
    else:
        import traceback

        traceback.print_exception(kind, error, trace)


def main() -> None:
    packed = Packed()
    sys.meta_path.insert(0, packed)
    sys.path_hooks.insert(0, Folder)
    sys.argv[:] = ARGV
    # multiprocessing starts its processes with this program, as if it were Python.
    if ARGV[-2:-1] == ["-c"] and ARGV[-1].startswith("from multiprocessing."):
        exec(ARGV[-1], {})  # noqa: S102
        return
    sys.frozen = True  # type: ignore[attr-defined]
    if ARGV[1:2] == ["--multiprocessing-fork"]:
        from multiprocessing.spawn import freeze_support

        freeze_support()
    sys.excepthook = show
    spec = packed.find_spec(MAIN)
    if spec is None:
        sys.exit(f"{MAIN} is not in the program")
    sys.modules["__main__"] = module = importlib.util.module_from_spec(spec)
    module.__name__ = "__main__"
    packed.exec_module(module)


main()
