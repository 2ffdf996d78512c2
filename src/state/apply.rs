// SPDX-License-Identifier: GPL-2.0

//! Applies a transaction: the one place where the state changes.
//!
//! All that an operation refers to is checked first. What does not fit means that the log is damaged, or
//! a bug: the state is corrupt from then on, and nothing changes it any more. Nothing is allocated here:
//! [`State::reserve`] has done that.
//!
//! # Locking
//!
//! The caller holds the commit lock, from reserve to apply without a break, and the state lock exclusively.

use super::{
    inode::{
        InodeKind,
        StoredInode,
        ROOT_INO, //
    },
    op::Op,
    parts::{
        attr::FileType,
        directory::{
            DirEntry,
            Directory, //
        },
        name::check_target,
    },
    space::blocks::bad_unowned_in,
    transaction::{
        Slots,
        Transaction, //
    },
    State, //
};
use crate::{
    errno::euclean,
    rmap::{
        FileExtent,
        Unmapped,
        MAX_INO,
        MAX_PAGES, //
    },
};
use kernel::prelude::*;

impl State {
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
                let inode = StoredInode { attr, kind, xattrs };
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
                let _ = self.dead.remove_node(&ino);
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
                unwritten,
            } => {
                let extent = FileExtent {
                    pgoff,
                    block,
                    len,
                    unwritten,
                };
                self.map_extent(ino, extent)?;
            }
            Op::Unmap { ino, pgoff, len } => self.unmap_pages(ino, pgoff, len)?,
            Op::Shift { ino, from, to } => self.shift_pages(ino, from, to)?,
            Op::MarkBad { block, len } => {
                let end = block.checked_add(len).ok_or_else(euclean)?;
                if end > self.blocks || len == 0 {
                    return Err(euclean());
                }
                let before = self.bad_unowned_in(block..end);
                self.bad.insert(block..end)?;
                self.space.went_bad(block..end);
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
                self.space.let_in(block..end, &self.bad)?;
            }
            Op::Convert {
                ino,
                pgoff,
                len,
                written,
            } => self.convert_pages(ino, pgoff, len, written)?,
        }
        Ok(())
    }

    fn map_extent(&mut self, ino: u64, extent: FileExtent) -> Result {
        let owner = extent.owner(ino);
        owner.validate()?;
        let blocks = owner.block..owner.end();
        if blocks.end > self.blocks {
            return Err(euclean());
        }
        let bad_unowned = self.bad_unowned_in(blocks.clone());
        let newly_owned = self.owners.ownerless(blocks.clone());
        // An unwritten block has exactly one owner.
        if newly_owned != extent.len
            && (extent.unwritten || self.owners.any_unwritten(blocks.clone()))
        {
            return Err(euclean());
        }

        let State { inodes, owners, .. } = self;
        let Some(InodeKind::File(map)) = inodes.get_mut(&ino).map(|inode| &mut inode.kind) else {
            return Err(euclean());
        };
        owners.map(map, ino, extent)?;
        self.in_flight.remove(blocks.clone())?;
        self.space.owned(blocks, newly_owned, &self.bad)?;
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
            space,
            ..
        } = self;
        let Some(InodeKind::File(map)) = inodes.get_mut(&ino).map(|inode| &mut inode.kind) else {
            return Err(euclean());
        };

        while let Some(Unmapped { owner, ownerless }) = owners.unmap(map, ino, pages.clone())? {
            *owned = owned.saturating_sub(ownerless);
            if ownerless != 0 {
                let blocks = owner.block..owner.end();
                space.lost_owner(blocks.clone(), owners, bad)?;
                // Those that are without an owner now had one, so none of them is counted yet.
                // Nor can they be in flight.
                let bad = bad_unowned_in(bad, owners, in_flight, blocks);
                *bad_unowned = bad_unowned.saturating_add(bad);
            }
        }
        Ok(())
    }

    fn get_mut(&mut self, ino: u64) -> Result<&mut StoredInode> {
        self.inodes.get_mut(&ino).ok_or(ENOENT)
    }

    fn dir_mut(&mut self, ino: u64) -> Result<&mut Directory> {
        match &mut self.get_mut(ino)?.kind {
            InodeKind::Dir(dir) => Ok(dir),
            _ => Err(ENOTDIR),
        }
    }
}
