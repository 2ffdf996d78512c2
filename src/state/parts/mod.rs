// SPDX-License-Identifier: GPL-2.0

//! What the state is made of. None of it knows of the whole, [`State`](super::State).
//!
//! - Of an inode: [`attr`], [`directory`], [`xattr_set`], with [`name`]: the bytes that these have; [`acl`]:
//!   what an ACL among the extended attributes says.
//! - Of the space: [`range_set`], [`free_space`], [`windows`].
//!
//! # Locking
//!
//! None in here: the caller holds the state lock.

pub(crate) mod acl;
pub(super) mod attr;
pub(super) mod directory;
pub(super) mod free_space;
pub(super) mod name;
pub(super) mod range_set;
pub(super) mod windows;
pub(super) mod xattr_set;
