// SPDX-License-Identifier: GPL-2.0

//! Extents for the iomap users: `dax_iomap_rw`, `dax_iomap_fault`, `iomap_fiemap`.
//!
//! C header: [`include/linux/iomap.h`](srctree/include/linux/iomap.h)
//!
//! # Locking
//!
//! [`Extents::map`] is called with the file's `invalidate_lock` held, at least shared, and from a fault
//! with the DAX entry locked: it may take the filesystem's own locks for a moment, and may not wait
//! for a DAX entry. A mapping that it gives is used until that `invalidate_lock` is dropped; there is
//! no `iomap_end`. FIEMAP holds no lock; its answer is a snapshot.

use super::{
    Pmem,
    BLOCK_SHIFT,
    BLOCK_SIZE, //
};
use crate::{
    bindings,
    vfs::{
        FileSystem,
        Inode, //
    },
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*, //
};

/// What a mapping is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// read(2): bytes will be copied out.
    Read,
    /// write(2): bytes will be copied in.
    Write,
    /// A fault of this many pages, which writes or not.
    Fault {
        /// Pages wanted: 1, or those of a PMD.
        pages: u64,
        /// Whether the fault writes to the file.
        write: bool,
    },
    /// FIEMAP and its like: nobody will touch the bytes.
    Report,
}

/// A run of pages of a file, from the page that was asked for: what iomap calls a mapping.
pub(crate) enum Extent {
    /// The pages have no blocks.
    Hole {
        /// Pages.
        len: u64,
    },
    /// The pages have blocks that follow each other.
    Data {
        /// The first one's block, counted from the start of the mount.
        block: u64,
        /// Pages.
        len: u64,
        /// What `IOMAP_F_SHARED` shall say; for faults see "Traps" in Documentation/failure.rst.
        shared: bool,
    },
    /// The pages have blocks that follow each other, and no bytes yet. Only for [`Purpose::Report`]: who
    /// wants bytes is told of a hole.
    Unwritten {
        /// The first one's block, counted from the start of the mount.
        block: u64,
        /// Pages.
        len: u64,
    },
}

/// A filesystem whose files are extents on a dax device.
pub(crate) trait Extents: FileSystem {
    /// The device's memory.
    fn pmem(&self) -> &Pmem;

    /// What stands at page `pgoff` of the file, for at most `max` pages. Blocks that the device does not
    /// have are refused with `EIO`.
    ///
    /// # Errors
    ///
    /// `EHWPOISON` for a fault on a bad block, `EIO` for another access to one; `EAGAIN` for a
    /// fault that must be tried page by page.
    fn map(inode: &Inode<Self>, pgoff: u64, max: u64, purpose: Purpose) -> Result<Extent>;
}

/// Operations for who is told of unwritten blocks, or for who takes them for a hole. iomap's SEEK_DATA
/// looks for dirty pages in what is unwritten, and would take the entries of zero pages for some.
struct Table<F, const UNWRITTEN: bool>(PhantomData<F>);

impl<F: Extents, const UNWRITTEN: bool> Table<F, UNWRITTEN> {
    const OPS: bindings::iomap_ops = bindings::iomap_ops {
        iomap_begin: Some(Self::iomap_begin),
        iomap_end: None,
        iomap_next: None,
    };

    /// # Safety
    ///
    /// Called by an iomap user.
    /// - `inode`: a live one of an `F`.
    /// - `iomap`: a mapping to fill, all zeroes, for this call alone.
    unsafe extern "C" fn iomap_begin(
        inode: *mut bindings::inode,
        pos: bindings::loff_t,
        length: bindings::loff_t,
        flags: c_uint,
        iomap: *mut bindings::iomap,
        _srcmap: *mut bindings::iomap,
    ) -> c_int {
        from_result(|| {
            // SAFETY: It is a live one of an `F`: clause `inode`.
            let inode = unsafe { Inode::<F>::from_raw(inode) };
            // SAFETY: It is there for this call alone: clause `iomap`.
            let iomap = unsafe { &mut *iomap };
            let pos = u64::try_from(pos).map_err(|_| EINVAL)?;
            let length = u64::try_from(length).map_err(|_| EINVAL)?;
            let end = pos.checked_add(length).ok_or(EINVAL)?;
            let first = pos >> BLOCK_SHIFT;
            let pages = end.div_ceil(BLOCK_SIZE).saturating_sub(first).max(1);
            let write = flags & bindings::IOMAP_WRITE != 0;
            let purpose = if flags & bindings::IOMAP_FAULT != 0 {
                Purpose::Fault { pages, write }
            } else if flags & bindings::IOMAP_REPORT != 0 {
                Purpose::Report
            } else if write {
                Purpose::Write
            } else {
                Purpose::Read
            };
            let fs = inode.fs();
            iomap.bdev = fs.pmem().bdev();
            iomap.dax_dev = fs.pmem().as_ptr();
            iomap.offset = i64::try_from(first << BLOCK_SHIFT).map_err(|_| EINVAL)?;
            let len = match F::map(inode, first, pages, purpose)? {
                Extent::Unwritten { block, len } if UNWRITTEN => {
                    iomap.type_ = bindings::IOMAP_UNWRITTEN as u16;
                    iomap.addr = block.checked_mul(BLOCK_SIZE).ok_or(ERANGE)?;
                    len
                }
                Extent::Hole { len } | Extent::Unwritten { len, .. } => {
                    iomap.type_ = bindings::IOMAP_HOLE as u16;
                    iomap.addr = bindings::IOMAP_NULL_ADDR as u64;
                    len
                }
                // No driver looks whether it has the page that it is asked for.
                Extent::Data { block, len, .. }
                    if !fs.pmem().has(&(block..block.saturating_add(len))) =>
                {
                    return Err(EIO)
                }
                Extent::Data { block, len, shared } => {
                    iomap.type_ = bindings::IOMAP_MAPPED as u16;
                    // Report answers in bytes of the block device; the others in bytes of the
                    // dax device, which begins earlier if we are on a partition.
                    iomap.addr = match purpose {
                        Purpose::Report => block << BLOCK_SHIFT,
                        _ => fs.pmem().byte_of(block),
                    };
                    if shared {
                        iomap.flags |= bindings::IOMAP_F_SHARED as u16;
                    }
                    len
                }
            };
            iomap.length = len.checked_mul(BLOCK_SIZE).ok_or(ERANGE)?;
            Ok(0)
        })
    }
}

/// # Safety
///
/// Called by an iomap user. `iomap`: a mapping to fill, all zeroes, for this call alone.
unsafe extern "C" fn hole_begin(
    _inode: *mut bindings::inode,
    pos: bindings::loff_t,
    length: bindings::loff_t,
    _flags: c_uint,
    iomap: *mut bindings::iomap,
    _srcmap: *mut bindings::iomap,
) -> c_int {
    from_result(|| {
        // SAFETY: It is there for this call alone: clause `iomap`.
        let iomap = unsafe { &mut *iomap };
        iomap.type_ = bindings::IOMAP_HOLE as u16;
        iomap.addr = bindings::IOMAP_NULL_ADDR as u64;
        iomap.offset = pos;
        iomap.length = u64::try_from(length).map_err(|_| EINVAL)?;
        Ok(0)
    })
}

/// Iomap operations of a file that is one hole: for `dax_remap_file_range_prep`, which compares what it
/// is told and then goes on with its checks.
pub(crate) fn nothing_to_compare() -> &'static bindings::iomap_ops {
    const HOLES: bindings::iomap_ops = bindings::iomap_ops {
        iomap_begin: Some(hole_begin),
        iomap_end: None,
        iomap_next: None,
    };
    &HOLES
}

/// The iomap operations of `F`, to which unwritten blocks are a hole.
pub(crate) fn iomap_operations<F: Extents>() -> &'static bindings::iomap_ops {
    &Table::<F, false>::OPS
}

/// A FIEMAP call: what is asked for, and where the answer goes.
///
/// # Invariants
///
/// - "info": `info` is the VFS's, for a call that has not returned while this value lives, and nobody
///   else uses it.
pub(crate) struct Fiemap<'a> {
    info: NonNull<bindings::fiemap_extent_info>,
    start: u64,
    len: u64,
    _call: PhantomData<&'a mut bindings::fiemap_extent_info>,
}

impl Fiemap<'_> {
    /// A call for `len` bytes at `start`.
    ///
    /// # Safety
    ///
    /// `info`: what the VFS has handed to `fiemap` of the inode operations, for a call that has not
    /// returned while the value lives. There is one value for it.
    pub(crate) unsafe fn new(
        info: NonNull<bindings::fiemap_extent_info>,
        start: u64,
        len: u64,
    ) -> Self {
        // INVARIANT: "info": clause `info`.
        Self {
            info,
            start,
            len,
            _call: PhantomData,
        }
    }

    /// Answers it from [`Extents::map`].
    ///
    /// # Errors
    ///
    /// As `iomap_fiemap`.
    pub(crate) fn answer<F: Extents>(&mut self, inode: &Inode<F>) -> Result {
        let operations = &Table::<F, true>::OPS;
        // SAFETY: The inode is live: invariant "live" of `Inode`. The table is one of an `F`, as the
        // inode is. `info` is there for us alone: invariant "info".
        to_result(unsafe {
            bindings::iomap_fiemap(
                inode.as_ptr(),
                self.info.as_ptr(),
                self.start,
                self.len,
                operations,
            )
        })
    }
}
