// SPDX-License-Identifier: GPL-2.0

//! File handles: from an inode number and a generation to the inode.
//!
//! Numbers are not used again within a mount, and a generation is a random number: a handle of a file
//! that is gone, or of an earlier mount of the device, names nothing.
//!
//! # Locking
//!
//! The state lock, for a look-up.

use super::namespace;
use crate::{
    errno::estale,
    fs::Mount,
    vfs::{
        Export,
        FileId,
        Inode,
        SuperBlock, //
    },
};
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

/// The inode `ino`, which may go away while we look for it.
fn existing(sb: &SuperBlock<Mount>, ino: u64) -> Result<ARef<Inode<Mount>>> {
    namespace::inode(sb, ino).map_err(|e| if e == ENOENT { estale() } else { e })
}

impl Export for Mount {
    fn inode(sb: &SuperBlock<Self>, id: FileId) -> Result<ARef<Inode<Self>>> {
        // Asked before an inode in core is made for whatever number comes along.
        let attr = sb
            .fs()
            .meta()
            .read()
            .get(id.ino)
            .map_err(|_| estale())?
            .attr;
        if attr.generation != id.generation {
            return Err(estale());
        }
        if attr.nlink == 0 {
            // What has no name lives as long as somebody has it open.
            return sb.in_core(id.ino).ok().flatten().ok_or_else(estale);
        }
        existing(sb, id.ino)
    }

    fn parent(dir: &Inode<Self>) -> Result<ARef<Inode<Self>>> {
        let parent = {
            let state = dir.fs().meta().read();
            let found = state.get(dir.ino()).and_then(|inode| inode.as_dir());
            found.map_err(|_| estale())?.parent()
        };
        existing(dir.sb(), parent)
    }
}
