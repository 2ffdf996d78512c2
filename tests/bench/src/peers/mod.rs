// SPDX-License-Identifier: GPL-2.0

//! The peers: other structures that can answer what the owner tree answers, and the tree itself.

use crate::{
    fold::{
        Rec,
        Run, //
    },
    run, //
};
use std::ops::Range;

mod btree;
mod btree_classes;
mod coitrees;
mod interavl;
mod iset;
mod kernel;
mod kernel_ffi;
mod lapper;
mod ours;
mod rb_interval_map;
mod store_interval_tree;
mod superintervals;

/// What every peer answers. Scratch memory may be kept from one query to the next.
pub trait Peer {
    /// Returns the sum ([`crate::fold::Fold`]) of the owners of a range.
    fn owners(&mut self, range: Range<u64>) -> u64;

    /// Returns how many owners a block has, and for how many blocks up to `max_len` that stays so.
    fn sharing(&mut self, block: u64, max_len: u64) -> Run;

    /// Returns the bytes that did not come from the global allocator.
    fn foreign_bytes(&self) -> usize {
        0
    }
}

/// A peer that changes.
pub trait Dynamic: Peer + Default {
    /// Adds a record.
    fn insert(&mut self, rec: &Rec);

    /// Removes exactly this record. Returns whether it was there.
    fn remove(&mut self, rec: &Rec) -> bool;
}

/// A peer that is built once.
pub trait Static: Peer {
    /// Builds it.
    fn build(records: &[Rec]) -> Self;
}

/// Whether a peer counts when the best one is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Ours,
    Dynamic,
    Static,
}

/// A peer in the list of all.
pub struct Entry {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether it is measured with every size, however slow it is.
    pub named: bool,
    pub about: &'static str,
    /// Measures it, in a process of its own.
    pub run: fn(&run::Job),
}

/// The name of the owner tree in tables and files.
pub const OURS: &str = "owner-tree";

/// All of them; the owner tree is first, the others' answers are compared with its.
pub const ALL: &[Entry] = &[
    Entry {
        name: OURS,
        kind: Kind::Ours,
        named: true,
        about: "src/rmap of this module",
        run: run::dynamic::<ours::Ours>,
    },
    Entry {
        name: "kernel",
        kind: Kind::Dynamic,
        named: true,
        about: "lib/interval_tree.c; a record is found among those with its first block",
        run: run::dynamic::<kernel::Narrow>,
    },
    Entry {
        name: "kernel-128",
        kind: Kind::Dynamic,
        named: false,
        about: "interval_tree_generic.h with keys <block, hash of the owner> of 128 bits",
        run: run::dynamic::<kernel::Wide>,
    },
    Entry {
        name: "btree",
        kind: Kind::Dynamic,
        named: true,
        about: "BTreeMap <block, ino, pgoff> -> len; scans from the longest length before",
        run: run::dynamic::<btree::BTree>,
    },
    Entry {
        name: "btree-class",
        kind: Kind::Dynamic,
        named: true,
        about: "the same, a map for each power of two of the length",
        run: run::dynamic::<btree_classes::Classes>,
    },
    Entry {
        name: "iset",
        kind: Kind::Dynamic,
        named: true,
        about: "iset::IntervalMap, red-black in an array, with duplicate keys",
        run: run::dynamic::<iset::Iset>,
    },
    Entry {
        name: "interavl",
        kind: Kind::Dynamic,
        named: false,
        about: "interavl::IntervalTree, AVL, bounds made unique by the owner",
        run: run::dynamic::<interavl::Interavl>,
    },
    Entry {
        name: "rb-interval",
        kind: Kind::Dynamic,
        named: false,
        about: "rb_interval_map::IntervalMap, bounds made unique by the owner",
        run: run::dynamic::<rb_interval_map::RbIntervalMap>,
    },
    Entry {
        name: "store-it",
        kind: Kind::Dynamic,
        named: false,
        about: "store_interval_tree::IntervalTree, AVL, bounds made unique by the owner",
        run: run::dynamic::<store_interval_tree::Store>,
    },
    Entry {
        name: "coitrees",
        kind: Kind::Static,
        named: true,
        about: "coitrees::COITree",
        run: run::fixed::<coitrees::Coitree>,
    },
    Entry {
        name: "lapper",
        kind: Kind::Static,
        named: true,
        about: "rust_lapper::Lapper",
        run: run::fixed::<lapper::Sorted>,
    },
    Entry {
        name: "superint",
        kind: Kind::Static,
        named: false,
        about: "superintervals::IntervalMap",
        run: run::fixed::<superintervals::Super>,
    },
];

/// Returns the peer of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|e| e.name == name)
}

/// A bound that no two records share, for peers that keep one value for an interval: the block,
/// then inode and page. As the end of a record and in queries these are 0, below all others.
type Bound = (u64, u64, u64);

/// Returns the bounds of a record.
fn bounds(rec: &Rec) -> Range<Bound> {
    (rec.block, rec.ino, rec.pgoff)..(rec.end(), 0, 0)
}

/// Returns the bounds of a query.
fn query(range: &Range<u64>) -> Range<Bound> {
    (range.start, 0, 0)..(range.end, 0, 0)
}
