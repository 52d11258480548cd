//! Finds the configuration of the embedded Python, by the build mode, and lets the program find libpython.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

const STANDALONE: &str = "\
fn default_python_config<'a>() -> pyembed::OxidizedPythonInterpreterConfig<'a> {
    let mut config = pyembed::OxidizedPythonInterpreterConfig::default();
    config.interpreter_config.home = Some(HOME.into());
    config
}
";

fn main() -> Result<(), Box<dyn Error>> {
    if chosen("GLOBAL_ALLOCATOR").len() > 1 || chosen("ALLOCATOR").len() > 1 {
        return Err("choose one allocator, with --no-default-features".into());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let python = pyo3_build_config::get();
    let folder = match chosen("BUILD_MODE")[..] {
        ["STANDALONE"] => {
            // Some Pythons, such as those of uv, do not find their standard library.
            let python = python.executable.as_deref().unwrap_or("python3");
            let print = ["-c", "import sys; print(sys.base_prefix, end='')"];
            let home = Command::new(python).args(print).output()?.stdout;
            let home = String::from_utf8(home)?;
            let config = STANDALONE.replace("HOME", &format!("{home:?}"));
            fs::write(out.join("default_python_config.rs"), config)?;
            out
        }
        ["PYOXIDIZER_EXE"] => {
            println!("cargo::rerun-if-env-changed=PYOXIDIZER_EXE");
            println!("cargo::rerun-if-env-changed=PYOXIDIZER_BUILD_TARGET");
            let exe = env::var("PYOXIDIZER_EXE").unwrap_or_else(|_| "pyoxidizer".into());
            let mut command = Command::new(&exe);
            command.args(["run-build-script", "build.rs"]);
            if let Ok(target) = env::var("PYOXIDIZER_BUILD_TARGET") {
                command.args(["--target", &target]);
            }
            match command.status() {
                Ok(status) if status.success() => out,
                Ok(status) => return Err(format!("{exe} run-build-script failed: {status}").into()),
                Err(why) => return Err(format!("{exe} cannot be started: {why}").into()),
            }
        }
        ["PREBUILT_ARTIFACTS"] => {
            println!("cargo::rerun-if-env-changed=PYOXIDIZER_ARTIFACT_DIR");
            env::var_os("PYOXIDIZER_ARTIFACT_DIR").map_or(out, PathBuf::from)
        }
        _ => return Err("choose one build mode, with --no-default-features --features".into()),
    };
    let config = folder.join("default_python_config.rs");
    if !config.exists() {
        return Err(format!("{} is missing: run `nox -s pyoxidizer`", config.display()).into());
    }
    println!("cargo::rerun-if-changed={}", config.display());
    println!(
        "cargo::rustc-env=DEFAULT_PYTHON_CONFIG_RS={}",
        config.display()
    );
    if env::var("CARGO_CFG_TARGET_FAMILY")? == "unix" {
        // Native modules use the functions of a libpython that is linked statically, as PyOxidizer's is.
        println!("cargo::rustc-link-arg=-rdynamic");
        if let Some(folder) = python.lib_dir.as_ref().filter(|_| python.shared) {
            println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
        }
    }
    Ok(())
}

/// The features that are on and begin with a prefix, without it.
fn chosen(prefix: &str) -> Vec<&'static str> {
    [
        "STANDALONE",
        "PYOXIDIZER_EXE",
        "PREBUILT_ARTIFACTS",
        "JEMALLOC",
        "MIMALLOC",
        "SNMALLOC",
    ]
    .into_iter()
    .filter(|name| env::var_os(format!("CARGO_FEATURE_{prefix}_{name}")).is_some())
    .collect()
}
