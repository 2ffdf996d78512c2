// SPDX-License-Identifier: GPL-2.0

//! Random steps, in the state and in the model, with every allocation of every step made to fail
//! once.

use crate::errno::{
    enodata,
    enotempty, //
};
use crate::{
    property,
    snapshot::Snapshot,
    state::{
        RenameMode,
        SetMode,
        State,
        Xattr,
        ROOT_INO, //
    },
    state_model::{
        compare,
        name_of,
        Model,
        BLOCKS, //
        PAGES,
    },
    state_tests::{
        at,
        attr,
        new_state,
        DIR,
        FIFO,
        FILE,
        LINK, //
    }, //
};
use kernel::{
    alloc::budget,
    prelude::*, //
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    ops::Range,
    vec,
    vec::Vec, //
};

#[derive(Clone, Debug)]
enum Step {
    Create(usize, u8),
    Mkdir(usize, u8),
    Symlink(usize, u8, usize),
    Mknod(usize, u8),
    Tmpfile,
    SetXattr(usize, u8, usize, u8),
    RemoveXattr(usize, u8),
    Link(usize, u8, usize),
    Unlink(usize, u8),
    Rmdir(usize, u8),
    Rename(usize, u8, usize, u8, u8),
    Evict(usize),
    Write(usize, Range<u64>, u64, bool),
    Convert(usize, Range<u64>, bool),
    Clone(usize, u64, usize, u64, u64),
    Unmap(usize, Range<u64>),
    Collapse(usize, Range<u64>),
    Insert(usize, Range<u64>),
    MarkBad(Range<u64>),
    UnmarkBad(Range<u64>),
    Hold(u64),
    Release(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let dir = 0..4usize;
    let file = 0..5usize;
    let name = 0..5u8;
    let pages = (0..PAGES, 1..8u64).prop_map(|(start, len)| start..start + len);
    prop_oneof![
        4 => (dir.clone(), name.clone()).prop_map(|(d, n)| Step::Create(d, n)),
        2 => (dir.clone(), name.clone()).prop_map(|(d, n)| Step::Mkdir(d, n)),
        1 => (dir.clone(), name.clone(), 1..40usize).prop_map(|(d, n, l)| Step::Symlink(d, n, l)),
        1 => (dir.clone(), name.clone()).prop_map(|(d, n)| Step::Mknod(d, n)),
        1 => Just(Step::Tmpfile),
        3 => (0..8usize, name.clone(), 0..40usize, 0..3u8)
            .prop_map(|(i, n, l, mode)| Step::SetXattr(i, n, l, mode)),
        1 => (0..8usize, name.clone()).prop_map(|(i, n)| Step::RemoveXattr(i, n)),
        1 => (dir.clone(), name.clone(), file.clone()).prop_map(|(d, n, f)| Step::Link(d, n, f)),
        2 => (dir.clone(), name.clone()).prop_map(|(d, n)| Step::Unlink(d, n)),
        1 => (dir.clone(), name.clone()).prop_map(|(d, n)| Step::Rmdir(d, n)),
        3 => (dir.clone(), name.clone(), dir, name, 0..4u8)
            .prop_map(|(d, n, e, m, mode)| Step::Rename(d, n, e, m, mode)),
        2 => file.clone().prop_map(Step::Evict),
        9 => (file.clone(), pages.clone(), 0..BLOCKS, any::<bool>())
            .prop_map(|(f, r, g, written)| Step::Write(f, r, g, written)),
        6 => (file.clone(), pages.clone(), any::<bool>())
            .prop_map(|(f, r, written)| Step::Convert(f, r, written)),
        6 => (file.clone(), 0..PAGES, file.clone(), 0..PAGES, 1..8u64)
            .prop_map(|(f, p, g, q, n)| Step::Clone(f, p, g, q, n)),
        3 => (file.clone(), pages.clone()).prop_map(|(f, r)| Step::Unmap(f, r)),
        3 => (file.clone(), pages.clone()).prop_map(|(f, r)| Step::Collapse(f, r)),
        3 => (file, pages).prop_map(|(f, r)| Step::Insert(f, r)),
        2 => (0..BLOCKS, 1..4u64).prop_map(|(b, n)| Step::MarkBad(b..(b + n).min(BLOCKS))),
        2 => (0..BLOCKS, 1..4u64).prop_map(|(b, n)| Step::UnmarkBad(b..(b + n).min(BLOCKS))),
        1 => (1..6u64).prop_map(Step::Hold),
        1 => (0..4usize, 1..6u64).prop_map(|(n, len)| Step::Release(n, len)),
    ]
}

/// Does `action` with 0, 1, 2... allocations that succeed, until it does not fail for memory. Each
/// time it does, the state must be as it was.
fn with_enomem<T>(state: &mut State, mut action: impl FnMut(&mut State) -> Result<T>) -> Result<T> {
    let before = Snapshot::of(state);
    for allocations in 0.. {
        budget::set(Some(allocations));
        let result = action(state);
        budget::set(None);
        match result {
            Err(error) if error == ENOMEM => {
                assert_eq!(Snapshot::of(state), before, "{allocations} allocations");
                state.check().unwrap();
            }
            result => return result,
        }
        assert!(allocations < 1000);
    }
    unreachable!();
}

/// Whether the pages from `from` on may move.
fn moves(model: &Model, ino: u64, from: u64) -> Result {
    let file = model.files.get(&ino).ok_or(ENOENT)?;
    if file.range(from..).any(|(_, b)| model.is_lost(*b)) {
        return Err(EIO);
    }
    Ok(())
}

fn do_step(state: &mut State, model: &mut Model, step: Step, now: i64) {
    let time = at(now);
    match step {
        Step::Create(d, n) => {
            let dir = model.dir(d);
            let result = with_enomem(state, |s| {
                let (ino, tx) = s.create(dir, &name_of(n), attr(FILE, now))?;
                s.commit(tx)?;
                Ok(ino)
            });
            assert_eq!(result.map(|_| ()), model.new_name(dir, n));
            if let Ok(ino) = result {
                model.dirs.get_mut(&dir).unwrap().insert(n, ino);
                assert!(model.files.insert(ino, BTreeMap::new()).is_none());
            }
        }
        Step::Mkdir(d, n) => {
            let dir = model.dir(d);
            let result = with_enomem(state, |s| {
                let (ino, tx) = s.mkdir(dir, &name_of(n), attr(DIR, now))?;
                s.commit(tx)?;
                Ok(ino)
            });
            assert_eq!(result.map(|_| ()), model.new_name(dir, n));
            if let Ok(ino) = result {
                model.dirs.get_mut(&dir).unwrap().insert(n, ino);
                assert!(model.dirs.insert(ino, BTreeMap::new()).is_none());
            }
        }
        Step::Symlink(d, n, len) => {
            let dir = model.dir(d);
            let target = vec![b'0' + n; len];
            let result = with_enomem(state, |s| {
                let (ino, tx) = s.symlink(dir, &name_of(n), &target, attr(LINK, now))?;
                s.commit(tx)?;
                Ok(ino)
            });
            assert_eq!(result.map(|_| ()), model.new_name(dir, n));
            if let Ok(ino) = result {
                model.dirs.get_mut(&dir).unwrap().insert(n, ino);
                assert!(model.others.insert(ino, Some(target)).is_none());
            }
        }
        Step::Mknod(d, n) => {
            let dir = model.dir(d);
            let result = with_enomem(state, |s| {
                let (ino, tx) = s.create(dir, &name_of(n), attr(FIFO, now))?;
                s.commit(tx)?;
                Ok(ino)
            });
            assert_eq!(result.map(|_| ()), model.new_name(dir, n));
            if let Ok(ino) = result {
                model.dirs.get_mut(&dir).unwrap().insert(n, ino);
                assert!(model.others.insert(ino, None).is_none());
            }
        }
        Step::Tmpfile => {
            let result = with_enomem(state, |s| {
                let (ino, tx) = s.tmpfile(attr(FILE, now))?;
                s.commit(tx)?;
                Ok(ino)
            });
            model.files.insert(result.unwrap(), BTreeMap::new());
        }
        Step::SetXattr(i, n, len, mode) => {
            let ino = model.any(i);
            let value = vec![n; len];
            let mode = [SetMode::Any, SetMode::Create, SetMode::Replace][usize::from(mode)];
            let expected = match (mode, model.xattrs.get(&(ino, n))) {
                (SetMode::Create, Some(_)) => Err(EEXIST),
                (SetMode::Replace, None) => Err(enodata()),
                _ => Ok(()),
            };
            let result = with_enomem(state, |s| {
                let tx = s.set_xattr(ino, Xattr::copy(&name_of(n), &value)?, mode, time)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                model.xattrs.insert((ino, n), value);
                assert_eq!(state.get(ino).unwrap().attr.ctime, time);
            }
        }
        Step::RemoveXattr(i, n) => {
            let ino = model.any(i);
            let expected = model.xattrs.get(&(ino, n)).map(|_| ()).ok_or(enodata());
            let result = with_enomem(state, |s| {
                let tx = s.remove_xattr(ino, &name_of(n), time)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            model.xattrs.remove(&(ino, n));
        }
        Step::Link(d, n, f) => {
            let (dir, ino) = (model.dir(d), model.linkable(f));
            let expected = match model.has(ino) {
                false => Err(ENOENT),
                true => model.new_name(dir, n),
            };
            let result = with_enomem(state, |s| {
                let tx = s.link(dir, &name_of(n), ino, time)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                model.dirs.get_mut(&dir).unwrap().insert(n, ino);
            }
        }
        Step::Unlink(d, n) => {
            let dir = model.dir(d);
            let expected = match model.dirs[&dir].get(&n) {
                None => Err(ENOENT),
                Some(ino) if model.dirs.contains_key(ino) => Err(EISDIR),
                Some(_) => Ok(()),
            };
            let result = with_enomem(state, |s| {
                let tx = s.unlink(dir, &name_of(n), time)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                model.dirs.get_mut(&dir).unwrap().remove(&n);
            }
        }
        Step::Rmdir(d, n) => {
            let dir = model.dir(d);
            let expected = match model.dirs[&dir].get(&n) {
                None => Err(ENOENT),
                Some(ino) => match model.dirs.get(ino) {
                    None => Err(ENOTDIR),
                    Some(entries) if !entries.is_empty() => Err(enotempty()),
                    Some(_) => Ok(()),
                },
            };
            let result = with_enomem(state, |s| {
                let tx = s.rmdir(dir, &name_of(n), time)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                model.dirs.get_mut(&dir).unwrap().remove(&n);
            }
        }
        Step::Rename(d, n, e, m, mode) => {
            let (od, nd) = (model.dir(d), model.dir(e));
            if mode == 3 {
                let ino = model.dirs[&od].get(&n).copied();
                let result = with_enomem(state, |s| {
                    let (from, to) = (name_of(n), name_of(m));
                    let whiteout = attr(FIFO, now);
                    let (left, tx) = s.rename_whiteout((od, &from), (nd, &to), whiteout)?;
                    s.commit(tx)?;
                    Ok(left)
                });
                let same = ino.is_some() && model.dirs[&nd].get(&m).copied() == ino;
                let expected = model.rename(od, n, nd, m, RenameMode::Replace);
                assert_eq!(result.map(|_| ()), expected);
                if let Ok(left) = result {
                    assert_eq!(left == 0, same);
                    if left != 0 {
                        model.dirs.get_mut(&od).unwrap().insert(n, left);
                        assert!(model.others.insert(left, None).is_none());
                    }
                }
                return;
            }
            let mode = [
                RenameMode::Replace,
                RenameMode::NoReplace,
                RenameMode::Exchange,
            ][usize::from(mode)];
            let result = with_enomem(state, |s| {
                let tx = s.rename(od, &name_of(n), nd, &name_of(m), mode, time)?;
                s.commit(tx)
            });
            assert_eq!(result, model.rename(od, n, nd, m, mode));
        }
        Step::Evict(f) => {
            // Orphans first, if there are any.
            let orphan = |ino: &&u64| model.names(**ino) == 0 && **ino != ROOT_INO;
            let ino = model
                .files
                .keys()
                .chain(model.dirs.keys())
                .chain(model.others.keys())
                .find(orphan)
                .copied()
                .unwrap_or(model.file(f));
            let expected = match state.inode(ino) {
                None => Err(ENOENT),
                Some(_) if model.names(ino) != 0 => Err(EBUSY),
                Some(_) => Ok(()),
            };
            let result = with_enomem(state, |s| {
                let (tx, _) = s.evict(ino)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                model.forget(ino);
            }
        }
        Step::Write(f, pages, goal, written) => {
            let ino = model.file(f);
            let free = model.free();
            let want = pages.end - pages.start;
            let result = with_enomem(state, |s| {
                let got = if goal % 2 == 0 {
                    s.allocate(want, goal)?
                } else {
                    s.allocate_for(ino, pages.start, want)?
                };
                let len = got.end - got.start;
                let tx = if written {
                    s.remap(ino, pages.start, got.start, len)
                } else {
                    s.remap_unwritten(ino, pages.start, got.start, len)
                };
                let done = tx.and_then(|tx| s.commit(tx));
                if done.is_err() {
                    // Whatever the budget is.
                    s.release(got.clone()).unwrap();
                }
                done.map(|()| got)
            });
            let Ok(got) = result else {
                let expected = if free == 0 { ENOSPC } else { ENOENT };
                assert_eq!(result, Err(expected));
                return;
            };
            assert!(!got.is_empty() && got.end - got.start <= want);
            for (i, block) in got.enumerate() {
                assert_eq!(model.owners(block), 0, "block {block} is not free");
                assert!(!model.bad.contains(&block), "block {block} is bad");
                assert!(!model.held.iter().any(|h| h.contains(&block)));
                let file = model.files.get_mut(&ino).unwrap();
                file.insert(pages.start + i as u64, block);
                model.set_written(block, written);
            }
        }
        Step::Convert(f, pages, written) => {
            let ino = model.file(f);
            let blocks: Option<Vec<u64>> = pages
                .clone()
                .map(|pgoff| model.files.get(&ino)?.get(&pgoff).copied())
                .collect();
            let expected = match &blocks {
                _ if !model.files.contains_key(&ino) => Err(ENOENT),
                None => Err(EINVAL),
                Some(blocks) if blocks.iter().any(|b| model.bad.contains(b)) => Err(EINVAL),
                Some(blocks) if !written && blocks.iter().any(|b| model.owners(*b) > 1) => {
                    Err(EINVAL)
                }
                Some(_) => Ok(()),
            };
            let result = with_enomem(state, |s| {
                let tx = s.convert(ino, pages.start, pages.end - pages.start, written)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                for block in blocks.unwrap() {
                    model.set_written(block, written);
                }
            }
        }
        Step::Clone(f, src_pgoff, g, dst_pgoff, len) => {
            let (src, dst) = (model.file(f), model.file(g));
            let overlap = src == dst && src_pgoff < dst_pgoff + len && dst_pgoff < src_pgoff + len;
            let from: Vec<Option<u64>> = (0..len)
                .map(|i| model.files.get(&src)?.get(&(src_pgoff + i)).copied())
                .map(|block| block.filter(|b| !model.unwritten.contains(b)))
                .collect();
            let expected = if !model.files.contains_key(&src) {
                Err(ENOENT)
            } else if overlap {
                Err(EINVAL)
            } else if from.iter().flatten().any(|b| model.bad.contains(b)) {
                Err(EIO)
            } else {
                Ok(())
            };
            let result = with_enomem(state, |s| {
                let tx = s.clone_range(src, src_pgoff, dst, dst_pgoff, len)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                let file = model.files.get_mut(&dst).unwrap();
                for (pgoff, block) in (dst_pgoff..).zip(from) {
                    match block {
                        Some(block) => file.insert(pgoff, block),
                        None => file.remove(&pgoff),
                    };
                }
            }
        }
        Step::Unmap(f, pages) => {
            let ino = model.file(f);
            let result = with_enomem(state, |s| {
                let tx = s.unmap_range(ino, pages.start, pages.end - pages.start)?;
                s.commit(tx)
            });
            assert_eq!(result.is_ok(), model.files.contains_key(&ino));
            if let Some(file) = model.files.get_mut(&ino) {
                file.retain(|pgoff, _| !pages.contains(pgoff));
            }
        }
        Step::Collapse(f, pages) => {
            let ino = model.file(f);
            let expected = moves(model, ino, pages.end);
            let result = with_enomem(state, |s| {
                let tx = s.collapse(ino, pages.clone(), 7)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                let len = pages.end - pages.start;
                let file = model.files.get_mut(&ino).unwrap();
                file.retain(|pgoff, _| !pages.contains(pgoff));
                let after = file.split_off(&pages.start);
                file.extend(after.into_iter().map(|(pgoff, b)| (pgoff - len, b)));
                assert_eq!(state.get(ino).unwrap().attr.size, 7);
            }
        }
        Step::Insert(f, pages) => {
            let ino = model.file(f);
            let expected = moves(model, ino, pages.start);
            let result = with_enomem(state, |s| {
                let tx = s.insert(ino, pages.clone(), 8)?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                let len = pages.end - pages.start;
                let file = model.files.get_mut(&ino).unwrap();
                let after = file.split_off(&pages.start);
                file.extend(after.into_iter().map(|(pgoff, b)| (pgoff + len, b)));
                assert_eq!(state.get(ino).unwrap().attr.size, 8);
            }
        }
        Step::MarkBad(blocks) => {
            let newly = blocks.clone().filter(|b| !model.bad.contains(b)).count();
            // There are fewer than 64 ranges: this never needs memory.
            budget::set(Some(0));
            assert_eq!(state.mark_bad(blocks.clone()), Ok(newly as u64));
            budget::set(None);
            model.bad.extend(blocks);
        }
        Step::UnmarkBad(blocks) => {
            let used = |b: u64| model.owners(b) != 0 || model.held.iter().any(|h| h.contains(&b));
            let expected = if blocks.clone().any(|b| !model.bad.contains(&b)) {
                Err(enodata())
            } else if blocks.clone().any(used) {
                Err(EBUSY)
            } else {
                Ok(())
            };
            let result = with_enomem(state, |s| {
                let tx = s.unmark_bad(blocks.clone())?;
                s.commit(tx)
            });
            assert_eq!(result, expected);
            if result.is_ok() {
                model.bad.retain(|b| !blocks.contains(b));
            }
        }
        Step::Hold(want) => {
            let free = model.free();
            match with_enomem(state, |s| s.allocate(want, 0)) {
                Ok(range) => {
                    for block in range.clone() {
                        assert!(model.owners(block) == 0 && !model.bad.contains(&block));
                        assert!(!model.held.iter().any(|h| h.contains(&block)));
                    }
                    model.held.push(range);
                }
                Err(error) => assert_eq!((error, free), (ENOSPC, 0)),
            }
        }
        Step::Release(n, len) => {
            if n < model.held.len() {
                let held = model.held.swap_remove(n);
                let head = held.start..(held.start + len).min(held.end);
                budget::set(Some(0));
                state.release(head.clone()).unwrap();
                budget::set(None);
                if head.end < held.end {
                    model.held.push(head.end..held.end);
                }
            }
        }
    }
}

#[test]
fn state() {
    let cases = prop::collection::vec(step(), 1..60);
    property::check("state", 1000, cases, |steps| {
        let mut state = new_state(BLOCKS);
        let mut model = Model::default();
        model.dirs.insert(ROOT_INO, BTreeMap::new());
        for (now, step) in (10..).zip(steps) {
            do_step(&mut state, &mut model, step, now);
            let owned = model.owned();
            model.unwritten.retain(|block| owned.contains(block));
            compare(&state, &model);
        }
    });
}
