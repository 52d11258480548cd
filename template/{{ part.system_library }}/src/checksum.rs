//! Calls the C code of the project, which calls the system library.

use pyo3::prelude::*;

// As in checksum.c.
unsafe extern "C" {
    fn sample_checksum(data: *const u8, size: usize) -> u32;
}

/// Return the CRC-32 of the data, as liblzma computes it.
///
/// >>> checksum(b"rust")
/// 3778183840
#[pyfunction]
pub fn checksum(data: &[u8]) -> u32 {
    // SAFETY: the pointer is valid for this number of bytes, and C only reads them.
    unsafe { sample_checksum(data.as_ptr(), data.len()) }
}
