

@nox.session(default=False, python=ANY_PYTHON)
def benchmarks(session: nox.Session) -> None:
    """Measure the installed wheel and the Rust code, and draw a plot; on CI, only run each once."""
    session.install(*group("benchmarks"), ".")  # a release build
    crate = Path("benchmarks/Cargo.toml")  # a profiling crate has benchmarks of its own
    rust = ["cargo", "bench", "--manifest-path", str(crate)]
    if os.environ.get("CI"):  # other programs run on the same machine
        session.run("pytest", "--benchmark-disable", "benchmarks", *session.posargs)
        rust += ["--", "--test"]
    else:
        out = Path("build/benchmarks")
        out.mkdir(parents=True, exist_ok=True)
        show = ["--benchmark-group-by=param:length", "--benchmark-columns=min,median,stddev,rounds"]
        save = [f"--benchmark-storage={out}", f"--benchmark-json={out / 'times.json'}"]
        session.run("pytest", *show, *save, "benchmarks", *session.posargs)
        session.run("python", "benchmarks/plot.py", f"{out / 'times.json'}", f"{out / 'times.svg'}")
    if crate.exists():
        session.run(*rust, external=True)
