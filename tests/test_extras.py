"""Each extra works as CONTRIBUTING.md describes it."""

import json
import re
from pathlib import Path

from conftest import Render, run

PINNED = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")


def test_devcontainer_leaves_the_environment_of_the_host_alone(render: Render, tmp_path: Path) -> None:
    """Run the commands of the container, with the container's paths in another folder."""
    project = render("contained", {"extras": ["devcontainer"]})
    config = json.loads((project / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert PINNED.fullmatch(config["image"])
    assert all(
        config["containerEnv"][name].startswith("/home/") for name in ("CARGO_TARGET_DIR", "UV_PROJECT_ENVIRONMENT")
    )
    home = {name: value.replace("/home/vscode", str(tmp_path)) for name, value in config["containerEnv"].items()}
    del home["CARGO_TARGET_DIR"]  # the target folder of the tests already has PyO3
    install, _, sync = config["postCreateCommand"].partition(" && ")
    assert re.fullmatch(r"curl -LsSf https://astral\.sh/uv/\d+\.\d+\.\d+/install\.sh \| .* sh", install)
    before = {path.name for path in project.iterdir()}
    run(sync.split(), cwd=project, UV_PYTHON_PREFERENCE="only-system", **home)
    assert {path.name for path in project.iterdir()} - before <= {"Cargo.lock", "uv.lock"}
    python = config["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    code = "import contained; print(contained.distance('kitten', 'sitting'))"
    assert run([python.replace("/home/vscode", str(tmp_path)), "-c", code], cwd=tmp_path).stdout == "3\n"
    run([tmp_path / "venv/bin/pytest"], cwd=project)
