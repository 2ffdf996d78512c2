// SPDX-License-Identifier: GPL-2.0

//! The space of the device: what each block is, and which ones a file gets.
//!
//! - [`blocks`]: which are free, allocation, the bad set. [`search`]: where there is room. [`layout`]: which
//!   blocks suit a file.
//! - [`place`]: the whole device, run by run.
//!
//! # Locking
//!
//! None in here: the caller holds the state lock.

pub(super) mod blocks;
pub(super) mod layout;
pub(super) mod place;
pub(super) mod search;
