// SPDX-License-Identifier: GPL-2.0

//! The target `fsck`: filesystems that anybody may have made, and damage.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| daxrmap_fuzz::fsck::run(data));
