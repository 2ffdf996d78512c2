// SPDX-License-Identifier: GPL-2.0

//! Step 3 of a failure on a mount of ours: whose the failed blocks are.
//!
//! # Locking
//!
//! Those of [`mounted`](super): inside of the mount's gate; the state lock for one batch of owners at a
//! time, never over a kill or an unmap, which wait for DAX entries.

use super::{
    Metadata,
    Mounted, //
};
use crate::{
    dax,
    failure::{
        ground::{
            Failure,
            Tells, //
        },
        report::Via,
    },
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    vfs::Visit,
};
use core::mem::size_of;
use kernel::prelude::*;

/// Owners that are looked up at once, under one hold of the state lock: a page of them.
const BATCH: usize = dax::BLOCK_SIZE as usize / size_of::<OwnerRecord>();

/// Owners that are looked up at once in the beginning, as most blocks have no more, and when memory is short.
const SMALL_BATCH: usize = 8;

impl<M: Metadata> Mounted<M> {
    /// An unshared block is where `folio->mapping` says, if somebody has mapped it. A first mapping
    /// of a *shared* block sets the field too, so the owner tree has been asked for the number of
    /// owners already. False: not answered.
    pub(super) fn shortcut(
        &self,
        engine: &impl Tells<Self>,
        visit: Option<&Visit<'_, M::Fs>>,
        failure: &mut Failure<Self>,
    ) -> bool {
        let block = failure.range.start;
        let Some(visit) = visit else { return false };
        let Some(pfn) = engine.pfn(block) else {
            return false;
        };
        let Some((inode, pgoff)) = dax::folio_owner(visit, pfn) else {
            return false;
        };
        let owner = OwnerRecord {
            block,
            len: 1,
            ino: inode.ino(),
            pgoff,
            unwritten: false,
        };
        engine.found_by(Via::Shortcut);
        let told = engine.tell(&inode, owner, failure);
        if told {
            engine.counters().shortcut.add(1);
        }
        told
    }

    /// Step 4 for every owner of the range that the owner tree has.
    pub(super) fn ask_tree(
        &self,
        engine: &impl Tells<Self>,
        visit: Option<&Visit<'_, M::Fs>>,
        failure: &mut Failure<Self>,
    ) {
        let mut cursor = Cursor::new();
        let mut small = [OwnerRecord::default(); SMALL_BATCH];
        let mut large = KVec::new();
        let mut any = false;
        loop {
            let batch = if large.is_empty() {
                small.as_mut_slice()
            } else {
                large.as_mut_slice()
            };
            failure.notes.batch = cursor.clone();
            let n = self.metadata.owners(&failure.range, &mut cursor, batch);
            if n == 0 {
                break;
            }
            if !any {
                any = true;
                engine.counters().tree.add(1);
                engine.found_by(Via::Tree);
            }
            // Whom there is no room for come all together.
            if !failure.notes.enough && !self.events.task().has_room(n) {
                self.leave_to_walk(failure);
            }
            for owner in batch.iter().take(n) {
                match visit.and_then(|visit| visit.in_core(owner.ino).usable()) {
                    Some(inode) => {
                        engine.tell(&*inode, *owner, failure);
                    }
                    None => engine.note_absent(*owner, failure),
                }
            }
            if n == SMALL_BATCH && large.is_empty() {
                // Owners are told with or without memory, and nobody is waited for to get some.
                let none = OwnerRecord::default();
                large = KVec::from_elem(none, BATCH, GFP_NOWAIT | __GFP_NOWARN).unwrap_or_default();
            }
        }
    }
}
