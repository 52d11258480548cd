//! A workload for profilers: calls the native module from Python for a few seconds.

use pyo3::ffi::c_str;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::wrap_pymodule;

fn main() -> PyResult<()> {
    Python::initialize();
    Python::attach(|py| {
        let globals = PyDict::new(py);
        globals.set_item("core", wrap_pymodule!(extension::_core)(py))?;
        py.run(
            c_str!(
                "
first, second = 'kitten ' * 100, 'sitting ' * 100
for _ in range(5_000):
    distance = core.distance(first, second)
print('distance', distance, flush=True)
"
            ),
            Some(&globals),
            None,
        )
    })
}
