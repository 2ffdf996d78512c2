// SPDX-License-Identifier: GPL-2.0

//! The owner tree and the files' extents, as the fuzzer sees them: the one place that knows how
//! they are called.

use crate::rmap::{
    Cursor,
    ExtentMap,
    FileExtent,
    OwnerRecord,
    OwnerTree,
    Sharing,
    Unmapped, //
};
use kernel::error::Result;
use std::{
    collections::BTreeMap,
    ops::Range, //
};

pub(crate) struct Subject {
    tree: OwnerTree,
    files: BTreeMap<u64, ExtentMap>,
}

impl Subject {
    pub(crate) fn new() -> Self {
        Subject {
            tree: OwnerTree::new(),
            files: BTreeMap::new(),
        }
    }

    /// Makes room for the next `n` calls of `map` and `unmap` for these files. What is left of the
    /// last reservation may be lost.
    pub(crate) fn reserve(&mut self, n: usize, inos: &[u64]) -> Result {
        self.tree.reserve(n)?;
        for ino in inos {
            let file = self.files.entry(*ino).or_insert_with(ExtentMap::new);
            self.tree.reserve_extents(file, n)?;
        }
        Ok(())
    }

    /// Maps an extent where its file has a hole.
    pub(crate) fn map(&mut self, r: OwnerRecord) -> Result {
        let file = self.files.entry(r.ino).or_insert_with(ExtentMap::new);
        let extent = FileExtent {
            pgoff: r.pgoff,
            block: r.block,
            len: r.len,
            unwritten: r.unwritten,
        };
        self.tree.map(file, r.ino, extent)
    }

    /// Takes one extent, or the part of one, out of these pages of a file; `None` if they are a
    /// hole.
    pub(crate) fn unmap(&mut self, ino: u64, pages: Range<u64>) -> Result<Option<Unmapped>> {
        let file = self.files.entry(ino).or_insert_with(ExtentMap::new);
        self.tree.unmap(file, ino, pages)
    }

    /// Makes pages of a file written, or unwritten.
    pub(crate) fn convert(&mut self, ino: u64, pages: Range<u64>, unwritten: bool) -> Result {
        let file = self.files.entry(ino).or_insert_with(ExtentMap::new);
        self.tree.convert(file, ino, pages, unwritten)
    }

    pub(crate) fn any_unwritten(&self, blocks: Range<u64>) -> bool {
        self.tree.any_unwritten(blocks)
    }

    /// Returns all that the tree says, in its order.
    pub(crate) fn records(&self) -> Vec<OwnerRecord> {
        self.tree.iter().collect()
    }

    /// Returns all that the files say, in the order of inodes and pages.
    pub(crate) fn extents(&self) -> Vec<OwnerRecord> {
        let files = self.files.iter();
        files
            .flat_map(|(ino, file)| file.iter().map(|e| e.owner(*ino)))
            .collect()
    }

    /// Returns the first extent of a file that ends after this page.
    pub(crate) fn next_extent(&self, ino: u64, pgoff: u64) -> Option<OwnerRecord> {
        let extent = self.files.get(&ino)?.next(pgoff)?;
        Some(extent.owner(ino))
    }

    /// Returns how many owners it put into `out`, 0 at the end.
    pub(crate) fn owners(
        &self,
        range: Range<u64>,
        cursor: &mut Cursor,
        out: &mut [OwnerRecord],
    ) -> usize {
        self.tree.owners(range, cursor, out)
    }

    pub(crate) fn sharing(&self, block: u64, max: u64) -> (Sharing, u64) {
        self.tree.sharing(block, max)
    }

    pub(crate) fn next_gap(&self, from: u64, end: u64) -> Option<Range<u64>> {
        self.tree.next_gap(from, end)
    }

    pub(crate) fn check(&self) -> Result {
        for file in self.files.values() {
            file.check()?;
        }
        self.tree.check()
    }
}
