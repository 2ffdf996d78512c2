// SPDX-License-Identifier: GPL-2.0

//! What the failure path has to know of the metadata of a mount, as a trait.
//!
//! # Locking
//!
//! Each function takes the filesystem's locks that it needs (in `fs` the state lock), and drops them before
//! it returns. Most of them are called with the gate's mutex held, some of them with an owner's
//! `invalidate_lock` too: so none may take a lock of a file, or enter the gate.

use crate::{
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    vfs::FileSystem, //
};
use core::ops::Range;
use kernel::prelude::*;

/// What is asked of a filesystem. Blocks count from the start of the mount, pages from that of
/// the file.
pub(crate) trait Metadata: Send + Sync + 'static {
    /// The filesystem's type.
    type Fs: FileSystem;

    /// Puts blocks into the bad set. Returns how many were good before.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if it is full and cannot grow. The filesystem has shut itself down then, under the
    /// lock that the bad set is asked under.
    fn publish(&self, range: &Range<u64>) -> Result<u64>;

    /// Whether a block has one owner, and no more.
    fn is_unshared(&self, block: u64) -> bool;

    /// Fills `out` with the next owners of blocks in `range`, clipped to it, and returns how many they
    /// are: 0 at the end. See `OwnerTree::owners`. Files that are gone for good, and not all freed yet, are
    /// left out.
    fn owners(&self, range: &Range<u64>, cursor: &mut Cursor, out: &mut [OwnerRecord]) -> usize;

    /// What stands at page `pgoff` of file `ino`: the block, if any, and for how many pages (at
    /// most `max`, at least 1) block and page continue together.
    fn extent(&self, ino: u64, pgoff: u64, max: u64) -> (Option<u64>, u64);

    /// The next owners of those blocks of `range` that are in the bad set, as
    /// [`owners`](Self::owners), clipped to these; and whether there are no more. Without more there
    /// may be none this time.
    fn lost_owners(
        &self,
        range: &Range<u64>,
        cursor: &mut Cursor,
        out: &mut [OwnerRecord],
    ) -> (usize, bool);

    /// The generation of file `ino`, which tells it from others that had or will have its number. `None`
    /// if there is no such file any more.
    fn generation(&self, ino: u64) -> Option<u32>;

    /// The first file with a number of at least `ino`.
    fn next_file(&self, ino: u64) -> Option<u64>;

    /// Whether a block is in the bad set.
    fn is_bad(&self, block: u64) -> bool;

    /// Waits for all who touch blocks that no lock of a file keeps, and found them good before this.
    fn wait_for_touching(&self);

    /// The first of these blocks that are not in the bad set, as many as follow each other.
    fn first_good(&self, range: &Range<u64>) -> Option<Range<u64>>;

    /// Stops all access to the device, from now on.
    fn shut_down(&self);
}
