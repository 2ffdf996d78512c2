// SPDX-License-Identifier: GPL-2.0

//! How a transaction changes the state: reserve, then apply.
//!
//! The caller holds the state lock exclusively, from reserve to apply without a break.

use super::{
    op::Slots,
    space::bad_unowned_in,
    symlink::check_target,
    DirEntry,
    Directory,
    FileType,
    Inode,
    InodeKind,
    Op,
    State,
    Transaction,
    Xattrs,
    ROOT_INO, //
};
use crate::{
    errno::euclean,
    rmap::{
        Extent,
        ExtentMap,
        Unmapped,
        MAX_INO,
        MAX_PAGES, //
    },
};
use kernel::{
    prelude::*,
    rbtree::RBTreeNodeReservation, //
};

/// So many ranges can become bad without an allocation, after each reserve.
pub(super) const SPARE_BAD: usize = 64;

/// The inodes of some of a transaction's operations, once for each of those; in order. A log may have
/// one record of many operations on many inodes: what is reserved is not for all of both.
struct Inodes(KVVec<u64>);

impl Inodes {
    /// Those that `which` returns.
    fn of(tx: &Transaction, which: impl Fn(&Op) -> Option<u64>) -> Result<Self> {
        let mut inos = KVVec::new();
        for ino in tx.ops().iter().filter_map(which) {
            inos.push(ino, GFP_KERNEL)?;
        }
        inos.sort_unstable();
        Ok(Inodes(inos))
    }

    /// How many of the operations are on this inode.
    fn count(&self, ino: u64) -> usize {
        let before = self.0.partition_point(|&other| other < ino);
        let all = self.0.partition_point(|&other| other <= ino);
        all.saturating_sub(before)
    }

    /// Each inode, and how many of the operations are on it.
    fn each(&self) -> impl Iterator<Item = (u64, usize)> + '_ {
        let runs = self.0.chunk_by(|a, b| a == b);
        runs.filter_map(|run| Some((*run.first()?, run.len())))
    }
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
        // Each change of a mapping adds at most one extent, one owner record and one range in
        // flight: a new one, or the second part of one that is split.
        let is_map = |op: &&Op| matches!(op, Op::Map { .. } | Op::Unmap { .. });
        let in_flight = tx.ops().iter().filter(is_map).count();
        // A shift changes each extent that it moves, and may split one.
        let shifted = tx.ops().iter().fold(0usize, |sum, op| match op {
            Op::Shift { ino, from, .. } => {
                sum.saturating_add(self.shifted(*ino, *from).saturating_add(1))
            }
            _ => sum,
        });
        let maps = in_flight.saturating_add(shifted);
        let mapped = Inodes::of(tx, |op| match op {
            Op::Map { ino, .. } | Op::Unmap { ino, .. } | Op::Shift { ino, .. } => Some(*ino),
            _ => None,
        })?;
        // So does each change of the bad set to that.
        let bad = tx
            .ops()
            .iter()
            .filter(|op| matches!(op, Op::MarkBad { .. } | Op::UnmarkBad { .. }))
            .count();

        let xattrs = Inodes::of(tx, |op| match op {
            Op::SetXattr { ino, .. } => Some(*ino),
            _ => None,
        })?;

        tx.reserved = None;
        self.owners.reserve(maps)?;
        for (ino, ops) in mapped.each() {
            let inode = self.inodes.get_mut(&ino).map(|inode| &mut inode.kind);
            if let Some(InodeKind::File(map)) = inode {
                self.owners
                    .reserve_extents(map, ops.saturating_add(shifted))?;
            }
        }
        let mut slots = Slots::default();
        for op in tx.ops() {
            match op {
                Op::NewInode { ino, attr, .. } => {
                    let mut map = ExtentMap::new();
                    if attr.file_type() == Some(FileType::Regular) {
                        let ops = mapped.count(*ino).saturating_add(shifted);
                        self.owners.reserve_extents(&mut map, ops)?;
                    }
                    let mut own = Xattrs::new();
                    own.reserve(xattrs.count(*ino))?;
                    let node = RBTreeNodeReservation::new(GFP_KERNEL)?;
                    slots.inodes.push((node, map, own), GFP_KERNEL)?;
                }
                Op::SetXattr { ino, .. } => {
                    if let Some(inode) = self.inodes.get_mut(ino) {
                        inode.xattrs.reserve(xattrs.count(*ino))?;
                    }
                }
                Op::Link { .. } => {
                    let node = RBTreeNodeReservation::new(GFP_KERNEL)?;
                    slots.entries.push(node, GFP_KERNEL)?;
                }
                _ => {}
            }
        }
        self.in_flight.reserve(in_flight)?;
        self.bad.reserve(SPARE_BAD.saturating_add(bad))?;

        // Taken from the end; `apply` needs them in the order of the operations.
        slots.inodes.reverse();
        tx.slots = slots;
        tx.reserved = Some(self.version);
        Ok(())
    }

    /// Applies the operations of a transaction in order.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if memory is not reserved, or may have been used by others since; `EIO` if the
    /// state is corrupt. Nothing has changed then.
    ///
    /// `EUCLEAN` if an operation is inconsistent with the state: something that it refers to is not
    /// there or not of that kind, or what it adds is there already or out of range. That comes of a
    /// damaged log or a bug. The operations before it are applied then, and the state is corrupt.
    pub(crate) fn apply(&mut self, tx: Transaction) -> Result {
        if self.corrupt {
            return Err(EIO);
        }
        if tx.reserved != Some(self.version) {
            return Err(EAGAIN);
        }
        self.version = self.version.wrapping_add(1);

        let (ops, mut slots) = tx.into_parts();
        for op in ops {
            if self.apply_op(op, &mut slots).is_err() {
                self.corrupt = true;
                return Err(euclean());
            }
        }
        Ok(())
    }

    /// Reserves memory for a transaction and applies it.
    ///
    /// # Errors
    ///
    /// Those of [`reserve`](Self::reserve) and [`apply`](Self::apply).
    pub(crate) fn commit(&mut self, mut tx: Transaction) -> Result {
        self.reserve(&mut tx)?;
        self.apply(tx)
    }

    /// Applies one operation: the one place where the state changes.
    pub(super) fn apply_op(&mut self, op: Op, slots: &mut Slots) -> Result {
        match op {
            Op::NewInode { ino, attr, parent } => {
                let (node, map, xattrs) = slots.inodes.pop().ok_or_else(euclean)?;
                if ino == 0 || ino >= MAX_INO || self.inode(ino).is_some() {
                    return Err(euclean());
                }
                let kind = match attr.file_type().ok_or_else(euclean)? {
                    FileType::Regular => InodeKind::File(map),
                    FileType::Dir => InodeKind::Dir(Directory::new(parent, self.secret)),
                    FileType::Symlink => InodeKind::Symlink(KVec::new()),
                    FileType::Special => InodeKind::Special,
                };
                self.next_ino = self.next_ino.max(ino.checked_add(1).ok_or_else(euclean)?);
                let inode = Inode { attr, kind, xattrs };
                self.inodes.insert(node.into_node(ino, inode));
                self.inode_count = self.inode_count.saturating_add(1);
            }
            Op::FreeInode { ino } => {
                let inode = self.get(ino)?;
                let empty = match &inode.kind {
                    InodeKind::File(map) => map.is_empty(),
                    InodeKind::Dir(dir) => dir.is_empty(),
                    InodeKind::Symlink(_) | InodeKind::Special => true,
                };
                if ino == ROOT_INO || inode.attr.nlink != 0 || !empty {
                    return Err(euclean());
                }
                self.inodes.remove_node(&ino).ok_or_else(euclean)?;
                self.windows.forget(ino);
                self.inode_count = self.inode_count.saturating_sub(1);
            }
            Op::SetAttr { ino, attr } => {
                let inode = self.get_mut(ino)?;
                if attr.dtype() != inode.attr.dtype() || attr.file_type().is_none() {
                    return Err(euclean());
                }
                inode.attr = attr;
            }
            Op::Link { dir, name, ino } => {
                let node = slots.entries.pop().ok_or_else(euclean)?;
                let dtype = self.get(ino)?.attr.dtype();
                self.dir_mut(dir)?
                    .insert(node, DirEntry { name, ino, dtype })?;
            }
            Op::Unlink { dir, name } => self.dir_mut(dir)?.remove(&name)?,
            Op::SetParent { ino, parent } => {
                self.get(parent)?.as_dir()?;
                self.dir_mut(ino)?.set_parent(parent);
            }
            Op::Map {
                ino,
                pgoff,
                block,
                len,
            } => self.map_extent(ino, Extent { pgoff, block, len })?,
            Op::Unmap { ino, pgoff, len } => self.unmap_pages(ino, pgoff, len)?,
            Op::Shift { ino, from, to } => self.shift_pages(ino, from, to)?,
            Op::MarkBad { block, len } => {
                let end = block.checked_add(len).ok_or_else(euclean)?;
                if end > self.blocks || len == 0 {
                    return Err(euclean());
                }
                let before = self.bad_unowned_in(block..end);
                self.bad.insert(block..end)?;
                let after = self.bad_unowned_in(block..end);
                self.count_bad_unowned(before, after);
            }
            Op::SetTarget { ino, target } => {
                check_target(&target).map_err(|_| euclean())?;
                match &mut self.get_mut(ino)?.kind {
                    InodeKind::Symlink(none) if none.is_empty() => *none = target,
                    _ => return Err(euclean()),
                }
            }
            Op::SetXattr { ino, name, value } => self.get_mut(ino)?.xattrs.set(name, value)?,
            Op::RemoveXattr { ino, name } => self.get_mut(ino)?.xattrs.remove(&name)?,
            Op::NextIno { ino } => {
                if ino > MAX_INO {
                    return Err(euclean());
                }
                self.next_ino = self.next_ino.max(ino);
            }
            Op::UnmarkBad { block, len } => {
                let end = block.checked_add(len).ok_or_else(euclean)?;
                if end > self.blocks || len == 0 || self.bad_unowned_in(block..end) != len {
                    return Err(euclean());
                }
                self.bad.remove(block..end)?;
                self.count_bad_unowned(len, 0);
                self.is_freed(block);
            }
        }
        Ok(())
    }

    fn map_extent(&mut self, ino: u64, extent: Extent) -> Result {
        let owner = extent.owner(ino);
        owner.validate()?;
        let blocks = owner.block..owner.end();
        if blocks.end > self.blocks {
            return Err(euclean());
        }
        let bad_unowned = self.bad_unowned_in(blocks.clone());
        let newly_owned = self.owners.ownerless(blocks.clone());

        let State { inodes, owners, .. } = self;
        let Some(InodeKind::File(map)) = inodes.get_mut(&ino).map(|inode| &mut inode.kind) else {
            return Err(euclean());
        };
        owners.map(map, ino, extent)?;
        self.in_flight.remove(blocks)?;
        self.owned = self.owned.saturating_add(newly_owned);
        // Now all of them have an owner.
        self.count_bad_unowned(bad_unowned, 0);
        Ok(())
    }

    fn unmap_pages(&mut self, ino: u64, pgoff: u64, len: u64) -> Result {
        let pages = pgoff..pgoff.saturating_add(len).min(MAX_PAGES);
        if pages.is_empty() {
            return Err(euclean());
        }
        let State {
            inodes,
            owners,
            bad,
            in_flight,
            owned,
            bad_unowned,
            first_free,
            ..
        } = self;
        let Some(InodeKind::File(map)) = inodes.get_mut(&ino).map(|inode| &mut inode.kind) else {
            return Err(euclean());
        };

        while let Some(Unmapped { owner, ownerless }) = owners.unmap(map, ino, pages.clone())? {
            *owned = owned.saturating_sub(ownerless);
            if ownerless != 0 {
                *first_free = (*first_free).min(owner.block);
                // Those that are without an owner now had one, so none of them is counted yet.
                // Nor can they be in flight.
                let bad = bad_unowned_in(bad, owners, in_flight, owner.block..owner.end());
                *bad_unowned = bad_unowned.saturating_add(bad);
            }
        }
        Ok(())
    }

    fn get_mut(&mut self, ino: u64) -> Result<&mut Inode> {
        self.inodes.get_mut(&ino).ok_or(ENOENT)
    }

    fn dir_mut(&mut self, ino: u64) -> Result<&mut Directory> {
        match &mut self.get_mut(ino)?.kind {
            InodeKind::Dir(dir) => Ok(dir),
            _ => Err(ENOTDIR),
        }
    }
}
