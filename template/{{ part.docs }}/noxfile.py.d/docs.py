

@nox.session(default=False, python=PYTHONS[-1], download_python="auto")
def docs(session: nox.Session) -> None:
    """Build the documentation into build/docs/; a warning is an error."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "docs"))
    strict = ["--fail-on-warning", "--keep-going", "--fresh-env"]
    session.run("sphinx-build", *strict, "docs", "build/docs", *session.posargs)
