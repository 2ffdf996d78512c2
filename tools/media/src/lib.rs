// SPDX-License-Identifier: GPL-2.0

//! What is on the medium of a daxrmap filesystem, for mkfs, fsck and dump.
//!
//! The code that reads and writes it is that of the module: `src/media`, `src/journal`,
//! `src/state` and `src/rmap` are compiled here, with the host tests' stand-in for the kernel crate.
//! Nobody sees them outside of this crate.
//!
//! - [`disk`]: a device or an image, to be read and written.
//! - [`superblock`]: both copies of the superblock.
//! - [`format`]: makes a filesystem.
//! - [`log`]: reads the log. [`operation`]: what its records are made of.
//! - [`check`]: checks a filesystem, and corrects it.
//! - [`error`]: errors, as people read them.

#[path = "../../../src/errno.rs"]
mod errno;
#[allow(dead_code, unused_imports, reason = "not all of it is called here")]
#[path = "../../../src/journal/mod.rs"]
mod journal;
#[allow(dead_code, unused_imports, reason = "not all of it is called here")]
#[path = "../../../src/media/mod.rs"]
mod media;
#[allow(dead_code, unused_imports, reason = "not all of it is called here")]
#[path = "../../../src/rmap/mod.rs"]
mod rmap;
#[allow(dead_code, unused_imports, reason = "not all of it is called here")]
#[path = "../../../src/state/mod.rs"]
mod state;

pub mod check;
pub mod disk;
pub mod error;
pub mod format;
pub mod log;
pub mod operation;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
pub mod superblock;

/// Bytes in a block.
pub const BLOCK_SIZE: u64 = media::BLOCK_SIZE;

/// As the kernel's `crc32c()`: nothing is inverted.
fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!crc, bytes)
}

/// As the kernel's `siphash()`.
fn siphash(key: &media::Secret, bytes: &[u8]) -> u64 {
    siphasher::sip::SipHasher24::new_with_key(key).hash(bytes)
}
