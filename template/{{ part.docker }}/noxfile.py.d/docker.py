

@nox.session(default=False)
def docker(session: nox.Session) -> None:
    """Lint the Dockerfiles, and build their wheels into dist/ if Docker runs."""
    import shutil
    import subprocess

    session.install(*nox.project.dependency_groups(PYPROJECT, "docker"))
    files = ["Dockerfile.build", "Dockerfile.build-musl"]
    session.run("hadolint", *files)
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        # On CI this must not pass unnoticed.
        (session.error if os.environ.get("CI") else session.skip)("no wheels: Docker does not run")
    for file in files:
        session.run("docker", "build", f"--file={file}", "--output=dist", ".", external=True)
