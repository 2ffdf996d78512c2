// SPDX-License-Identifier: GPL-2.0

//! An owner tree together with the extents of its files, as the state keeps them.

use crate::{
    errno::euclean,
    rmap::{
        Cursor,
        ExtentMap,
        FileExtent,
        OwnerRecord,
        OwnerTree, //
    }, //
};
use kernel::prelude::Result;
use std::{
    collections::BTreeMap,
    ops::{
        Deref,
        Range, //
    },
    vec,
    vec::Vec, //
};

/// Both directions.
pub(crate) struct Owners {
    pub(crate) tree: OwnerTree,
    pub(crate) files: BTreeMap<u64, ExtentMap>,
}

impl Deref for Owners {
    type Target = OwnerTree;

    fn deref(&self) -> &OwnerTree {
        &self.tree
    }
}

pub(crate) fn rec(block: u64, len: u64, ino: u64, pgoff: u64) -> OwnerRecord {
    OwnerRecord {
        block,
        len,
        ino,
        pgoff,
        unwritten: false,
    }
}

impl Owners {
    pub(crate) fn new() -> Self {
        Owners {
            tree: OwnerTree::new(),
            files: BTreeMap::new(),
        }
    }

    /// Reserves memory for `n` changes of one file.
    pub(crate) fn reserve(&mut self, ino: u64, n: usize) -> Result {
        self.tree.reserve(n)?;
        let file = self.files.entry(ino).or_insert_with(ExtentMap::new);
        self.tree.reserve_extents(file, n)
    }

    /// Adds a record, with a reservation of its own.
    pub(crate) fn insert(&mut self, rec: OwnerRecord) -> Result {
        self.reserve(rec.ino, 1)?;
        self.insert_reserved(rec)
    }

    /// Adds a record.
    pub(crate) fn insert_reserved(&mut self, rec: OwnerRecord) -> Result {
        let file = self.files.entry(rec.ino).or_insert_with(ExtentMap::new);
        let extent = FileExtent {
            pgoff: rec.pgoff,
            block: rec.block,
            len: rec.len,
            unwritten: rec.unwritten,
        };
        self.tree.map(file, rec.ino, extent)
    }

    /// Removes a part of a record, with a reservation of its own. Returns how many blocks have no
    /// owner any more.
    pub(crate) fn remove(&mut self, rec: OwnerRecord) -> Result<u64> {
        self.reserve(rec.ino, 1)?;
        self.remove_reserved(rec)
    }

    /// Removes a part of a record.
    pub(crate) fn remove_reserved(&mut self, rec: OwnerRecord) -> Result<u64> {
        let file = self.files.entry(rec.ino).or_insert_with(ExtentMap::new);
        let pages = rec.pgoff..rec.pgoff.saturating_add(rec.len);
        let found = file.next(rec.pgoff).and_then(|e| e.clip(&pages));
        if found.is_none_or(|e| e.owner(rec.ino) != rec) {
            return Err(euclean());
        }
        let gone = self.tree.unmap(file, rec.ino, pages)?.unwrap();
        assert_eq!(gone.owner, rec);
        Ok(gone.ownerless)
    }

    /// Checks each direction, and that they agree.
    pub(crate) fn check(&self) {
        self.tree.check().unwrap();
        let mut extents = 0;
        for (ino, file) in &self.files {
            file.check().unwrap();
            extents += file.len();
            for extent in file.iter() {
                assert!(self.tree.contains(&extent.owner(*ino)), "{extent:?}");
            }
        }
        assert_eq!(extents, self.tree.len());
    }

    pub(crate) fn records(&self) -> Vec<OwnerRecord> {
        self.tree.iter().collect()
    }

    /// Visits all owners in batches of `batch`.
    pub(crate) fn walk(&self, range: Range<u64>, batch: usize) -> Vec<OwnerRecord> {
        let mut cursor = Cursor::new();
        let mut out = vec![OwnerRecord::default(); batch];
        let mut all = Vec::new();
        loop {
            let n = self.tree.owners(range.clone(), &mut cursor, &mut out);
            if n == 0 {
                return all;
            }
            all.extend_from_slice(&out[..n]);
            assert!(
                all.len() as u64 <= self.tree.count_owners(range.clone()),
                "no progress"
            );
        }
    }
}
