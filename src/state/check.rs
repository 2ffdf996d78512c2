// SPDX-License-Identifier: GPL-2.0

//! Checks all that must hold in the state. For tests, fsck, and after a replay.
//!
//! The caller holds the state lock. This may sleep, and takes as long as there is metadata.

use super::{
    inode::{
        InodeKind,
        StoredInode,
        ROOT_INO, //
    },
    parts::{
        acl,
        attr::FileType, //
    },
    State, //
};
use crate::errno::euclean;
use kernel::prelude::*;

/// What the directories say about an inode.
struct Links {
    ino: u64,
    /// How many entries name it.
    names: u64,
    /// How many directories it has entries for.
    subdirs: u64,
    /// It is a directory from which the way up ends at the root, if that is known.
    rooted: Option<bool>,
}

impl State {
    /// Checks that extents and owner records correspond one to one, the space accounting, the
    /// directory structure, the link counts, the dead and ACLs.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if something does not hold or the state is corrupt, `ENOMEM`.
    pub(crate) fn check(&self) -> Result {
        if self.corrupt {
            return Err(euclean());
        }
        self.owners.check()?;
        self.check_extents()?;
        self.check_space()?;
        self.check_dead()?;
        self.check_links()
    }

    fn check_extents(&self) -> Result {
        let mut extents = 0usize;

        for (ino, inode) in self.inodes.iter() {
            let InodeKind::File(map) = &inode.kind else {
                continue;
            };
            map.check()?;
            for extent in map.iter() {
                if !self.owners.contains(&extent.owner(*ino)) {
                    return Err(euclean());
                }
            }
            extents = extents.saturating_add(map.len());
        }
        // Each extent has a record, and no two have the same one.
        if extents != self.owners.len() {
            return Err(euclean());
        }
        Ok(())
    }

    fn check_space(&self) -> Result {
        self.bad.check(self.blocks)?;
        self.in_flight.check(self.blocks)?;

        let unowned = self.owners.ownerless(0..self.blocks);
        let taken = self
            .owned
            .saturating_add(self.bad_unowned)
            .saturating_add(self.in_flight.total());
        if self.owners.iter().any(|r| r.end() > self.blocks)
            || self.blocks.checked_sub(unowned) != Some(self.owned)
            || self.bad_unowned_in(0..self.blocks) != self.bad_unowned
            || taken > self.blocks
        {
            return Err(euclean());
        }
        self.space.check(self.blocks, &self.owners, &self.bad)?;
        for range in self.in_flight.iter() {
            if self.owners.ownerless(range.clone()) != range.end - range.start {
                return Err(euclean());
            }
        }
        Ok(())
    }

    fn check_links(&self) -> Result {
        if self.inodes.iter().count() != self.inode_count {
            return Err(euclean());
        }
        let mut links = KVVec::with_capacity(self.inode_count, GFP_KERNEL)?;
        for ino in self.inodes.keys() {
            links.push(
                Links {
                    ino: *ino,
                    names: 0,
                    subdirs: 0,
                    rooted: (*ino == ROOT_INO).then_some(true),
                },
                GFP_KERNEL,
            )?;
        }

        for (index, (ino, inode)) in self.inodes.iter().enumerate() {
            let InodeKind::Dir(dir) = &inode.kind else {
                continue;
            };
            dir.check()?;
            for (_, entry) in dir.iter() {
                let target = self.inode(entry.ino).ok_or_else(euclean)?;
                if entry.dtype != target.attr.dtype() {
                    return Err(euclean());
                }
                if let InodeKind::Dir(subdir) = &target.kind {
                    if subdir.parent() != *ino {
                        return Err(euclean());
                    }
                    let here = links.get_mut(index).ok_or_else(euclean)?;
                    here.subdirs = here.subdirs.saturating_add(1);
                }
                let there = links
                    .binary_search_by_key(&entry.ino, |l| l.ino)
                    .map_err(|_| euclean())?;
                let there = links.get_mut(there).ok_or_else(euclean)?;
                there.names = there.names.saturating_add(1);
            }
        }

        self.find_roots(&mut links)?;
        for (links, (ino, inode)) in links.iter().zip(self.inodes.iter()) {
            self.check_inode(*ino, inode, links)?;
        }
        Ok(())
    }

    fn check_inode(&self, ino: u64, inode: &StoredInode, links: &Links) -> Result {
        let nlink = u64::from(inode.attr.nlink);
        let with_subdirs = links.subdirs.saturating_add(2);

        let good = match &inode.kind {
            InodeKind::File(_) | InodeKind::Special => nlink == links.names,
            InodeKind::Symlink(target) => {
                nlink == links.names && !target.is_empty() && inode.attr.size == target.len() as u64
            }
            InodeKind::Dir(dir) if ino == ROOT_INO => {
                dir.parent() == ROOT_INO && links.names == 0 && nlink == with_subdirs
            }
            InodeKind::Dir(dir) => match links.names {
                0 => nlink == 0 && dir.is_empty(),
                1 => nlink == with_subdirs && links.rooted == Some(true),
                _ => false,
            },
        };
        let as_mode_says = match &inode.kind {
            InodeKind::File(_) => FileType::Regular,
            InodeKind::Dir(_) => FileType::Dir,
            InodeKind::Symlink(_) => FileType::Symlink,
            InodeKind::Special => FileType::Special,
        };
        inode.xattrs.check()?;
        for xattr in inode.xattrs.iter() {
            acl::check(xattr, &inode.attr).map_err(|_| euclean())?;
        }
        if !good || inode.attr.file_type() != Some(as_mode_says) || ino >= self.next_ino {
            return Err(euclean());
        }
        Ok(())
    }

    /// Finds out from which directories the way up ends at the root: each is passed once.
    fn find_roots(&self, links: &mut [Links]) -> Result {
        let mut path = KVVec::new();
        for start in 0..links.len() {
            let mut next = Some(start);
            let rooted = loop {
                let Some(at) = next else { break false };
                let here = links.get_mut(at).ok_or_else(euclean)?;
                if let Some(known) = here.rooted {
                    break known;
                }
                // So it stays if the way comes back here.
                here.rooted = Some(false);
                path.push(at, GFP_KERNEL)?;
                let dir = self.inode(here.ino).map(|inode| inode.as_dir());
                next = match dir {
                    Some(Ok(dir)) => links.binary_search_by_key(&dir.parent(), |l| l.ino).ok(),
                    _ => None,
                };
            };
            for at in &path {
                links.get_mut(*at).ok_or_else(euclean)?.rooted = Some(rooted);
            }
            path.clear();
        }
        Ok(())
    }
}
