// SPDX-License-Identifier: GPL-2.0

//! What a CXL memory device's record means: whether data are lost, and where. Numbers only; no locks.
//!
//! By the CXL specification 3.1. A *general media* (8.2.9.2.1.1, table 8-45) or *DRAM* event record
//! (8.2.9.2.1.2, table 8-46) means that data are lost if all of this holds:
//!
//! - It comes from the log for failures or for fatal events. A warning says that something is to be done
//!   before data are lost; information is to be ignored.
//! - Bit 0 of the memory event descriptor is set: *uncorrectable*. Without it the device has given the right
//!   data, and nobody is to be killed for that. Bit 1 (a threshold was reached) says nothing of data.
//! - The memory event type is an error of the media or of the way to it:
//!
//!   | type | general media | DRAM | data are lost |
//!   |---|---|---|---|
//!   | ECC error of the media | 0 | 0 | yes |
//!   | ECC error, found by a scrub | 4 | 1 | yes |
//!   | data path error | 2 | 3 | yes |
//!   | address is not valid | 1 | 2 | no: there are none |
//!   | violation of a trusted state, of a key's number | 3, 6 | 4, 6 | no: they are refused |
//!   | counter of corrected errors has run out | 5 | 5 | no |
//!
//! - The address is of persistent memory (bit 0 of the physical address is clear): nothing else is on a disk.
//!
//! Who has made the device look (the *transaction type*: a read, a write, a scrub, an injection) makes no
//! difference: the data are as lost. The record is of one cache line.
//!
//! A *media error record* of the poison list (8.2.9.9.4.1, table 8-140) is of lost data whatever its source:
//! reading them gives poison. It has a length. The kernel has the same tracepoint for a line that is cleared,
//! which is no failure.
//!
//! Bit 2 of a descriptor, and bit 1 of the list's flags, say that the device's list has overflowed: it has
//! failed lines that it can name no more.

use core::ops::Range;

/// What a record is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A general media event.
    Media,
    /// A DRAM event.
    Dram,
    /// Poison.
    Poison,
}

/// Lines of poison have this size, and events are of one line.
const LINE: u64 = 64;
/// Nobody has the device's address mapped.
const NOWHERE: u64 = u64::MAX;
/// The least serious log whose records tell of lost data: failures. Fatal events come after it.
const FAILURE_LOG: u32 = 2;
/// Of the descriptor.
const UNCORRECTABLE: u8 = 1 << 0;
/// Of the descriptor.
const LIST_OVERFLOW: u8 = 1 << 2;
/// Of the flags of an address.
const VOLATILE: u8 = 1 << 0;
/// Of the flags of the poison list.
const OVERFLOW: u8 = 1 << 1;
/// The record is of poison that was taken away.
const CLEARED: u8 = 2;

/// What a device has said, as far as it matters.
#[derive(Clone, Copy)]
pub(super) struct Said {
    /// What it is of.
    pub(super) kind: Kind,
    /// Which log it was in.
    pub(super) log: u32,
    /// The memory event descriptor.
    pub(super) descriptor: u8,
    /// The memory event type; of poison: listed, injected or cleared.
    pub(super) event: u8,
    /// Flags of the address; of poison: of the list.
    pub(super) flags: u8,
    /// The host's address.
    pub(super) hpa: u64,
    /// So many bytes of the device, for poison.
    pub(super) length: u64,
}

impl Said {
    /// Whether it tells of lost data.
    pub(super) fn is_loss(&self) -> bool {
        let serious = self.log >= FAILURE_LOG
            && self.descriptor & UNCORRECTABLE != 0
            && self.flags & VOLATILE == 0;
        match (self.kind, self.event) {
            (Kind::Media, 0 | 2 | 4) | (Kind::Dram, 0 | 1 | 3) => serious,
            (Kind::Poison, event) => event != CLEARED,
            _ => false,
        }
    }

    /// Whether the device's list is not complete.
    pub(super) fn has_overflowed(&self) -> bool {
        match self.kind {
            Kind::Media | Kind::Dram => self.descriptor & LIST_OVERFLOW != 0,
            Kind::Poison => self.flags & OVERFLOW != 0,
        }
    }

    /// Number of bytes of the device.
    fn len(&self) -> u64 {
        match self.kind {
            Kind::Poison => self.length.max(LINE),
            Kind::Media | Kind::Dram => LINE,
        }
    }

    /// Whether that is one line.
    pub(super) fn is_one_line(&self) -> bool {
        self.len() == LINE
    }

    /// The host's addresses of the lost data, as runs that do not overlap, in order. `interleave`: how many
    /// devices share the region, and how many bytes in a row are on one.
    ///
    /// The kernel gives the address of the first byte. What follows on the device is in the same place of the
    /// next stripe, of `ways` times `granularity` bytes. With XOR arithmetic it may be elsewhere in that stripe,
    /// which makes a difference only if the stripe is longer than a page.
    pub(super) fn runs(&self, interleave: (u64, u64)) -> impl Iterator<Item = Range<u64>> {
        let (ways, granularity) = (interleave.0.max(1), interleave.1.max(LINE));
        let mut left = if self.hpa == NOWHERE { 0 } else { self.len() };
        let mut at = self.hpa;
        core::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let room = if ways == 1 {
                left
            } else {
                granularity.saturating_sub(at.checked_rem(granularity)?)
            };
            let here = room.min(left);
            let run = at..at.saturating_add(here);
            left = left.saturating_sub(here);
            let others = granularity.saturating_mul(ways.saturating_sub(1));
            at = run.end.saturating_add(others);
            Some(run)
        })
    }
}
