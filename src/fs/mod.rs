// SPDX-License-Identifier: GPL-2.0

//! The filesystem: `mount -t daxrmap`.
//!
//! - [`meta`]: the metadata ([`crate::state`], [`crate::journal`]) under their locks. [`medium`]: what
//!   the log is kept on. [`ground`]: what the failure engine asks of them.
//! - [`mount`]: one mount. [`open`]: how it comes to be. [`discoveries`]: bad blocks that somebody met.
//!   [`filesystem`]: what the VFS asks of it: mount, statfs, freeze. [`reaper`]: frees what was removed.
//! - [`mod@file`]: what one file's data do. [`inode`]: names and attributes. [`ioctl`]: what tools ask.
//! - [`time`]: times, from the VFS's form to the state's. [`debugfs`]: what an administrator can look at.
//!
//! # Locking
//!
//! `i_rwsem`, `invalidate_lock`, DAX entry, then the commit lock and inside of it the state lock. Neither is held
//! while user memory is touched, a DAX entry is waited for, or an inode reference is dropped.
//! The whole order, and what each lock protects: Documentation/locking.rst.

mod debugfs;
mod discoveries;
mod file;
mod filesystem;
mod ground;
mod inode;
mod ioctl;
mod medium;
mod meta;
mod mount;
mod open;
mod reaper;
mod time;

pub(crate) use self::mount::{
    Common,
    Mount, //
};
