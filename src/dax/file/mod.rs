// SPDX-License-Identifier: GPL-2.0

//! Regular files whose pages are the device's: what the VFS calls, and how their bytes come and go.
//!
//! - [`data`]: what a filesystem does with them ([`FileData`]). [`operations`], [`vm_operations`]:
//!   the calls of the VFS and of mm.
//! - [`iter`]: the user's side of read(2) and write(2). [`seek`]: lseek(2).
//! - [`fallocate`]: what fallocate(2) can ask for. [`remap`]: ranges that come to share blocks.
//!
//! For locking, see [`data`].

mod data;
mod fallocate;
mod iter;
mod operations;
mod remap;
mod seek;
mod vm_operations;

pub(crate) use self::{
    data::FileData,
    fallocate::Fallocate,
    iter::{
        ReadIter,
        WriteIter, //
    },
    operations::regular_files,
    remap::Remap, //
};
