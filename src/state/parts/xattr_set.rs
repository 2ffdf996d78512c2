// SPDX-License-Identifier: GPL-2.0

//! The extended attributes of an inode: what they may be called, how long they may be, and the set that
//! an inode has of them.
//!
//! Names are whole, with their namespace ("user."); which there are is the caller's business.
//!
//! # Locking
//!
//! The caller holds the state lock.

use super::name::{
    copy_name,
    copy_value,
    Name,
    Value, //
};
use crate::errno::euclean;
use kernel::prelude::*;

/// Longest name, in bytes.
const XATTR_NAME_MAX: usize = 255;

/// Longest value, in bytes (`XATTR_SIZE_MAX`, include/uapi/linux/limits.h).
pub(in crate::state) const VALUE_MAX: usize = 1 << 16;

/// All names of one inode, each with a NUL: no more could be listed (`XATTR_LIST_MAX`).
const NAMES_MAX: usize = 1 << 16;

/// An extended attribute.
pub(crate) struct Xattr {
    /// 1 to 255 bytes, no NUL among them.
    pub(crate) name: Name,
    /// At most 64 KiB.
    pub(crate) value: Value,
}

impl Xattr {
    /// A copy of both, for an inode to have. It needs no lock. May sleep.
    ///
    /// # Errors
    ///
    /// Those of [`check_xattr_name`]; `E2BIG` if the value is longer than 64 KiB; `ENOMEM`.
    pub(crate) fn copy(name: &[u8], value: &[u8]) -> Result<Self> {
        check_xattr_name(name)?;
        if value.len() > VALUE_MAX {
            return Err(E2BIG);
        }
        Ok(Xattr {
            name: copy_name(name)?,
            value: copy_value(value)?,
        })
    }
}

/// The extended attributes of an inode, by name.
pub(crate) struct XattrSet(KVVec<Xattr>);

impl XattrSet {
    /// Returns none. Allocates nothing.
    pub(in crate::state) fn new() -> Self {
        XattrSet(KVVec::new())
    }

    /// Makes room for so many more. May sleep.
    pub(in crate::state) fn reserve(&mut self, n: usize) -> Result {
        if n != 0 {
            self.0.reserve(n, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// Visits all of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Xattr> + '_ {
        self.0.iter()
    }

    /// Where a name is, or would be.
    fn find(&self, name: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|xattr| (*xattr.name).cmp(name))
    }

    /// Returns one.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Xattr> {
        self.0.get(self.find(name).ok()?)
    }

    /// Sets one, for which there is room. `EUCLEAN` if there is none, or it is not valid.
    pub(in crate::state) fn set(&mut self, name: Name, value: Value) -> Result {
        check_xattr_name(&name).map_err(|_| euclean())?;
        if value.len() > VALUE_MAX {
            return Err(euclean());
        }
        match self.find(&name) {
            Ok(at) => self.0.get_mut(at).ok_or_else(euclean)?.value = value,
            Err(at) => self
                .0
                .insert_within_capacity(at, Xattr { name, value })
                .map_err(|_| euclean())?,
        }
        Ok(())
    }

    /// Removes one; `EUCLEAN` if there is none.
    pub(in crate::state) fn remove(&mut self, name: &[u8]) -> Result {
        let at = self.find(name).map_err(|_| euclean())?;
        self.0.remove(at).map_err(|_| euclean())?;
        Ok(())
    }

    /// Bytes of all names, each with a NUL.
    fn names_len(&self) -> usize {
        self.iter()
            .fold(0usize, |sum, xattr| sum.saturating_add(room(&xattr.name)))
    }

    /// `ENOSPC` if with one more name all of them together would be longer than can be listed.
    pub(in crate::state) fn check_room(&self, name: &[u8]) -> Result {
        if self.names_len().saturating_add(room(name)) > NAMES_MAX {
            return Err(ENOSPC);
        }
        Ok(())
    }

    /// Checks that names and values are valid, and each can be found.
    pub(in crate::state) fn check(&self) -> Result {
        for (at, xattr) in self.iter().enumerate() {
            check_xattr_name(&xattr.name).map_err(|_| euclean())?;
            if self.find(&xattr.name) != Ok(at) || xattr.value.len() > VALUE_MAX {
                return Err(euclean());
            }
        }
        Ok(())
    }
}

/// What a name takes in a list.
fn room(name: &[u8]) -> usize {
    name.len().saturating_add(1)
}

/// Checks that an extended attribute may have this name.
///
/// # Errors
///
/// `ERANGE` if it is empty or longer than 255 bytes, `EINVAL` if it has a NUL in it.
pub(crate) fn check_xattr_name(name: &[u8]) -> Result {
    if name.is_empty() || name.len() > XATTR_NAME_MAX {
        return Err(ERANGE);
    }
    if name.contains(&0) {
        return Err(EINVAL);
    }
    Ok(())
}
