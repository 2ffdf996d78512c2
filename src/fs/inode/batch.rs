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
#[derive(Clone, Copy, Default)]
struct Copied {
    cookie: u64,
    ino: u64,
    dtype: u8,
    len: usize,
}

/// Some entries that follow each other.
pub(super) struct Batch {
    /// Room for entries, and for their names.
    entries: KVec<Copied>,
    names: KVec<u8>,
    /// How many entries there are.
    len: usize,
}

impl Batch {
    /// One without entries, and with room.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            entries: KVec::from_elem(Copied::default(), ENTRIES, GFP_KERNEL)?,
            names: KVec::from_elem(0, BYTES, GFP_KERNEL)?,
            len: 0,
        })
    }

    /// Takes the entries of a directory from a cookie on, as many as there is room for. None are there behind the
    /// last one, or if there is no such directory.
    pub(super) fn fill(&mut self, meta: &Meta, dir: u64, cookie: u64) {
        self.len = 0;
        let state = meta.read();
        let Some(Ok(dir)) = state.inode(dir).map(|inode| inode.as_dir()) else {
            return;
        };
        let mut entries = self.entries.iter_mut();
        let mut names = self.names.as_mut_slice();
        let _ = dir.visit_from(cookie, |cookie, entry| {
            let len = entry.name.len();
            let room = core::mem::take(&mut names).split_at_mut_checked(len);
            let Some((name, rest)) = room else {
                return ControlFlow::Break(());
            };
            let Some(copied) = entries.next() else {
                return ControlFlow::Break(());
            };
            name.copy_from_slice(&entry.name);
            names = rest;
            *copied = Copied {
                cookie,
                ino: entry.ino,
                dtype: entry.dtype,
                len,
            };
            ControlFlow::Continue(())
        });
        self.len = ENTRIES.saturating_sub(entries.len());
    }

    /// The entries: cookie, name, inode, and type as `DT_*`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &[u8], u64, u8)> {
        let mut names = self.names.as_slice();
        self.entries.iter().take(self.len).map_while(move |entry| {
            let (name, rest) = names.split_at_checked(entry.len)?;
            names = rest;
            Some((entry.cookie, name, entry.ino, entry.dtype))
        })
    }
}
