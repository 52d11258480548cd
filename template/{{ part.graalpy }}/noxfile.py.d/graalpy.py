

@nox.session(python="graalpy3.12", default=False, download_python="auto")
def graalpy(session: nox.Session) -> None:
    """Build and test the wheel on GraalPy; the Rust tests need CPython."""
    session.install(*group("test"), ".")
    session.run("pytest", *session.posargs)
