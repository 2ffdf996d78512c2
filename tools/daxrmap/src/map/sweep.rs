// SPDX-License-Identifier: GPL-2.0

//! Lays the records of FS_IOC_GETFSMAP one above the other, as they come: how many files have each byte.
//!
//! They come in the order of where they begin. What is remembered is where those end that reach beyond the place
//! that was come to: as many numbers as one block has owners.

use super::{
    cells::Cells,
    class::Class, //
};
use crate::{
    abi::{
        FsMap,
        FMR_OF_ATTR_FORK,
        FMR_OF_EXTENT_MAP,
        FMR_OF_SPECIAL_OWNER,
        FMR_OWN_DEFECTIVE,
        FMR_OWN_FREE,
        FMR_OWN_UNKNOWN, //
    },
    error::{
        bad_answer, //
        Result,
    },
    fsmap,
    ranges::{
        Range,
        Ranges, //
    },
};
use std::{
    cmp::Reverse,
    collections::BinaryHeap, //
};

/// Goes over the device, from its start to its end.
#[derive(Debug)]
pub struct Sweep<'a> {
    cells: &'a mut Cells,
    bad: &'a Ranges,
    device: u32,
    at: u64,
    /// Where data ends that begins before `at`.
    ends: BinaryHeap<Reverse<u64>>,
    /// What else began last, and where it ends.
    other: (Class, u64),
    /// A record has named an inode.
    names_owners: bool,
}

impl<'a> Sweep<'a> {
    /// Over what the cells are of, on `device` as the kernel numbers it. `bad` is bad, whoever has it.
    pub fn new(cells: &'a mut Cells, bad: &'a Ranges, device: u32) -> Self {
        let at = cells.range().start;
        Self {
            cells,
            bad,
            device,
            at,
            ends: BinaryHeap::new(),
            other: (Class::Unknown, at),
            names_owners: false,
        }
    }

    /// The next record.
    ///
    /// # Errors
    ///
    /// If it cannot be, or comes out of order.
    pub fn record(&mut self, record: &FsMap) -> Result<()> {
        let all = fsmap::range(record)?;
        let whole = self.cells.range();
        let at = all.start.max(whole.start)..all.end.min(whole.end);
        if record.fmr_device != self.device || at.start >= at.end {
            return Ok(());
        }
        if at.start < self.at {
            return Err(bad_answer("records that come in no order"));
        }
        self.advance(at.start);
        let special = record.fmr_flags & FMR_OF_SPECIAL_OWNER != 0;
        let (class, what) = match record.fmr_owner {
            ino if !special => {
                self.names_owners = true;
                self.cells.owner(at.clone(), ino);
                if record.fmr_flags & FMR_OF_EXTENT_MAP != 0 {
                    (Class::Metadata, Some("extent maps"))
                } else if record.fmr_flags & FMR_OF_ATTR_FORK != 0 {
                    (Class::Metadata, Some("attributes"))
                } else {
                    self.ends.push(Reverse(at.end));
                    return Ok(());
                }
            }
            FMR_OWN_FREE => (Class::Free, None),
            FMR_OWN_UNKNOWN => (Class::Unknown, None),
            FMR_OWN_DEFECTIVE => (Class::Bad, None),
            owner => (Class::Metadata, Some(fsmap::special(owner))),
        };
        if let Some(what) = what {
            self.cells.metadata(at.clone(), what);
        }
        self.other = (class, at.end);
        Ok(())
    }

    /// There are no more records. Returns whether one has named an inode.
    pub fn finish(mut self) -> bool {
        let end = self.cells.range().end;
        self.advance(end);
        self.names_owners
    }

    /// What is before `to` is known now.
    fn advance(&mut self, to: u64) {
        while self.at < to {
            while self.ends.peek().is_some_and(|&Reverse(end)| end <= self.at) {
                self.ends.pop();
            }
            let owners = self.ends.len();
            let (other, other_end) = self.other;
            let mut next = to;
            if let Some(&Reverse(end)) = self.ends.peek() {
                next = next.min(end);
            }
            let class = if owners != 0 {
                Class::of_owners(owners)
            } else if other_end > self.at {
                next = next.min(other_end);
                other
            } else {
                // The kernel says nothing of it.
                Class::Unknown
            };
            self.tell(self.at..next, class, owners as u64);
            self.at = next;
        }
    }

    fn tell(&mut self, range: Range, class: Class, owners: u64) {
        let mut at = range.start;
        for bad in self.bad.within(range.clone()) {
            self.cells.add(at..bad.start, class, owners);
            self.cells.add(bad.clone(), Class::Bad, owners);
            at = bad.end;
        }
        self.cells.add(at..range.end, class, owners);
    }
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "sets of one range are meant"
)]
mod tests {
    use super::*;
    use crate::abi::{
        FMR_OWN_FS,
        FMR_OWN_LOG, //
    };

    const BLOCK: u64 = 4096;
    const DEVICE: u32 = 0x10300;

    fn rec(block: u64, len: u64, owner: u64) -> FsMap {
        FsMap {
            fmr_device: DEVICE,
            fmr_physical: block * BLOCK,
            fmr_length: len * BLOCK,
            fmr_owner: owner,
            ..FsMap::default()
        }
    }

    fn special(block: u64, len: u64, owner: u64) -> FsMap {
        FsMap {
            fmr_flags: FMR_OF_SPECIAL_OWNER,
            ..rec(block, len, owner)
        }
    }

    fn blocks(range: Range) -> Range {
        range.start * BLOCK..range.end * BLOCK
    }

    /// The picture of these blocks, one letter each.
    fn picture(range: Range, bad: Vec<Range>, all: &[FsMap]) -> Result<String> {
        let mut cells = Cells::new(blocks(range), BLOCK, 1 << 20);
        let bad = bad.into_iter().map(blocks).collect::<Vec<_>>().into();
        let mut sweep = Sweep::new(&mut cells, &bad, DEVICE);
        all.iter().try_for_each(|record| sweep.record(record))?;
        sweep.finish();
        Ok(cells.iter().map(|(_, cell)| cell.class().glyph()).collect())
    }

    #[test]
    fn one_above_the_other() {
        let mut all = vec![
            special(0, 1, FMR_OWN_FS),
            special(1, 3, FMR_OWN_LOG),
            rec(4, 10, 131),
            rec(6, 2, 132),
            rec(7, 4, 133),
            special(14, 2, FMR_OWN_FREE),
            special(16, 1, FMR_OWN_DEFECTIVE),
            special(17, 2, FMR_OWN_UNKNOWN),
        ];
        // Of 19 nothing is said.
        let shown = picture(0..20, vec![], &all).unwrap();
        assert_eq!(shown, "mmmmoo23222ooo..!uuu");
        let shown = picture(0..20, vec![7..8, 12..15], &all).unwrap();
        assert_eq!(shown, "mmmmoo2!222o!!!.!uuu");
        let shown = picture(5..9, vec![7..8], &all).unwrap();
        assert_eq!(shown, "o2!2");
        all.push(rec(3, 1, 134));
        assert!(picture(0..20, vec![], &all).is_err());
    }

    #[test]
    fn a_crowd() {
        for (crowd, glyph) in [(1, 'o'), (2, '2'), (9, '3'), (10, '+'), (1000, '+')] {
            let all: Vec<_> = (0..crowd).map(|i| rec(2, 1, 131 + i)).collect();
            let expected = format!("uu{glyph}u");
            assert_eq!(picture(0..4, vec![], &all).unwrap(), expected);
        }
    }

    #[test]
    fn what_of_a_file_is_no_data() {
        let attributes = FsMap {
            fmr_flags: FMR_OF_ATTR_FORK,
            ..rec(1, 1, 131)
        };
        let other = FsMap {
            fmr_device: DEVICE + 1,
            ..rec(0, 4, 131)
        };
        assert_eq!(picture(0..3, vec![], &[other, attributes]).unwrap(), "umu");
    }

    #[test]
    fn records_that_cannot_be() {
        for bad in [rec(1, 0, 131), rec(1, u64::MAX / BLOCK, 131)] {
            assert!(picture(0..4, vec![], &[bad]).is_err());
        }
    }

    /// Clones upon clones, each from somewhere to the end: what took quadratic time would take minutes, and what kept
    /// each record, a gigabyte.
    #[test]
    fn millions_of_records() {
        let mut cells = Cells::new(0..1 << 42, BLOCK, 1000);
        let none = Ranges::default();
        let mut sweep = Sweep::new(&mut cells, &none, DEVICE);
        for i in 0..3_000_000 {
            sweep.record(&rec(i / 3 * 100, 150, 131 + i % 7)).unwrap();
        }
        assert!(sweep.ends.len() < 10);
        assert!(sweep.finish());
        let share = |class| cells.total(class) / BLOCK;
        assert_eq!(share(Class::Shared3), 100_000_000 + 50);
        assert_eq!(share(Class::Unknown), (1 << 30) - 100_000_050);
    }
}
