

@nox.session(name="one-file", default=False)
def one_file(session: nox.Session) -> None:
    """Build one file with Python, the package, and its dependencies; -- FOLDER is that Python.

    The file is in target/one-file/. Without a folder, uv downloads a Python. PyApp makes the file.
    """
    import shutil

    session.install("uv")
    cargo = nox.project.load_toml("app/Cargo.toml")
    work, name = Path(session.create_tmp()).resolve(), cargo["bin"][0]["name"]
    shutil.rmtree(work, ignore_errors=True)
    if not session.posargs:
        session.run("uv", "python", "install", "--no-bin", f"--install-dir={work}", PYTHONS[-1])
    (folder,) = session.posargs or work.glob(f"cpython-{PYTHONS[-1]}.*")
    shutil.copytree(folder, work / "python", symlinks=True)
    inside = "python/python.exe" if sys.platform == "win32" else "python/bin/python3"
    python = str(work / inside)

    def say(code: str) -> str:
        return str(session.run(python, "-c", code, external=True, silent=True)).strip()

    # The wheel of the release, if it is here.
    abi = say("import sys; print('cp{}{}'.format(*sys.version_info))")
    wheels = Path("dist").glob("*.whl")
    found = [str(wheel) for wheel in wheels if re.search(f"-abi3-|-{abi}-", wheel.name)]
    install = ["uv", "pip", "install", "--break-system-packages", "--python", python]
    session.run(*install, *(found or ["."]))
    settings = {
        "PROJECT_NAME": name,
        "PROJECT_VERSION": say(f"import {MODULE}; print({MODULE}.__version__)"),
        "EXEC_MODULE": MODULE,
        "DISTRIBUTION_PATH": shutil.make_archive(python, "gztar", work, "python"),
        "DISTRIBUTION_PYTHON_PATH": inside,
        "FULL_ISOLATION": "1",
        "SKIP_INSTALL": "1",  # it is installed already, so the program needs no network
    }
    env = {f"PYAPP_{key}": value for key, value in settings.items()}
    crate = [f"pyapp@{cargo['package']['metadata']['pyapp']}", "--locked", "--force"]
    session.run("cargo", "install", *crate, f"--root={work}", env=env, external=True)
    (built,) = Path(work, "bin").iterdir()
    tuple_ = str(session.run("rustc", "--print=host-tuple", external=True, silent=True)).strip()
    file = Path("target/one-file", f"{name}-{tuple_}{built.suffix}").resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built, file)
    where = f"PYAPP_INSTALL_DIR_{name}".upper().replace("-", "_")
    session.run(str(file), "--version", env={where: str(work / "start")}, external=True)
