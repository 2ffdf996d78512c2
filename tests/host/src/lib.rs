// SPDX-License-Identifier: GPL-2.0

//! Tests of the pure parts of daxrmap, which are compiled here from the very files of the module.
//!
//! `no_std` like the module, so that they find no more here than they do there.
//!
//! Environment: `DAXRMAP_CASES` is the number of cases of each property (or how often more than by
//! default, as in `x10`), `DAXRMAP_SEED` the seed to start from, as a failing test prints it.

#![cfg(test)]
#![no_std]

extern crate std;

#[path = "../../../src/errno.rs"]
mod errno;
#[path = "../../../src/journal/mod.rs"]
mod journal;
#[path = "../../../src/media/mod.rs"]
mod media;
#[path = "../../../src/events/ring.rs"]
mod ring;
#[path = "../../../src/rmap/mod.rs"]
mod rmap;
#[path = "../../../src/state/mod.rs"]
mod state;

/// As the kernel's `crc32c()`: nothing is inverted.
fn crc32c(crc: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!crc, bytes)
}

/// The key of the directories' hashes.
const SECRET: media::Secret = *b"nobody knows it.";

/// With this key all names have the same hash: what can be found for no other one.
const NO_KEY: media::Secret = [0xff; 16];

/// As the kernel's `siphash()`.
fn siphash(key: &media::Secret, bytes: &[u8]) -> u64 {
    if *key == NO_KEY {
        return 0;
    }
    siphasher::sip::SipHasher24::new_with_key(key).hash(bytes)
}

mod acl_bytes;
mod acl_tests;
mod apply_tests;
mod attribute_tests;
mod crash;
mod errno_tests;
mod free_tests;
mod hash_tests;
mod images_tests;
mod layout_tests;
mod listing_tests;
mod long_tests;
mod lost_tests;
mod media_tests;
mod namespace_tests;
mod owners;
mod place_tests;
mod property;
mod range_set_tests;
mod ring_tests;
mod rmap_model;
mod rmap_random;
mod rmap_tests;
mod snapshot;
mod state_garbage;
mod state_model;
mod state_steps;
mod state_tests;
mod store_tests;
mod unwritten_tests;
