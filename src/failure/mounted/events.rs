// SPDX-License-Identifier: GPL-2.0

//! Telling fanotify (FAN_FS_ERROR) of each owner of a failed block.
//!
//! An event needs memory, and the notifier, which holds locks, may not wait for any. So it only notes the
//! owners, and a worker tells of them after the kills. Noting needs no memory: the first owners enter a
//! list that was made at mount. When that is full, the rest of a failure's owners becomes a *walk*: the
//! worker goes through the owner tree again, from there. Walks have a list too. When that is full, two
//! walks become one, which has the blocks in between as well. A walk visits owners of bad blocks only: so
//! nobody is left out, and nobody is named who has lost nothing; at worst some are told twice.
//!
//! An event names an owner by an inode that stands in for it. So nothing is read in, no file is kept from
//! going, and the worker does not wait for an inode that is on its way out, which may take as long as
//! somebody pins a page of it.
//!
//! If nobody listens to anything of the mount when a failure is dealt with, nothing is noted.
//!
//! When unmount begins nobody can open what an event names: what has not been told by then is dropped.
//!
//! # Locking
//!
//! A mutex protects what is noted; nothing is taken inside of it. The worker holds no lock while it
//! waits, and none when it asks the owner tree.

use super::Metadata;
use crate::{
    dax,
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    support::RateLimit,
    vfs::{
        MountTask,
        SuperBlock,
        Working, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    sync::{
        new_mutex,
        Arc,
        Mutex, //
    },
};

/// Owners that are noted one by one: a page of them.
const NOTED: usize = dax::BLOCK_SIZE as usize / size_of::<OwnerRecord>();

/// Walks that are noted one by one.
const WALKS: usize = 64;

/// Owners that are looked up at once.
const BATCH: usize = 8;

/// The owners of the bad ones of these blocks, from the cursor on.
struct OwnerWalk {
    blocks: Range<u64>,
    cursor: Cursor,
}

impl OwnerWalk {
    /// Has the owners of these blocks too; begins anew.
    fn join(&mut self, blocks: &Range<u64>) {
        let start = self.blocks.start.min(blocks.start);
        self.blocks = start..self.blocks.end.max(blocks.end);
        self.cursor = Cursor::at(start);
    }
}

/// The owners of whom fanotify does not know yet.
struct Pending {
    /// These, with room for [`NOTED`].
    owners: KVec<OwnerRecord>,
    /// And whom these find, with room for [`WALKS`].
    walks: KVec<OwnerWalk>,
}

/// What fanotify is still to be told about one mount, and the worker's task that tells it.
pub(super) struct Events<M: Metadata> {
    metadata: Arc<M>,
    pending: Pin<KBox<Mutex<Pending>>>,
    /// Limits the log's lines about owners that fanotify is not told of.
    lines: Pin<KBox<RateLimit>>,
}

impl<M: Metadata> Events<M> {
    /// A task for the mount of this device, with nothing to tell yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(device: &CStr, metadata: Arc<M>) -> Result<Self> {
        let pending = Pending {
            owners: KVec::with_capacity(NOTED, GFP_KERNEL)?,
            walks: KVec::with_capacity(WALKS, GFP_KERNEL)?,
        };
        let pending = new_mutex!(pending, "daxrmap::Events");
        Ok(Self {
            metadata,
            pending: KBox::pin_init(pending, GFP_KERNEL)?,
            lines: KBox::pin_init(RateLimit::new(device, "fanotify"), GFP_KERNEL)?,
        })
    }

    /// Whether there is anything to tell.
    pub(super) fn is_due(&self) -> bool {
        let pending = self.pending.lock();
        !pending.owners.is_empty() || !pending.walks.is_empty()
    }

    /// Whether so many owners can be noted one by one. One failure of a mount is dealt with at a time,
    /// so that there is not less room before it notes them.
    pub(super) fn has_room(&self, owners: usize) -> bool {
        let pending = self.pending.lock();
        pending.owners.len().saturating_add(owners) <= NOTED
    }

    /// Notes an owner; false if there is no room.
    pub(super) fn note(&self, owner: OwnerRecord) -> bool {
        let mut pending = self.pending.lock();
        pending.owners.push_within_capacity(owner).is_ok()
    }

    /// Notes all owners of `blocks` that come in the walk through the tree from `cursor` on.
    pub(super) fn note_rest(&self, blocks: &Range<u64>, cursor: &Cursor) {
        // A walk that has not begun stands before all blocks, and bad ones may be there.
        let begun = cursor.block() >= blocks.start;
        let walk = OwnerWalk {
            blocks: blocks.clone(),
            cursor: if begun {
                cursor.clone()
            } else {
                Cursor::at(blocks.start)
            },
        };
        let mut pending = self.pending.lock();
        if pending.walks.push_within_capacity(walk).is_err() {
            if let Some(last) = pending.walks.last_mut() {
                last.join(blocks);
            }
        }
    }

    fn next_owner(&self) -> Option<OwnerRecord> {
        self.pending.lock().owners.pop()
    }

    fn next_walk(&self) -> Option<OwnerWalk> {
        self.pending.lock().walks.pop()
    }

    fn forget(&self) {
        let mut pending = self.pending.lock();
        pending.owners.clear();
        pending.walks.clear();
    }

    /// Does a walk to its end, or until unmount begins.
    fn walk(&self, working: &Working<'_, M::Fs>, mut walk: OwnerWalk) {
        let mut owners = [OwnerRecord::default(); BATCH];
        while !working.is_ending() {
            let metadata = &self.metadata;
            let (n, end) = metadata.lost_owners(&walk.blocks, &mut walk.cursor, &mut owners);
            for owner in owners.iter().take(n) {
                self.tell(working.sb(), owner);
            }
            if end {
                break;
            }
        }
    }

    fn tell(&self, sb: &SuperBlock<M::Fs>, owner: &OwnerRecord) {
        // A file that is gone for good is nobody's.
        let Some(generation) = self.metadata.generation(owner.ino) else {
            return;
        };
        match sb.stand_in(owner.ino, generation) {
            Ok(inode) => inode.report_data_lost(
                owner.pgoff.saturating_mul(dax::BLOCK_SIZE),
                owner.len.saturating_mul(dax::BLOCK_SIZE),
            ),
            Err(e) if self.lines.allows() => pr_warn!(
                "{}: fanotify is not told of inode {} page {} count {}: errno {}\n",
                sb.id(),
                owner.ino,
                owner.pgoff,
                owner.len,
                e.to_errno()
            ),
            Err(_) => {}
        }
    }
}

impl<M: Metadata> MountTask<M::Fs> for Events<M> {
    fn run(&self, working: &Working<'_, M::Fs>) {
        while !working.is_ending() {
            if let Some(owner) = self.next_owner() {
                self.tell(working.sb(), &owner);
            } else if let Some(walk) = self.next_walk() {
                self.walk(working, walk);
            } else {
                return;
            }
        }
        self.forget();
    }
}
