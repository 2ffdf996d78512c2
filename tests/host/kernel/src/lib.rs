// SPDX-License-Identifier: GPL-2.0

//! The part of the kernel's `kernel` crate that the pure modules of daxrmap use, for the host.
//!
//! It has the same names and signatures, on top of std. Every allocation is paid from a budget of the thread
//! (see [`alloc::budget`]), so that a test can make the Nth one fail.

pub mod alloc;
pub mod error;
pub mod prelude;
pub mod rbtree;
