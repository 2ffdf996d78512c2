// SPDX-License-Identifier: GPL-2.0

//! The owner tree: how records get in and out.
//!
//! Changes have two phases. [`OwnerTree::reserve`] may sleep and may fail; after it, as many
//! changes as it was told of cannot fail for memory. A change that fails changes nothing.
//!
//! The caller holds the state lock.

use super::{
    OwnerRecord, //
};
use crate::errno::euclean;
use kernel::prelude::*;

/// All owner records of one mount, indexed by block.
///
/// Inside it is one array, sorted by (block, ino, pgoff). Records of different owners overlap
/// freely, so what covers a block may begin up to `max_len` blocks before it.
///
/// # Invariants
///
/// - `records` is strictly ascending by (block, ino, pgoff); all of them are valid.
/// - No record is longer than `max_len`.
/// - Records of one inode with the same difference of pgoff and block neither overlap nor touch.
pub(crate) struct OwnerTree {
    pub(super) records: KVVec<OwnerRecord>,
    pub(super) max_len: u64,
}

impl OwnerTree {
    /// Creates a tree without records. Allocates nothing.
    pub(crate) fn new() -> Self {
        OwnerTree {
            records: KVVec::new(),
            max_len: 0,
        }
    }

    /// Makes room, so that the next `n` calls of [`insert`](Self::insert) and
    /// [`remove`](Self::remove) cannot fail for memory. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; nothing has changed then.
    pub(crate) fn reserve(&mut self, n: usize) -> Result {
        // A change adds at most one record: an insert that does not merge, or a remove from the
        // middle of a record.
        self.records.reserve(n, GFP_KERNEL)?;
        Ok(())
    }

    /// Adds owners: `rec.len` pages of one file. A record that it continues, or that continues it,
    /// both on the device and in the file, becomes one with it.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the record is not valid or a page of it is recorded already at the same block;
    /// `ENOMEM` without a [`reserve`](Self::reserve) before. Nothing has changed then.
    pub(crate) fn insert(&mut self, rec: OwnerRecord) -> Result {
        rec.validate()?;

        let before = self.before(&rec);
        let after = self.after(&rec);
        if before.is_some_and(|(_, r)| r.end() > rec.block)
            || after.is_some_and(|(_, r)| r.block < rec.end())
        {
            return Err(euclean());
        }

        let mut whole = rec;
        if let Some((index, next)) = after {
            whole.len = whole.len.saturating_add(next.len);
            self.remove_at(index)?;
        }
        match before.filter(|(_, r)| r.end() == rec.block) {
            // `index` is before `after`, so the removal above did not move it.
            Some((index, prev)) => {
                whole.len = whole.len.saturating_add(prev.len);
                self.set_len(index, whole.len)?;
            }
            None => self.insert_at_key(whole)?,
        }
        self.max_len = self.max_len.max(whole.len);
        Ok(())
    }

    /// Removes owners: any part of an existing record. Returns how many blocks thereby lost their
    /// last owner.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if not all of `rec` is recorded, `ENOMEM` without a [`reserve`](Self::reserve)
    /// before. Nothing has changed then.
    pub(crate) fn remove(&mut self, rec: OwnerRecord) -> Result<u64> {
        rec.validate()?;

        // What continues on the device and in the file is one record, so it is all in this one or
        // it is not all there.
        let (index, found) = self
            .before(&rec)
            .filter(|(_, r)| r.end() >= rec.end())
            .ok_or_else(euclean)?;
        let left = found.clip(&(found.block..rec.block));
        let right = found.clip(&(rec.end()..found.end()));

        match (left, right) {
            (Some(left), Some(right)) => {
                // The only step that can fail comes first; `right` is after `index`.
                self.insert_at_key(right)?;
                self.set_len(index, left.len)?;
            }
            (Some(left), None) => self.set_len(index, left.len)?,
            (None, Some(right)) => {
                self.remove_at(index)?;
                self.insert_at_key(right)?;
            }
            (None, None) => self.remove_at(index)?,
        }
        if self.records.is_empty() {
            self.max_len = 0;
        }
        Ok(self.ownerless(rec.block..rec.end()))
    }

    /// Returns the number of records.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns whether there is no record.
    #[cfg_attr(MODULE, expect(dead_code, reason = "only the host tests ask"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns whether exactly this record is in the tree (not only a part of a larger one).
    pub(crate) fn contains(&self, rec: &OwnerRecord) -> bool {
        self.at(rec.block, rec).is_some_and(|(_, r)| r == *rec)
    }

    /// Visits all records in the order of (block, ino, pgoff).
    pub(crate) fn iter(&self) -> impl Iterator<Item = OwnerRecord> + '_ {
        self.records.iter().copied()
    }

    /// Returns where the record with this key is, or would be.
    pub(super) fn lower_bound(&self, key: (u64, u64, u64)) -> usize {
        self.records.partition_point(|r| r.key() < key)
    }

    /// Returns where the records begin that may reach over the start of `block`.
    pub(super) fn first_reaching(&self, block: u64) -> usize {
        self.records
            .partition_point(|r| r.block.saturating_add(self.max_len) <= block)
    }

    /// Returns the record that begins at `block` and lies on the diagonal of `like`.
    fn at(&self, block: u64, like: &OwnerRecord) -> Option<(usize, OwnerRecord)> {
        let key = (block, like.ino, like.pgoff_at(block)?);
        let index = self.lower_bound(key);
        let found = self.records.get(index).filter(|r| r.key() == key)?;

        Some((index, *found))
    }

    /// Returns the last record on the diagonal of `rec` that begins not after `rec` does, unless
    /// it ends before `rec` begins.
    fn before(&self, rec: &OwnerRecord) -> Option<(usize, OwnerRecord)> {
        // Neither its length nor the start of the file lets it begin before this.
        let floor = rec.block.saturating_sub(self.max_len.min(rec.pgoff));
        let mut block = rec.block;

        loop {
            if let Some(found) = self.at(block, rec) {
                return Some(found).filter(|(_, r)| r.end() >= rec.block);
            }
            let index = self.records.partition_point(|r| r.block < block);
            block = self.records.get(index.checked_sub(1)?)?.block;
            if block < floor {
                return None;
            }
        }
    }

    /// Returns the first record on the diagonal of `rec` that begins after `rec` does, but not
    /// after its end.
    fn after(&self, rec: &OwnerRecord) -> Option<(usize, OwnerRecord)> {
        let mut block = rec.block;

        loop {
            let index = self.records.partition_point(|r| r.block <= block);
            block = self.records.get(index)?.block;
            if block > rec.end() {
                return None;
            }
            if let Some(found) = self.at(block, rec) {
                return Some(found);
            }
        }
    }

    /// Puts a record in its place. Fails without a free slot, and changes nothing then.
    fn insert_at_key(&mut self, rec: OwnerRecord) -> Result {
        let index = self.lower_bound(rec.key());
        self.records
            .insert_within_capacity(index, rec)
            .map_err(|_| ENOMEM)
    }

    fn remove_at(&mut self, index: usize) -> Result {
        self.records.remove(index).map_err(|_| euclean())?;
        Ok(())
    }

    fn set_len(&mut self, index: usize, len: u64) -> Result {
        self.records.get_mut(index).ok_or_else(euclean)?.len = len;
        Ok(())
    }
}
