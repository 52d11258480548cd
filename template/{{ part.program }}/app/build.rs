//! Writes the list of the files to pack, and lets the program find libpython.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    pyo3_build_config::add_libpython_rpath_link_args();
    if chosen("GLOBAL_ALLOCATOR").len() > 1 {
        return Err("choose one allocator, with --no-default-features".into());
    }
    let package = package()?;
    println!("cargo::rustc-env=PACKAGE={package}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=PYOXIDIZER_ARTIFACT_DIR");
    let packages = match chosen("BUILD_MODE")[..] {
        ["STANDALONE"] => fs::canonicalize("../python")?,
        ["PREBUILT_ARTIFACTS"] => env::var_os("PYOXIDIZER_ARTIFACT_DIR")
            .map_or_else(|| out.clone(), PathBuf::from)
            .join("packages"),
        _ => return Err("choose one build mode, with --no-default-features --features".into()),
    };
    println!("cargo::rerun-if-changed={}", packages.display());
    let mut files = Vec::new();
    list(&packages, "", &package, &mut files)
        .map_err(|why| format!("cannot pack {}: {why}", packages.display()))?;
    files.sort();
    let lines = files
        .iter()
        .map(|(name, path)| format!("({name:?}, include_bytes!({path:?}) as &[u8]),\n"));
    fs::write(
        out.join("files.rs"),
        format!("&[\n{}]", lines.collect::<String>()),
    )?;

    // Where the standard library is: some Pythons, such as those of uv, do not find it themselves.
    let native = env::var("HOST") == env::var("TARGET");
    if let Some(python) = pyo3_build_config::get().executable().filter(|_| native) {
        let print = ["-c", "import sys; print(sys.base_prefix)"];
        let home = Command::new(python).args(print).output();
        let home = String::from_utf8(home.map(|done| done.stdout).unwrap_or_default())?;
        println!("cargo::rustc-env=PYTHON_HOME={}", home.trim());
    }
    Ok(())
}

/// The package in python/ that can be run.
fn package() -> Result<String, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir("../python")? {
        let entry = entry?;
        if entry.path().join("__main__.py").exists() {
            names.push(entry.file_name().to_str().ok_or("not UTF-8")?.to_owned());
        }
    }
    match &names[..] {
        [name] => Ok(name.clone()),
        _ => Err(format!("one package in python/ needs a __main__.py; now: {names:?}").into()),
    }
}

/// The features that are on and begin with a prefix, without it.
fn chosen(prefix: &str) -> Vec<&'static str> {
    [
        "STANDALONE",
        "PREBUILT_ARTIFACTS",
        "JEMALLOC",
        "MIMALLOC",
        "SNMALLOC",
    ]
    .into_iter()
    .filter(|name| env::var_os(format!("CARGO_FEATURE_{prefix}_{name}")).is_some())
    .collect()
}

/// Lists the files in a folder: their names inside of the program, and their paths.
fn list(
    folder: &Path,
    inside: &str,
    package: &str,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or("not UTF-8")?;
        let inside = format!("{inside}{name}");
        if path.is_dir() {
            if name != "__pycache__" {
                list(&path, &format!("{inside}/"), package, files)?;
            }
        } else if ["so", "pyd", "dylib"]
            .iter()
            .any(|suffix| path.extension() == Some(suffix.as_ref()))
        {
            // The native module of the package is linked into the program.
            if !inside.starts_with(&format!("{package}/_core.")) {
                return Err(format!("{inside} is compiled: it cannot be packed").into());
            }
        } else {
            files.push((inside, path));
        }
    }
    Ok(())
}
