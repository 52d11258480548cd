

@nox.session(default=False)
def profile(session: nox.Session) -> None:
    """Run the benchmarks and the workload, e.g. `nox -s profile -- perf record -g`."""
    import json

    code = "import sys; print(sys.base_prefix, end='')"
    dlls = session.run("python", "-c", code, silent=True)  # Windows finds python3*.dll by PATH
    session.env["PATH"] = f"{dlls}{os.pathsep}{os.environ['PATH']}"
    crate = ["--manifest-path", "profiling/Cargo.toml"]
    session.run("cargo", "bench", *crate, "--bench", "*", external=True)
    # Cargo starts the profiler and passes it the path of the binary.
    runner = f"--config=target.'cfg(all())'.runner={json.dumps(session.posargs)}"
    config = [runner] if session.posargs else []
    session.run("cargo", "run", *crate, "--profile", "profiling", *config, external=True)
