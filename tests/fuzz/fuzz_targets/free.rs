// SPDX-License-Identifier: GPL-2.0

//! The target `free`: the free tree against a naive model.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| daxrmap_fuzz::free::run(data));
