

@nox.session(default=False, python=ANY_PYTHON)
def pgo(session: nox.Session) -> None:
    """Build a wheel into dist/ that is optimized for the calls in pgo/train.py, and test it."""
    session.install(*PYPROJECT["build-system"]["requires"], *group("test"))
    if os.environ.get("CI"):
        session.run("rustup", "component", "add", "llvm-tools", external=True)
    out = Path(session.create_tmp(), "dist").resolve()
    shutil.rmtree(out, ignore_errors=True)
    python = str(session.run("python", "-c", "import sys; print(sys.executable)", silent=True))
    build = ["build", "--release", "--locked", "--pgo", "--interpreter", python.strip()]
    session.run("maturin", *build, f"--out={out}")
    (wheel,) = out.glob("*.whl")
    session.install("--no-deps", str(wheel))
    session.run("pytest", *session.posargs)
    Path("dist").mkdir(exist_ok=True)
    print(shutil.copy(wheel, "dist"))
