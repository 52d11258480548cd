//! Reads NumPy arrays without copying, if they are contiguous.

use std::borrow::Cow;

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::distance::slice_distance;

/// Return the edit distance of two one-dimensional int64 arrays, such as token IDs.
///
/// >>> import numpy
/// >>> distance_numpy(numpy.array([1, 2, 3]), numpy.array([2, 3, 4]))
/// 2
#[pyfunction]
#[pyo3(signature = (first: "numpy.typing.NDArray[numpy.int64]", second: "numpy.typing.NDArray[numpy.int64]"))]
pub fn distance_numpy(
    first: PyReadonlyArray1<'_, i64>,
    second: PyReadonlyArray1<'_, i64>,
) -> usize {
    slice_distance(&elements(&first), &elements(&second))
}

fn elements<'a>(array: &'a PyReadonlyArray1<'_, i64>) -> Cow<'a, [i64]> {
    match array.as_slice() {
        Ok(slice) => Cow::Borrowed(slice),
        Err(_) => Cow::Owned(array.as_array().to_vec()),
    }
}
