//! The program: runs Python as the configuration says that build.rs has found.

use std::env;

use pyembed::{MainPythonInterpreter, MemoryAllocatorBackend};

#[cfg(feature = "global-allocator-jemalloc")]
#[global_allocator]
static ALLOCATOR: jemallocator::Jemalloc = jemallocator::Jemalloc;

#[cfg(feature = "global-allocator-mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "global-allocator-snmalloc")]
#[global_allocator]
static ALLOCATOR: snmalloc_rs::SnMalloc = snmalloc_rs::SnMalloc;

// The function default_python_config().
include!(env!("DEFAULT_PYTHON_CONFIG_RS"));

fn main() {
    let mut config = default_python_config();
    if let Some(code) = code_for_multiprocessing() {
        config.multiprocessing_auto_dispatch = false; // which passes wrong arguments
        config.interpreter_config.run_module = None;
        config.interpreter_config.run_command = Some(code);
    }
    if cfg!(feature = "allocator-jemalloc") {
        config.allocator_backend = MemoryAllocatorBackend::Jemalloc;
    } else if cfg!(feature = "allocator-mimalloc") {
        config.allocator_backend = MemoryAllocatorBackend::Mimalloc;
    } else if cfg!(feature = "allocator-snmalloc") {
        config.allocator_backend = MemoryAllocatorBackend::Snmalloc;
    }
    let code = match MainPythonInterpreter::new(config) {
        Ok(python) => python.run(), // ends Python, so that its output is flushed
        Err(why) => {
            eprintln!("Python cannot start: {why}");
            1
        }
    };
    std::process::exit(code);
}

/// The code to run if multiprocessing has started this program as if it were Python.
fn code_for_multiprocessing() -> Option<String> {
    let arguments: Vec<String> = env::args_os()
        .map(|argument| argument.to_string_lossy().into())
        .collect();
    match &arguments[..] {
        [_, option, ..] if option == "--multiprocessing-fork" => {
            Some("from multiprocessing.spawn import freeze_support; freeze_support()".into())
        }
        [.., option, code] if option == "-c" && code.starts_with("from multiprocessing.") => {
            Some(code.clone())
        }
        _ => None,
    }
}
