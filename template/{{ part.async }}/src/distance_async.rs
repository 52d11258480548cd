//! Awaitable from asyncio: runs on Tokio's threads.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::{future_into_py, get_runtime};

use crate::distance::distance;

/// Return the distance of two texts as an awaitable: the event loop runs other tasks meanwhile.
///
/// >>> import asyncio
/// >>> async def main() -> list[int]:
/// ...     pairs = [("kitten", "sitting"), ("cat", "cats")]
/// ...     return await asyncio.gather(*(distance_async(*pair) for pair in pairs))
/// >>> asyncio.run(main())
/// [3, 1]
#[pyfunction]
#[pyo3(signature = (first, second) -> "collections.abc.Awaitable[int]")]
pub fn distance_async(py: Python<'_>, first: String, second: String) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async move {
        // Computes on a separate thread. Futures that wait, such as requests, can be awaited here.
        get_runtime()
            .spawn_blocking(move || distance(&first, &second))
            .await
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))
    })
}
