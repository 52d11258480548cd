//! Lets `cargo test` and other binaries find libpython. The wheel does not link to libpython.

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
}
