// SPDX-License-Identifier: GPL-2.0

//! Reads all that is wanted, piece by piece: whoever does it is asked for one after the other, not faster than
//! he may be, and what he says is added up.

use super::{
    rate::Bucket,
    state::{
        Find,
        Reached, //
    },
    target::PAGE,
};
use crate::{
    abi::Scrub,
    error::{
        bad_answer,
        Error,
        Result, //
    },
    number::DeviceNumber,
    ranges::Ranges,
    stack::Stack,
};

/// Pages that the kernel reads at once, at most.
const MOST: u64 = 1024;

/// Who reads, and is told how far it is.
pub trait Reader {
    /// Has the kernel read so many pages of a disk, from this one on.
    ///
    /// # Errors
    ///
    /// Those of the kernel.
    fn read(&mut self, disk: DeviceNumber, page: u64, count: u64) -> Result<Scrub>;

    /// What has come of it so far.
    ///
    /// # Errors
    ///
    /// If it cannot be written down.
    fn reached(&mut self, reached: &Reached) -> Result<()>;

    /// Whether to stop.
    fn stops(&self) -> bool;
}

/// Reads what is wanted of a device, from where it was left, until the end; false if it was to stop.
///
/// # Errors
///
/// Those of the reader, and if the kernel's answers make no sense. `reached` is true then, too.
pub fn walk(
    stack: &Stack,
    wanted: &Ranges,
    reached: &mut Reached,
    rate: Option<u64>,
    reader: &mut impl Reader,
) -> Result<bool> {
    let mut bucket = Bucket::new(rate);
    let portion = (bucket.portion(MOST * PAGE) / PAGE).max(1) * PAGE;
    for range in wanted.within(reached.position..u64::MAX) {
        let mut at = range.start;
        while at < range.end {
            let (disk, byte, together) = stack
                .down(at)
                .ok_or_else(|| Error::new(format!("byte {at} is on no disk")))?;
            let len = (range.end - at).min(together).min(portion);
            if byte % PAGE != 0 || len % PAGE != 0 {
                return Err(Error::new("its pages are not pages of the disks below"));
            }
            if !bucket.wait(len, || reader.stops()) {
                return Ok(false);
            }
            let (first, count) = (byte / PAGE, len / PAGE);
            let answer = reader.read(disk.number, first, count)?;
            let pages = answer
                .page
                .checked_sub(first)
                .filter(|&pages| pages != 0 && pages <= count)
                .ok_or_else(|| bad_answer("it has not read what it was to read"))?;
            for &page in answer.bad.iter().take(answer.found as usize) {
                let offset = page
                    .checked_sub(first)
                    .filter(|&pages| pages < count)
                    .ok_or_else(|| bad_answer("it has found what it was not to read"))?;
                reached.found.push(Find {
                    disk: disk.name(),
                    page,
                    offset: at + offset * PAGE,
                });
            }
            reached.read = reached
                .read
                .saturating_add(answer.read.saturating_mul(PAGE));
            reached.known = reached.known.saturating_add(answer.known);
            reached.untold = reached.untold.saturating_add(answer.untold);
            at += pages * PAGE;
            reached.position = at;
            reader.reached(reached)?;
        }
    }
    Ok(true)
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "sets of one range are meant"
)]
mod tests {
    use super::*;

    /// A kernel, with one bad page.
    struct Kernel {
        bad: u64,
        asked: Vec<(u64, u64)>,
        stop_at: usize,
        nonsense: bool,
    }

    impl Reader for Kernel {
        fn read(&mut self, _: DeviceNumber, page: u64, count: u64) -> Result<Scrub> {
            self.asked.push((page, count));
            let mut answer = Scrub {
                page: page + if self.nonsense { 0 } else { count },
                read: count,
                ..Scrub::default()
            };
            if (page..page + count).contains(&self.bad) {
                // It may stop before the end.
                answer.page = self.bad + 1;
                answer.read = self.bad - page;
                answer.found = 1;
                answer.bad[0] = self.bad;
            }
            Ok(answer)
        }

        fn reached(&mut self, _: &Reached) -> Result<()> {
            Ok(())
        }

        fn stops(&self) -> bool {
            self.asked.len() >= self.stop_at
        }
    }

    fn kernel() -> Kernel {
        Kernel {
            bad: 5000,
            asked: Vec::new(),
            stop_at: usize::MAX,
            nonsense: false,
        }
    }

    fn stack() -> Stack {
        Stack::for_test("pmem9", 10_000 * PAGE)
    }

    fn wanted() -> Ranges {
        vec![0..2000 * PAGE, 4000 * PAGE..6000 * PAGE].into()
    }

    #[test]
    fn all_that_is_wanted_and_no_more() {
        let (mut kernel, mut reached) = (kernel(), Reached::default());
        assert!(walk(&stack(), &wanted(), &mut reached, None, &mut kernel).unwrap());
        let asked = [(0, 1024), (1024, 976), (4000, 1024), (5001, 999)];
        assert_eq!(kernel.asked, asked);
        assert_eq!(reached.position, 6000 * PAGE);
        assert_eq!(reached.read, 3999 * PAGE);
        let find = Find {
            disk: "pmem9".to_owned(),
            page: 5000,
            offset: 5000 * PAGE,
        };
        assert_eq!(reached.found, [find]);
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let (mut first, mut reached) = (kernel(), Reached::default());
        first.stop_at = 3;
        assert!(!walk(&stack(), &wanted(), &mut reached, None, &mut first).unwrap());
        assert_eq!(reached.position, 5001 * PAGE);
        let mut second = kernel();
        assert!(walk(&stack(), &wanted(), &mut reached, None, &mut second).unwrap());
        assert_eq!(second.asked, [(5001, 999)]);
        assert_eq!(reached.read, 3999 * PAGE);
        assert_eq!(reached.found.len(), 1);
    }

    #[test]
    fn answers_that_cannot_be() {
        let mut kernel = kernel();
        kernel.nonsense = true;
        let mut reached = Reached::default();
        assert!(walk(&stack(), &wanted(), &mut reached, None, &mut kernel).is_err());
        assert_eq!(reached.position, 0);
    }
}
