// SPDX-License-Identifier: GPL-2.0

//! Reserves the memory that a transaction needs, so that applying it cannot fail.
//!
//! What is reserved is counted from the operations, and may be more than they turn out to need, never
//! less. Nothing that can be seen changes here.
//!
//! # Locking
//!
//! The caller holds the commit lock, from reserve to apply without a break, and the state lock exclusively. Memory
//! is waited for.

use super::{
    inode::InodeKind,
    op::Op,
    parts::{
        attr::FileType,
        xattr_set::XattrSet, //
    },
    transaction::{
        Slots,
        Transaction, //
    },
    State,
    SPARE_BAD, //
};
use crate::rmap::ExtentMap;
use core::mem;
use kernel::{
    prelude::*,
    rbtree::RBTreeNodeReservation, //
};

/// So many operations are gone through again for each of them rather than sorted.
const FEW: usize = 8;

/// The inodes of some of a transaction's operations: those that `which` returns. A log may have one record of many
/// operations on many inodes: what is reserved is not for all of both.
struct Inodes<'a, F> {
    ops: &'a [Op],
    which: F,
    /// Once for each operation, in order, if these are many.
    sorted: Option<KVVec<u64>>,
}

impl<'a, F: Fn(&Op) -> Option<u64>> Inodes<'a, F> {
    fn of(ops: &'a [Op], which: F) -> Result<Self> {
        let mut sorted = None;
        if ops.len() > FEW {
            let mut inos = KVVec::new();
            for ino in ops.iter().filter_map(&which) {
                inos.push(ino, GFP_KERNEL)?;
            }
            sort(&mut inos);
            sorted = Some(inos);
        }
        Ok(Inodes { ops, which, sorted })
    }

    /// How many of the operations are on this inode.
    fn count(&self, ino: u64) -> usize {
        let Some(sorted) = &self.sorted else {
            return count_of(ino, self.ops.iter().filter_map(&self.which));
        };
        let before = sorted.partition_point(|&other| other < ino);
        let all = sorted.partition_point(|&other| other <= ino);
        all.saturating_sub(before)
    }

    /// Calls `f` with each inode, and how many of the operations are on it.
    fn each(&self, mut f: impl FnMut(u64, usize) -> Result) -> Result {
        if let Some(sorted) = &self.sorted {
            let mut runs = sorted.chunk_by(|a, b| a == b);
            return runs.try_for_each(|run| run.first().map_or(Ok(()), |ino| f(*ino, run.len())));
        }
        let inos = || self.ops.iter().filter_map(&self.which);
        for (at, ino) in inos().enumerate() {
            if count_of(ino, inos().take(at)) == 0 {
                f(ino, self.count(ino))?;
            }
        }
        Ok(())
    }
}

fn count_of(ino: u64, inos: impl Iterator<Item = u64>) -> usize {
    inos.filter(|other| *other == ino).count()
}

impl State {
    /// Allocates everything that [`apply`](Self::apply) will need for this transaction. May sleep.
    /// Checks nothing else.
    ///
    /// # Errors
    ///
    /// `EIO` if the state is corrupt, `ENOMEM`. Nothing has changed then.
    pub(crate) fn reserve(&mut self, tx: &mut Transaction) -> Result {
        if self.corrupt {
            return Err(EIO);
        }
        tx.reserved = None;
        tx.slots = if tx.ops().iter().any(Op::takes_memory) {
            self.slots_for(tx.ops())?
        } else {
            Slots::default()
        };
        self.bad.reserve(SPARE_BAD)?;
        tx.reserved = Some(self.version);
        Ok(())
    }

    /// Allocates what these need in the state, and returns what they need beside it.
    fn slots_for(&mut self, ops: &[Op]) -> Result<Slots> {
        // Each change of a mapping adds at most one extent, one owner record and one range in
        // flight: a new one, or the second part of one that is split.
        let is_map = |op: &&Op| matches!(op, Op::Map { .. } | Op::Unmap { .. });
        let in_flight = ops.iter().filter(is_map).count();
        // A shift changes each extent that it moves, and may split one.
        let shifted = ops.iter().fold(0usize, |sum, op| match op {
            Op::Shift { ino, from, .. } => {
                sum.saturating_add(self.shifted(*ino, *from).saturating_add(1))
            }
            _ => sum,
        });
        // A conversion may split the extents at both of its ends.
        let is_convert = |op: &Op| match op {
            Op::Convert { ino, .. } => Some(*ino),
            _ => None,
        };
        let conversions = ops.iter().filter_map(is_convert).count();
        let converted = Inodes::of(ops, is_convert)?;
        let maps = in_flight
            .saturating_add(shifted)
            .saturating_add(conversions.saturating_mul(2));
        let mapped = Inodes::of(ops, |op: &Op| match op {
            Op::Map { ino, .. }
            | Op::Unmap { ino, .. }
            | Op::Shift { ino, .. }
            | Op::Convert { ino, .. } => Some(*ino),
            _ => None,
        })?;
        // So does each change of the bad set to that.
        let bad = ops
            .iter()
            .filter(|op| matches!(op, Op::MarkBad { .. } | Op::UnmarkBad { .. }))
            .count();

        let xattrs = Inodes::of(ops, |op: &Op| match op {
            Op::SetXattr { ino, .. } => Some(*ino),
            _ => None,
        })?;

        let ownerless = self.ownerless_runs(ops)?;

        if maps != 0 {
            self.owners.reserve(maps)?;
        }
        // One change each: those that get an owner, lose it, or are good again.
        let runs = in_flight.saturating_add(bad).saturating_add(ownerless);
        if runs != 0 {
            self.space.reserve(runs, &self.bad)?;
        }
        let extents = |ino, ops: usize| {
            let converted = converted.count(ino);
            ops.saturating_add(shifted).saturating_add(converted)
        };
        mapped.each(|ino, ops| {
            let inode = self.inodes.get_mut(&ino).map(|inode| &mut inode.kind);
            match inode {
                Some(InodeKind::File(map)) => self.owners.reserve_extents(map, extents(ino, ops)),
                _ => Ok(()),
            }
        })?;
        let mut slots = Slots::default();
        for op in ops {
            match op {
                Op::NewInode { ino, attr, .. } => {
                    let mut map = ExtentMap::new();
                    let own = mapped.count(*ino);
                    if own != 0 && attr.file_type() == Some(FileType::Regular) {
                        let ops = extents(*ino, own);
                        self.owners.reserve_extents(&mut map, ops)?;
                    }
                    let mut own = XattrSet::new();
                    own.reserve(xattrs.count(*ino))?;
                    let node = RBTreeNodeReservation::new(GFP_KERNEL)?;
                    slots.inodes.push((node, map, own))?;
                }
                Op::SetXattr { ino, .. } => {
                    if let Some(inode) = self.inodes.get_mut(ino) {
                        inode.xattrs.reserve(xattrs.count(*ino))?;
                    }
                }
                Op::Link { .. } => {
                    let node = RBTreeNodeReservation::new(GFP_KERNEL)?;
                    slots.entries.push(node)?;
                }
                _ => {}
            }
        }
        self.in_flight.reserve(in_flight)?;
        self.bad.reserve(SPARE_BAD.saturating_add(bad))?;

        // Taken from the end; `apply` needs them in the order of the operations.
        slots.inodes.as_mut_slice().reverse();
        Ok(slots)
    }

    /// Returns how many runs of blocks lose their last owner, at most: most extents are one.
    fn ownerless_runs(&self, ops: &[Op]) -> Result<usize> {
        if !ops.iter().any(|op| matches!(op, Op::Unmap { .. })) {
            return Ok(0);
        }
        let mut extents = KVVec::new();
        for op in ops {
            let Op::Unmap { ino, pgoff, len } = op else {
                continue;
            };
            // Without such a file there is nothing to free: applying it fails.
            let Ok(map) = self.get(*ino).and_then(|inode| inode.as_file()) else {
                continue;
            };
            for extent in map.in_range(*pgoff..pgoff.saturating_add(*len)) {
                extents.push((extent.block, extent.block_end()), GFP_KERNEL)?;
            }
        }
        sort(&mut extents);
        // One after the other, a file that has blocks twice may give up both.
        let mut end = 0;
        let twice = extents.iter().any(|&(block, block_end)| {
            let overlaps = block < end;
            end = end.max(block_end);
            overlaps
        });
        Ok(extents.iter().fold(0, |runs: usize, &(block, end)| {
            runs.saturating_add(match end.saturating_sub(block) {
                ..=1 => 1,
                _ if twice => self.owners.most_runs(block..end),
                _ => self.owners.unshared_runs(block..end),
            })
        }))
    }
}

/// Sorts in place, on no more stack than this. The standard library's way recurses with some KiB each time,
/// which a mount does not have.
fn sort<T: Copy + Ord>(items: &mut [T]) {
    for from in (0..items.len() / 2).rev() {
        sift(items, from);
    }
    for end in (1..items.len()).rev() {
        let Some([first, .., last]) = items.get_mut(..=end) else {
            continue;
        };
        mem::swap(first, last);
        sift(items.get_mut(..end).unwrap_or_default(), 0);
    }
}

/// Makes a heap of one whose item at `at` may be too small.
fn sift<T: Copy + Ord>(heap: &mut [T], at: usize) {
    let mut at = at;
    loop {
        let left = at.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let child = if heap.get(right) > heap.get(left) {
            right
        } else {
            left
        };
        let (Some(&here), Some(&below)) = (heap.get(at), heap.get(child)) else {
            return;
        };
        if here >= below {
            return;
        }
        if let Some(slot) = heap.get_mut(at) {
            *slot = below;
        }
        if let Some(slot) = heap.get_mut(child) {
            *slot = here;
        }
        at = child;
    }
}
