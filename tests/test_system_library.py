"""The extra `system-library`: the build finds the library or says what to install, and wheels carry it."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from conftest import Render, run, without
from ship import edit, load_yaml, need

ON = {"extras": ["system-library"], "sample": "minimal"}


def quick(project: Path) -> Path:
    """The project with release builds that take seconds."""
    edit(project / "Cargo.toml", 'lto = "fat"\ncodegen-units = 1\n', 'opt-level = 0\nlto = "off"\n')
    run(["cargo", "generate-lockfile"], cwd=project)
    return project


def private_library(prefix: Path) -> None:
    """A copy of liblzma under a name that no other copy on this machine has."""
    folder = run(["pkg-config", "--variable=libdir", "liblzma"], cwd=prefix.parent).stdout.strip()
    (prefix / "lib").mkdir(parents=True)
    shutil.copy(Path(folder, "liblzma.so"), prefix / "lib/liblzma.so")
    run(["patchelf", "--set-soname", "liblzma.so.99", prefix / "lib/liblzma.so"], cwd=prefix)
    shutil.copy(prefix / "lib/liblzma.so", prefix / "lib/liblzma.so.99")
    description = f"Name: liblzma\nDescription: copy\nVersion: 5.4.1\nLibs: -L{prefix}/lib -llzma\n"
    (prefix / "liblzma.pc").write_text(description, encoding="utf-8")


def imported(wheel: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Unpack the wheel and use its module."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    code = "import carrying; print(carrying.checksum(b'rust'))"
    return run([sys.executable, "-c", code], cwd=folder, check=False)


@pytest.mark.system(
    "system-library",
    built="a wheel that carries its own copy of liblzma, by nox -s system-library with pkg-config, cc, and auditwheel",
    ran="import and tests of the wheel after the library that it was built with was deleted",
    unverified="wheels in containers (no Docker), macOS (no Homebrew), and Windows (no vcpkg)",
)
@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
@pytest.mark.skipif(sys.platform != "linux", reason="auditwheel repairs wheels for Linux")
def test_a_wheel_carries_its_library(render: Render, tmp_path: Path, backend: str) -> None:
    need("auditwheel", "patchelf", "pkg-config", "uv")
    if backend != "maturin" and os.environ.get("SLOW") != "1":
        pytest.skip("SLOW=1 pytest tests/test_system_library.py; passed on 2026-11-30")
    project = quick(render("carrying", ON | {"build_backend": backend}))
    prefix = tmp_path / "prefix"
    private_library(prefix)
    found: dict[str, Any] = {"PKG_CONFIG_PATH": str(prefix), "LD_LIBRARY_PATH": f"{prefix}/lib"}
    done = run(["nox", "-s", "system-library"], cwd=project, **found)
    assert re.search(r"loaded: \S+/carrying\.libs/liblzma-\w+\.so\.99\n", done.stderr), done.stderr
    assert "test_checksum.py" in done.stdout
    shutil.rmtree(prefix)
    wheels = project / ".nox/system-library/tmp/wheels"
    (bare,), (whole,) = wheels.glob("*.whl"), wheels.glob("repaired/*.whl")
    failed = imported(bare, tmp_path / "bare")
    assert failed.returncode == 1
    assert "liblzma.so.99: cannot open shared object file" in failed.stderr
    assert imported(whole, tmp_path / "whole").stdout == "3778183840\n"
    with zipfile.ZipFile(whole) as archive:
        assert any(name.endswith("licenses/LIBLZMA-LICENSE.txt") for name in archive.namelist())


def test_a_missing_library_is_named_with_its_packages(render: Render, tmp_path: Path) -> None:
    need("pkg-config")
    project = render("carrying", ON)
    path = without(tmp_path, "pkg-config", "pkgconf")
    cases: list[dict[str, Any]] = [{"PKG_CONFIG_LIBDIR": str(tmp_path)}, {"PATH": path}]
    for hidden in cases:
        done = run(["cargo", "check", "--quiet"], cwd=project, check=False, **hidden)
        assert done.returncode == 101
        assert "error: pkg-config did not find liblzma 5.2 or later. Install it:" in done.stderr
        packages = ("liblzma-dev", "xz-devel", "xz-dev", "brew install pkgconf xz", "vcpkg install")
        assert all(package in done.stderr for package in packages)
        assert "panicked" not in done.stderr


def test_each_container_installs_the_library(render: Render) -> None:
    """As cibuildwheel reads it."""
    read = pytest.importorskip(
        "cibuildwheel.options", reason="cibuildwheel needs Python 3.11 (tests/tools.py installs it)"
    )
    project = render("carrying", ON)
    arguments = read.CommandLineArguments.defaults()
    arguments.package_dir = project
    commands = {}
    for system, image in (("linux", "manylinux_x86_64"), ("linux", "musllinux_x86_64"), ("macos", "macosx_arm64")):
        options = read.Options(platform=system, command_line_arguments=arguments, env={})
        commands[image] = options.build_options(f"cp310-{image}")
    for image, install in (("manylinux_x86_64", "dnf -y install xz-devel"), ("musllinux_x86_64", "apk add xz-dev")):
        before = commands[image].before_all
        assert before.startswith("curl ")
        assert install in before
        run(["bash", "-n", "-c", before], cwd=project)
    target = commands["macosx_arm64"].environment.as_dictionary({})["MACOSX_DEPLOYMENT_TARGET"]
    wheels = load_yaml(project / ".github/workflows/release.yml")["jobs"]["wheels"]
    tags = [row["tag"] for row in wheels["strategy"]["matrix"]["include"]]
    assert [tag for tag in tags if "macos" in tag] == [
        f"macosx_{target.replace('.', '_')}_{cpu}" for cpu in ("x86_64", "arm64")
    ]


def test_the_jobs_that_compile_install_the_library(render: Render) -> None:
    project = render("carrying", ON)
    for name, expected in {
        "ci": {"lint", "typing", "sdist", "test", "extras"},
        "release": {"plan", "sdist", "wheels"},
    }.items():
        jobs = load_yaml(project / f".github/workflows/{name}.yml")["jobs"]
        install = {"name": "Install the system library", "run": "bash .github/install-library.sh"}
        assert {job for job, told in jobs.items() if install in told["steps"]} == expected
    need("shellcheck")
    run(["shellcheck", ".github/install-library.sh"], cwd=project)


@pytest.mark.parametrize(
    ("system", "says"),
    [
        ("Linux", "sudo apt-get install --yes pkg-config liblzma-dev\n"),
        ("macOS", "brew install pkgconf xz\n"),
        ("Windows", "vcpkg install --triplet x64-windows-static-md pkgconf liblzma\n"),
    ],
)
def test_runners_install_the_library(render: Render, tmp_path: Path, system: str, says: str) -> None:
    """With stand-ins for the programs of the runner."""
    project = render("carrying", ON)
    for name in ("sudo", "brew", "vcpkg"):
        program = tmp_path / name
        program.write_text('#!/bin/sh\necho "${0##*/} $*"\n', encoding="utf-8")
        program.chmod(0o755)
    env: dict[str, Any] = {
        "RUNNER_OS": system,
        "GITHUB_ENV": str(tmp_path / "env"),
        "VCPKG_INSTALLATION_ROOT": "C:/vcpkg",
    }
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert run(["bash", ".github/install-library.sh"], cwd=project, PATH=path, **env).stdout.endswith(says)
    if system == "Windows":
        variables = dict(line.split("=", 1) for line in (tmp_path / "env").read_text(encoding="utf-8").splitlines())
        assert set(variables) == {"PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_ALL_STATIC"}


@pytest.mark.parametrize(("answers", "code"), [(ON, 0), ({"sample": "minimal"}, 1)], ids=["on", "off"])
def test_libraries_that_delocate_adds_are_no_strangers(
    render: Render, tmp_path: Path, answers: dict[str, Any], code: int
) -> None:
    """The check of wheels for files that git does not track knows where a library of macOS is."""
    project = render("carrying", answers)
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        run(command, cwd=project)
    wheel = tmp_path / "carrying-0.1.0-cp310-abi3-macosx_15_0_arm64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("carrying/.dylibs/liblzma.5.dylib", b"")
    check = "import pathlib, build_backend as b; b.check_wheel(pathlib.Path({!r}))"
    assert run([sys.executable, "-c", check.format(str(wheel))], cwd=project, check=False).returncode == code


def test_dockerfiles_with_the_library_have_no_findings(render: Render) -> None:
    need("hadolint")
    project = render("carrying", {"extras": ["docker", "system-library"], "sample": "minimal"})
    run(["hadolint", "--failure-threshold=style", "Dockerfile.build", "Dockerfile.build-musl"], cwd=project)
    assert "dnf -y install xz-devel" in (project / "Dockerfile.build").read_text(encoding="utf-8")
    assert "apk add --no-cache xz-dev" in (project / "Dockerfile.build-musl").read_text(encoding="utf-8")
