

@nox.session(python="pypy3.11", default=False, download_python="auto")
def pypy(session: nox.Session) -> None:
    """Build and test the wheel on PyPy; the Rust tests need CPython."""
    session.install(*group("test"), ".")
    session.run("pytest", *session.posargs)
