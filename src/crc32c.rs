// SPDX-License-Identifier: GPL-2.0

//! The checksum of what is on the medium: the kernel's crc32c().
//!
//! C header: [`include/linux/crc32.h`](srctree/include/linux/crc32.h). There is nothing to lock.

/// Goes on with a checksum over `bytes`. Begin with `!0`; nothing is inverted at the end.
pub(crate) fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    // SAFETY: The slice has so many bytes, which are only read.
    unsafe { crate::bindings::crc32c(crc, bytes.as_ptr().cast(), bytes.len()) }
}
