// SPDX-License-Identifier: GPL-2.0

//! What an inode has besides its data: attributes, extended attributes, ACLs.
//!
//! - [`attributes`]: what stat(2) tells, and what chmod(2), utimensat(2) and chattr(1) change.
//! - [`xattr`]: names with values. [`acl`]: POSIX ACLs, which are stored as such.
//!
//! The VFS holds an inode's `i_rwsem` exclusively for what changes any of these, and none for the rest;
//! each file says more.

pub(super) mod acl;
pub(super) mod attributes;
pub(super) mod xattr;
