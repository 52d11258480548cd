

@nox.session(default=False, python=ANY_PYTHON)
def conda(session: nox.Session) -> None:
    """Check the conda recipe; -- CHANNEL (on CI, conda-forge) also builds and tests the package."""
    import hashlib

    from packaging.requirements import Requirement
    from packaging.version import Version
    from release import NAME, current_version, licenses

    session.install(*group("conda"))
    session.env["VERSION"] = str(Version(current_version(session)))
    needs = [Requirement(each).name for each in PYPROJECT["build-system"]["requires"]]
    channels = session.posargs or (["conda-forge"] if os.environ.get("CI") else [])
    if channels:
        licenses(session)
        session.run("python", "-m", "build", "--sdist", "--outdir", "dist")
        sdist = Path("dist", f"{NAME}-{session.env['VERSION']}.tar.gz")
        print(f"sha256 of {sdist}: {hashlib.sha256(sdist.read_bytes()).hexdigest()}")
    session.run("python", "conda/build.py", " ".join(needs), *channels)
    if not channels:
        session.log("the recipe is valid; to build the package: nox -s conda -- conda-forge")
