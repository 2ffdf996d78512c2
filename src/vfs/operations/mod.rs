// SPDX-License-Identifier: GPL-2.0

//! The tables that an inode gets, by what it is, and inodes on their way into core, which get them.
//!
//! - [`inode`]: of what has nothing but attributes. [`dir`]: of directories. Those of regular files are
//!   [`RegularFiles`](super::RegularFiles). [`new_inode`]: what has none yet.
//!
//! The tables take no locks: each callback says what the VFS holds.

pub(super) mod dir;
pub(super) mod inode;
pub(super) mod new_inode;
