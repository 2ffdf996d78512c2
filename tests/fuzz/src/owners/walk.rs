// SPDX-License-Identifier: GPL-2.0

//! A walk over the owners of a range, between whose steps the tree changes.

use super::{
    list::{
        self,
        Lines, //
    },
    model::Model,
    subject::Subject, //
};
use crate::rmap::{
    Cursor,
    OwnerRecord, //
};
use std::ops::Range;

pub(crate) struct Walk {
    range: Range<u64>,
    cursor: Cursor,
    visited: Vec<OwnerRecord>,
    /// The owners that were there all the time.
    always: Vec<OwnerRecord>,
}

impl Walk {
    pub(crate) fn new(range: Range<u64>, model: &Model) -> Self {
        Walk {
            always: model.in_blocks(&range).iter().map(owner).collect(),
            range,
            cursor: Cursor::new(),
            visited: Vec::new(),
        }
    }

    /// Tells the walk what is no owner any more.
    pub(crate) fn forget(&mut self, gone: &OwnerRecord) {
        list::cut(&mut self.always, gone.ino, &list::pages(gone));
    }

    /// Visits some more owners.
    pub(crate) fn step(&mut self, batch: usize, tree: &Subject, model: &Model) {
        let owners = Lines::of(&model.in_blocks(&self.range));
        self.visit(batch, tree, &owners);
    }

    /// Walks to the end. No owner may have been missed, or visited twice.
    pub(crate) fn finish(mut self, batch: usize, tree: &Subject, model: &Model) {
        let owners = Lines::of(&model.in_blocks(&self.range));
        while self.visit(batch, tree, &owners) {}

        let visited = Lines::of(&self.visited);
        for r in &self.always {
            assert!(visited.has(r), "missed: {r:?}");
        }
    }

    /// Returns whether there may be more.
    fn visit(&mut self, batch: usize, tree: &Subject, owners: &Lines) -> bool {
        let mut out = vec![OwnerRecord::default(); batch];
        let n = tree.owners(self.range.clone(), &mut self.cursor, &mut out);

        for r in &out[..n] {
            assert!(r.len != 0 && owners.has(r), "not an owner: {r:?}");
        }
        self.visited.extend(out[..n].iter().map(owner));
        n != 0
    }
}

/// An owner is the same one when its block is written.
fn owner(r: &OwnerRecord) -> OwnerRecord {
    OwnerRecord {
        unwritten: false,
        ..*r
    }
}
