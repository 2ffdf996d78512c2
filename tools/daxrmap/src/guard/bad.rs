// SPDX-License-Identifier: GPL-2.0

//! A driver's list of bad blocks, as the module tells it: all of it. sysfs shows a page of text at most, and
//! the kernel warns of a list that is longer.

use super::{
    Control,
    CONTROL,
    MOST_RANGES, //
};
use crate::{
    abi::{
        self,
        GuardBad, //
    },
    error::{
        bad_answer,
        Error,
        Result, //
    },
    number::DeviceNumber,
    ranges::{
        Range,
        Ranges, //
    },
};

/// How often a list is read that changes all the time, before we take what we have.
const PASSES: usize = 16;

/// The list of a device, in sectors. `None` if the module cannot be asked: it is not loaded, or does not know the
/// device, or we may not.
///
/// # Errors
///
/// If the module's answer makes no sense.
pub fn list(device: DeviceNumber) -> Result<Option<Ranges>> {
    let ask = || {
        let control = Control::open_if_there()?;
        let list = control.map(|control| control.bad(device));
        list.transpose()
    };
    match ask() {
        Err(error) if is_no_answer(&error) => Ok(None),
        other => other,
    }
}

/// Whether somebody else is to be asked.
fn is_no_answer(error: &Error) -> bool {
    matches!(
        error.errno(),
        Some(libc::ENODEV | libc::EACCES | libc::EPERM)
    )
}

impl Control {
    /// The driver's list of bad blocks of a device, in sectors.
    ///
    /// # Errors
    ///
    /// `ENODEV` if there is no such device, `EPERM`; if the module's answer makes no sense.
    fn bad(&self, device: DeviceNumber) -> Result<Ranges> {
        let entry = |index| {
            let question = GuardBad {
                major: device.major,
                minor: device.minor,
                index,
                ..GuardBad::default()
            };
            self.ask(abi::DAXRMAP_IOC_GUARD_BAD, &question)
        };
        whole(entry).map_err(|error| error.about(CONTROL))
    }
}

/// All of a list that `entry` tells one by one. It may change meanwhile: a range that moves to where we have been is
/// missed then. So the list is read again, until it is twice the same. If it never is, what was seen once counts:
/// who is told of a block that is good again loses less than who is not told of a bad one.
fn whole(mut entry: impl FnMut(u64) -> Result<GuardBad>) -> Result<Ranges> {
    let mut last = pass(&mut entry)?;
    let mut seen: Vec<Range> = last.iter().cloned().collect();
    for _ in 1..PASSES {
        let next = pass(&mut entry)?;
        if next == last {
            return Ok(next);
        }
        seen.extend(next.iter().cloned());
        last = next;
    }
    Ok(seen.into())
}

/// The list, read once.
fn pass(entry: &mut impl FnMut(u64) -> Result<GuardBad>) -> Result<Ranges> {
    let mut ranges = Vec::new();
    for index in 0..=MOST_RANGES as u64 {
        let bad = match entry(index) {
            Ok(bad) => bad,
            Err(error) if error.errno() == Some(libc::ENOENT) => return Ok(ranges.into()),
            Err(error) => return Err(error),
        };
        let end = bad.sector.checked_add(bad.count);
        let end = end.ok_or_else(|| bad_answer("a range that ends nowhere"))?;
        ranges.push(bad.sector..end);
    }
    Err(bad_answer("ranges without end"))
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "sets of one range are meant"
)]
mod tests {
    use super::*;
    use std::io;

    fn errno(number: i32) -> Error {
        io::Error::from_raw_os_error(number).into()
    }

    /// Entry `index` of a list.
    fn of(list: &[(u64, u64)], index: u64) -> Result<GuardBad> {
        let entry = list.get(index as usize);
        let &(sector, count) = entry.ok_or_else(|| errno(libc::ENOENT))?;
        Ok(GuardBad {
            index,
            sector,
            count,
            ..GuardBad::default()
        })
    }

    fn ranges(list: &[(u64, u64)]) -> Ranges {
        let range = |&(sector, count): &(u64, u64)| sector..sector + count;
        list.iter().map(range).collect::<Vec<_>>().into()
    }

    #[test]
    fn longer_than_a_page_of_text() {
        let list: Vec<_> = (0..512).map(|i| (100_000 + 16 * i, 8)).collect();
        let found = whole(|index| of(&list, index)).unwrap();
        assert_eq!(found.iter().count(), 512);
        assert_eq!(found, ranges(&list));
        assert!(whole(|index| of(&[], index)).unwrap().is_empty());
    }

    #[test]
    fn out_of_order_and_twice() {
        let list = [(80, 8), (8, 8), (16, 8), (80, 8), (40, 0)];
        let found = whole(|index| of(&list, index)).unwrap();
        assert_eq!(found, vec![8..24, 80..88].into());
    }

    /// The first two become one while we are at the second: the third is where we have been.
    #[test]
    fn a_range_that_moves_is_not_missed() {
        let before = [(8, 8), (24, 8), (80, 8), (96, 8)];
        let after = [(8, 24), (80, 8), (96, 8)];
        let mut asked = 0;
        let found = whole(|index| {
            asked += 1;
            of(if asked <= 2 { &before } else { &after }, index)
        });
        assert_eq!(found.unwrap(), ranges(&after));
        // What was healed between two passes is good.
        let mut healed = false;
        let found = whole(|index| {
            let answer = of(if healed { &after[1..] } else { &after }, index);
            healed |= answer.is_err();
            answer
        });
        assert_eq!(found.unwrap(), ranges(&after[1..]));
    }

    #[test]
    fn a_list_that_never_rests() {
        let mut pass = 0;
        let found = whole(|index| {
            let answer = of(&[(16 * pass, 8)], index);
            pass += u64::from(answer.is_err());
            answer
        });
        assert_eq!(pass, PASSES as u64);
        assert_eq!(found.unwrap().iter().count(), PASSES);
    }

    #[test]
    fn answers_that_cannot_be() {
        let error = whole(|index| of(&[(u64::MAX, 8)], index)).unwrap_err();
        assert!(error.to_string().ends_with("a range that ends nowhere"));
        let error = whole(|_| of(&[(8, 8)], 0)).unwrap_err();
        assert!(error.to_string().ends_with("ranges without end"));
        let error = whole(|_| Err(errno(libc::EIO))).unwrap_err();
        assert!(!is_no_answer(&error));
    }

    #[test]
    fn who_cannot_be_asked() {
        for number in [libc::ENODEV, libc::EPERM, libc::EACCES] {
            let error = whole(|_| Err(errno(number))).unwrap_err();
            assert!(is_no_answer(&error.about(CONTROL)), "{number}");
        }
        assert!(!is_no_answer(&Error::new("of another version")));
    }
}
