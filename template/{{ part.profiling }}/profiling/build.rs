//! Lets the workload and the benchmarks find libpython: no library path has to be set.

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
}
