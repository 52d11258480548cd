

# pyembed knows no newer Python than 3.10.
@nox.session(
    python="3.10", default=False, download_python="auto" if os.environ.get("CI") else "never"
)
def pyoxidizer(session: nox.Session) -> None:
    """Build the program in oxidized/ into target/pyoxidizer/bin/, and the package into lib/ there."""
    import json
    import shutil

    session.install("pyoxidizer==0.24.0")
    session.run("pyoxidizer", "list-targets", "oxidized")  # reads pyoxidizer.bzl
    out, cargo = Path("target/pyoxidizer").resolve(), nox.project.load_toml("oxidized/Cargo.toml")
    artifacts, programs, lib = (out / name for name in ("artifacts", "bin", "lib"))
    for folder in (artifacts, programs, lib):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    # The native module is not linked into the program, which has another version of PyO3.
    session.install("--target", str(lib), ".")
    code = "import json, sys; print(json.dumps([sys.prefix, '$ORIGIN/../lib', *sys.path]))"
    home, *paths = json.loads(str(session.run("python", "-I", "-S", "-c", code, silent=True)))
    config = """\
fn default_python_config<'a>() -> pyembed::OxidizedPythonInterpreterConfig<'a> {
    let mut config = pyembed::OxidizedPythonInterpreterConfig::default();
    config.sys_frozen = true;
    let python = &mut config.interpreter_config;
    (python.isolated, python.use_environment) = (Some(true), Some(false));
    (python.parse_argv, python.utf8_mode) = (Some(false), Some(true));
    python.home = Some(%s.into());
    python.module_search_paths = Some(%s.map(Into::into).to_vec());
    python.run_module = Some(%s.into());
    config
}
"""
    # Lists and strings have the same syntax in JSON and in Rust.
    config %= tuple(json.dumps(value, ensure_ascii=False) for value in (home, paths, MODULE))
    (artifacts / "default_python_config.rs").write_text(config, encoding="utf-8")
    allocators = [name for name in cargo["features"]["default"] if "allocator" in name]
    features = " ".join(["build-mode-prebuilt-artifacts", *allocators])
    path = artifacts / "pyo3-build-config-file.txt"
    env = {"PYOXIDIZER_ARTIFACT_DIR": str(artifacts), "PYO3_CONFIG_FILE": str(path)}
    build = ["cargo", "build", "--release", "--no-default-features", "--features", features]
    with session.chdir("oxidized"):
        path.write_text(pyo3_config(session), encoding="utf-8", newline="\n")
        session.run(*build, env=env, external=True)
    name = cargo["package"]["name"] + (".exe" if sys.platform == "win32" else "")
    built = Path(os.environ.get("CARGO_TARGET_DIR", out), "release", name)
    session.run(str(shutil.copy(built, programs)), "--version", external=True)
