// SPDX-License-Identifier: GPL-2.0

//! Raw C types and functions: the kernel crate's own, and what it lacks.
//!
//! bindgen generates the missing part at build time (`Kbuild`, from `bindings_helper.h`); it is not in
//! git. Only `dax`, `vfs`, `support`, `trace`, `crc32c` and `siphash` call what is here, and
//! `fs::ioctl::uapi` has numbers and structs of ioctls from it; the rest of the crate sees safe wrappers.
//!
//! # Locking
//!
//! None in here: each C function's own rules hold.

#![allow(
    clippy::all,
    clippy::cast_lossless,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    reason = "generated code"
)]
#![cfg_attr(
    CONFIG_RUSTC_HAS_UNNECESSARY_TRANSMUTES,
    allow(unnecessary_transmutes, reason = "generated code")
)]

pub(crate) use kernel::bindings::*;

use kernel::bindings::__BindgenBitfieldUnit;
use pin_init::MaybeZeroable;

type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

include!(env!("DAXRMAP_BINDINGS"));
