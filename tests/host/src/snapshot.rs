// SPDX-License-Identifier: GPL-2.0

//! All that can be seen of a `State`, to compare.

use crate::{
    rmap::{
        FileExtent,
        OwnerRecord, //
    },
    state::{
        Attr,
        InodeKind,
        State, //
    }, //
};
use std::{
    ops::{
        ControlFlow,
        Range, //
    },
    vec::Vec, //
};

/// An entry: cookie, name, inode number, type.
pub(crate) type Entry = (u64, Vec<u8>, u64, u8);

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    File(Vec<FileExtent>),
    Dir(u64, Vec<Entry>),
    Symlink(Vec<u8>),
    Special,
}

/// Extended attributes: name and value.
pub(crate) type XattrSet = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) inodes: Vec<(u64, Attr, Kind, XattrSet)>,
    pub(crate) owners: Vec<OwnerRecord>,
    pub(crate) bad: Vec<Range<u64>>,
    pub(crate) free: u64,
    pub(crate) owned: u64,
    pub(crate) in_flight: u64,
    pub(crate) corrupt: bool,
}

impl Snapshot {
    pub(crate) fn of(state: &State) -> Self {
        let mut bad = Vec::new();
        let mut from = 0;
        while let Some(range) = state.next_bad(from, u64::MAX) {
            from = range.end;
            bad.push(range);
        }
        assert_eq!(
            bad.iter().map(|r| r.end - r.start).sum::<u64>(),
            state.bad_blocks()
        );

        assert_eq!(state.inodes_from(0).count() as u64, state.inode_count());
        Snapshot {
            inodes: state
                .inodes_from(0)
                .map(|(ino, inode)| {
                    let kind = match &inode.kind {
                        InodeKind::File(map) => Kind::File(map.iter().collect()),
                        InodeKind::Dir(dir) => Kind::Dir(dir.parent(), entries(state, ino)),
                        InodeKind::Symlink(target) => Kind::Symlink(target.to_vec()),
                        InodeKind::Special => Kind::Special,
                    };
                    let xattrs = inode.xattrs.iter();
                    let xattrs = xattrs.map(|x| (x.name.to_vec(), x.value.to_vec()));
                    (ino, inode.attr, kind, xattrs.collect())
                })
                .collect(),
            owners: state.owners().iter().collect(),
            bad,
            free: state.free_blocks(),
            owned: state.owned_blocks(),
            in_flight: state.in_flight_blocks(),
            corrupt: state.is_corrupt(),
        }
    }
}

/// Reads a directory as readdir does.
pub(crate) fn entries(state: &State, dir: u64) -> Vec<Entry> {
    let mut all = Vec::new();
    // None if it is no directory.
    let dir = state.inode(dir).and_then(|inode| inode.as_dir().ok());
    let _ = dir.map(|dir| {
        dir.visit_from(0, |cookie, entry| {
            all.push((cookie, entry.name.to_vec(), entry.ino, entry.dtype));
            ControlFlow::Continue(())
        })
    });
    all
}
