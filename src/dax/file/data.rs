// SPDX-License-Identifier: GPL-2.0

//! The trait for what a filesystem does with the data of its regular files.
//!
//! # Locking
//!
//! `read`, `write`, `remap` and `fiemap` are called without locks of the inode: the filesystem takes
//! them, in the order that [`InodeLock`] gives. `fault` comes with mm's locks. What `check_room`,
//! `fallocate` and `write_back` come with, they say.

use super::{
    Fallocate,
    ReadIter,
    Remap,
    WriteIter, //
};
use crate::{
    dax,
    vfs::{
        Inode,
        InodeLock,
        Namespace, //
    },
};
use core::ops::Range;
use kernel::prelude::*;

/// The data of regular files. Errors are those of the system calls' man pages.
pub(crate) trait FileData: dax::Extents + Namespace {
    /// Reads; returns how many bytes, 0 at the end of the file.
    fn read(inode: &Inode<Self>, io: &mut ReadIter<'_>) -> Result<usize>;
    /// Writes; returns how many bytes.
    fn write(inode: &Inode<Self>, io: &mut WriteIter<'_>) -> Result<usize>;
    /// Answers a page fault; see [`dax::Fault`].
    fn fault(inode: &Inode<Self>, fault: &mut dax::Fault<'_, Self>) -> dax::FaultResult;
    /// Makes what was written through mmap durable. A lock may be held: see [`dax::Writeback`].
    fn write_back(what: &mut dax::Writeback<'_, Self>) -> Result;
    /// Shares the blocks of a range of one file with another; returns how many bytes are shared.
    fn remap(range: &Remap<'_, Self>) -> Result<u64>;
    /// Whether there is room for what fallocate(2) asks for in bytes `range`, as far as that is known
    /// before. `i_rwsem` is held exclusively.
    fn check_room(inode: &Inode<Self>, what: Fallocate, range: &Range<u64>) -> Result;
    /// Changes what stands in bytes `range` of the file, as fallocate(2) says.
    fn fallocate(lock: &InodeLock<'_, Self>, what: Fallocate, range: Range<u64>) -> Result;
    /// Gives extents to FIEMAP.
    fn fiemap(inode: &Inode<Self>, call: &mut dax::Fiemap<'_>) -> Result;
}
