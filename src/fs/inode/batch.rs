// SPDX-License-Identifier: GPL-2.0

//! Entries of a directory, copied some at a time: the user's buffer may fault while one is written to it, and
//! the state lock is not to be taken for each.
//!
//! # Locking
//!
//! The state lock, shared, for one batch.

use crate::{
    fs::meta::Meta,
    state::NAME_MAX, //
};
use core::ops::ControlFlow;
use kernel::prelude::*;

/// Entries of a batch, and bytes of their names, at most.
const ENTRIES: usize = 32;
const BYTES: usize = 1024;
// One always fits.
const _: () = assert!(BYTES >= NAME_MAX);

/// An entry. Its name stands behind those before it.
struct Copied {
    cookie: u64,
    ino: u64,
    dtype: u8,
    len: usize,
}

/// Some entries that follow each other.
pub(super) struct Batch {
    entries: KVec<Copied>,
    names: KVec<u8>,
}

impl Batch {
    /// One without entries, and with room.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            entries: KVec::with_capacity(ENTRIES, GFP_KERNEL)?,
            names: KVec::with_capacity(BYTES, GFP_KERNEL)?,
        })
    }

    /// Takes the entries of a directory from a cookie on, as many as there is room for. None are there behind the
    /// last one, or if there is no such directory.
    pub(super) fn fill(&mut self, meta: &Meta, dir: u64, cookie: u64) {
        self.entries.clear();
        self.names.clear();
        let state = meta.read();
        let Some(Ok(dir)) = state.inode(dir).map(|inode| inode.as_dir()) else {
            return;
        };
        let _ = dir.visit_from(cookie, |cookie, entry| {
            let len = entry.name.len();
            let room = BYTES.saturating_sub(self.names.len());
            if self.entries.len() == ENTRIES || len > room {
                return ControlFlow::Break(());
            }
            let copied = Copied {
                cookie,
                ino: entry.ino,
                dtype: entry.dtype,
                len,
            };
            // There is room.
            let added = self.names.extend_from_slice(&entry.name, GFP_KERNEL);
            match added.and_then(|()| self.entries.push(copied, GFP_KERNEL)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
    }

    /// The entries: cookie, name, inode, and type as `DT_*`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &[u8], u64, u8)> {
        let mut at = 0usize;
        self.entries.iter().map_while(move |entry| {
            let end = at.checked_add(entry.len)?;
            let name = self.names.get(at..end)?;
            at = end;
            Some((entry.cookie, name, entry.ino, entry.dtype))
        })
    }
}
