// SPDX-License-Identifier: GPL-2.0

//! Names and attributes: the transactions that change them, and how a directory is listed.
//!
//! - [`namespace`]: creates and removes. [`rename`], [`symlink`].
//! - [`xattr`]: extended attributes. [`listing`]: positions in a directory.
//!
//! Permissions are the caller's business; the VFS has checked them.
//!
//! # Locking
//!
//! None in here: the caller holds the commit lock, from when a transaction is built until it is applied.

pub(super) mod listing;
pub(super) mod namespace;
pub(super) mod rename;
mod symlink;
pub(super) mod xattr;
