// SPDX-License-Identifier: GPL-2.0

//! The memory of a dax device, as far as no file is concerned.
//!
//! - [`pmem`]: reaching its pages, by block. [`part`]: which part of the device a mount has.
//!   [`contents`]: changing what they have. [`persist`]: by byte, as the log needs it.
//!   [`device_page`]: a page of it, held.
//! - [`media`]: whether the memory of a block is good. [`touch`]: who touches a page that may fail
//!   meanwhile. [`request`]: flush requests, for devices that need them.
//! - [`scrub`]: reading pages to see whether they can be read. [`hand_over`]: having the kernel deal with one.
//! - [`disk`]: a whole disk, whoever has its pages, and its driver's list of bad blocks.
//!
//! A device that goes waits for who is inside of [`Pmem`](pmem::Pmem)'s functions. Who else touches the
//! same bytes is the callers' business, with [`touch`] for blocks that no file's lock keeps.

mod contents;
pub(super) mod device_page;
pub(super) mod disk;
pub(super) mod hand_over;
pub(super) mod media;
pub(super) mod part;
mod persist;
pub(super) mod pmem;
mod request;
pub(super) mod scrub;
mod touch;
