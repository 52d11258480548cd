//! Reads a numpy array in place; only where its elements lie apart, they are copied together.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::stats;

/// The arithmetic mean of a one-dimensional array of float64, strided or not.
///
/// >>> import numpy
/// >>> mean_numpy(numpy.array([1.0, 2.0, 6.0]))
/// 3.0
#[pyfunction]
pub fn mean_numpy(values: PyReadonlyArray1<'_, f64>) -> Result<f64, stats::StatsError> {
    match values.as_slice() {
        Ok(slice) => stats::mean(slice),
        Err(_) => stats::mean(&values.as_array().to_vec()),
    }
}
