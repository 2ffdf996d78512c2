// SPDX-License-Identifier: GPL-2.0

//! Names of inodes: directories, and file handles.
//!
//! - [`namespace`]: what a filesystem does with names. [`readdir`]: where entries go that are read.
//! - [`export`]: handles, which outlive paths.
//!
//! A directory's `i_rwsem` keeps its entries; for handles nothing is held. Each file says more.

pub(super) mod export;
pub(super) mod namespace;
pub(super) mod readdir;
