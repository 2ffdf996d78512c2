// SPDX-License-Identifier: GPL-2.0

//! The filesystem: `mount -t daxrmap`.
//!
//! - [`meta`]: the metadata ([`crate::state`], [`crate::journal`]) under their lock, and what the
//!   failure engine asks of them. [`medium`]: what the log is kept on.
//! - [`mount`]: mount, unmount, statfs.
//! - [`namespace`]: directories. [`create`]: what is new. [`attributes`]: what stat(2) and chattr(1) tell.
//!   [`xattr`]: extended attributes. [`acl`]: those that say who may do what.
//! - [`data`]: read, write, faults. [`extent_cache`]: where pages are, without the state lock. [`writable`]: blocks that may be written, by allocation and copy
//!   on write. [`resize`]: truncate and the end of the file. [`reflink`]: sharing blocks; [`dedupe`]: only where the bytes are the same.
//!   [`fallocate`]: holes and zeroes. [`shift`]: ranges taken out of a file and put into it. [`heal`]: good blocks in the place of bad ones. [`write_back`]:
//!   fsync around bad ones.
//! - [`ioctl`]: dispatch of ioctl(2). [`fsmap`]: what is where on the device (FS_IOC_GETFSMAP).
//!   [`lost`]: what is lost (DAXRMAP_IOC_LOST). [`status`]: how the mount is (DAXRMAP_IOC_STATUS).
//!   [`clear`]: bad blocks that are good again (DAXRMAP_IOC_CLEAR).
//! - [`export`]: inodes by file handles.
//! - [`debugfs`]: what an administrator can look at.
//!
//! # Locking
//!
//! `i_rwsem`, `invalidate_lock`, DAX entry, then the state lock, innermost. The state lock is never held
//! while user memory is touched, a DAX entry is waited for, or an inode reference is dropped.
//! The whole order, and what each lock protects: Documentation/locking.rst.

mod acl;
mod attributes;
mod clear;
mod create;
mod data;
mod debugfs;
mod dedupe;
mod export;
mod extent_cache;
mod fallocate;
mod fresh;
mod fsmap;
mod heal;
mod ioctl;
mod lost;
mod medium;
mod meta;
mod mount;
mod namespace;
mod reflink;
mod resize;
mod shift;
mod status;
mod writable;
mod write_back;
mod xattr;

pub(crate) use self::mount::Mount;
