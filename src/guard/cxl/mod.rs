// SPDX-License-Identifier: GPL-2.0

//! *CXL*: the failures that memory devices tell the kernel of, and the kernel tells nobody.
//!
//! What the device says ends in trace events, and these are heard as long as the guard watches. What means lost
//! data ([`meaning`]) is noted; a worker looks which device has the pages, and has the kernel deal with each,
//! as after a machine check. From there it is the way of any other failure: the filesystem is told that is
//! the device's holder, and the guard hears of it for all others. (Not memory_failure_queue(), which does the
//! same but has room for 16 pages; a poison list has a thousand lines.)
//!
//! Each page once: one that is on the driver's list of bad blocks, or that is flagged as poisoned, is known.
//! So reading the device's list again does no harm.
//!
//! # Locking
//!
//! A spin lock, for what is noted. The worker takes `mf_mutex`, and has a queue of its own: it waits for the
//! guard's other workers now and then, which are told of no more pages than they can note.

mod meaning;

use self::meaning::{
    Kind,
    Said, //
};
use super::{
    device::Guarded,
    devices::Devices,
    shared::Shared, //
};
use crate::{
    dax::{
        self,
        CxlRecord,
        CxlRecords,
        CxlSink,
        Finder,
        Interleave, //
    },
    support::OwnedQueue,
};
use core::ops::Range;
use kernel::{
    impl_has_work, new_spinlock, new_work,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc,
        ArcBorrow,
        SpinLock, //
    },
    workqueue::{
        Work,
        WorkItem, //
    },
};

/// Records that can be noted at a time: as many as a device's poison list has at most, and some.
const NOTED: usize = 1280;
/// So many pages are told of before the guard's workers are waited for.
const AT_ONCE: u64 = 256;

/// What the device has said; `None` if it is none of what is known here.
fn said(record: &CxlRecord) -> Option<Said> {
    let kind = match record.kind {
        dax::CXL_MEDIA => Kind::Media,
        dax::CXL_DRAM => Kind::Dram,
        dax::CXL_POISON => Kind::Poison,
        _ => return None,
    };
    Some(Said {
        kind,
        log: record.log,
        descriptor: record.descriptor,
        event: record.type_,
        flags: record.flags,
        hpa: record.hpa,
        length: u64::from(record.length),
    })
}

/// Hears of records, and notes those of lost data for its worker.
#[pin_data]
struct Relay {
    devices: Arc<Devices>,
    shared: Arc<Shared>,
    queue: OwnedQueue,
    /// With room for [`NOTED`].
    #[pin]
    noted: SpinLock<KVec<CxlRecord>>,
    #[pin]
    work: Work<Self>,
}

impl_has_work! {
    impl HasWork<Self> for Relay { self.work }
}

impl CxlSink for Relay {
    fn heard(this: ArcBorrow<'_, Self>, record: CxlRecord) {
        let cxl = &this.shared.cxl;
        cxl.records.fetch_add(1, Relaxed);
        let Some(said) = said(&record) else {
            return;
        };
        if said.has_overflowed() {
            cxl.overflows.fetch_add(1, Relaxed);
        }
        if !said.is_loss() {
            return;
        }
        cxl.losses.fetch_add(1, Relaxed);
        let hpa = record.hpa;
        if this.noted.lock().push_within_capacity(record).is_err() {
            this.shared.dropped.fetch_add(1, Relaxed);
            pr_crit!(
                "CXL: memory at {:#x} has failed, and nobody is told: too much at once. Read the device's \
                 poison list again: daxrmap cxl\n",
                hpa
            );
        }
        // An error says that it is about to look anyway.
        let _ = this.queue.enqueue(Arc::from(this));
    }
}

impl Relay {
    fn new(devices: Arc<Devices>, shared: Arc<Shared>) -> Result<Arc<Self>> {
        let noted = KVec::with_capacity(NOTED, GFP_KERNEL)?;
        let queue = OwnedQueue::new(c"guard-cxl")?;
        Arc::pin_init(
            pin_init!(Self {
                devices,
                shared,
                queue,
                noted <- new_spinlock!(noted, "daxrmap::Relay"),
                work <- new_work!("daxrmap::Relay"),
            }),
            GFP_KERNEL,
        )
    }

    fn take(&self) -> Option<CxlRecord> {
        let mut noted = self.noted.lock();
        if noted.is_empty() {
            return None;
        }
        noted.remove(0).ok()
    }

    /// Deals with the loss of what a record names.
    fn lose(&self, record: &CxlRecord, told: &mut u64) {
        let Some(said) = said(record) else {
            return;
        };
        let mut interleave = (1, u64::MAX);
        // One line is in one place, however the region is spread.
        if !said.is_one_line() {
            match Interleave::of(record) {
                Some(of) => interleave = (of.ways, of.granularity),
                None => pr_warn!(
                    "CXL: how the region of {:#x} is spread over devices cannot be read: taken as one\n",
                    record.hpa
                ),
            }
        }
        for bytes in said.runs(interleave) {
            let first = bytes.start >> dax::BLOCK_SHIFT;
            let end =
                bytes.end.saturating_add(dax::BLOCK_SIZE.saturating_sub(1)) >> dax::BLOCK_SHIFT;
            self.lose_pages(first..end, told);
        }
    }

    fn lose_pages(&self, pfns: Range<u64>, told: &mut u64) {
        let mut pfn = pfns.start;
        while pfn < pfns.end {
            // Memory that is no disk has other people who care for it.
            let Some(device) = self.devices.of(pfn) else {
                return;
            };
            let end = device.place.pfns.end.min(pfns.end);
            while pfn < end {
                if !is_known(&device, pfn) {
                    device.place.cxl.add(1);
                    // An error says that nobody has it; the guard hears of it all the same.
                    let _ = dax::memory_failed(pfn, Finder::Device);
                    *told = told.saturating_add(1);
                    if *told % AT_ONCE == 0 {
                        self.shared.queue.flush();
                    }
                }
                pfn = pfn.saturating_add(1);
            }
        }
    }
}

/// Whether the failure of a page is known.
fn is_known(device: &Guarded, pfn: u64) -> bool {
    let Some(block) = device.place.block(pfn) else {
        return true;
    };
    let pmem = &device.place.pmem;
    pmem.next_bad(&(block..block.saturating_add(1))).is_some()
        || pmem.is_poisoned(block).unwrap_or(false)
}

impl WorkItem for Relay {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let mut told = 0;
        while let Some(record) = this.take() {
            this.lose(&record, &mut told);
        }
    }
}

/// While this lives, what CXL devices say of their media is heard. Dropping it deals with what was heard
/// before. Sleeps.
pub(super) struct Cxl {
    records: Option<CxlRecords<Relay>>,
    relay: Arc<Relay>,
}

impl Cxl {
    /// Hears. Sleeps.
    ///
    /// # Errors
    ///
    /// Those of [`CxlRecords::new`].
    pub(super) fn new(devices: Arc<Devices>, shared: Arc<Shared>) -> Result<Self> {
        let relay = Relay::new(devices, shared)?;
        Ok(Self {
            records: Some(CxlRecords::new(relay.clone())?),
            relay,
        })
    }

    /// Whether the kernel has anything that is heard. Sleeps.
    pub(super) fn is_heard(&self) -> bool {
        self.records.as_ref().is_some_and(CxlRecords::is_heard)
    }
}

impl Drop for Cxl {
    fn drop(&mut self) {
        // Nobody adds work after this; and none of it has the last reference.
        self.records = None;
        self.relay.queue.flush();
    }
}
