//! `cargo bench`: the algorithms alone, and what a call from Python adds to them.

use divan::{Bencher, black_box};
use pyo3::prelude::*;
use pyo3::wrap_pymodule;

use extension::stats;

fn main() {
    Python::initialize();
    divan::main();
}

fn values(len: usize) -> Vec<f64> {
    (0..len).map(|n| n as f64).collect()
}

#[divan::bench(args = [10, 1_000, 100_000])]
fn mean_in_rust(bencher: Bencher<'_, '_>, len: usize) {
    let values = values(len);
    bencher.bench(|| stats::mean(black_box(&values)));
}

#[divan::bench(args = [10, 1_000, 100_000])]
fn mean_from_python(bencher: Bencher<'_, '_>, len: usize) {
    Python::attach(|py| {
        let core = wrap_pymodule!(extension::_core)(py);
        let list = values(len).into_pyobject(py).expect("a list of floats");
        bencher.bench_local(|| core.call_method1(py, "mean", (black_box(&list),)));
    });
}
