// SPDX-License-Identifier: GPL-2.0

//! A naive model of the state, and the comparison of the state with it.

use crate::errno::enotempty;
use crate::{
    snapshot::{
        entries,
        Kind,
        Snapshot, //
    },
    state::{
        Mapping,
        RenameMode,
        State,
        ROOT_INO, //
    }, //
};
use kernel::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    vec::Vec, //
};

pub(crate) const BLOCKS: u64 = 64;
pub(crate) const PAGES: u64 = 16;

/// What the state should be: sets and maps of single names, pages and blocks.
#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) files: BTreeMap<u64, BTreeMap<u64, u64>>,
    pub(crate) dirs: BTreeMap<u64, BTreeMap<u8, u64>>,
    /// What is neither: the target if it is a symbolic link.
    pub(crate) others: BTreeMap<u64, Option<Vec<u8>>>,
    /// Of all of them, by inode number and name.
    pub(crate) xattrs: BTreeMap<(u64, u8), Vec<u8>>,
    pub(crate) bad: BTreeSet<u64>,
    /// Blocks that hold nothing of their owner.
    pub(crate) unwritten: BTreeSet<u64>,
    /// Allocations that are in flight, each apart.
    pub(crate) held: Vec<Range<u64>>,
}

impl Model {
    /// The nth directory, or file; of an empty list, something that does not exist.
    pub(crate) fn dir(&self, n: usize) -> u64 {
        *self.dirs.keys().cycle().nth(n).unwrap()
    }

    pub(crate) fn file(&self, n: usize) -> u64 {
        self.files.keys().cycle().nth(n).copied().unwrap_or(9999)
    }

    /// The nth of all inodes.
    pub(crate) fn any(&self, n: usize) -> u64 {
        let all = self.dirs.keys().chain(self.files.keys());
        all.chain(self.others.keys())
            .copied()
            .cycle()
            .nth(n)
            .unwrap()
    }

    /// The nth of those that may have several names.
    pub(crate) fn linkable(&self, n: usize) -> u64 {
        let all = self.files.keys().chain(self.others.keys());
        all.copied().cycle().nth(n).unwrap_or(9999)
    }

    pub(crate) fn has(&self, ino: u64) -> bool {
        self.files.contains_key(&ino)
            || self.dirs.contains_key(&ino)
            || self.others.contains_key(&ino)
    }

    pub(crate) fn forget(&mut self, ino: u64) {
        self.files.remove(&ino);
        self.dirs.remove(&ino);
        self.others.remove(&ino);
        self.xattrs.retain(|(owner, _), _| *owner != ino);
    }

    fn dtype(&self, ino: u64) -> u8 {
        match self.others.get(&ino) {
            Some(Some(_)) => 10,
            Some(None) => 1,
            None if self.dirs.contains_key(&ino) => 4,
            None => 8,
        }
    }

    pub(crate) fn names(&self, ino: u64) -> u32 {
        let entries = self.dirs.values().flat_map(|d| d.values());
        entries.filter(|i| **i == ino).count() as u32
    }

    pub(crate) fn nlink(&self, ino: u64) -> u32 {
        match self.dirs.get(&ino) {
            None => self.names(ino),
            Some(_) if ino != ROOT_INO && self.names(ino) == 0 => 0,
            Some(entries) => {
                2 + entries
                    .values()
                    .filter(|i| self.dirs.contains_key(i))
                    .count() as u32
            }
        }
    }

    pub(crate) fn parent(&self, ino: u64) -> Option<u64> {
        let has = |d: &BTreeMap<u8, u64>| d.values().any(|i| *i == ino);
        self.dirs.iter().find(|(_, d)| has(d)).map(|(dir, _)| *dir)
    }

    /// Whether `ino` is `dir` or above it.
    pub(crate) fn above(&self, ino: u64, dir: u64) -> bool {
        ino == dir
            || self
                .parent(dir)
                .is_some_and(|parent| self.above(ino, parent))
    }

    pub(crate) fn new_name(&self, dir: u64, n: u8) -> Result {
        if self.nlink(dir) == 0 {
            return Err(ENOENT);
        }
        match self.dirs[&dir].get(&n) {
            Some(_) => Err(EEXIST),
            None => Ok(()),
        }
    }

    pub(crate) fn owners(&self, block: u64) -> usize {
        let pages = self.files.values().flat_map(|f| f.values());
        pages.filter(|b| **b == block).count()
    }

    pub(crate) fn owned(&self) -> BTreeSet<u64> {
        self.files
            .values()
            .flat_map(|f| f.values().copied())
            .collect()
    }

    pub(crate) fn free(&self) -> u64 {
        let owned = self.owned();
        let held: BTreeSet<u64> = self.held.iter().cloned().flatten().collect();
        (0..BLOCKS)
            .filter(|b| !owned.contains(b) && !held.contains(b) && !self.bad.contains(b))
            .count() as u64
    }

    /// Says whether a block holds something of its owner.
    pub(crate) fn set_written(&mut self, block: u64, written: bool) {
        if written {
            self.unwritten.remove(&block);
        } else {
            self.unwritten.insert(block);
        }
    }

    /// Whether something of a file is lost with this block.
    pub(crate) fn is_lost(&self, block: u64) -> bool {
        self.bad.contains(&block) && !self.unwritten.contains(&block)
    }

    /// Like `State::map`, a page after the other.
    pub(crate) fn map(&self, ino: u64, pgoff: u64, max_len: u64) -> Mapping {
        let file = &self.files[&ino];
        let what = |pgoff: u64| {
            let block = file.get(&pgoff)?;
            let unwritten = self.unwritten.contains(block);
            let shared = self.owners(*block) > 1;
            Some((*block, shared, self.bad.contains(block), unwritten))
        };
        let first = what(pgoff);
        let len = (0..max_len)
            .take_while(|i| match (first, what(pgoff + i)) {
                (None, None) => true,
                (Some((block, shared, bad, unwritten)), now) => {
                    now == Some((block + i, shared, bad, unwritten))
                }
                _ => false,
            })
            .count() as u64;
        match first {
            None => Mapping::Hole { len },
            Some((block, _, bad, true)) => Mapping::Unwritten { block, len, bad },
            Some((block, shared, bad, false)) => Mapping::Data {
                block,
                len,
                shared,
                bad,
            },
        }
    }

    pub(crate) fn rename(&mut self, od: u64, on: u8, nd: u64, nn: u8, mode: RenameMode) -> Result {
        let ino = *self.dirs[&od].get(&on).ok_or(ENOENT)?;
        if self.nlink(nd) == 0 {
            return Err(ENOENT);
        }
        let target = self.dirs[&nd].get(&nn).copied();
        match (mode, target) {
            (RenameMode::NoReplace, Some(_)) => return Err(EEXIST),
            (RenameMode::Exchange, None) => return Err(ENOENT),
            (_, Some(target)) if target == ino => return Ok(()),
            _ => {}
        }
        if self.above(ino, nd) {
            return Err(EINVAL);
        }
        if let Some(target) = target {
            if mode == RenameMode::Exchange {
                if self.above(target, od) {
                    return Err(EINVAL);
                }
            } else {
                match (self.dirs.get(&target), self.dirs.contains_key(&ino)) {
                    (Some(_), false) => return Err(EISDIR),
                    (Some(d), true) if !d.is_empty() => return Err(enotempty()),
                    (None, true) => return Err(ENOTDIR),
                    _ => {}
                }
            }
        }
        let entry = |dirs: &mut BTreeMap<u64, BTreeMap<u8, u64>>, d, n, i: Option<u64>| {
            let dir: &mut BTreeMap<u8, u64> = dirs.get_mut(&d).unwrap();
            match i {
                Some(i) => dir.insert(n, i),
                None => dir.remove(&n),
            };
        };
        let back = target.filter(|_| mode == RenameMode::Exchange);
        entry(&mut self.dirs, od, on, back);
        entry(&mut self.dirs, nd, nn, Some(ino));
        Ok(())
    }
}

/// Compares all that can be seen.
pub(crate) fn compare(state: &State, model: &Model) {
    state.check().unwrap();
    let snapshot = Snapshot::of(state);
    let held: u64 = model.held.iter().map(|h| h.end - h.start).sum();
    assert_eq!(
        snapshot.inodes.len(),
        model.files.len() + model.dirs.len() + model.others.len()
    );
    assert_eq!(snapshot.free, model.free());
    assert_eq!(snapshot.owned, model.owned().len() as u64);
    assert_eq!(snapshot.in_flight, held);
    assert!(snapshot
        .bad
        .into_iter()
        .flatten()
        .eq(model.bad.iter().copied()));

    for (ino, attr, kind, xattrs) in &snapshot.inodes {
        assert_eq!(attr.nlink, model.nlink(*ino));
        let of_it = model.xattrs.range((*ino, 0)..=(*ino, u8::MAX));
        let expected = of_it.map(|((_, n), value)| (name_of(*n).to_vec(), value.clone()));
        assert!(xattrs.iter().cloned().eq(expected));
        match kind {
            Kind::Symlink(target) => {
                assert_eq!(model.others[ino].as_ref(), Some(target));
                assert_eq!(attr.size, target.len() as u64);
            }
            Kind::Special => assert_eq!(model.others[ino], None),
            Kind::File(extents) => {
                let pages = extents
                    .iter()
                    .flat_map(|e| (0..e.len).map(|i| (e.pgoff + i, e.block + i, e.unwritten)));
                let file = model.files[ino].iter();
                let expected =
                    file.map(|(pgoff, block)| (*pgoff, *block, model.unwritten.contains(block)));
                assert!(pages.eq(expected));
                for pgoff in 0..PAGES + 9 {
                    for max_len in [1, 4, 40] {
                        let mapping = model.map(*ino, pgoff, max_len);
                        assert_eq!(state.map(*ino, pgoff, max_len), Ok(mapping));
                    }
                }
            }
            Kind::Dir(parent, _) => {
                let mut found: Vec<_> = entries(state, *ino)
                    .into_iter()
                    .map(|(_, name, ino, dtype)| (name, ino, dtype))
                    .collect();
                found.sort();
                let expected = model.dirs[ino]
                    .iter()
                    .map(|(n, ino)| (name_of(*n).to_vec(), *ino, model.dtype(*ino)));
                assert!(found.into_iter().eq(expected));
                if let Some(expected) = model.parent(*ino) {
                    assert_eq!(*parent, expected);
                }
                for n in 0..5 {
                    let found = state.lookup(*ino, &name_of(n)).ok();
                    assert_eq!(found, model.dirs[ino].get(&n).copied());
                }
            }
        }
    }
}

/// A name, as a number.
pub(crate) fn name_of(n: u8) -> [u8; 2] {
    [b'n', b'0' + n]
}
