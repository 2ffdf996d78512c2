// SPDX-License-Identifier: GPL-2.0

//! What a filesystem does with the data of its regular files.
//!
//! # Locking
//!
//! The VFS calls `read`, `write`, `remap` and `mmap` without locks of the inode: the filesystem
//! takes them, in the order that [`InodeLock`] gives. What `fallocate` and `write_back` come with, they say.

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

/// The data of regular files.
pub(crate) trait FileData: dax::Extents + Namespace {
    /// Reads; returns the bytes read, 0 at the end of the file.
    fn read(inode: &Inode<Self>, io: &mut ReadIter<'_>) -> Result<usize>;
    /// Writes; returns the bytes written.
    fn write(inode: &Inode<Self>, io: &mut WriteIter<'_>) -> Result<usize>;
    /// Answers a page fault; see [`dax::Fault`].
    fn fault(inode: &Inode<Self>, fault: &mut dax::Fault<'_, Self>) -> dax::FaultResult;
    /// Makes what was written through mmap durable. A lock may be held: see [`dax::Writeback`].
    fn write_back(what: &mut dax::Writeback<'_, Self>) -> Result;
    /// Shares the blocks of a range of one file with another; returns the bytes shared.
    fn remap(range: &Remap<'_, Self>) -> Result<u64>;
    /// Whether there is room for what fallocate(2) asks for, as far as that is known before.
    fn check_room(inode: &Inode<Self>, what: Fallocate, range: &Range<u64>) -> Result;
    /// Changes what stands where in the file, as fallocate(2) says.
    fn fallocate(lock: &InodeLock<'_, Self>, what: Fallocate, range: Range<u64>) -> Result;
    /// Gives extents to FIEMAP.
    fn fiemap(inode: &Inode<Self>, call: &mut dax::Fiemap<'_>) -> Result;
}
