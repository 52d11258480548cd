"""The extras that measure and raise the speed of the wheel."""

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from conftest import Render, run
from ship import edit, need


def medians(project: Path) -> dict[str, float]:
    """The median times that `nox -s benchmarks` wrote, in seconds."""
    results: list[dict[str, Any]] = json.loads((project / "build/benchmarks/times.json").read_text("utf-8"))[
        "benchmarks"
    ]
    return {result["name"]: result["stats"]["median"] for result in results}


@pytest.mark.system(
    "benchmarks",
    built="the wheel in release mode, and the Rust benchmarks",
    ran="both sets of benchmarks with a plot, and once as on CI",
    unverified="",
)
def test_benchmarks_compare_rust_with_python(render: Render) -> None:
    need("cargo", "uv")
    project = render("measured", {"extras": ["benchmarks"]})
    once = run(["nox", "-s", "benchmarks"], cwd=project, CI="true")
    assert "6 passed" in once.stdout
    assert "├─ 100\n" in once.stdout  # of the Rust benchmarks, without a time
    assert not (project / "build").exists()

    run(["nox", "-s", "benchmarks", "-R", "--", "--benchmark-max-time=0.01"], cwd=project, CI="")
    assert {"test_in_python[1000]", "test_in_rust[1000]"} <= medians(project).keys()
    plot = (project / "build/benchmarks/times.svg").read_text(encoding="utf-8")
    assert all(label in plot for label in ("test_in_python", "test_in_rust", ">1000<"))

    edit(project / "benchmarks/test_speed.py", "return row[-1]\n", "return row[-1] + 1\n")
    failed = run(["nox", "-s", "benchmarks", "-R"], cwd=project, check=False, CI="true")
    assert failed.returncode == 1
    assert "6 failed" in failed.stdout


@pytest.mark.render
def test_a_profiling_crate_has_the_rust_benchmarks(render: Render) -> None:
    project = render("measured", {"extras": ["benchmarks"], "profiling": True})
    assert [path.parent.parent.name for path in project.rglob("*/benches/*.rs")] == ["profiling"]
    assert not (project / "benchmarks/Cargo.toml").exists()


def test_the_sdist_has_the_crate_with_benchmarks(render: Render) -> None:
    """Cargo needs the manifests of all crates in the workspace. A file that git does not track is reported."""
    need("uv")
    project = render("measured", {"extras": ["benchmarks"]})
    run(["cargo", "generate-lockfile"], cwd=project)
    run(["git", "init", "--quiet"], cwd=project)
    run(["git", "add", "--all", ".", ":!benchmarks/Cargo.toml"], cwd=project)
    refused = run(["uv", "build", "--sdist"], cwd=project, check=False)
    assert refused.returncode != 0
    assert "git does not track benchmarks/Cargo.toml" in refused.stderr
    run(["git", "add", "--all"], cwd=project)
    run(["uv", "build", "--sdist"], cwd=project)
    shutil.unpack_archive(next((project / "dist").glob("*.tar.gz")), project / "dist", filter="data")
    run(["cargo", "metadata", "--locked", "--no-deps"], cwd=project / "dist/measured-0.1.0")
    run(["mypy"], cwd=project)


@pytest.mark.system(
    "pgo",
    built="a wheel with maturin's --pgo and a training command",
    ran="the training, and the tests of the wheel",
    unverified="",
)
def test_pgo_trains_and_builds_a_wheel_without_counters(render: Render) -> None:
    need("rustc", "uv")
    if "SLOW" not in os.environ:
        pytest.skip("builds twice, for a minute: set SLOW=1; docs/systems.md has the last result")
    sysroot = Path(run(["rustc", "--print", "sysroot"], cwd=Path.cwd()).stdout.strip())
    if not list(sysroot.glob("lib/rustlib/*/bin/llvm-profdata*")):
        pytest.skip("not installed: llvm-tools (tests/tools.py installs it)")
    project = render("trained", {"extras": ["pgo"]})
    run(["cargo", "generate-lockfile"], cwd=project)
    train = project / "pgo/train.py"
    train.write_text(f"{train.read_text(encoding='utf-8')}\nprint('trained', distance('a', 'b'))\n", encoding="utf-8")
    done = run(["nox", "-s", "pgo"], cwd=project, CI="")
    assert "\ntrained 1\n" in done.stdout
    assert " passed" in done.stdout
    (wheel,) = (project / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        (module,) = (archive.read(name) for name in archive.namelist() if name.endswith(".so"))
    assert b"__llvm_prf" not in module
