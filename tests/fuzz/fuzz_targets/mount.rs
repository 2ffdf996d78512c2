// SPDX-License-Identifier: GPL-2.0

//! The target `mount`: logs that anybody may have made.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| daxrmap_fuzz::mount::run(data));
