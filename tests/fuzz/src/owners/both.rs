// SPDX-License-Identifier: GPL-2.0

//! The owner tree and the model side by side: each change on both, with the same result.

use super::{
    list::{
        self,
        Lines, //
    },
    model::{
        Model,
        Runs, //
    },
    op::INOS,
    subject::Subject,
    walk::Walk, //
};
use crate::{
    errno::euclean,
    rmap::{
        OwnerRecord,
        Sharing,
        Unmapped,
        MAX_BLOCKS,
        MAX_PAGES, //
    }, //
};
use kernel::{
    alloc::budget,
    error::Result,
    prelude::ENOMEM, //
};
use std::ops::Range;

/// Not more extents than these: the model takes its time. They make a tree of three levels.
const MAX_EXTENTS: usize = 3000;

pub(super) struct Both {
    pub(super) tree: Subject,
    pub(super) model: Model,
    pub(super) walk: Option<Walk>,
    /// So many changes of these files can be made without another reserve.
    reserved: usize,
    reserved_for: Vec<u64>,
    /// Changes are made without a reserve, so they may fail for memory.
    pub(super) starved: bool,
}

impl Both {
    pub(super) fn new() -> Self {
        Both {
            tree: Subject::new(),
            model: Model::default(),
            walk: None,
            reserved: 0,
            reserved_for: Vec::new(),
            starved: false,
        }
    }

    /// Makes one change of a file, for which no memory is left but what was reserved.
    fn change<T>(&mut self, ino: u64, change: impl FnOnce(&mut Subject) -> Result<T>) -> Result<T> {
        let mut promised = self.reserved > 0 && self.reserved_for.contains(&ino);
        if !promised && !self.starved {
            self.tree.reserve(1, &[ino]).unwrap();
            self.reserved = 1;
            self.reserved_for = vec![ino];
            promised = true;
        }
        budget::set(Some(0));
        let result = change(&mut self.tree);
        budget::set(None);

        if result.as_ref().err() == Some(&ENOMEM) {
            assert!(!promised, "no memory in spite of a reserve");
            self.same();
        }
        self.reserved = self.reserved.saturating_sub(1);
        result
    }

    /// Returns whether the extent is there now.
    pub(super) fn map(&mut self, r: OwnerRecord) -> bool {
        if self.model.len() >= MAX_EXTENTS {
            return false;
        }
        let admitted = self.model.admits(&r);
        if admitted {
            // Nobody shares what is unwritten.
            let blocks = r.block..r.block + r.len;
            let unwritten = self.model.any_unwritten(&blocks);
            assert_eq!(self.tree.any_unwritten(blocks), unwritten, "{r:?}");
            if unwritten || r.unwritten && !self.is_free(&r) {
                return false;
            }
        }
        match self.change(r.ino, |tree| tree.map(r)) {
            Ok(()) => {
                assert!(admitted, "{r:?}");
                self.model.map(r);
                true
            }
            Err(ENOMEM) => false,
            Err(error) => {
                assert_eq!((error, admitted), (euclean(), false), "{r:?}");
                false
            }
        }
    }

    fn is_free(&self, r: &OwnerRecord) -> bool {
        self.model.ownerless(&(r.block..r.block + r.len)) == r.len
    }

    /// Makes those of these pages that are not a hole unwritten, if none of them is shared, or written. For
    /// that, memory is reserved for two changes.
    pub(super) fn convert(&mut self, ino: u64, pages: Range<u64>, unwritten: bool) {
        let pages = pages.start..pages.end.min(MAX_PAGES);
        let parts = self.model.in_pages(ino, &pages);
        if self.model.len() + 2 * parts.len() >= MAX_EXTENTS {
            return;
        }
        let runs = self.model.runs();
        let alone = |r: &OwnerRecord| runs.sharing(r.block, r.len) == (Sharing::One, r.len);
        if unwritten && !parts.iter().all(alone) {
            return;
        }
        self.tree.reserve(2, &[ino]).unwrap();
        self.reserved = 0;
        budget::set(Some(0));
        self.tree.convert(ino, pages.clone(), unwritten).unwrap();
        budget::set(None);
        for r in self.model.unmap(ino, &pages) {
            self.model.map(OwnerRecord { unwritten, ..r });
        }
    }

    /// Returns whether these pages are a hole now.
    pub(super) fn unmap(&mut self, ino: u64, pages: Range<u64>) -> bool {
        let pages = pages.start..pages.end.min(MAX_PAGES);
        if pages.is_empty() {
            return false;
        }
        loop {
            match self.change(ino, |tree| tree.unmap(ino, pages.clone())) {
                Ok(Some(Unmapped {
                    owner: gone,
                    ownerless,
                })) => {
                    assert_eq!((gone.ino, list::part(&gone, &pages)), (ino, Some(gone)));
                    let taken = self.model.unmap(ino, &list::pages(&gone));
                    assert_eq!(Lines::of(&taken).into_vec(), [gone]);
                    // This looks at everything.
                    if self.model.len() < 200 || self.model.len() % 16 == 0 {
                        let blocks = gone.block..gone.block + gone.len;
                        assert_eq!(ownerless, self.model.ownerless(&blocks), "{gone:?}");
                    }
                    if let Some(walk) = &mut self.walk {
                        walk.forget(&gone);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error, ENOMEM);
                    return false;
                }
            }
        }
        assert_eq!(self.model.in_pages(ino, &pages), [], "not all is gone");
        true
    }

    pub(super) fn reserve(&mut self, n: usize, allocations: Option<u64>) {
        budget::set(allocations);
        let result = self.tree.reserve(n, &INOS);
        budget::set(None);

        self.reserved = 0;
        match result {
            Ok(()) => {
                self.reserved = n;
                self.reserved_for = INOS.to_vec();
            }
            Err(error) => {
                assert_eq!(error, ENOMEM);
                self.same();
            }
        }
    }

    pub(super) fn finish_walk(&mut self) {
        if let Some(walk) = self.walk.take() {
            walk.finish(16, &self.tree, &self.model);
        }
    }

    /// Compares what is in the tree and in the files, and checks both.
    fn same(&self) {
        let mut expected = Lines::of(&self.model.extents()).into_vec();
        expected.sort();
        assert_eq!(self.tree.records(), expected);
        expected.sort_by_key(|r| (r.ino, r.pgoff));
        assert_eq!(self.tree.extents(), expected);
        budget::set(Some(0));
        self.tree.check().unwrap();
        budget::set(None);
    }

    /// Compares everything, and asks everything where something begins or ends.
    pub(super) fn compare(&self) {
        self.same();
        for r in self.tree.extents() {
            for pgoff in [r.pgoff, r.pgoff + r.len - 1] {
                assert_eq!(self.tree.next_extent(r.ino, pgoff), Some(r));
            }
        }

        let runs = self.model.runs();
        // Not all, if there are many; walks take the most time.
        let every = runs.0.len() / 32 + 1;
        for (i, (range, _)) in runs.0.iter().step_by(every).enumerate() {
            for block in [range.start.saturating_sub(1), range.start, range.start + 1] {
                for max in [1, 3, 1000, MAX_BLOCKS] {
                    self.compare_at(block, max, &runs);
                }
            }
            if i % 8 == 1 {
                let around = range.start.saturating_sub(3)..range.start + 700;
                Walk::new(around, &self.model).finish(5, &self.tree, &self.model);
            }
        }
    }

    /// Compares what is at a block, if there can be one.
    pub(super) fn compare_at(&self, block: u64, max: u64, runs: &Runs) {
        if block >= MAX_BLOCKS {
            return;
        }
        let sharing = self.tree.sharing(block, max);
        assert_eq!(sharing, runs.sharing(block, max), "{block:x}, {max:x}");
        let end = (block + max).min(MAX_BLOCKS);
        let gap = self.tree.next_gap(block, end);
        assert_eq!(gap, runs.next_gap(block, end), "{block:x}..{end:x}");
    }
}
