// SPDX-License-Identifier: GPL-2.0

//! Names and attributes: from the VFS's calls to transactions and back.
//!
//! - [`namespace`]: directories. [`batch`]: entries for a listing. [`create`]: what is new. [`export`]: inodes by file handles.
//! - [`attributes`]: what stat(2) and chattr(1) tell. [`xattr`]: extended attributes. [`acl`]: those that
//!   say who may do what.
//!
//! # Locking
//!
//! The VFS's locks are held as each file says; the state lock is taken inside of them, for one
//! look, or the commit lock, for one transaction.

mod acl;
mod attributes;
mod batch;
mod create;
mod export;
pub(super) mod namespace;
mod xattr;
