// SPDX-License-Identifier: GPL-2.0

//! What came of a look at a mount, whatever its filesystem is.

use crate::{
    error::Error,
    lost::{
        self,
        LostFile, //
    },
    report::{
        File,
        LostRange,
        LostReport, //
    },
};

/// What came of it.
pub(super) struct Looked {
    /// What is lost.
    pub(super) report: LostReport,
    /// The files that were to be named too, by inode number.
    pub(super) named: Vec<File>,
    /// Why there may be more.
    pub(super) errors: Vec<Error>,
}

/// What a file has lost, in blocks of so many bytes; `part`: of what of it, if that is not its data.
pub(super) fn ranges(
    file: &LostFile,
    block_size: u64,
    part: Option<&'static str>,
) -> Vec<LostRange> {
    let range = |range: &lost::Range| LostRange {
        offset: range.offset,
        length: range.length,
        block: range.physical / block_size,
        owners: range.owners,
        part,
    };
    file.ranges.iter().map(range).collect()
}
