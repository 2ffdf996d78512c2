// SPDX-License-Identifier: GPL-2.0

//! Extended attributes: names and values that an inode has besides.
//!
//! Names are whole, with their namespace ("user."); which there are is the caller's business. ACLs
//! are among them: [`acl`](super::acl).
//!
//! The caller holds the state lock.

use super::{
    namespace::copy_name,
    Attr,
    Name,
    Op,
    State,
    Time,
    Transaction,
    Value, //
};
use crate::errno::{
    enodata,
    euclean, //
};
use kernel::prelude::*;

/// Longest name, in bytes.
const NAME_MAX: usize = 255;

/// Longest value, in bytes (`XATTR_SIZE_MAX`, include/uapi/linux/limits.h).
pub(super) const VALUE_MAX: usize = 1 << 16;

/// All names of one inode, each with a NUL: no more could be listed (`XATTR_LIST_MAX`).
const NAMES_MAX: usize = 1 << 16;

/// An extended attribute.
pub(crate) struct Xattr {
    /// 1 to 255 bytes, no NUL among them.
    pub(crate) name: Name,
    /// At most 64 KiB.
    pub(crate) value: Value,
}

/// The extended attributes of an inode, by name.
pub(crate) struct Xattrs(KVVec<Xattr>);

impl Xattrs {
    /// Returns none. Allocates nothing.
    pub(super) fn new() -> Self {
        Xattrs(KVVec::new())
    }

    /// Makes room for so many more. May sleep.
    pub(super) fn reserve(&mut self, n: usize) -> Result {
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
    pub(super) fn set(&mut self, name: Name, value: Value) -> Result {
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
    pub(super) fn remove(&mut self, name: &[u8]) -> Result {
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
    fn check_room(&self, name: &[u8]) -> Result {
        if self.names_len().saturating_add(room(name)) > NAMES_MAX {
            return Err(ENOSPC);
        }
        Ok(())
    }

    /// Checks that names and values are valid, and each can be found.
    pub(super) fn check(&self) -> Result {
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

/// What setting an extended attribute does if it is there, or is not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SetMode {
    /// Sets it.
    Any,
    /// `EEXIST` if it is there (`XATTR_CREATE`).
    Create,
    /// `ENODATA` if it is not (`XATTR_REPLACE`).
    Replace,
}

impl State {
    /// Returns the value of an extended attribute.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such inode, `ENODATA`.
    pub(crate) fn xattr(&self, ino: u64, name: &[u8]) -> Result<&[u8]> {
        let found = self.get(ino)?.xattrs.get(name).ok_or_else(enodata)?;
        Ok(&found.value)
    }

    /// Builds the transaction that sets an extended attribute.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such inode; those of [`check_xattr_name`]; `E2BIG` if the value is
    /// longer than 64 KiB; `EEXIST`, `ENODATA`, as `mode` says; `ENOSPC` if all names together would
    /// be longer than can be listed; `ENOMEM`.
    pub(crate) fn set_xattr(
        &self,
        ino: u64,
        name: &[u8],
        value: &[u8],
        mode: SetMode,
        now: Time,
    ) -> Result<Transaction> {
        let inode = self.get(ino)?;
        check_xattr_name(name)?;
        if value.len() > VALUE_MAX {
            return Err(E2BIG);
        }
        match (mode, inode.xattrs.get(name)) {
            (SetMode::Create, Some(_)) => return Err(EEXIST),
            (SetMode::Replace, None) => return Err(enodata()),
            (_, Some(_)) => {}
            (_, None) => inode.xattrs.check_room(name)?,
        }
        let mut tx = Transaction::new();
        tx.push(xattr_op(ino, name, value)?)?;
        tx.push(changed_op(ino, inode.attr, now))?;
        Ok(tx)
    }

    /// Builds the transaction that gives an inode other attributes, and with them an extended
    /// attribute, or none of that name.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such inode; `E2BIG` if the value is longer than 64 KiB; `ENOSPC` if all
    /// names together would be longer than can be listed; `ENOMEM`.
    pub(crate) fn replace_xattr(
        &self,
        ino: u64,
        name: &[u8],
        value: Option<&[u8]>,
        attr: Attr,
    ) -> Result<Transaction> {
        let xattrs = &self.get(ino)?.xattrs;
        let mut tx = Transaction::new();
        match (value, xattrs.get(name)) {
            (Some(value), _) if value.len() > VALUE_MAX => return Err(E2BIG),
            (Some(value), before) => {
                if before.is_none() {
                    check_xattr_name(name)?;
                    xattrs.check_room(name)?;
                }
                tx.push(xattr_op(ino, name, value)?)?;
            }
            (None, Some(_)) => tx.push(Op::RemoveXattr {
                ino,
                name: copy_name(name)?,
            })?,
            (None, None) => {}
        }
        tx.push(Op::SetAttr { ino, attr })?;
        Ok(tx)
    }

    /// Builds the transaction that removes an extended attribute.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such inode, `ENODATA`, `ENOMEM`.
    pub(crate) fn remove_xattr(&self, ino: u64, name: &[u8], now: Time) -> Result<Transaction> {
        let inode = self.get(ino)?;
        inode.xattrs.get(name).ok_or_else(enodata)?;
        let mut tx = Transaction::new();
        tx.push(Op::RemoveXattr {
            ino,
            name: copy_name(name)?,
        })?;
        tx.push(changed_op(ino, inode.attr, now))?;
        Ok(tx)
    }
}

/// Returns the operation that sets an extended attribute, of a new inode too.
pub(crate) fn xattr_op(ino: u64, name: &[u8], value: &[u8]) -> Result<Op> {
    Ok(Op::SetXattr {
        ino,
        name: copy_name(name)?,
        value: copy_value(value)?,
    })
}

fn changed_op(ino: u64, attr: Attr, now: Time) -> Op {
    Op::SetAttr {
        ino,
        attr: Attr { ctime: now, ..attr },
    }
}

/// Returns a copy.
pub(super) fn copy_value(bytes: &[u8]) -> Result<Value> {
    let mut copy = Value::with_capacity(bytes.len(), GFP_KERNEL)?;
    copy.extend_from_slice(bytes, GFP_KERNEL)?;
    Ok(copy)
}

/// Checks that an extended attribute may have this name.
///
/// # Errors
///
/// `ERANGE` if it is empty or longer than 255 bytes, `EINVAL` if it has a NUL in it.
pub(crate) fn check_xattr_name(name: &[u8]) -> Result {
    if name.is_empty() || name.len() > NAME_MAX {
        return Err(ERANGE);
    }
    if name.contains(&0) {
        return Err(EINVAL);
    }
    Ok(())
}
