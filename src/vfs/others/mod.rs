// SPDX-License-Identifier: GPL-2.0

//! Super blocks and files of other filesystems: those that may have pages of a dax device.
//!
//! Nothing is known of them but what the VFS knows of each. [`super_blocks`]: those that are mounted;
//! [`files`]: their files in core.
//!
//! # Locking
//!
//! Whoever has an [`OtherSuper`](super_blocks::OtherSuper) has its `s_umount` shared, which is outside of every lock of a file: it is
//! not taken down meanwhile, and unmount waits.

pub(super) mod files;
pub(super) mod super_blocks;
