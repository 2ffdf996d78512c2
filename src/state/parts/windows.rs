// SPDX-License-Identifier: GPL-2.0

//! Windows: free blocks that a file which grows is to get next, and others only if they must.
//!
//! A window is a preference. Its blocks are free, and counted so; it is not on the medium; and there are
//! so few of them that no one is ever missed. What they are for is told in
//! [`layout`](crate::state::space::layout).
//!
//! # Locking
//!
//! The caller holds the state lock.

use core::{
    array,
    ops::Range, //
};

/// Files that have a window at a time.
const WINDOWS: usize = 16;

#[derive(Debug, Default)]
struct Window {
    ino: u64,
    blocks: Range<u64>,
    /// When it was last used.
    at: u64,
}

/// The windows of a mount.
pub(in crate::state) struct Windows {
    windows: [Window; WINDOWS],
    now: u64,
}

impl Windows {
    /// Nobody has one yet.
    pub(in crate::state) fn new() -> Self {
        Windows {
            windows: array::from_fn(|_| Window::default()),
            now: 0,
        }
    }

    /// Returns what the first window of another file has of `from..end`.
    pub(in crate::state) fn of_others(&self, ino: u64, from: u64, end: u64) -> Option<Range<u64>> {
        self.windows
            .iter()
            .filter(|w| w.ino != ino)
            .map(|w| w.blocks.start.max(from)..w.blocks.end.min(end))
            .filter(|part| !part.is_empty())
            .min_by_key(|part| part.start)
    }

    /// Gives a file a window in the place of the one that it has, or of the oldest one.
    pub(in crate::state) fn set(&mut self, ino: u64, blocks: Range<u64>) {
        self.now = self.now.wrapping_add(1);
        let at = self.now;
        let oldest = self.windows.iter_mut().min_by_key(|w| (w.ino != ino, w.at));
        if let Some(window) = oldest {
            *window = Window { ino, blocks, at };
        }
    }

    /// The file is gone.
    pub(in crate::state) fn forget(&mut self, ino: u64) {
        for window in self.windows.iter_mut().filter(|w| w.ino == ino) {
            *window = Window::default();
        }
    }
}
