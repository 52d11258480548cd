

@nox.session(default=False)
def bazel(session: nox.Session) -> None:
    """Check the format of the Bazel files, build everything, and run the demo as a test."""
    session.install(*group("bazel"))
    npx = ["npx", "--yes"]
    files = ["BUILD.bazel", "MODULE.bazel"]
    session.run(*npx, "@bazel/buildifier@8.2.1", "--mode=check", "--lint=warn", *files)
    command = ["bazel"] if shutil.which("bazel") else [*npx, "@bazel/bazelisk@1.28.1"]
    session.run(*command, "test", *(session.posargs or ["//..."]), external=True)
