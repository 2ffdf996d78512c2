// SPDX-License-Identifier: GPL-2.0

//! fallocate(2).
//!
//! C source: fs/open.c (`vfs_fallocate`), include/linux/falloc.h.
//!
//! # Locking
//!
//! The VFS calls it with writes to the superblock let in. `i_rwsem` is taken here, exclusively.

use super::{
    answer::from_result,
    file::FileData,
    Inode, //
};
use crate::{
    bindings,
    dax,
    errno::eopnotsupp, //
};
use core::ops::Range;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// What is to be done to a range of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fallocate {
    /// Blocks where holes are.
    Allocate {
        /// The size stays, whatever the range.
        keep_size: bool,
    },
    /// A hole.
    PunchHole,
    /// Blocks of zeroes.
    ZeroRange {
        /// The size stays, whatever the range.
        keep_size: bool,
    },
    /// Blocks of this file alone.
    Unshare {
        /// The size stays, whatever the range.
        keep_size: bool,
    },
    /// The range is not there any more: what comes after it moves down.
    Collapse,
    /// A hole between what is before it and what was there, which moves up.
    Insert,
}

impl Fallocate {
    /// Reads the `mode` argument of the system call.
    fn from_mode(mode: c_int) -> Result<Self> {
        let mode = u32::try_from(mode).map_err(|_| EINVAL)?;
        let keep_size = mode & bindings::FALLOC_FL_KEEP_SIZE != 0;
        match mode & !bindings::FALLOC_FL_KEEP_SIZE {
            0 => Ok(Self::Allocate { keep_size }),
            bindings::FALLOC_FL_PUNCH_HOLE if keep_size => Ok(Self::PunchHole),
            bindings::FALLOC_FL_ZERO_RANGE => Ok(Self::ZeroRange { keep_size }),
            // To write zeroes is what zeroing does here: there are no unwritten extents.
            bindings::FALLOC_FL_WRITE_ZEROES if !keep_size => Ok(Self::ZeroRange { keep_size }),
            bindings::FALLOC_FL_UNSHARE_RANGE => Ok(Self::Unshare { keep_size }),
            bindings::FALLOC_FL_COLLAPSE_RANGE if !keep_size => Ok(Self::Collapse),
            bindings::FALLOC_FL_INSERT_RANGE if !keep_size => Ok(Self::Insert),
            _ => Err(eopnotsupp()),
        }
    }

    /// Whether a range that reaches beyond the end of the file makes it longer.
    pub(crate) fn grows(self) -> bool {
        matches!(
            self,
            Self::Allocate { keep_size: false }
                | Self::ZeroRange { keep_size: false }
                | Self::Unshare { keep_size: false }
        )
    }

    /// Checks what fallocate(2) says of ranges that are taken out or put in, and returns the size of
    /// the file after that. Which error comes first is as in XFS.
    fn moved_size(self, size: u64, range: &Range<u64>, max: u64) -> Result<u64> {
        let aligned = |byte: u64| byte % dax::BLOCK_SIZE == 0;
        if !aligned(range.start) || !aligned(range.end) {
            return Err(EINVAL);
        }
        let len = range.end - range.start;
        match self {
            Self::Collapse if range.end < size => Ok(size - len),
            Self::Insert if max.saturating_sub(size) < len => Err(EFBIG),
            Self::Insert if range.start < size => Ok(size + len),
            _ => Err(EINVAL),
        }
    }
}

/// # Safety
///
/// Called by the VFS. `file`: a regular file of an `F`, open for writing.
pub(super) unsafe extern "C" fn fallocate<F: FileData>(
    file: *mut bindings::file,
    mode: c_int,
    offset: bindings::loff_t,
    len: bindings::loff_t,
) -> c_long {
    let result = from_result(|| {
        // SAFETY: The file is open, and an `F`'s: clause `file`.
        let inode = unsafe { Inode::<F>::of_file(file) };
        let what = Fallocate::from_mode(mode)?;
        let start = u64::try_from(offset).map_err(|_| EINVAL)?;
        let len = u64::try_from(len).map_err(|_| EINVAL)?;
        let end = start.checked_add(len).ok_or(EFBIG)?;
        let lock = inode.lock();
        let size = match what {
            Fallocate::Collapse | Fallocate::Insert => {
                // SAFETY: The super block is mounted; its limit does not change.
                let max = unsafe { (*inode.sb().as_ptr()).s_maxbytes };
                let max = u64::try_from(max).map_err(|_| EFBIG)?;
                what.moved_size(inode.size(), &(start..end), max)?
            }
            _ if what.grows() => end,
            _ => 0,
        };
        if size > inode.size() {
            let size = bindings::loff_t::try_from(size).map_err(|_| EFBIG)?;
            // SAFETY: The inode is live, its `i_rwsem` held.
            to_result(unsafe { bindings::inode_newsize_ok(inode.as_ptr(), size) })?;
        }
        // What fails for that has changed nothing, the times included.
        F::check_room(inode, what, &(start..end))?;
        // SAFETY: The file is open: clause `file`; `i_rwsem` is held exclusively.
        to_result(unsafe { bindings::file_modified(file) })?;
        F::fallocate(inode, what, start..end, &lock)?;
        Ok(0)
    });
    result as c_long
}
