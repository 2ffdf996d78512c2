// SPDX-License-Identifier: GPL-2.0

//! Points in time, as inodes have them. They are plain values: there is nothing to lock.

use crate::bindings;
use kernel::prelude::*;

/// A point in time: seconds and nanoseconds since the epoch.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time {
    /// Seconds; negative before 1970.
    pub(crate) sec: i64,
    /// Nanoseconds, 0 to 999,999,999.
    pub(crate) nsec: u32,
}

impl Time {
    pub(in crate::vfs) fn from_raw(ts: bindings::timespec64) -> Self {
        Self {
            sec: ts.tv_sec,
            nsec: u32::try_from(ts.tv_nsec).unwrap_or(0),
        }
    }

    pub(in crate::vfs) fn into_raw(self) -> bindings::timespec64 {
        bindings::timespec64 {
            tv_sec: self.sec,
            tv_nsec: self.nsec as c_long,
        }
    }
}

/// The three times that an inode in core has.
#[derive(Clone, Copy, Default)]
pub(crate) struct Times {
    /// Last access.
    pub(crate) atime: Time,
    /// Last change of data.
    pub(crate) mtime: Time,
    /// Last change of data or attributes.
    pub(crate) ctime: Time,
}

/// Times with access, modification and change all at `now`.
impl From<Time> for Times {
    fn from(now: Time) -> Self {
        Self {
            atime: now,
            mtime: now,
            ctime: now,
        }
    }
}
