// SPDX-License-Identifier: GPL-2.0

//! Names and numbers of links: finds contradictions, and the operations that make them right.
//!
//! Nothing is thrown away but names that name nothing, or a directory a second time. What has no name
//! any more, and is not an orphan, gets one in /lost+found.

use crate::{
    error::Result,
    state::{
        Attr,
        InodeKind,
        Name,
        Op,
        State,
        StoredInode,
        Timestamp,
        Transaction,
        ROOT_INO, //
    },
};
use kernel::prelude::{
    KVec,
    GFP_KERNEL, //
};
use std::{
    collections::{
        BTreeMap,
        BTreeSet, //
    },
    time::Duration,
};

const LOST_AND_FOUND: &[u8] = b"lost+found";
const LOST_AND_FOUND_MODE: u32 = 0o040700;

/// With more, there might be none left for another directory.
const MANY_LINKS: u32 = 1 << 30;

/// What contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A name of an inode that is not there, or is the root.
    NoInode {
        directory: u64,
        name: Vec<u8>,
        inode: u64,
    },
    /// A directory's second name.
    SecondName {
        directory: u64,
        name: Vec<u8>,
        inode: u64,
    },
    /// A name says another type than its inode.
    Type {
        directory: u64,
        name: Vec<u8>,
        inode: u64,
    },
    /// A directory's ".." is not where its name is.
    Parent { inode: u64, says: u64, is_in: u64 },
    /// No name, or one that cannot be reached from the root.
    Unreachable { inode: u64, found: Vec<u8> },
    /// The number of links is not that of the names.
    Links { inode: u64, says: u32, has: u64 },
}

/// What is wrong, and what makes it right.
type Fix = (Broken, Vec<Op>);

/// A name of a directory: where, and which.
type Place = (u64, Vec<u8>);

/// Makes names and numbers of links right, and returns what was wrong. What still contradicts itself
/// then has other reasons.
pub(super) fn mend(state: &mut State, now: Duration) -> Result<Vec<Broken>> {
    let mut broken = Vec::new();
    // Each step sees what those before have made right: numbers come last.
    for step in [entries, unreachable, loops, numbers] {
        for (what, ops) in step(state, now)? {
            let mut tx = Transaction::new();
            for op in ops {
                tx.push(op)?;
            }
            state.commit(tx)?;
            broken.push(what);
        }
    }
    Ok(broken)
}

fn name(bytes: &[u8]) -> Result<Name> {
    let mut name = KVec::new();
    name.extend_from_slice(bytes, GFP_KERNEL)
        .map_err(kernel::error::Error::from)?;
    Ok(name)
}

fn entries_of(inode: &StoredInode) -> impl Iterator<Item = (&[u8], u64, u8)> {
    let dir = inode.as_dir().ok();
    dir.into_iter()
        .flat_map(|dir| dir.iter())
        .map(|(_, entry)| (&*entry.name, entry.ino, entry.dtype))
}

/// Where the names of directories are.
fn places(state: &State) -> BTreeMap<u64, Vec<Place>> {
    let mut places: BTreeMap<u64, Vec<Place>> = BTreeMap::new();
    for (dir, inode) in state.inodes_from(0) {
        for (name, ino, _) in entries_of(inode) {
            if state.inode(ino).is_some_and(|inode| inode.as_dir().is_ok()) {
                places.entry(ino).or_default().push((dir, name.to_vec()));
            }
        }
    }
    places
}

fn parent(state: &State, ino: u64) -> Option<u64> {
    Some(state.inode(ino)?.as_dir().ok()?.parent())
}

/// Names that cannot be, and "..".
fn entries(state: &mut State, _now: Duration) -> Result<Vec<Fix>> {
    let mut fixes = Vec::new();
    for (directory, inode) in state.inodes_from(0) {
        for (bytes, inode, dtype) in entries_of(inode) {
            let unlink = Op::Unlink {
                dir: directory,
                name: name(bytes)?,
            };
            match state.inode(inode) {
                Some(target) if inode != ROOT_INO && target.attr.dtype() == dtype => {}
                Some(_) if inode != ROOT_INO => {
                    let link = Op::Link {
                        dir: directory,
                        name: name(bytes)?,
                        ino: inode,
                    };
                    let what = Broken::Type {
                        directory,
                        name: bytes.to_vec(),
                        inode,
                    };
                    fixes.push((what, vec![unlink, link]));
                }
                _ => {
                    let what = Broken::NoInode {
                        directory,
                        name: bytes.to_vec(),
                        inode,
                    };
                    fixes.push((what, vec![unlink]));
                }
            }
        }
    }
    for (inode, places) in places(state) {
        if inode == ROOT_INO {
            continue;
        }
        // The one where ".." leads is its name, or the first one if there is none.
        let says = parent(state, inode).unwrap_or_default();
        let kept = places.iter().position(|place| place.0 == says);
        for (index, (directory, bytes)) in places.iter().enumerate() {
            if index == kept.unwrap_or(0) {
                continue;
            }
            let unlink = Op::Unlink {
                dir: *directory,
                name: name(bytes)?,
            };
            let what = Broken::SecondName {
                directory: *directory,
                name: bytes.clone(),
                inode,
            };
            fixes.push((what, vec![unlink]));
        }
        if let (None, Some((is_in, _))) = (kept, places.first()) {
            fixes.push(set_parent(inode, says, *is_in));
        }
    }
    let says = parent(state, ROOT_INO).unwrap_or(ROOT_INO);
    if says != ROOT_INO {
        fixes.push(set_parent(ROOT_INO, says, ROOT_INO));
    }
    Ok(fixes)
}

fn set_parent(inode: u64, says: u64, is_in: u64) -> Fix {
    let op = Op::SetParent {
        ino: inode,
        parent: is_in,
    };
    (Broken::Parent { inode, says, is_in }, vec![op])
}

/// The number of names of each inode.
fn names(state: &State) -> BTreeMap<u64, u64> {
    let mut names = BTreeMap::new();
    for (_, inode) in state.inodes_from(0) {
        for (_, ino, _) in entries_of(inode) {
            *names.entry(ino).or_default() += 1;
        }
    }
    names
}

/// Inodes without a name that are no orphans.
fn unreachable(state: &mut State, now: Duration) -> Result<Vec<Fix>> {
    let names = names(state);
    let lost: Vec<_> = state
        .inodes_from(0)
        .filter(|(ino, inode)| {
            let orphan = inode.attr.nlink == 0
                && match &inode.kind {
                    InodeKind::File(_) | InodeKind::Symlink(_) | InodeKind::Special => true,
                    InodeKind::Dir(dir) => dir.is_empty(),
                };
            *ino != ROOT_INO && !names.contains_key(ino) && !orphan
        })
        .map(|(ino, _)| (ino, None))
        .collect();
    find(state, lost, now)
}

/// Directories that are in each other: one of each loop gets another name.
fn loops(state: &mut State, now: Duration) -> Result<Vec<Fix>> {
    let places = places(state);
    let mut good = BTreeSet::from([ROOT_INO]);
    let mut lost = Vec::new();
    for &start in places.keys() {
        let mut path = BTreeSet::new();
        let mut at = start;
        while !good.contains(&at) && path.insert(at) {
            // All that have names are in directories by now.
            at = parent(state, at).unwrap_or(ROOT_INO);
        }
        // Back where it has been, and not at what can be reached.
        if !good.contains(&at) {
            lost.push((
                at,
                places.get(&at).and_then(|places| places.first()).cloned(),
            ));
        }
        good.extend(path);
    }
    find(state, lost, now)
}

/// Gives inodes a name in /lost+found; the name that they have goes.
fn find(state: &mut State, lost: Vec<(u64, Option<Place>)>, now: Duration) -> Result<Vec<Fix>> {
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let dir = lost_and_found(state, now)?;
    let mut fixes = Vec::new();
    for (ino, place) in lost {
        let mut found = format!("#{ino}").into_bytes();
        while state.lookup(dir, &found).is_ok() {
            found.push(b'_');
        }
        let mut ops = Vec::new();
        if let Some((dir, bytes)) = place {
            let name = name(&bytes)?;
            ops.push(Op::Unlink { dir, name });
        }
        ops.push(Op::Link {
            dir,
            name: name(&found)?,
            ino,
        });
        if parent(state, ino).is_some() {
            ops.push(Op::SetParent { ino, parent: dir });
        }
        fixes.push((Broken::Unreachable { inode: ino, found }, ops));
    }
    Ok(fixes)
}

/// The directory for what was lost, which is made if it is not there.
fn lost_and_found(state: &mut State, now: Duration) -> Result<u64> {
    let mut name = LOST_AND_FOUND.to_vec();
    loop {
        match state.lookup(ROOT_INO, &name) {
            Ok(ino) if parent(state, ino) == Some(ROOT_INO) => return Ok(ino),
            Ok(_) => name.push(b'_'),
            Err(_) => break,
        }
    }
    let now = Timestamp {
        sec: i64::try_from(now.as_secs()).unwrap_or_default(),
        nsec: now.subsec_nanos(),
    };
    let attr = Attr {
        mode: LOST_AND_FOUND_MODE,
        atime: now,
        mtime: now,
        ctime: now,
        btime: now,
        ..Attr::default()
    };
    // The root's number of links is right in the end.
    // Whatever number of links the root has: it is looked at in the end.
    let root = state.get(ROOT_INO)?.attr;
    if root.nlink > MANY_LINKS {
        let mut tx = Transaction::new();
        let attr = Attr { nlink: 2, ..root };
        tx.push(Op::SetAttr {
            ino: ROOT_INO,
            attr,
        })?;
        state.commit(tx)?;
    }
    let (ino, tx) = state.mkdir(ROOT_INO, &name, attr)?;
    state.commit(tx)?;
    Ok(ino)
}

/// Numbers of links.
fn numbers(state: &mut State, _now: Duration) -> Result<Vec<Fix>> {
    let names = names(state);
    let mut subdirs: BTreeMap<u64, u64> = BTreeMap::new();
    for (ino, inode) in state.inodes_from(0) {
        if let (Ok(dir), true) = (inode.as_dir(), names.contains_key(&ino)) {
            *subdirs.entry(dir.parent()).or_default() += 1;
        }
    }
    let mut fixes = Vec::new();
    for (ino, inode) in state.inodes_from(0) {
        let names = names.get(&ino).copied().unwrap_or_default();
        let has = match &inode.kind {
            InodeKind::Dir(_) if names != 0 || ino == ROOT_INO => {
                subdirs.get(&ino).copied().unwrap_or_default() + 2
            }
            InodeKind::Dir(_) => 0,
            InodeKind::File(_) | InodeKind::Symlink(_) | InodeKind::Special => names,
        };
        let says = inode.attr.nlink;
        if u64::from(says) != has {
            let attr = Attr {
                nlink: u32::try_from(has).unwrap_or(u32::MAX),
                ..inode.attr
            };
            let op = Op::SetAttr { ino, attr };
            let inode = ino;
            fixes.push((Broken::Links { inode, says, has }, vec![op]));
        }
    }
    Ok(fixes)
}
