// SPDX-License-Identifier: GPL-2.0

//! The owner tree, used as the module uses it.

use super::{
    Dynamic,
    Peer, //
};
use crate::{
    alloc,
    fold::{
        Fold,
        Rec,
        Run, //
    },
    rmap::{
        Cursor,
        OwnerRecord,
        OwnerTree,
        Sharing, //
    },
    settings, //
};
use std::ops::Range;

/// The tree, and what a query fills.
pub struct Ours {
    tree: OwnerTree,
    batch: Vec<OwnerRecord>,
}

impl Default for Ours {
    fn default() -> Self {
        Ours {
            tree: OwnerTree::new(),
            // The caller's, not the tree's.
            batch: alloc::untracked(|| vec![OwnerRecord::default(); settings::walk_batch()]),
        }
    }
}

fn record(rec: &Rec) -> OwnerRecord {
    OwnerRecord {
        block: rec.block,
        ino: rec.ino,
        pgoff: rec.pgoff,
        len: rec.len,
        unwritten: false,
    }
}

impl Peer for Ours {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());
        let mut cursor = Cursor::new();

        loop {
            let n = self
                .tree
                .owners(range.clone(), &mut cursor, &mut self.batch);
            for rec in &self.batch[..n] {
                fold.hit(rec.block, rec.end(), rec.ino, rec.pgoff);
            }
            if n == 0 {
                return fold.sum();
            }
        }
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        let (sharing, len) = self.tree.sharing(block, max_len);
        let count = match sharing {
            Sharing::Free => 0,
            Sharing::One => 1,
            Sharing::Many => 2,
        };
        (count, len)
    }
}

impl Dynamic for Ours {
    fn insert(&mut self, rec: &Rec) {
        // The module makes room before every change, so it is part of the change.
        self.tree.reserve(1).expect("out of memory");
        self.tree.insert(record(rec)).expect("not inserted");
    }

    fn remove(&mut self, rec: &Rec) -> bool {
        self.tree.remove(record(rec)).is_ok()
    }
}
