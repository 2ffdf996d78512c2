// SPDX-License-Identifier: GPL-2.0

//! Directories: names, and the stable cookies that readdir continues from.
//!
//! The caller holds the state lock.

use super::{
    Name,
    NAME_MAX, //
};
use crate::errno::{
    enametoolong,
    euclean, //
};
use core::ops::Range;
use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    }, //
};

/// Cookies below this one are not entries: readdir uses them for "." and "..".
pub(crate) const FIRST_COOKIE: u64 = 2;

/// So many names of one directory may have the same hash.
const COLLISIONS: u64 = 1 << 16;

/// An entry of a directory.
pub(crate) struct DirEntry {
    /// The name: 1 to [`NAME_MAX`] bytes, neither NUL nor '/' among them.
    pub(crate) name: Name,
    /// The inode that it names.
    pub(crate) ino: u64,
    /// Its type, as `DT_*`.
    pub(crate) dtype: u8,
}

/// A directory.
///
/// Entries are keyed by a cookie, below 2^49, that an entry keeps as long as it exists: the hash of
/// the name, and a number that tells names with the same hash apart.
pub(crate) struct Directory {
    parent: u64,
    len: u64,
    entries: RBTree<u64, DirEntry>,
}

impl Directory {
    /// Creates an empty directory. Allocates nothing.
    pub(super) fn new(parent: u64) -> Self {
        Directory {
            parent,
            len: 0,
            entries: RBTree::new(),
        }
    }

    /// Returns the inode number of "..". The root is its own parent.
    pub(crate) fn parent(&self) -> u64 {
        self.parent
    }

    /// Makes another directory "..".
    pub(super) fn set_parent(&mut self, parent: u64) {
        self.parent = parent;
    }

    /// Returns whether there are no entries but "." and "..".
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the entry with this name, and its cookie.
    pub(crate) fn find(&self, name: &[u8]) -> Option<(u64, &DirEntry)> {
        let window = window(name);
        let mut from = window.start;

        // Numbers within the window may be unused, where an entry was removed.
        loop {
            let (cookie, entry) = self.next(from)?;
            if cookie >= window.end {
                return None;
            }
            if *entry.name == *name {
                return Some((cookie, entry));
            }
            from = cookie.checked_add(1)?;
        }
    }

    /// Returns the first entry whose cookie is `cookie` or more, and its cookie. Continue readdir
    /// from that plus 1.
    pub(crate) fn next(&self, cookie: u64) -> Option<(u64, &DirEntry)> {
        let key = *self.entries.cursor_lower_bound(&cookie)?.current().0;
        Some((key, self.entries.get(&key)?))
    }

    /// Returns whether an entry with this name can be added: not too many have the same hash.
    pub(super) fn has_room(&self, name: &[u8]) -> bool {
        self.vacant_cookie(name).is_some()
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the name is not valid, exists, or finds no cookie.
    pub(super) fn insert(
        &mut self,
        node: RBTreeNodeReservation<u64, DirEntry>,
        entry: DirEntry,
    ) -> Result {
        check_name(&entry.name).map_err(|_| euclean())?;
        if self.find(&entry.name).is_some() {
            return Err(euclean());
        }
        let cookie = self.vacant_cookie(&entry.name).ok_or_else(euclean)?;
        self.entries.insert(node.into_node(cookie, entry));
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// Removes the entry with this name; `EUCLEAN` if there is none.
    pub(super) fn remove(&mut self, name: &[u8]) -> Result {
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
    pub(super) fn check(&self) -> Result {
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

    /// Returns the first cookie for this name that is not in use.
    fn vacant_cookie(&self, name: &[u8]) -> Option<u64> {
        let mut window = window(name);

        window.find(|&cookie| self.next(cookie).is_none_or(|(used, _)| used != cookie))
    }
}

/// Returns the cookies that an entry with this name can have.
fn window(name: &[u8]) -> Range<u64> {
    // FNV-1a. It need not resist an adversary: who fills a window gets ENOSPC, in his directory.
    let hash = name.iter().fold(0x811c_9dc5u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    let start = FIRST_COOKIE.saturating_add(u64::from(hash).saturating_mul(COLLISIONS));

    start..start.saturating_add(COLLISIONS)
}

/// Checks that an entry may have this name.
///
/// # Errors
///
/// `EINVAL` if it is empty, "." or "..", or has a NUL or '/' in it; `ENAMETOOLONG`.
pub(crate) fn check_name(name: &[u8]) -> Result {
    if name.len() > NAME_MAX {
        return Err(enametoolong());
    }
    if matches!(name, b"" | b"." | b"..") || name.iter().any(|b| matches!(b, 0 | b'/')) {
        return Err(EINVAL);
    }
    Ok(())
}
