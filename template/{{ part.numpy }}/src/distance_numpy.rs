//! Reads NumPy arrays without copying, if they are contiguous, and returns one without copying.

use std::borrow::Cow;

use numpy::ndarray::ArrayView1;
use numpy::{Element, IntoPyArray, Ix1, Ix2, PyArray1, PyReadonlyArray};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

use crate::distance::slice_distance;

/// Return the edit distances of an int64 array, such as token IDs, to each row of another one.
///
/// >>> import numpy
/// >>> distance_numpy(numpy.array([1, 2, 3]), numpy.array([[2, 3, 4], [1, 2, 3]])).tolist()
/// [2, 0]
#[pyfunction]
#[pyo3(signature = (row: "numpy.typing.NDArray[numpy.int64]", rows: "numpy.typing.NDArray[numpy.int64]") -> "numpy.typing.NDArray[numpy.uintp]")]
pub fn distance_numpy<'py>(
    py: Python<'py>,
    row: Array<'py, i64, Ix1>,
    rows: Array<'py, i64, Ix2>,
) -> Bound<'py, PyArray1<usize>> {
    let row = elements(row.0.as_array());
    let rows = rows.0.as_array();
    let distances: Vec<usize> = rows
        .rows()
        .into_iter()
        .map(|other| slice_distance(&row, &elements(other)))
        .collect();
    distances.into_pyarray(py)
}

fn elements(array: ArrayView1<'_, i64>) -> Cow<'_, [i64]> {
    match array.to_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(array.to_vec()),
    }
}

/// An argument that is an array. Without NumPy, the crate numpy would panic.
pub struct Array<'py, T: Element, D: numpy::ndarray::Dimension>(PyReadonlyArray<'py, T, D>);

impl<'a, 'py, T: Element + 'py, D: numpy::ndarray::Dimension + 'py> FromPyObject<'a, 'py>
    for Array<'py, T, D>
{
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.py().import("numpy").is_err() {
            let extra = concat!(env!("CARGO_PKG_NAME"), "[numpy]");
            let message = format!("NumPy is not installed: run `pip install \"{extra}\"`");
            return Err(PyImportError::new_err(message));
        }
        Ok(Self(object.extract()?))
    }
}
