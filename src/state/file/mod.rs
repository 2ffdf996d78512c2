// SPDX-License-Identifier: GPL-2.0

//! The contents of files: where their pages are, and the transactions that change that.
//!
//! - [`mapping`]: looks up, unmaps, clones. [`shift`]: moves pages up and down.
//! - [`lost`]: which pages are on bad blocks. [`unwritten`]: blocks that hold nothing of a file yet.
//!
//! # Locking
//!
//! None in here: the caller holds the commit lock, from when a transaction is built until it is applied.

mod lost;
pub(super) mod mapping;
mod shift;
mod unwritten;
