// SPDX-License-Identifier: GPL-2.0

//! What fallocate(2) can ask for.
//!
//! C source: fs/open.c (`vfs_fallocate`), include/linux/falloc.h. It is plain arithmetic: there is
//! nothing to lock.

use crate::{
    bindings,
    dax,
    errno::eopnotsupp, //
};
use core::ops::Range;
use kernel::prelude::*;

/// What is to be done to a range of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fallocate {
    /// Holes get blocks, which are unwritten.
    Allocate {
        /// The size stays, whatever the range.
        keep_size: bool,
    },
    /// The range becomes a hole.
    PunchHole,
    /// The range becomes unwritten blocks.
    ZeroRange {
        /// The size stays, whatever the range.
        keep_size: bool,
    },
    /// The range becomes blocks that zeroes have been written to.
    WriteZeroes,
    /// Shared blocks are replaced by copies that are this file's alone, and holes by unwritten blocks.
    Unshare {
        /// The size stays, whatever the range.
        keep_size: bool,
    },
    /// The range is taken out: what comes after it moves down.
    Collapse,
    /// A hole is put in: what was there, and after it, moves up.
    Insert,
}

impl Fallocate {
    /// Reads the `mode` argument of the system call.
    pub(super) fn from_mode(mode: c_int) -> Result<Self> {
        let mode = u32::try_from(mode).map_err(|_| EINVAL)?;
        let keep_size = mode & bindings::FALLOC_FL_KEEP_SIZE != 0;
        match mode & !bindings::FALLOC_FL_KEEP_SIZE {
            0 => Ok(Self::Allocate { keep_size }),
            bindings::FALLOC_FL_PUNCH_HOLE if keep_size => Ok(Self::PunchHole),
            bindings::FALLOC_FL_ZERO_RANGE => Ok(Self::ZeroRange { keep_size }),
            bindings::FALLOC_FL_WRITE_ZEROES if !keep_size => Ok(Self::WriteZeroes),
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
                | Self::WriteZeroes
        )
    }

    /// Checks what fallocate(2) says of ranges that are taken out or put in, and returns the size of
    /// the file after that. Which error comes first is as in XFS.
    pub(super) fn moved_size(self, size: u64, range: &Range<u64>, max: u64) -> Result<u64> {
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
