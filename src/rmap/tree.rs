// SPDX-License-Identifier: GPL-2.0

//! The owner tree: its records, one by one.
//!
//! Changes have two phases. [`OwnerTree::reserve`] may sleep and may fail; after it, as many
//! changes as it was told of cannot fail for memory. A change that fails changes nothing.
//!
//! The caller holds the state lock.

use super::{
    btree::{
        BTree,
        Need,
        Spare,
        TreeItem,
        Words, //
    },
    packed::{
        first_key,
        Packed, //
    },
    ExtentMap,
    FileExtent,
    OwnerRecord, //
};
use core::ops::Range;
use kernel::prelude::*;

/// All owner records of one mount, indexed by block.
///
/// # Invariants
///
/// - Records are valid, and no two begin at the same block with the same page.
/// - Each is one extent of one file, if all changes are made with [`map`](Self::map) and
///   [`unmap`](Self::unmap).
pub(crate) struct OwnerTree {
    pub(super) records: BTree<Packed>,
    pub(super) spare: Spare<Packed>,
    /// For the extents of all files.
    pub(super) extent_spare: Spare<FileExtent>,
    extent_need: Need,
}

impl OwnerTree {
    /// Creates a tree without records. Allocates nothing.
    pub(crate) fn new() -> Self {
        OwnerTree {
            records: BTree::new(),
            spare: Spare::new(),
            extent_spare: Spare::new(),
            extent_need: Need::default(),
        }
    }

    /// Makes room, so that the next `n` changes cannot fail for memory here. What is left of the
    /// last reservation is lost. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(crate) fn reserve(&mut self, n: usize) -> Result {
        let need = self.records.need(n)?;
        self.extent_need = Need::default();
        self.spare.fill(need)
    }

    /// Makes room, after [`reserve`](Self::reserve), so that `n` of those changes cannot fail for
    /// memory in this file's extents either. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(crate) fn reserve_extents(&mut self, file: &mut ExtentMap, n: usize) -> Result {
        self.extent_need = self.extent_need.and(file.need(n)?);
        self.extent_spare.fill(self.extent_need)
    }

    /// Adds a record as it is: nothing is merged.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the record is not valid, or one begins at the same block with the same page;
    /// `ENOMEM` without a [`reserve`](Self::reserve) before. Nothing has changed then.
    pub(crate) fn insert(&mut self, rec: OwnerRecord) -> Result {
        rec.validate()?;
        self.records.insert(Packed::new(&rec), &mut self.spare)
    }

    /// Removes a record: a whole one, as it is in the tree.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is no such record; nothing has changed then.
    pub(crate) fn remove(&mut self, rec: OwnerRecord) -> Result {
        rec.validate()?;
        self.records.remove(&Packed::new(&rec), &mut self.spare)
    }

    /// Gives the record that begins where `rec` does its length, and whether it is written.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if there is no such record, or `rec` is not valid; nothing has changed then.
    pub(super) fn resize(&mut self, rec: OwnerRecord) -> Result {
        rec.validate()?;
        self.records.replace(Packed::new(&rec)).map(|_| ())
    }

    /// Returns the number of records.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns how many bytes of memory the records take, with the nodes that hold them.
    pub(crate) fn bytes(&self) -> usize {
        self.records.bytes()
    }

    /// Returns whether there is no record.
    #[cfg_attr(MODULE, expect(dead_code, reason = "only the host tests ask"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether exactly this record is in the tree (not only a part of a larger one).
    pub(crate) fn contains(&self, rec: &OwnerRecord) -> bool {
        let packed = Packed::new(rec);
        rec.validate().is_ok() && self.records.get(&packed.key()) == Some(packed)
    }

    /// Visits all records in the order of (block, ino, pgoff).
    pub(crate) fn iter(&self) -> impl Iterator<Item = OwnerRecord> + '_ {
        self.records.iter().map(|rec| rec.record())
    }

    /// Calls `visit` for the records that have a block of `range`, in the order of (block, ino,
    /// pgoff), from `key` on, until it returns `false`.
    pub(super) fn overlapping(
        &self,
        key: Option<&Words>,
        range: &Range<u64>,
        mut visit: impl FnMut(Packed) -> bool,
    ) {
        self.records.visit(key, &first_key(range.start), |rec| {
            rec.block() < range.end && (rec.end() <= range.start || visit(rec))
        });
    }

    /// Returns the first record from `key` on that has a block of `range`.
    pub(super) fn first_overlapping(
        &self,
        key: Option<&Words>,
        range: &Range<u64>,
    ) -> Option<OwnerRecord> {
        let mut found = None;
        self.overlapping(key, range, |rec| {
            found = Some(rec.record());
            false
        });
        found
    }
}
