// SPDX-License-Identifier: GPL-2.0

//! Times, from the VFS's form to the state's and back. Pure, nothing to lock.

use crate::{
    state::{
        self,
        Attr, //
    },
    vfs::{
        Time,
        Times, //
    },
};

/// As the state has it.
pub(in crate::fs) fn stored(time: Time) -> state::Timestamp {
    state::Timestamp {
        sec: time.sec,
        nsec: time.nsec,
    }
}

/// As the VFS has it.
pub(in crate::fs) fn in_core(time: state::Timestamp) -> Time {
    Time {
        sec: time.sec,
        nsec: time.nsec,
    }
}

/// `attr` with the times of the inode in core.
pub(in crate::fs) fn with_times(attr: Attr, times: Times) -> Attr {
    Attr {
        atime: stored(times.atime),
        mtime: stored(times.mtime),
        ctime: stored(times.ctime),
        ..attr
    }
}
