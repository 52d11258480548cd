//! `cargo bench`: measures the algorithm, and a call from Python.

use divan::{Bencher, black_box};
use pyo3::prelude::*;
use pyo3::wrap_pymodule;

use extension::distance::distance;

fn main() {
    Python::initialize();
    divan::main();
}

fn texts(len: usize) -> (String, String) {
    ("kitten".repeat(len / 6), "sitting".repeat(len / 7))
}

#[divan::bench(args = [10, 100, 1_000])]
fn distance_in_rust(bencher: Bencher<'_, '_>, len: usize) {
    let (first, second) = texts(len);
    bencher.bench(|| distance(black_box(&first), black_box(&second)));
}

#[divan::bench(args = [10, 100, 1_000])]
fn distance_from_python(bencher: Bencher<'_, '_>, len: usize) {
    Python::attach(|py| {
        let core = wrap_pymodule!(extension::_core)(py);
        let texts = texts(len).into_pyobject(py).expect("two texts");
        bencher.bench_local(|| core.call_method1(py, "distance", black_box(&texts)));
    });
}
