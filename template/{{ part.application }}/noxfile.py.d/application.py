

@nox.session(default=False)
def artifacts(session: nox.Session) -> None:
    """Write what `build-mode-prebuilt-artifacts` builds from into target/artifacts/."""
    import shutil

    folder = Path("target/artifacts").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    if requires := PYPROJECT["project"].get("dependencies"):
        session.install("--target", str(folder / "packages"), *requires)
    unwanted = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree("python", folder / "packages", ignore=unwanted, dirs_exist_ok=True)
    path = folder / "pyo3-build-config-file.txt"
    path.write_text(pyo3_config(session), encoding="utf-8", newline="\n")


def pyo3_config(session: nox.Session) -> str:
    """The configuration of PyO3, which prints it and stops."""
    build, env = ["cargo", "build", "--package=pyo3-ffi"], {"PYO3_PRINT_CONFIG": "1"}
    said = session.run(*build, env=env, external=True, silent=True, success_codes=[101])
    lines = [line.strip() for line in str(said).splitlines()]
    first = next(at for at, line in enumerate(lines) if "PYO3_PRINT_CONFIG=1 is set" in line)
    return "\n".join([*lines[first + 1 : lines.index("", first)], ""])
