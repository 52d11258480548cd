

@nox.session(name="system-library", default=False)
def system_library(session: nox.Session) -> None:
    """Build a wheel that carries the system library, and test that it uses no other (Linux)."""
    if sys.platform != "linux":
        session.error("this session needs Linux; `nox -s wheels` repairs wheels on every system")
    session.install(*group("release", "system-library", "test"))
    out = Path(session.create_tmp(), "wheels")
    shutil.rmtree(out, ignore_errors=True)
    session.run("uv", "build", "--wheel", f"--out-dir={out}")
    repair = ["auditwheel", "repair", f"--wheel-dir={out / 'repaired'}"]
    session.run(*repair, *map(str, out.glob("*.whl")))
    session.install(*map(str, out.glob("repaired/*.whl")))
    code = f"import {MODULE}; print(open('/proc/self/maps').read())"
    loaded = str(session.run("python", "-c", code, silent=True))
    copies = {line.split()[-1] for line in loaded.splitlines() if "liblzma" in line}
    session.log(f"loaded: {', '.join(copies)}")
    if len(copies) != 1 or ".libs/" not in min(copies):
        session.error("the module uses a library that is not in the wheel")
    session.run("pytest", *session.posargs)
