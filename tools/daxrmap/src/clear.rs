// SPDX-License-Identifier: GPL-2.0

//! Having bad blocks cleared: the request DAXRMAP_IOC_CLEAR, and what its answer says of each block.

use crate::{
    abi::Clear,
    error::{
        bad_answer, //
        Error,
        Result,
    },
    sys::Buffer,
};
use serde::Serialize;
use std::ops::Range;

/// The argument of the request, which has no records.
pub type Request = Buffer<Clear, u64>;

/// How many bad blocks met which fate.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
pub struct ClearCounts {
    /// Returned to use.
    pub cleared: u64,
    /// Files own them.
    pub busy: u64,
    /// The driver has not cleared them, or has nothing to clear.
    pub refused: u64,
    /// They failed the test.
    pub failed: u64,
}

impl ClearCounts {
    fn sum(&self) -> Option<u64> {
        let Self {
            cleared,
            busy,
            refused,
            failed,
        } = *self;
        cleared
            .checked_add(busy)?
            .checked_add(refused)?
            .checked_add(failed)
    }

    /// What is said of the blocks that stay bad, if there are any.
    pub fn complaint(&self) -> Option<Error> {
        let parts = [
            (
                self.busy,
                "owned by files (heal or remove these first, daxrmap owners tells which)",
            ),
            (
                self.refused,
                "not cleared by the driver, or not on its list",
            ),
            (self.failed, "failed the test"),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(count, _)| *count != 0)
            .map(|(count, why)| format!("{count} {why}"))
            .collect();
        (!parts.is_empty()).then(|| Error::new(format!("still bad: {}", parts.join("; "))))
    }
}

/// The kernel's answer.
#[derive(Debug)]
pub struct Answer {
    /// Of the bad blocks that it came to. Zeroes if none is bad.
    pub outcome: ClearCounts,
    /// Why it did not come to all of them.
    pub broke_off: Option<Error>,
}

/// Has the bad ones of these blocks cleared. `ask` makes the request.
///
/// # Errors
///
/// Those of `ask` with which there are no numbers, and if the numbers make no sense.
pub fn clear(blocks: Range<u64>, ask: impl FnOnce(&mut Request) -> Result<()>) -> Result<Answer> {
    let count = blocks.end.saturating_sub(blocks.start);
    let head = Clear {
        block: blocks.start,
        count,
        ..Clear::default()
    };
    let mut request = Request::new(&head, 0);
    let asked = ask(&mut request);
    let said = request.head();
    let outcome = ClearCounts {
        cleared: said.count,
        busy: said.busy,
        refused: said.refused,
        failed: said.failed,
    };
    let (makes_sense, broke_off) = match asked {
        Ok(()) => (outcome.cleared != 0, None),
        Err(error) => match error.errno() {
            Some(libc::ENODATA) => (outcome == ClearCounts::default(), None),
            Some(libc::EBUSY) => (outcome.cleared == 0 && outcome.busy != 0, None),
            Some(libc::EOPNOTSUPP) => (outcome.cleared == 0 && outcome.refused != 0, None),
            // Of the test; else the device is gone.
            Some(libc::EIO) if outcome.cleared == 0 && outcome.failed != 0 => (true, None),
            Some(libc::EIO | libc::ENOMEM | libc::EINTR) => (true, Some(error)),
            _ => return Err(error),
        },
    };
    if !makes_sense || outcome.sum().is_none_or(|sum| sum > count) {
        return Err(bad_answer("numbers of blocks that cannot be"));
    }
    Ok(Answer { outcome, broke_off })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// The answer of a kernel that says this of 10 blocks: cleared, busy, refused, failed.
    fn answer(errno: i32, [count, busy, refused, failed]: [u64; 4]) -> Result<Answer> {
        clear(7..17, |request| {
            let head = request.head_mut();
            let expected = Clear {
                block: 7,
                count: 10,
                ..Clear::default()
            };
            assert_eq!(*head, expected);
            *head = Clear {
                count,
                busy,
                refused,
                failed,
                ..*head
            };
            match errno {
                0 => Ok(()),
                errno => Err(io::Error::from_raw_os_error(errno).into()),
            }
        })
    }

    fn numbers([cleared, busy, refused, failed]: [u64; 4]) -> ClearCounts {
        ClearCounts {
            cleared,
            busy,
            refused,
            failed,
        }
    }

    #[test]
    fn answers_with_numbers() {
        for (errno, says) in [
            (0, [1, 0, 0, 0]),
            (0, [4, 2, 2, 2]),
            (libc::ENODATA, [0, 0, 0, 0]),
            (libc::EBUSY, [0, 1, 9, 0]),
            (libc::EOPNOTSUPP, [0, 1, 1, 0]),
            (libc::EIO, [0, 1, 0, 1]),
        ] {
            let answer = answer(errno, says).unwrap();
            assert_eq!(answer.outcome, numbers(says), "{says:?}");
            assert!(answer.broke_off.is_none(), "{says:?}");
        }
    }

    #[test]
    fn broken_off() {
        for (errno, says) in [
            (libc::EIO, [0, 0, 0, 0]),
            (libc::EIO, [1, 0, 0, 1]),
            (libc::ENOMEM, [1, 1, 0, 0]),
            (libc::EINTR, [0, 0, 0, 0]),
        ] {
            let answer = answer(errno, says).unwrap();
            assert_eq!(answer.outcome, numbers(says), "{says:?}");
            assert_eq!(answer.broke_off.unwrap().errno(), Some(errno));
        }
    }

    /// What the head has then is what was asked.
    #[test]
    fn refused_before_anything() {
        for errno in [libc::EPERM, libc::EROFS, libc::EINVAL, libc::EUCLEAN] {
            let error = answer(errno, [10, 0, 0, 0]).unwrap_err();
            assert_eq!(error.errno(), Some(errno));
        }
    }

    #[test]
    fn answers_that_cannot_be() {
        for (errno, says) in [
            (0, [0, 0, 0, 0]),
            (0, [0, 1, 0, 0]),
            (0, [11, 0, 0, 0]),
            (0, [5, 2, 2, 2]),
            (0, [1, u64::MAX, 0, 0]),
            (libc::ENODATA, [0, 1, 0, 0]),
            (libc::EBUSY, [0, 0, 1, 0]),
            (libc::EBUSY, [1, 1, 0, 0]),
            (libc::EOPNOTSUPP, [0, 1, 0, 0]),
            (libc::EIO, [0, 0, 0, 11]),
        ] {
            let error = answer(errno, says).unwrap_err();
            assert!(error.to_string().contains("makes no sense"), "{says:?}");
        }
    }

    #[test]
    fn complaints() {
        let complaint = |says| numbers(says).complaint().map(|error| error.to_string());
        assert_eq!(complaint([3, 0, 0, 0]), None);
        assert_eq!(
            complaint([3, 0, 0, 1]).unwrap(),
            "still bad: 1 failed the test"
        );
        assert_eq!(
            complaint([0, 8, 2, 0]).unwrap(),
            "still bad: 8 owned by files (heal or remove these first, daxrmap owners tells which); \
             2 not cleared by the driver, or not on its list"
        );
    }
}
