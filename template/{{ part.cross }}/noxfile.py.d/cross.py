

# The Rust target, and the C library.
CROSS = {
    "aarch64": ("aarch64-unknown-linux-gnu", "manylinux_2_17"),
    "armv7": ("armv7-unknown-linux-gnueabihf", "manylinux_2_17"),
    "musl": ("x86_64-unknown-linux-musl", "musllinux_1_2"),
    "windows": ("x86_64-pc-windows-gnu", ""),
}


@nox.session(default=False)
def cross(session: nox.Session) -> None:
    """Build wheels for other systems, with zig: -- aarch64 armv7 musl windows, or all of them.

    NAME=value is a variable for the build; words after the names are options of maturin.
    """
    import release

    names = [word for word in session.posargs if word in CROSS]
    env = dict(word.split("=", 1) for word in session.posargs if re.match("[A-Z0-9_]+=", word))
    more = [word for word in session.posargs if word not in names and word.split("=")[0] not in env]
    if more and not more[0].startswith("-"):
        session.error(f"unknown: {more[0]}. `nox -s cross` has: {', '.join(CROSS)}")
    chooses = {"-i", "--interpreter", "PYO3_CROSS_LIB_DIR", "PYO3_CONFIG_FILE"}
    if chooses.isdisjoint(word.split("=")[0] for word in session.posargs):
        more += ["--interpreter", *(f"python{python}" for python in PYTHONS)]
    targets = [CROSS[name] for name in names or CROSS]
    for target, _ in targets:
        if os.environ.get("CI"):
            session.run("rustup", "target", "add", target, external=True)
        if not release.has_target(target):
            session.error(f"{target} is not installed: run `rustup target add {target}`")
    session.install(*group("release", "wheels"))
    release.licenses(session)
    out = Path(session.create_tmp(), "dist").resolve()  # version_from_git.py builds elsewhere
    shutil.rmtree(out, ignore_errors=True)
    version = ["python", "version_from_git.py"] if Path("version_from_git.py").exists() else []
    for target, libc in targets:
        if not libc:
            # maturin 1.16.0 writes a file for zig with the symbols to export, and if the module is
            # in a package, their names are wrong (2026-11-30, github.com/PyO3/maturin/issues/3274).
            # Where the path of the file is a folder, maturin builds without it.
            name = PYPROJECT["tool"]["maturin"]["module-name"]
            symbols = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "maturin", f"{name}.def")
            if symbols.is_file():
                symbols.unlink()
            symbols.mkdir(parents=True, exist_ok=True)
        build = ["--release", "--locked", "--zig", f"--target={target}", f"--out={out}", *more]
        build += [f"--compatibility={libc}"] if libc else []
        session.run(*version, "maturin", "build", *build, env=env)
    if len(wheels := sorted(out.glob("*.whl"))) < len(targets):
        session.error(f"maturin built {len(wheels)} wheels for {len(targets)} targets")
    for wheel in wheels:
        release.check(session, wheel)
        Path("dist").mkdir(exist_ok=True)
        session.log(f"built {wheel.replace(Path('dist', wheel.name))}")
