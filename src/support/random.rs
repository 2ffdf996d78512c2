// SPDX-License-Identifier: GPL-2.0

//! Random numbers.
//!
//! C header: [`include/linux/random.h`](srctree/include/linux/random.h). There is nothing to lock.

use crate::bindings;

/// A random number, for a generation: handles of other inodes, also of other mounts, shall not name
/// this one.
pub(crate) fn random() -> u32 {
    // SAFETY: May be called anywhere, and takes nothing.
    unsafe { bindings::get_random_u32() }
}

/// Random bytes, for a secret.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: May be called anywhere; writes `N` bytes to `bytes`, which has so many.
    unsafe { bindings::get_random_bytes(bytes.as_mut_ptr().cast(), N) };
    bytes
}
