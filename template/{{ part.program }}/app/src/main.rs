//! The program: runs the package in an embedded Python, as `python -m` does.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::process::ExitCode;
use std::{env, path::Path};

use extension::_core;
use pyo3::ffi;
use pyo3::prelude::*;

#[cfg(all(feature = "global-allocator-jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[cfg(feature = "global-allocator-mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(feature = "global-allocator-snmalloc")]
#[global_allocator]
static ALLOCATOR: snmalloc_rs::SnMalloc = snmalloc_rs::SnMalloc;

/// The packed files: their names and contents.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// What run.py needs from the program.
#[pymodule]
mod _program {
    use std::env;

    use pyo3::prelude::*;
    use pyo3::types::{PyBytes, PyDict};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let files = PyDict::new(module.py());
        for (name, content) in super::FILES {
            files.set_item(name, PyBytes::new(module.py(), content))?;
        }
        module.add("FILES", files)?;
        module.add("PACKAGE", env!("PACKAGE"))?;
        module.add("ARGV", env::args_os().collect::<Vec<_>>())
    }
}

fn main() -> ExitCode {
    pyo3::append_to_inittab!(_core);
    pyo3::append_to_inittab!(_program);
    let program = env::current_exe().expect("the path of the program");
    let program = CString::new(program.into_os_string().into_encoded_bytes()).expect("a path");
    let run = CString::new(include_str!("run.py")).expect("no NUL");
    let home = option_env!("PYTHON_HOME").filter(|home| Path::new(home).is_dir());
    let home = home.map(|home| CString::new(home).expect("no NUL"));

    // SAFETY: no Python is running yet, and the pointers are valid during the calls, which copy.
    let code = unsafe {
        let mut before = MaybeUninit::uninit();
        ffi::PyPreConfig_InitPythonConfig(before.as_mut_ptr());
        let mut before = before.assume_init();
        (before.isolated, before.use_environment, before.utf8_mode) = (1, 0, 1);
        check(ffi::Py_PreInitialize(&raw const before));

        let mut config = MaybeUninit::uninit();
        ffi::PyConfig_InitPythonConfig(config.as_mut_ptr());
        let mut config = config.assume_init();
        (config.isolated, config.use_environment, config.parse_argv) = (1, 0, 0);
        let set = |config: *mut ffi::PyConfig, field, text: &CStr| {
            check(ffi::PyConfig_SetBytesString(config, field, text.as_ptr()));
        };
        let this = &raw mut config;
        set(this, &raw mut (*this).program_name, &program);
        set(this, &raw mut (*this).executable, &program);
        set(this, &raw mut (*this).run_command, &run);
        if let Some(home) = &home {
            set(this, &raw mut (*this).home, home);
        }
        check(ffi::Py_InitializeFromConfig(this));
        ffi::PyConfig_Clear(this);
        // Runs run.py, waits for threads, flushes the output, and handles SystemExit and Ctrl-C.
        ffi::Py_RunMain()
    };
    ExitCode::from(u8::try_from(code & 0xff).expect("one byte"))
}

/// Prints why Python cannot start, and exits.
fn check(status: ffi::PyStatus) {
    // SAFETY: the status comes from Python.
    unsafe {
        if ffi::PyStatus_Exception(status) != 0 {
            ffi::Py_ExitStatusException(status);
        }
    }
}
