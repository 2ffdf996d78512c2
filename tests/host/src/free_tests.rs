// SPDX-License-Identifier: GPL-2.0

//! The free tree against a naive model: which blocks are free.

use crate::{
    errno::euclean,
    property,
    rmap::{
        Fit,
        FreeTree,
        MAX_BLOCKS,
        PIECE, //
    },
    state::{
        State,
        ROOT_INO, //
    },
    state_tests::{
        create,
        fill,
        new_state, //
    }, //
};
use kernel::{
    alloc::budget,
    prelude::{
        EIO,
        ENOMEM, //
    },
};
use proptest::prelude::*;
use std::{
    ops::Range,
    vec,
    vec::Vec, //
};

/// Of each block, whether it is free.
struct Model(Vec<bool>);

impl Model {
    fn set(&mut self, range: Range<u64>, free: bool) -> u64 {
        let blocks = &mut self.0[range.start as usize..range.end as usize];
        let changed = blocks.iter().filter(|b| **b != free).count();
        blocks.fill(free);
        changed as u64
    }

    /// The runs from `from` on.
    fn runs(&self, from: u64) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = vec![];
        for block in (from..self.0.len() as u64).filter(|b| self.0[*b as usize]) {
            match runs.last_mut() {
                Some(run) if run.end == block => run.end += 1,
                _ => runs.push(block..block + 1),
            }
        }
        runs
    }
}

/// How many blocks of a run there are that fit, one way or another, looked at block by block.
fn most(run: &Range<u64>, fit: &Fit) -> u64 {
    let is_whole = |block: u64| {
        let piece = block / PIECE * PIECE..(block / PIECE + 1) * PIECE;
        run.start <= piece.start && piece.end <= run.end
    };
    let (mut now, mut most) = (0, 0);
    for block in run.clone() {
        let counts = match fit {
            Fit::Run(_) => true,
            Fit::Part(_) => !is_whole(block),
            Fit::Pieces(_) => is_whole(block),
        };
        now = if counts { now + 1 } else { 0 };
        most = most.max(now);
    }
    match fit {
        Fit::Pieces(_) => most / PIECE,
        _ => most,
    }
}

fn wanted(fit: &Fit) -> u64 {
    match *fit {
        Fit::Run(n) | Fit::Part(n) | Fit::Pieces(n) => n,
    }
}

fn compare(tree: &FreeTree, model: &Model, from: u64, n: u64) {
    let all = model.runs(0);
    assert_eq!(tree.iter().collect::<Vec<_>>(), all);
    assert_eq!((tree.len(), tree.blocks()), (all.len(), count(&all)));
    let end = (from + 3 * n).min(model.0.len() as u64);
    let next = model.runs(from).into_iter().find(|run| run.start < end);
    assert_eq!(
        tree.next(from, end),
        next.map(|run| run.start..run.end.min(end))
    );
    let within = (from..end).filter(|b| model.0[*b as usize]).count() as u64;
    assert_eq!(tree.overlap(from..end), within);

    for fit in [Fit::Run(n), Fit::Part(n), Fit::Pieces(1 + n % 3)] {
        let fits = |run: &Range<u64>| most(run, &fit) >= wanted(&fit);
        let first = model.runs(from).into_iter().find(fits);
        assert_eq!(tree.first(from, &fit), first, "{fit:?} from {from}");
        if let Some(run) = first {
            let part = fit.of(&run).unwrap();
            assert!(run.start <= part.start && part.end <= run.end);
            let parts = most(&part, &fit);
            assert!(parts >= wanted(&fit), "{fit:?} in {run:?}: {part:?}");
        }
    }
    let longest = tree.longest();
    for fit in [Fit::Run(1), Fit::Part(1), Fit::Pieces(1)] {
        let most = all.iter().map(|run| most(run, &fit)).max();
        assert_eq!(fit.longest(&longest), most.unwrap_or(0), "{fit:?}");
    }
}

fn count(runs: &[Range<u64>]) -> u64 {
    runs.iter().map(|run| run.end - run.start).sum()
}

/// Makes a change in both. It needs no memory but what was reserved.
fn apply(tree: &mut FreeTree, model: &mut Model, give: bool, range: Range<u64>) {
    budget::set(Some(0));
    if give {
        tree.give(range.clone()).unwrap();
        model.set(range, true);
    } else {
        assert_eq!(tree.take(range.clone()), Ok(model.set(range, false)));
    }
    budget::set(None);
}

#[test]
fn changes_and_queries() {
    const BLOCKS: u64 = 8 * PIECE;
    // Some near the bounds of pieces.
    let near = (0..9u64, 0..8u64).prop_map(|(piece, at)| piece * PIECE + at);
    let start = prop_oneof![0..BLOCKS, near.prop_map(|at| at.saturating_sub(4))];
    let len = prop_oneof![3 => 1..30u64, 1 => 1..2 * PIECE, 1 => Just(PIECE)];
    let change = (any::<bool>(), start.clone(), len);
    let cases = (prop::collection::vec(change, 1..60), start, 1..PIECE + 9);
    property::check("free tree", 500, cases, |(changes, from, n)| {
        let mut tree = FreeTree::new();
        let mut model = Model(vec![false; BLOCKS as usize + 20]);
        for (give, start, len) in changes {
            let range = start..(start + len).min(BLOCKS + 20);
            if !range.is_empty() {
                tree.reserve(1).unwrap();
                apply(&mut tree, &mut model, give, range);
                tree.check().unwrap();
            }
        }
        compare(&tree, &model, from, n);
    });
}

/// So many runs that the tree has levels, and loses them again; changes of which many are reserved at
/// once.
#[test]
fn many_runs() {
    const BLOCKS: u64 = 60_000;
    let mut random = 0x5eedu64;
    let mut below = move |n: u64| {
        random ^= random >> 12;
        random ^= random << 25;
        random ^= random >> 27;
        (random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    };
    let mut tree = FreeTree::new();
    let mut model = Model(vec![false; BLOCKS as usize]);
    for round in 0..40 {
        // More and more is given, then less and less.
        let given = if round < 20 { 75 } else { 30 };
        for _ in 0..40 {
            let changes = 1 + below(60) as usize;
            tree.reserve(changes).unwrap();
            for _ in 0..changes {
                let start = below(BLOCKS);
                let longest = if below(50) == 0 { 1500 } else { 8 };
                let len = 1 + below(longest);
                let range = start..(start + len).min(BLOCKS);
                apply(&mut tree, &mut model, below(100) < given, range);
            }
        }
        tree.check().unwrap();
        for _ in 0..10 {
            compare(&tree, &model, below(BLOCKS), 1 + below(40));
        }
    }
    assert!(tree.len() > 1000);
    tree.reserve(1).unwrap();
    apply(&mut tree, &mut model, false, 0..BLOCKS);
    assert_eq!((tree.len(), tree.blocks(), tree.bytes()), (0, 0, 0));
    tree.check().unwrap();
}

#[test]
fn what_cannot_be() {
    let mut tree = FreeTree::new();
    assert_eq!(tree.give(3..5), Err(ENOMEM));
    tree.reserve(4).unwrap();
    assert_eq!(tree.give(5..5), Err(euclean()));
    assert_eq!(tree.give(MAX_BLOCKS - 1..MAX_BLOCKS + 1), Err(euclean()));
    assert_eq!(tree.take(0..MAX_BLOCKS), Ok(0));
    tree.give(MAX_BLOCKS - 1..MAX_BLOCKS).unwrap();
    tree.give(0..1).unwrap();
    assert_eq!(
        tree.first(1, &Fit::Run(1)),
        Some(MAX_BLOCKS - 1..MAX_BLOCKS)
    );
    assert_eq!(tree.first(0, &Fit::Run(2)), None);
    assert_eq!(tree.first(MAX_BLOCKS, &Fit::Run(1)), None);
    tree.give(1..MAX_BLOCKS - 1).unwrap();
    assert_eq!(Fit::Pieces(1).longest(&tree.longest()), MAX_BLOCKS / PIECE);
    assert_eq!(tree.len(), 1);
    tree.check().unwrap();
    budget::set(Some(0));
    assert_eq!(tree.reserve(100), Err(ENOMEM));
    budget::set(None);
}

/// A state of 100 blocks with a file of the first ten, and a free tree that is wrong.
fn damaged(blocks: Range<u64>, with: bool) -> (State, u64) {
    let mut s = new_state(100);
    let ino = create(&mut s, ROOT_INO, b"a");
    assert_eq!(fill(&mut s, ino, 0, 10), 0);
    s.check().unwrap();
    s.damage_free_tree(blocks, with).unwrap();
    assert_eq!(s.check(), Err(euclean()));
    (s, ino)
}

fn is_given_up(mut s: State) {
    assert!(s.is_corrupt());
    assert_eq!(s.in_flight_blocks(), 0);
    assert_eq!(s.allocate(1, 50), Err(EIO));
}

#[test]
fn what_has_an_owner_is_not_given_again() {
    let (mut s, ino) = damaged(3..5, true);
    assert_eq!(s.allocate_for(ino, 10, 2), Ok(10..12), "not met yet");
    s.release(10..12).unwrap();
    assert_eq!(s.allocate(1, 0), Err(euclean()));
    is_given_up(s);
    let (mut s, _) = damaged(9..10, true);
    assert_eq!(s.allocate(20, 0), Err(euclean()), "in part");
    is_given_up(s);
}

#[test]
fn what_is_free_and_is_not_found() {
    let (mut s, ino) = damaged(10..100, false);
    assert_eq!(s.allocate_for(ino, 10, 2), Err(euclean()));
    is_given_up(s);
    let (mut s, ino) = damaged(30..31, false);
    let tx = s.remap(ino, 10, 29, 4).unwrap();
    assert_eq!(s.commit(tx), Err(euclean()));
    assert!(s.is_corrupt());
}

#[test]
fn what_loses_its_owner_and_was_free_already() {
    let (mut s, ino) = damaged(3..5, true);
    let tx = s.unmap_range(ino, 4, 3).unwrap();
    assert_eq!(s.commit(tx), Err(euclean()));
    assert!(s.is_corrupt());
}

/// Bad blocks are out of the tree some transactions later, and back when they are good again.
#[test]
fn bad_blocks_leave_in_time() {
    let mut s = new_state(2000);
    let ino = create(&mut s, ROOT_INO, b"a");
    assert_eq!(fill(&mut s, ino, 0, 10), 0);
    for i in 0..200 {
        s.mark_bad(i * 8 + 4..i * 8 + 5).unwrap();
        s.check().unwrap();
    }
    assert_eq!(s.free_tree_size().0, 1);
    for i in 0..8 {
        assert_eq!(s.allocate_for(ino, 100 + i, 8), Ok(1597..1605));
        s.release(1597..1605).unwrap();
        let tx = s.unmap_range(ino, i, 1).unwrap();
        s.commit(tx).unwrap();
        s.check().unwrap();
    }
    assert!(s.free_tree_size().0 >= 199);
    for i in 2..200 {
        let tx = s.unmark_bad(i * 8 + 4..i * 8 + 5).unwrap();
        s.commit(tx).unwrap();
        s.check().unwrap();
    }
    assert_eq!(s.free_tree_size().0, 4);
}

/// What one transaction takes from a file that has its blocks twice becomes free bit by bit, in memory that
/// was reserved.
#[test]
fn both_owners_go_at_once() {
    let mut s = new_state(4000);
    let a = create(&mut s, ROOT_INO, b"a");
    let b = create(&mut s, ROOT_INO, b"b");
    assert_eq!(fill(&mut s, a, 0, 2000), 0);
    // Parts of it that another file keeps.
    for i in 0..200 {
        let tx = s.clone_range(a, i * 10, b, i * 10, 5).unwrap();
        s.commit(tx).unwrap();
    }
    let tx = s.clone_range(a, 0, a, 3000, 1500).unwrap();
    s.commit(tx).unwrap();
    let mut tx = s.unmap_range(a, 0, u64::MAX).unwrap();
    s.reserve(&mut tx).unwrap();
    budget::set(Some(0));
    s.apply(tx).unwrap();
    budget::set(None);
    s.check().unwrap();
    assert_eq!(s.free_blocks(), 3000);
    assert_eq!(s.free_tree_size().0, 200);
}

#[test]
fn both_owners_go_at_once_in_any_order() {
    let mut s = new_state(4000);
    let a = create(&mut s, ROOT_INO, b"a");
    let b = create(&mut s, ROOT_INO, b"b");
    for i in 0..500 {
        let tx = s.remap(a, i * 4, i * 7 % 500 * 4, 4).unwrap();
        s.commit(tx).unwrap();
        let tx = s.clone_range(a, i * 4 + 1, b, i * 4, 1).unwrap();
        s.commit(tx).unwrap();
    }
    let tx = s.clone_range(a, 0, a, 3000, 2000).unwrap();
    s.commit(tx).unwrap();
    let mut tx = s.unmap_range(a, 0, u64::MAX).unwrap();
    s.reserve(&mut tx).unwrap();
    budget::set(Some(0));
    s.apply(tx).unwrap();
    budget::set(None);
    s.check().unwrap();
    assert_eq!(s.free_blocks(), 3500);
    assert_eq!(s.free_tree_size().0, 501);
}
