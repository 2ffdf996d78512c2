// SPDX-License-Identifier: GPL-2.0

//! A whole fsdax disk: its pages, whoever has them, and the driver's list of bad blocks.
//!
//! What is on that list the driver answers with an error, to everybody, whatever filesystem asks. The list
//! is short: 512 entries, each of at most 512 sectors, and neighbours become one. C source:
//! block/badblocks.c, drivers/nvdimm/pmem.c.
//!
//! # Locking
//!
//! The list has a lock of its own. It is the driver's memory, so it is used only while the dax device is
//! alive ([`Pmem::while_alive`]).

use super::pmem::{
    Keeper,
    Pmem,
    SECTORS, //
};
use crate::{
    bindings,
    vfs::Dev, //
};
use core::{
    ops::Range,
    ptr::NonNull, //
};
use kernel::{
    device,
    prelude::*, //
};

/// The most sectors that one entry of a list has.
const ENTRY: u64 = bindings::BB_MAX_LEN as u64;

/// The last entry but one that a list has room for.
const LAST_BUT_ONE: u64 = bindings::MAX_BADBLOCKS as u64 - 2;

/// What is on the list as two entries, and would be one if the good sectors in between were on it.
pub(crate) struct Gap {
    /// These sectors.
    sectors: Range<u64>,
}

impl Gap {
    /// How many blocks it covers, or touches.
    pub(crate) fn blocks(&self) -> u64 {
        let (start, end) = (
            self.sectors.start / SECTORS,
            self.sectors.end.div_ceil(SECTORS),
        );
        end.saturating_sub(start)
    }
}

impl Pmem {
    /// All of a disk. Nobody is told: it may have a holder.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if the disk has no dax device; `ENXIO`, `ENOMEM`.
    ///
    /// # Safety
    ///
    /// `disk`: live during the call.
    pub(in crate::dax) unsafe fn of_disk(disk: *mut bindings::gendisk) -> Result<Self> {
        // SAFETY: The disk is live: clause `disk`.
        let device = unsafe { bindings::daxrmap_disk_device(disk) };
        // SAFETY: The disk is live, and so is its device: clause `disk`.
        let _device = unsafe { device::Device::get_device(device) };
        // SAFETY: The disk is live: clause `disk`; the field does not change.
        let bdev = unsafe { (*disk).part0 };
        // SAFETY: The first part's struct goes with the disk's, which the reference keeps.
        unsafe { Self::of(NonNull::new(bdev).ok_or(ENXIO)?, Keeper::Disk { _device }) }
    }

    /// The disk's name.
    pub(crate) fn disk_name(&self) -> &CStr {
        // SAFETY: The disk's struct is there: invariant "open"; the name does not change.
        let name = unsafe { bindings::daxrmap_disk_name(self.disk()) };
        // SAFETY: It is a nul-terminated string in that struct.
        unsafe { CStr::from_char_ptr(name) }
    }

    /// The disk's number.
    pub(crate) fn disk_number(&self) -> Dev {
        // SAFETY: The disk's struct is there: invariant "open".
        Dev::from_raw(unsafe { bindings::daxrmap_disk_number(self.disk()) })
    }

    /// Whether somebody has the disk, or a partition of it, open at this moment.
    pub(crate) fn is_open(&self) -> bool {
        // SAFETY: The disk's struct is there: invariant "open".
        unsafe { bindings::daxrmap_disk_is_used(self.disk()) }
    }

    /// Tells user space (uevent) that the list has changed. Sleeps.
    pub(crate) fn tell_changed(&self) {
        // SAFETY: The disk's struct is there: invariant "open".
        unsafe { bindings::daxrmap_disk_changed(self.disk()) };
    }

    /// Enters blocks in the driver's list: from here on it answers each access of them with an error.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if the list is full; some may be on it then. `ENXIO` if the device is gone, or they are
    /// not all of it.
    pub(crate) fn set_bad(&self, blocks: &Range<u64>) -> Result {
        if !self.has(blocks) {
            return Err(ENXIO);
        }
        self.set_bad_sectors(&(blocks.start * SECTORS..blocks.end * SECTORS))
    }

    fn set_bad_sectors(&self, sectors: &Range<u64>) -> Result {
        let len = sectors.end.saturating_sub(sectors.start);
        let set = self.while_alive(|| {
            // SAFETY: The device is alive until the closure returns, so the disk and its driver's list are
            // there: invariant "disk".
            unsafe { bindings::daxrmap_set_bad_sectors(self.disk(), sectors.start, len) }
        });
        match set {
            Some(true) => Ok(()),
            Some(false) => Err(ENOSPC),
            None => Err(ENXIO),
        }
    }

    /// Entry `index` of the list, in sectors of the disk. The list may change between two calls.
    pub(crate) fn bad_sectors(&self, index: u64) -> Option<Range<u64>> {
        let index = c_int::try_from(index).ok()?;
        let (mut start, mut len) = (0, 0);
        let found = self.while_alive(|| {
            // SAFETY: As in `set_bad_sectors`: the list is there: invariant "disk".
            unsafe { bindings::daxrmap_bad_entry(self.disk(), index, &mut start, &mut len) }
        });
        (found == Some(true)).then(|| start..start.saturating_add(len))
    }

    /// All entries.
    fn entries(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        (0..).map_while(|index| self.bad_sectors(index))
    }

    /// Whether a block is on the list.
    pub(crate) fn is_bad(&self, block: u64) -> bool {
        self.next_bad(&(block..block.saturating_add(1))).is_some()
    }

    /// Whether the list has room for one entry, or none. When it has none it takes nothing any more, not even
    /// what would make two entries one.
    pub(crate) fn list_is_nearly_full(&self) -> bool {
        self.bad_sectors(LAST_BUT_ONE).is_some()
    }

    /// Whether a block continues an entry of the list, so that it takes no other.
    pub(crate) fn continues_entry(&self, block: u64) -> bool {
        let start = block.saturating_mul(SECTORS);
        let end = start.saturating_add(SECTORS);
        self.entries().any(|entry| {
            let len = entry.end.saturating_sub(entry.start);
            (entry.end == start || entry.start == end) && len.saturating_add(SECTORS) <= ENTRY
        })
    }

    /// The smallest gap of the list, so that closing it makes room for another entry: between two entries,
    /// or between one and `block`, which is to be on it. `None` if no two are near enough to be one.
    pub(crate) fn smallest_gap(&self, block: u64) -> Option<Gap> {
        let new = block.checked_mul(SECTORS)?..block.checked_add(1)?.checked_mul(SECTORS)?;
        let mut best: Option<Range<u64>> = None;
        let mut look = |left: &Range<u64>, right: &Range<u64>| {
            let fits = right.end.saturating_sub(left.start) <= ENTRY;
            let gap = left.end..right.start;
            let len = |gap: &Range<u64>| gap.end.saturating_sub(gap.start);
            if fits && !gap.is_empty() && best.as_ref().is_none_or(|b| len(&gap) < len(b)) {
                best = Some(gap);
            }
        };
        let mut previous = None;
        for entry in self.entries() {
            if let Some(previous) = &previous {
                look(previous, &entry);
            }
            if entry.end <= new.start {
                look(&entry, &new);
            } else {
                look(&new, &entry);
            }
            previous = Some(entry);
        }
        best.map(|sectors| Gap { sectors })
    }

    /// Closes a gap: good blocks are on the list from here on.
    ///
    /// # Errors
    ///
    /// Those of [`set_bad`](Self::set_bad).
    pub(crate) fn close(&self, gap: &Gap) -> Result {
        self.set_bad_sectors(&gap.sectors)
    }
}
