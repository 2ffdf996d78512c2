// SPDX-License-Identifier: GPL-2.0

//! Churn: what copy on write does to the records of cloned files.
//!
//! It begins with 64 clones of files of long extents. A write to a block of one clone splits its
//! record: what is left of the block, the block's new place, what is right of it. When there are
//! as many records as wanted, as many changes follow as there are records: more splits, and for
//! each of them a merge (a split is undone) or two deletions.

use crate::{
    fold::Rec,
    rng::Rng, //
};

/// One change of a tree.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    Insert(Rec),
    Remove(Rec),
}

/// A split that may be undone: where its three parts are kept, and what the whole was.
struct Split {
    parts: [(usize, Rec); 3],
    whole: Rec,
}

/// Makes the changes, and knows the records that are there.
pub struct Churn {
    rng: Rng,
    /// Those of length 0 are free.
    slots: Vec<Rec>,
    free: Vec<usize>,
    splits: Vec<Split>,
    /// Where the next block that moves goes.
    fresh: u64,
    target: usize,
}

/// How many clones there are, and how many splits are remembered.
const CLONES: u64 = 64;
const SPLITS: usize = 1 << 18;

impl Churn {
    /// Starts with a quarter of the `n` records that are to be.
    pub fn new(n: usize) -> Self {
        let mut rng = Rng::new(0xc0c0);
        let mut slots = Vec::with_capacity(n + 16);
        let (mut block, mut pgoff) = (1, 0);
        let extents = (n as u64 / 4 / CLONES).max(1);

        for i in 0..extents {
            let len = rng.within(512, 4096);
            if i % 16 == 0 {
                pgoff = 0;
            }
            for clone in 0..CLONES {
                slots.push(Rec {
                    block,
                    len,
                    ino: 1 + i / 16 * CLONES + clone,
                    pgoff,
                });
            }
            block += len;
            pgoff += len + 1;
        }
        rng.shuffle(&mut slots);
        Churn {
            rng,
            slots,
            free: Vec::with_capacity(n + 16),
            splits: Vec::with_capacity(SPLITS),
            fresh: block + 1,
            target: n,
        }
    }

    /// Returns how many records there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Returns the records that are there.
    pub fn records(&self) -> Vec<Rec> {
        self.slots.iter().copied().filter(|r| r.len > 0).collect()
    }

    /// Returns whether there are as many records as wanted.
    pub fn grown(&self) -> bool {
        self.len() >= self.target
    }

    /// Fills `out` with the next changes, some `n` of them.
    pub fn next(&mut self, n: usize, out: &mut Vec<Change>) {
        out.clear();
        while out.len() < n {
            if !self.grown() {
                self.split(out);
            } else if self.rng.below(2) == 0 {
                self.delete(out);
                self.delete(out);
            } else {
                self.merge(out);
            }
        }
    }

    /// Returns a slot that is in use.
    fn pick(&mut self) -> usize {
        loop {
            let slot = self.rng.index(self.slots.len());
            if self.slots[slot].len > 0 {
                return slot;
            }
        }
    }

    fn add(&mut self, rec: Rec, out: &mut Vec<Change>) -> usize {
        if rec.len == 0 {
            return usize::MAX;
        }
        out.push(Change::Insert(rec));
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = rec;
                slot
            }
            None => {
                self.slots.push(rec);
                self.slots.len() - 1
            }
        }
    }

    fn remove(&mut self, slot: usize, out: &mut Vec<Change>) {
        out.push(Change::Remove(self.slots[slot]));
        self.slots[slot].len = 0;
        self.free.push(slot);
    }

    /// Writes to one block of a record, which therefore moves elsewhere.
    fn split(&mut self, out: &mut Vec<Change>) {
        let slot = self.pick();
        let whole = self.slots[slot];
        let at = self.rng.below(whole.len);
        let left = Rec { len: at, ..whole };
        let moved = Rec {
            block: self.fresh,
            len: 1,
            pgoff: whole.pgoff + at,
            ..whole
        };
        let right = Rec {
            block: whole.block + at + 1,
            len: whole.len - at - 1,
            pgoff: whole.pgoff + at + 1,
            ..whole
        };

        // The next page of the file must not continue this one.
        self.fresh += 2;
        self.remove(slot, out);
        let parts = [left, moved, right].map(|rec| (self.add(rec, out), rec));
        if parts.iter().all(|(_, rec)| rec.len > 0) {
            let split = Split { parts, whole };
            if self.splits.len() < SPLITS {
                self.splits.push(split);
            } else {
                let old = self.rng.index(SPLITS);
                self.splits[old] = split;
            }
        }
    }

    /// Undoes a split whose parts are all still there; deletes two records if there is none.
    fn merge(&mut self, out: &mut Vec<Change>) {
        while !self.splits.is_empty() {
            let index = self.rng.index(self.splits.len());
            let split = self.splits.swap_remove(index);
            if split.parts.iter().all(|&(i, rec)| self.slots[i] == rec) {
                for (slot, _) in split.parts {
                    self.remove(slot, out);
                }
                self.add(split.whole, out);
                return;
            }
        }
        self.delete(out);
        self.delete(out);
    }

    fn delete(&mut self, out: &mut Vec<Change>) {
        let slot = self.pick();
        self.remove(slot, out);
    }
}
