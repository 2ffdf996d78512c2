// SPDX-License-Identifier: GPL-2.0

//! Builds the transactions that set and remove extended attributes, and looks one up.
//!
//! Names are whole, with their namespace ("user."); which there are is the caller's business. ACLs
//! are among them: [`acl`](crate::state::acl).
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::{
    errno::enodata,
    state::{
        parts::{
            name::{
                copy_name,
                copy_value, //
            },
            xattr_set::{
                check_xattr_name,
                Xattr,
                VALUE_MAX, //
            },
        },
        Attr,
        Op,
        State,
        Timestamp,
        Transaction, //
    },
};
use kernel::prelude::*;

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
    /// `ENOENT` if there is no such inode; `EEXIST`, `ENODATA`, as `mode` says; `ENOSPC` if all names
    /// together would be longer than can be listed; `ENOMEM`.
    pub(crate) fn set_xattr(
        &self,
        ino: u64,
        xattr: Xattr,
        mode: SetMode,
        now: Timestamp,
    ) -> Result<Transaction> {
        let inode = self.get(ino)?;
        let Xattr { name, value } = xattr;
        match (mode, inode.xattrs.get(&name)) {
            (SetMode::Create, Some(_)) => return Err(EEXIST),
            (SetMode::Replace, None) => return Err(enodata()),
            (_, Some(_)) => {}
            (_, None) => inode.xattrs.check_room(&name)?,
        }
        let mut tx = Transaction::with_room(2)?;
        tx.push(Op::SetXattr { ino, name, value })?;
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
    pub(crate) fn remove_xattr(
        &self,
        ino: u64,
        name: &[u8],
        now: Timestamp,
    ) -> Result<Transaction> {
        let inode = self.get(ino)?;
        inode.xattrs.get(name).ok_or_else(enodata)?;
        let mut tx = Transaction::with_room(2)?;
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

fn changed_op(ino: u64, attr: Attr, now: Timestamp) -> Op {
    Op::SetAttr {
        ino,
        attr: Attr { ctime: now, ..attr },
    }
}
