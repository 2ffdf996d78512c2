// SPDX-License-Identifier: GPL-2.0

//! The hash of bytes that strangers may choose, such as names: the kernel's siphash(), which is
//! SipHash-2-4.
//!
//! C header: [`include/linux/siphash.h`](srctree/include/linux/siphash.h). There is nothing to lock.

use crate::{
    bindings,
    media::Secret, //
};

/// Hashes `bytes`, with a key.
pub(crate) fn siphash(key: &Secret, bytes: &[u8]) -> u64 {
    let key = u128::from_le_bytes(*key);
    let (first, second) = (key as u64, (key >> 64) as u64);
    let key = bindings::siphash_key_t {
        key: [first, second],
    };
    // SAFETY: The slice has so many bytes, which are only read, as the key is. Any alignment will do.
    unsafe { bindings::__siphash_unaligned(bytes.as_ptr().cast(), bytes.len(), &key) }
}
