//! Measures the algorithm, without Python: `cargo bench --manifest-path benchmarks/Cargo.toml`.

use divan::{Bencher, black_box};

// The file instead of the crate, which would need PyO3 and a Python library to link.
#[path = "../../src/distance.rs"]
#[allow(unused, reason = "the tests in the file are not for this program")]
mod distance;

fn main() {
    divan::main();
}

#[divan::bench(args = [10, 100, 1_000])]
fn distance(bencher: Bencher<'_, '_>, len: usize) {
    let (mut first, mut second) = ("kitten".repeat(len), "sitting".repeat(len));
    first.truncate(len);
    second.truncate(len);
    bencher.bench(|| distance::distance(black_box(&first), black_box(&second)));
}
