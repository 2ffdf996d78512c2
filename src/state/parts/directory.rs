// SPDX-License-Identifier: GPL-2.0

//! A directory: which inode each name stands for, and the stable cookie of each entry that readdir
//! continues from.
//!
//! Entries are found by a keyed hash of the name. Whether what they name is there, and how many names it
//! has, is not known here.
//!
//! # Locking
//!
//! The caller holds the state lock.

use super::name::{
    check_name,
    Name, //
};
use crate::{
    errno::euclean,
    media::Secret,
    siphash, //
};
use core::ops::{
    ControlFlow,
    Range, //
};
use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    }, //
};

/// Cookies below this one are not entries: readdir uses them for "." and "..".
pub(crate) const FIRST_COOKIE: u64 = 2;

/// Bits of a name's hash that are used: a directory of a million names has two with the same one every
/// other time.
const HASH_BITS: u32 = 40;

/// So many names of one directory may have the same hash, and so many are looked at to find one. No
/// directory that fits in memory has half a dozen, unless somebody who knows the secret has made it.
pub(crate) const COLLISIONS: u64 = 1 << 8;

/// An entry of a directory.
pub(crate) struct DirEntry {
    /// The name: 1 to [`NAME_MAX`](super::name::NAME_MAX) bytes, neither NUL nor '/' among them.
    pub(crate) name: Name,
    /// The inode that it names.
    pub(crate) ino: u64,
    /// Its type, as `DT_*`.
    pub(crate) dtype: u8,
}

/// What a directory has for a name.
enum Spot<'a> {
    /// The entry with that name, and its cookie.
    Taken(u64, &'a DirEntry),
    /// No entry, but a cookie for one.
    Vacant(u64),
    /// Neither: too many other names have the same hash.
    Full,
}

/// A directory.
///
/// Entries are keyed by a cookie, below 2^49, that an entry keeps as long as it exists: the hash of
/// the name, and a number that tells names with the same hash apart. The hash is keyed, because whoever
/// may make names could make those that have the same one, and others wait for the state lock while
/// they are looked through. That cookies can be seen, as places in a listing, does not help him: he learns
/// which of the names that he has tried are alike, and nothing of others.
pub(crate) struct Directory {
    parent: u64,
    secret: Secret,
    len: u64,
    entries: RBTree<u64, DirEntry>,
}

impl Directory {
    /// Creates an empty directory. Allocates nothing.
    pub(in crate::state) fn new(parent: u64, secret: Secret) -> Self {
        Directory {
            parent,
            secret,
            len: 0,
            entries: RBTree::new(),
        }
    }

    /// Returns the inode number of "..". The root is its own parent.
    pub(crate) fn parent(&self) -> u64 {
        self.parent
    }

    /// Makes another directory "..".
    pub(in crate::state) fn set_parent(&mut self, parent: u64) {
        self.parent = parent;
    }

    /// Returns whether there are no entries but "." and "..".
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the entry with this name, and its cookie.
    pub(crate) fn find(&self, name: &[u8]) -> Option<(u64, &DirEntry)> {
        match self.spot(name) {
            Spot::Taken(cookie, entry) => Some((cookie, entry)),
            Spot::Vacant(_) | Spot::Full => None,
        }
    }

    /// Returns where the entry with this name is, or would be. One search, if no other name has the
    /// same hash.
    fn spot(&self, name: &[u8]) -> Spot<'_> {
        let window = window(&self.secret, name);
        let mut vacant = None;
        let mut from = window.start;

        // Numbers within the window may be unused, where an entry was removed.
        while let Some(cookie) = self.next_cookie(from).filter(|&next| next < window.end) {
            match self.entries.get(&cookie) {
                Some(entry) if *entry.name == *name => return Spot::Taken(cookie, entry),
                _ => {}
            }
            if cookie != from {
                vacant = vacant.or(Some(from));
            }
            from = cookie.saturating_add(1);
        }
        match vacant.or((from < window.end).then_some(from)) {
            Some(cookie) => Spot::Vacant(cookie),
            None => Spot::Full,
        }
    }

    fn next_cookie(&self, cookie: u64) -> Option<u64> {
        Some(*self.entries.cursor_lower_bound(&cookie)?.current().0)
    }

    /// Visits entries in the order of their cookies, from `cookie` on, until `f` breaks off. One search for each
    /// two of them.
    pub(crate) fn visit_from(
        &self,
        cookie: u64,
        mut f: impl FnMut(u64, &DirEntry) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut from = cookie;
        while let Some(cursor) = self.entries.cursor_lower_bound(&from) {
            let (cookie, entry) = cursor.current();
            f(*cookie, entry)?;
            let Some((cookie, entry)) = cursor.peek_next() else {
                break;
            };
            f(*cookie, entry)?;
            from = cookie.saturating_add(1);
        }
        ControlFlow::Continue(())
    }

    /// Checks that an entry with this name can be added.
    ///
    /// # Errors
    ///
    /// `EEXIST`; `ENOSPC` if too many names have the same hash.
    pub(in crate::state) fn check_vacant(&self, name: &[u8]) -> Result {
        match self.spot(name) {
            Spot::Taken(..) => Err(EEXIST),
            Spot::Vacant(_) => Ok(()),
            Spot::Full => Err(ENOSPC),
        }
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the name is not valid, exists, or finds no cookie.
    pub(in crate::state) fn insert(
        &mut self,
        node: RBTreeNodeReservation<u64, DirEntry>,
        entry: DirEntry,
    ) -> Result {
        check_name(&entry.name).map_err(|_| euclean())?;
        let Spot::Vacant(cookie) = self.spot(&entry.name) else {
            return Err(euclean());
        };
        self.entries.insert(node.into_node(cookie, entry));
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// Removes the entry with this name; `EUCLEAN` if there is none.
    pub(in crate::state) fn remove(&mut self, name: &[u8]) -> Result {
        let (cookie, _) = self.find(name).ok_or_else(euclean)?;
        self.entries.remove_node(&cookie).ok_or_else(euclean)?;
        self.len = self.len.saturating_sub(1);
        Ok(())
    }

    /// Visits all entries in the order of their cookies.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &DirEntry)> + '_ {
        self.entries.iter().map(|(cookie, entry)| (*cookie, entry))
    }

    /// Checks that each entry can be found where it is and that no name is there twice.
    pub(in crate::state) fn check(&self) -> Result {
        let mut len = 0u64;

        for (cookie, entry) in self.iter() {
            check_name(&entry.name).map_err(|_| euclean())?;
            if self.find(&entry.name).map(|found| found.0) != Some(cookie) {
                return Err(euclean());
            }
            len = len.saturating_add(1);
        }
        if len != self.len {
            return Err(euclean());
        }
        Ok(())
    }
}

/// Returns the cookies that an entry with this name can have.
fn window(secret: &Secret, name: &[u8]) -> Range<u64> {
    let hash = siphash(secret, name) >> (u64::BITS - HASH_BITS);
    let start = FIRST_COOKIE.saturating_add(hash.saturating_mul(COLLISIONS));

    start..start.saturating_add(COLLISIONS)
}
