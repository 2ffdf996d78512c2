// SPDX-License-Identifier: GPL-2.0

//! A device that a registered filesystem has, as what a failure stands on: the filesystem says who has a
//! block, and under a file's `invalidate_lock` what stands where.
//!
//! # Locking
//!
//! A mutex: one failure of the device is dealt with at a time. The filesystem is asked inside of it, for a
//! removal too, so that [`Site::stop`] waits for that.

use super::super::{
    list::List,
    pages::Pages, //
};
use crate::{
    dax::{
        self,
        AnyDax,
        DaxRef,
        Filesystem,
        Owner,
        Pmem, //
    },
    failure::{
        Failure,
        Ground,
        Tells,
        Via, //
    },
    rmap::OwnerRecord,
    support::OwnedQueue,
    vfs::{
        AnyInode,
        Dev,
        InodePuts, //
    },
};
use core::ops::Range;
use kernel::{
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// What the log and tracepoints call a device.
pub(super) struct Named {
    pub(super) name: CString,
    pub(super) dev: Dev,
}

impl Named {
    /// This one, which is `disk`'s if there is one.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn of(dax: DaxRef<'_>, disk: Option<&Pmem>) -> Result<Self> {
        Ok(match disk {
            Some(disk) => Self {
                name: CString::try_from(disk.disk_name())?,
                dev: disk.disk_number(),
            },
            None => {
                let dev = dax.number();
                let (major, minor) = (dev.major(), dev.minor());
                Self {
                    name: CString::try_from_fmt(fmt!("dax-{major}:{minor}"))?,
                    dev,
                }
            }
        })
    }
}

/// Whether the filesystem may be asked still who has something.
pub(super) struct MayAsk(bool);

/// A device, and the filesystem on it.
#[pin_data]
pub(super) struct Site {
    fs: Filesystem,
    pub(super) device: Arc<AnyDax>,
    pfns: Range<u64>,
    /// For a disk: its driver's list.
    #[pin]
    list: List,
    /// Without a disk: the blocks that have failed, as far as there was memory to note them.
    #[pin]
    failed: Mutex<KVec<Range<u64>>>,
    #[pin]
    visiting: Mutex<MayAsk>,
    pub(super) pages: Arc<Pages>,
    puts: InodePuts,
    /// For the removal.
    pub(super) queue: OwnedQueue,
}

impl Site {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(
        fs: Filesystem,
        device: Arc<AnyDax>,
        pfns: Range<u64>,
        name: &CStr,
    ) -> Result<Arc<Self>> {
        let pages = Arc::pin_init(Pages::new(pfns.start), GFP_KERNEL)?;
        let (puts, queue) = (InodePuts::new(name)?, OwnedQueue::new(name)?);
        Arc::pin_init(
            pin_init!(Self {
                fs,
                device,
                pfns,
                list <- List::new(),
                failed <- new_mutex!(KVec::new(), "daxrmap::Failed"),
                visiting <- new_mutex!(MayAsk(true), "daxrmap::Site"),
                pages,
                puts,
                queue,
            }),
            GFP_KERNEL,
        )
    }

    /// It, as a ground.
    pub(super) fn ground(self: &Arc<Self>) -> Asked {
        Asked(self.clone())
    }

    /// The filesystem is not asked any more who has something, and no reference to an inode is left.
    pub(super) fn stop(&self) {
        self.visiting.lock().0 = false;
        self.puts.drain();
    }

    /// Waits until a removal that has been told of is through.
    pub(super) fn wait_for_removal(&self) {
        self.queue.flush();
    }

    /// Notes failed blocks of a device without a list. Returns how many were not noted.
    fn note_failed(&self, range: &Range<u64>) -> u64 {
        let mut failed = self.failed.lock();
        let new = range
            .clone()
            .filter(|block| !failed.iter().any(|it| it.contains(block)));
        let new = new.fold(0, |count: u64, _| count.saturating_add(1));
        if new != 0 {
            let _ = failed.push(range.clone(), GFP_NOWAIT | __GFP_NOWARN);
        }
        new
    }

    fn is_bad(&self, block: u64) -> bool {
        match self.device.disk() {
            Some(disk) => disk.is_bad(block),
            None => self.failed.lock().iter().any(|it| it.contains(&block)),
        }
    }
}

/// A [`Site`], as a ground: its filesystem is asked.
pub(super) struct Asked(Arc<Site>);

impl Ground for Asked {
    type File = AnyInode;
    type Visit<'a> = MayAsk;
    type Notes = ();

    fn visit<R>(&self, f: impl FnOnce(&MayAsk) -> R) -> R {
        f(&self.0.visiting.lock())
    }

    fn publish(&self, range: &Range<u64>) -> Result<u64> {
        let site = &self.0;
        let listed = match site.device.disk() {
            Some(disk) => site.list.enter(disk, range),
            None => Ok(site.note_failed(range)),
        };
        // Both are told, whatever the other says.
        let heard = site.fs.publish(range);
        listed.and_then(|new| heard.map(|()| new))
    }

    fn resolve(&self, engine: &impl Tells<Self>, may_ask: &MayAsk, failure: &mut Failure<Self>) {
        let site = &self.0;
        if !may_ask.0 {
            return;
        }
        engine.found_by(Via::Tree);
        engine.counters().tree.add(1);
        let range = failure.range.clone();
        let asked = site.fs.each_owner(&range, &site.puts, |file, owner| {
            let Owner { pgoff, block, len } = owner;
            let ino = file.ino();
            let record = OwnerRecord {
                block,
                len,
                ino,
                pgoff,
                unwritten: false,
            };
            if engine.tell(file, record, failure) {
                // No lock of a file is held here, but `mf_mutex` may be.
                file.report_data_lost_at_once(
                    pgoff.saturating_mul(dax::BLOCK_SIZE),
                    len.saturating_mul(dax::BLOCK_SIZE),
                );
            }
        });
        failure.result = failure.result.and(asked);
    }

    fn extent(&self, file: &AnyInode, pgoff: u64, max: u64) -> (Option<u64>, u64) {
        self.0.fs.lookup(file, pgoff, max)
    }

    fn finish(&self, _may_ask: &MayAsk) {
        if let Some(disk) = self.0.device.disk() {
            disk.tell_changed();
        }
    }

    fn is_bad(&self, block: u64) -> bool {
        self.0.is_bad(block)
    }

    fn each_file(&self, mut each: impl FnMut(&AnyInode) -> Result<bool>) -> Result {
        let site = &self.0;
        let blocks = 0..site.pfns.end.saturating_sub(site.pfns.start);
        let mut result = Ok(());
        loop {
            let mut again = false;
            let may_ask = site.visiting.lock();
            if !may_ask.0 {
                return result;
            }
            let asked = site
                .fs
                .each_owner(&blocks, &site.puts, |file, _| match each(file) {
                    Ok(done) => again |= !done,
                    Err(e) => result = result.and(Err(e)),
                });
            drop(may_ask);
            result = result.and(asked);
            if !again {
                return result;
            }
            fsleep(Delta::from_millis(1));
        }
    }
}
