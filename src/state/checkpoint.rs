// SPDX-License-Identifier: GPL-2.0

//! The whole state as operations that make it, from nothing.
//!
//! None of them takes more bytes than the operations that have led to it: so a checkpoint is never
//! longer than the log that it replaces. (That is what the zeroes in an encoded `Unmap` are for, which
//! may split an extent, and those in a `Convert`, which may split one in three.)
//!
//! The caller holds the state lock. Nothing is allocated: a checkpoint may have to be written when
//! memory is short.

use super::{
    codec,
    InodeKind,
    Op,
    State,
    ROOT_INO, //
};
use crate::media::Sink;
use kernel::prelude::*;

/// Takes operations that are encoded one by one.
pub(crate) trait OpSink {
    /// Takes one, which `encode` puts.
    ///
    /// # Errors
    ///
    /// What the medium says.
    fn op(&mut self, encode: &dyn Fn(&mut dyn Sink) -> Result) -> Result;
}

fn put(out: &mut dyn OpSink, op: &Op) -> Result {
    out.op(&|sink| op.encode(sink))
}

impl State {
    /// Gives `out` all operations.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub(crate) fn checkpoint(&self, out: &mut dyn OpSink) -> Result {
        put(out, &Op::NextIno { ino: self.next_ino })?;
        for (ino, inode) in self.inodes.iter() {
            let ino = *ino;
            let parent = match &inode.kind {
                InodeKind::Dir(dir) => dir.parent(),
                _ => 0,
            };
            put(
                out,
                &Op::NewInode {
                    ino,
                    attr: inode.attr,
                    parent,
                },
            )?;
            match &inode.kind {
                InodeKind::File(map) => {
                    for extent in map.in_range(0..u64::MAX) {
                        put(
                            out,
                            &Op::Map {
                                ino,
                                pgoff: extent.pgoff,
                                block: extent.block,
                                len: extent.len,
                                unwritten: extent.unwritten,
                            },
                        )?;
                    }
                }
                // An orphan of a damaged log may have none.
                InodeKind::Symlink(target) if !target.is_empty() => {
                    out.op(&|sink| codec::put_target(sink, ino, target))?;
                }
                _ => {}
            }
            for xattr in inode.xattrs.iter() {
                out.op(&|sink| codec::put_xattr(sink, ino, &xattr.name, &xattr.value))?;
            }
        }
        let mut from = 0;
        while let Some(bad) = self.bad.next(from, self.blocks) {
            put(
                out,
                &Op::MarkBad {
                    block: bad.start,
                    len: bad.end.saturating_sub(bad.start),
                },
            )?;
            from = bad.end;
        }
        // All inodes are there to be named.
        for (ino, inode) in self.inodes.iter() {
            if let InodeKind::Dir(dir) = &inode.kind {
                for (_, entry) in dir.iter() {
                    out.op(&|sink| codec::put_link(sink, *ino, entry.ino, &entry.name))?;
                }
            }
        }
        Ok(())
    }

    /// Whether a checkpoint has made it a filesystem: there is a root.
    pub(crate) fn has_root(&self) -> bool {
        self.get(ROOT_INO).is_ok_and(|root| root.as_dir().is_ok())
    }
}
