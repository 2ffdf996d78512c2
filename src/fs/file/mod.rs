// SPDX-License-Identifier: GPL-2.0

//! What one regular file's data do.
//!
//! - [`data`]: read(2), write(2), page faults. [`extent_cache`]: where pages are, without the state lock.
//! - [`writable`]: blocks that may be written in place, by allocation and copy on write. [`fresh`]: new
//!   blocks for that. [`unwritten`]: blocks that have no bytes yet.
//! - [`resize`]: truncate and the end of the file. [`write_back`]: fsync(2) around bad blocks.
//! - [`heal`]: good blocks in the place of bad ones.
//! - [`reflink`]: blocks that come to be shared; [`dedupe`]: only where the bytes are the same.
//! - [`fallocate`]: holes and space. [`zero`]: ranges that are to be zeroes. [`shift`]: ranges taken out of a
//!   file and put into it.
//!
//! # Locking
//!
//! `i_rwsem`, then `invalidate_lock`, then the DAX entry, then the commit lock and the state lock. Extents change only under
//! the `invalidate_lock`, exclusively, with the pages unmapped and forgotten.

mod data;
mod dedupe;
pub(super) mod extent_cache;
mod fallocate;
mod fresh;
mod heal;
mod reflink;
pub(super) mod resize;
mod shift;
mod unwritten;
mod writable;
mod write_back;
mod zero;
