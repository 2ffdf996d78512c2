// SPDX-License-Identifier: GPL-2.0

//! Steps 2 and 3: whose a failed page is, among the files that are in core, and telling each of them.
//!
//! All files are walked. A file that somebody maps is locked, whether it has the page or not: whoever is in
//! the middle of a fault there may have asked the driver for the page before it was published, and have
//! entered it in the file's XArray after it was looked at. Once the lock was had, he is through, and who
//! comes later gets an error.
//!
//! While `folio->mapping` names one file, no other has the page; so the others are locked, but not searched,
//! which takes as long as they have entries. After the walk the folio is asked again, when nobody is in a
//! fault any more that may change it: if it names another one, or none, all are searched.
//!
//! # Locking
//!
//! `s_umount` of each super block, shared, which may take long: a mount of the same type in progress is
//! waited for, and so is one that is taken down. So the walk is a worker's ([`Walker`]), one for each
//! device. Whoever has the failure, perhaps under `mf_mutex`, waits for it, but not for ever: then
//! memory_failure() returns with `EBUSY`, and the worker goes on.

use super::{
    ground::{
        By,
        Finds,
        Others,
        Told, //
    },
    place::Place,
    strays, //
};
use crate::{
    dax::{
        self,
        OneFile, //
    },
    failure::{
        Engine,
        Failure,
        Telling,
        Tells, //
    },
    rmap::OwnerRecord,
    vfs::{
        each_super,
        AnyInode, //
    },
};
use core::ops::Range;
use kernel::{
    impl_has_work, new_mutex, new_work,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    workqueue::{
        Work,
        WorkItem, //
    },
};

/// Microseconds between two looks at the worker.
const LOOK: i64 = 50;

/// How often it is looked at: for two seconds.
const LOOKS: u32 = 40_000;

/// All files in core.
fn walk(place: &Place, engine: &Engine<Others>, failure: &mut Failure<Others>) {
    let one = place.only_pfn(&failure.range).and_then(OneFile::of);
    pass(place, engine, failure, one);
    if one.is_some() && place.only_pfn(&failure.range).and_then(OneFile::of) != one {
        // Who has it now has come meanwhile, or it is shared, or nobody's any more.
        pass(place, engine, failure, None);
    }
    strays::take(place, &failure.range);
}

/// Locks each file, and searches those that may have the pages: `one`, or all.
fn pass(
    place: &Place,
    engine: &Engine<Others>,
    failure: &mut Failure<Others>,
    one: Option<OneFile>,
) {
    each_super(|sb| {
        sb.each_file(&place.puts, |file| {
            if one.is_none_or(|one| one.is(file)) {
                search(place, engine, failure, file);
            } else if file.is_mapped() {
                drop(file.any_invalidate_lock());
            }
        });
    });
}

/// Tells a file of those pages that it has.
fn search(place: &Place, engine: &Engine<Others>, failure: &mut Failure<Others>, file: &AnyInode) {
    let pfns = place.pfns_of(&failure.range);
    let mut next = 0;
    loop {
        let lock = file.any_invalidate_lock();
        let found = lock.find_frames(next, &pfns);
        drop(lock);
        let Some(found) = found else { return };
        let Some(block) = place.block(found.pfn) else {
            return;
        };
        next = found.pgoff.saturating_add(found.count.max(1));
        let owner = OwnerRecord {
            block,
            len: found.count,
            ino: file.ino(),
            pgoff: found.pgoff,
            unwritten: false,
        };
        engine.counters().tree.add(1);
        if engine.tell(file, owner, failure) {
            // No lock is held here.
            file.report_data_lost(
                found.pgoff.saturating_mul(dax::BLOCK_SIZE),
                found.count.saturating_mul(dax::BLOCK_SIZE),
            );
        }
    }
}

/// A walk that the worker is to do.
struct Job {
    range: Range<u64>,
    flags: c_int,
    since: u64,
    killed: bool,
}

/// Walks that can wait for the worker. There is one more only if the worker has been waiting for something
/// for so many times two seconds.
const JOBS: usize = 256;

/// What the worker has to do, and has done.
struct Jobs {
    /// In the order in which they came; with room for [`JOBS`].
    waiting: KVec<Job>,
    /// How many were asked for, and done.
    asked: u64,
    done: u64,
    /// What the last one ended with.
    result: Result,
}

/// The worker of a device, which finds who has a page.
#[pin_data]
pub(super) struct Walker {
    engine: Arc<Engine<Others>>,
    place: Arc<Place>,
    #[pin]
    jobs: Mutex<Jobs>,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl HasWork<Self> for Walker { self.work }
}

impl Walker {
    /// A worker for a device.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(engine: Arc<Engine<Others>>, place: Arc<Place>) -> Result<Arc<Self>> {
        let jobs = Jobs {
            waiting: KVec::with_capacity(JOBS, GFP_KERNEL)?,
            asked: 0,
            done: 0,
            result: Ok(()),
        };
        Arc::pin_init(
            pin_init!(Self {
                engine,
                place,
                jobs <- new_mutex!(jobs, "daxrmap::Walker"),
                work <- new_work!("daxrmap::Walker"),
            }),
            GFP_KERNEL,
        )
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = self.jobs.lock();
        if jobs.waiting.is_empty() {
            return None;
        }
        jobs.waiting.remove(0).ok()
    }
}

/// The worker of a device, shared with who asks.
pub(super) struct Finder(pub(super) Arc<Walker>);

impl Finds for Finder {
    fn find(&self, failure: &Failure<Others>) -> Result {
        let walker = &self.0;
        let job = Job {
            range: failure.range.clone(),
            flags: failure.flags,
            since: failure.notes.since,
            killed: failure.notes.killed,
        };
        let mut jobs = walker.jobs.lock();
        if jobs.waiting.push_within_capacity(job).is_err() {
            drop(jobs);
            pr_crit!(
                "{}: page {} has failed, and its owners are not told: the worker has been waiting for \
                 a mount or unmount for too long\n",
                walker.place.pmem.disk_name(),
                failure.range.start
            );
            return Err(EBUSY);
        }
        jobs.asked = jobs.asked.saturating_add(1);
        let asked = jobs.asked;
        drop(jobs);
        // An error says that it is about to look anyway.
        let _ = walker.place.shared.queue.enqueue(walker.clone());
        for _ in 0..LOOKS {
            let jobs = walker.jobs.lock();
            if jobs.done >= asked {
                return jobs.result;
            }
            drop(jobs);
            fsleep(Delta::from_micros(LOOK));
        }
        Err(EBUSY)
    }
}

impl WorkItem for Walker {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        while let Some(job) = this.next() {
            let notes = Told {
                since: job.since,
                killed: job.killed,
                by: By::Worker {
                    all_early: dax::early_kill_is_default().unwrap_or(false),
                    signals: this.place.shared.signals(),
                },
            };
            let mut failure = Failure {
                range: job.range,
                flags: job.flags,
                notes,
                telling: Telling::new(),
                result: Ok(()),
            };
            let walked = || walk(&this.place, &this.engine, &mut failure);
            if this.place.pages.while_kept(walked).is_none() {
                failure.result = Err(ENXIO);
            }
            this.place.pmem.tell_changed();
            this.place.dealt.add(1);
            let mut jobs = this.jobs.lock();
            jobs.done = jobs.done.saturating_add(1);
            jobs.result = failure.result;
        }
    }
}
