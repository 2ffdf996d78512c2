// SPDX-License-Identifier: GPL-2.0

//! What the fuzz targets run: the pure parts of daxrmap, compiled here from the very files of the
//! module, with the host tests' stand-in for the kernel crate.
//!
//! A target is a function here that takes bytes and panics if it finds something, a file in
//! `fuzz_targets/` that calls it, a `[[bin]]` in `Cargo.toml`, and a folder in `corpus/`.

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

mod bytes;
pub mod free;
pub mod fsck;
mod image;
pub mod mount;
pub mod owners;

/// As the kernel's `crc32c()`: nothing is inverted.
fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!crc, bytes)
}

/// The key of the directories' hashes.
const SECRET: media::Secret = [9; 16];

/// As the kernel's `siphash()`.
fn siphash(key: &media::Secret, bytes: &[u8]) -> u64 {
    siphasher::sip::SipHasher24::new_with_key(key).hash(bytes)
}
