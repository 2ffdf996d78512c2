// SPDX-License-Identifier: GPL-2.0

//! What an inode has besides its data: attributes, extended attributes, ACLs.
//!
//! - [`attributes`]: what stat(2) tells, and what chmod(2), utimensat(2) and chattr(1) change.
//! - [`xattr`]: names with values. [`acl`]: POSIX ACLs, which are stored as such.
//!
//! For locking, see each file.

pub(super) mod acl;
pub(super) mod attributes;
pub(super) mod xattr;
