// SPDX-License-Identifier: GPL-2.0

//! Telling fanotify (FAN_FS_ERROR) of each owner of a failed block.
//!
//! Owners that are not in core must be read in, and an event needs memory. The notifier, who holds
//! locks and waits for nobody, only notes the owners; a worker tells of them after the kills. It
//! needs no memory to note: the first owners come in a list that was made at mount, and where the
//! list ends, the walk through the owner tree is done again from there. So nobody is left out, and
//! when there are many owners some of them are told of twice.
//!
//! # Locking
//!
//! A mutex around what is noted, innermost. The worker holds nothing over what waits.

use super::Ground;
use crate::{
    dax,
    rmap::{
        Cursor,
        OwnerRecord, //
    },
    vfs::{
        RateLimit,
        SuperBlock,
        Task, //
    },
};
use core::{
    mem::size_of,
    ops::Range, //
};
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

/// Owners that are looked up at once.
const BATCH: usize = 8;

/// Of whom fanotify does not know yet.
struct Pending {
    /// These, with room for [`NOTED`].
    owners: KVec<OwnerRecord>,
    /// And the owners of these blocks from the cursor on.
    rest: Option<(Range<u64>, Cursor)>,
}

/// See the module's documentation.
pub(super) struct Events<G: Ground> {
    ground: Arc<G>,
    pending: Pin<KBox<Mutex<Pending>>>,
    /// For the line about each owner that it is not told of.
    lines: Pin<KBox<RateLimit>>,
}

impl<G: Ground> Events<G> {
    /// There is nothing to tell about the mount of this device.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(device: &CStr, ground: Arc<G>) -> Result<Self> {
        let pending = Pending {
            owners: KVec::with_capacity(NOTED, GFP_KERNEL)?,
            rest: None,
        };
        let pending = new_mutex!(pending, "daxrmap::Events");
        Ok(Self {
            ground,
            pending: KBox::pin_init(pending, GFP_KERNEL)?,
            lines: KBox::pin_init(RateLimit::new(device, "fanotify"), GFP_KERNEL)?,
        })
    }

    /// Notes an owner of a block in `range`, which the owner tree gave in the batch that begins at
    /// `cursor`.
    pub(super) fn note(&self, range: &Range<u64>, cursor: &Cursor, owner: OwnerRecord) {
        let mut pending = self.pending.lock();
        match &mut pending.rest {
            // The walk will come by here.
            Some((known, _)) if known == range => return,
            Some((known, from)) => {
                // Two failures that are not told of yet.
                *known = known.start.min(range.start)..known.end.max(range.end);
                *from = Cursor::at(known.start);
                return;
            }
            None => {}
        }
        if pending.owners.push_within_capacity(owner).is_err() {
            pending.rest = Some((range.clone(), cursor.clone()));
        }
    }

    /// Takes one noted owner, or some of the rest.
    fn next(&self, out: &mut [OwnerRecord; BATCH]) -> usize {
        let mut pending = self.pending.lock();
        if let (Some(owner), Some(first)) = (pending.owners.pop(), out.first_mut()) {
            *first = owner;
            return 1;
        }
        let Some((range, cursor)) = &mut pending.rest else {
            return 0;
        };
        let n = self.ground.owners(range, cursor, out);
        if n == 0 {
            pending.rest = None;
        }
        n
    }

    fn tell(&self, sb: &SuperBlock<G::Fs>, owner: &OwnerRecord) -> Result {
        let inode = match sb.in_core(owner.ino) {
            Ok(Some(inode)) => inode,
            // A file that is gone for good is nobody's.
            _ => {
                let inode = self.ground.read_in(sb, owner.ino)?;
                inode.dont_cache();
                inode
            }
        };
        inode.report_data_lost(
            owner.pgoff.saturating_mul(dax::BLOCK_SIZE),
            owner.len.saturating_mul(dax::BLOCK_SIZE),
        );
        Ok(())
    }
}

impl<G: Ground> Task<G::Fs> for Events<G> {
    fn run(&self, sb: &SuperBlock<G::Fs>) {
        let mut owners = [OwnerRecord::default(); BATCH];
        loop {
            let n = self.next(&mut owners);
            if n == 0 {
                return;
            }
            for owner in owners.iter().take(n) {
                match self.tell(sb, owner) {
                    Err(e) if e != ENOENT && self.lines.allows() => pr_warn!(
                        "{}: fanotify is not told of inode {} page {} count {}: errno {}\n",
                        sb.id(),
                        owner.ino,
                        owner.pgoff,
                        owner.len,
                        e.to_errno()
                    ),
                    _ => {}
                }
            }
        }
    }
}
