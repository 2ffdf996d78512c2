// SPDX-License-Identifier: GPL-2.0

//! Builds the transaction that creates a symbolic link. Where one leads is told when it is made, and never
//! changes.
//!
//! # Locking
//!
//! The caller holds the state lock.

use crate::state::{
    parts::name::{
        check_target,
        copy_name, //
    },
    Attr,
    FileType,
    Op,
    State,
    Transaction, //
};
use kernel::prelude::*;

impl State {
    /// Builds the transaction that creates a symbolic link to `target`, and returns its inode number
    /// too. Its size is the target's length.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create), of [`check_target`].
    pub(crate) fn symlink(
        &mut self,
        dir: u64,
        name: &[u8],
        target: &[u8],
        attr: Attr,
    ) -> Result<(u64, Transaction)> {
        if attr.file_type() != Some(FileType::Symlink) {
            return Err(EINVAL);
        }
        check_target(target)?;
        let attr = Attr {
            nlink: 1,
            size: target.len() as u64,
            ..attr
        };
        let target = copy_name(target)?;
        let (ino, mut tx) = self.new_entry(dir, name, attr)?;
        tx.push(Op::SetTarget { ino, target })?;
        Ok((ino, tx))
    }
}
