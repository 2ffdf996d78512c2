// SPDX-License-Identifier: GPL-2.0

//! The owner tree in the kernel: random changes against plain lists, and very many owners.
//!
//! What tests/host does at length, with the allocator and the checkers of the kernel it runs in.
//! tests/selftests/mount/kunit.c has KUnit run it. No locks: each test has a tree of its own.

#![cfg(CONFIG_KUNIT = "y")]

use super::*;
use crate::errno::euclean;
use core::{
    fmt::Debug,
    ops::Range,
    slice::IterMut, //
};
use kernel::prelude::*;

/// Changes of one random sequence.
const CHANGES: usize = 8000;

/// Passes if it is as it should be. Unlike an assertion, this lets a test that fails clean up.
fn same<T: Debug + PartialEq>(what: &str, is: T, should: T) -> Result {
    if is == should {
        return Ok(());
    }
    pr_err!("{what}: is {is:?}, should be {should:?}\n");
    Err(euclean())
}

/// A file, and the same as a plain list: of each page, its block, and which walk was there last.
struct File {
    extents: ExtentMap,
    pages: KVVec<(Option<u64>, usize)>,
}

impl File {
    fn pages(&mut self, pages: Range<u64>) -> Result<IterMut<'_, (Option<u64>, usize)>> {
        let pages = pages.start as usize..pages.end as usize;
        Ok(self.pages.get_mut(pages).ok_or(EINVAL)?.iter_mut())
    }

    /// The pages that have a block, and that.
    fn mapped(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let pages = (0..).zip(self.pages.iter());
        pages.filter_map(|(at, page)| Some((at, page.0?)))
    }
}

/// An owner tree and its files, and the same as a plain list: of each block, how many owners.
struct Case {
    random: u64,
    tree: OwnerTree,
    files: KVVec<File>,
    owners: KVVec<u64>,
    walks: usize,
    batch: KVVec<OwnerRecord>,
}

impl Case {
    fn below(&mut self, n: u64) -> u64 {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n.max(1)
    }

    fn map(&mut self, ino: u64, new: FileExtent) -> Result {
        let file = self.files.get_mut(ino as usize).ok_or(EINVAL)?;
        let pages = new.pgoff..new.pgoff_end();
        let hole = file.pages(pages.clone())?.all(|page| page.0.is_none());
        let expected = if hole { Ok(()) } else { Err(euclean()) };
        self.tree.reserve(1)?;
        self.tree.reserve_extents(&mut file.extents, 1)?;
        let answer = self.tree.map(&mut file.extents, ino, new);
        same("map()", answer, expected)?;
        for (page, block) in file.pages(pages)?.zip(new.block..).filter(|_| hole) {
            page.0 = Some(block);
            *self.owners.get_mut(block as usize).ok_or(EINVAL)? += 1;
        }
        Ok(())
    }

    /// Makes some pages of a file a hole.
    fn punch(&mut self, ino: u64, pages: Range<u64>) -> Result {
        let file = self.files.get_mut(ino as usize).ok_or(EINVAL)?;
        let (mut gone, mut ownerless) = (0, 0);
        // There may be several extents, but at most one is split.
        self.tree.reserve(1)?;
        self.tree.reserve_extents(&mut file.extents, 1)?;
        while let Some(part) = self.tree.unmap(&mut file.extents, ino, pages.clone())? {
            gone += part.owner.len;
            ownerless += part.ownerless;
        }
        let mut expected = (0, 0);
        for block in file.pages(pages)?.filter_map(|page| page.0.take()) {
            let owners = self.owners.get_mut(block as usize).ok_or(EINVAL)?;
            *owners -= 1;
            expected.0 += 1;
            expected.1 += u64::from(*owners == 0);
        }
        same("unmap()", (gone, ownerless), expected)
    }

    /// Asks how blocks are shared, and where there is room.
    fn ask(&self, block: u64, end: u64) -> Result {
        let sharing = |block| match self.owners.get(block as usize) {
            None | Some(0) => Sharing::Free,
            Some(1) => Sharing::One,
            Some(_) => Sharing::Many,
        };
        let change = |from, is| (from..end).find(|b| sharing(*b) != is).unwrap_or(end);
        let expected = (sharing(block), change(block, sharing(block)) - block);
        same("sharing()", self.tree.sharing(block, end - block), expected)?;
        let start = (block..end).find(|b| sharing(*b) == Sharing::Free);
        let gap = start.map(|start| start..change(start, Sharing::Free));
        same("next_gap()", self.tree.next_gap(block, end), gap)
    }

    /// Visits the owners of some blocks in batches: all of them once, in the order of blocks.
    fn walk(&mut self, range: Range<u64>, batch: usize) -> Result {
        let owners = self.owners.get(range.start as usize..range.end as usize);
        let expected = owners.unwrap_or_default().iter().sum();
        let (mut cursor, mut last, mut sum) = (Cursor::new(), range.start, 0);
        self.walks += 1;
        loop {
            let batch = self.batch.get_mut(..batch).ok_or(EINVAL)?;
            let found = self.tree.owners(range.clone(), &mut cursor, batch);
            for rec in batch.iter().take(found) {
                let file = self.files.get_mut(rec.ino as usize).ok_or(EINVAL)?;
                let mut good = rec.len > 0 && rec.block >= last && rec.end() <= range.end;
                for (page, block) in file.pages(rec.pgoff..rec.pgoff_end())?.zip(rec.block..) {
                    good &= page.0 == Some(block) && page.1 != self.walks;
                    page.1 = self.walks;
                }
                same("owners() gave that", (rec, good), (rec, true))?;
                last = rec.block;
                sum += rec.len;
            }
            if found == 0 {
                return same("owners() gave so many", sum, expected);
            }
        }
    }

    /// Checks that the tree, the extents and the lists agree.
    fn check(&mut self) -> Result {
        self.tree.check()?;
        let (mut extents, from) = (0, self.below(100));
        for (ino, file) in (0..).zip(self.files.iter()) {
            file.extents.check()?;
            extents += file.extents.len();
            let records = || file.extents.iter().map(|extent| extent.owner(ino));
            let missing = records().find(|rec| !self.tree.contains(rec));
            same("missing in the tree", missing, None)?;
            let pages = records().flat_map(|rec| (rec.pgoff..rec.pgoff_end()).zip(rec.block..));
            same("file as listed", pages.eq(file.mapped()), true)?;
            let count = file.mapped().count() as u64;
            same("pages()", file.extents.pages(), count)?;
            let next = file.extents.next(from).map(|e| e.pgoff.max(from));
            let expected = file.mapped().map(|(at, _)| at).find(|at| *at >= from);
            same("next()", next, expected)?;
        }
        same("records", self.tree.len(), extents)?;
        self.walk(0..self.owners.len() as u64, self.batch.len())
    }

    /// Makes one change and compares the answers.
    fn step(&mut self, step: usize, [files, pages, blocks]: [u64; 3], longest: u64) -> Result {
        let ino = self.below(files);
        let len = 1 + self.below(longest);
        let block = self.below(blocks - len + 1);
        let room = pages - len + 1;
        let pgoff = match self.below(3) {
            0 => block % room.max(1), // may continue what is there
            _ => self.below(room),
        };
        // It fills up, stays so, and is emptied.
        let grows = [95, 95, 60, 10].get(step * 4 / CHANGES).copied();
        if self.below(100) < grows.unwrap_or(0) {
            self.map(
                ino,
                FileExtent {
                    pgoff,
                    block,
                    len,
                    unwritten: false,
                },
            )?;
        } else {
            self.punch(ino, pgoff..pgoff + len)?;
        }
        let (from, max, batch) = (self.below(blocks), self.below(blocks), self.below(20));
        self.ask(from, blocks.min(from + 1 + max))?;
        let around = block.saturating_sub(2)..blocks.min(block + len + 2);
        self.walk(around, 1 + batch as usize)?;
        if step % 512 == 0 {
            self.check()?;
        }
        Ok(())
    }

    /// Makes random changes, of at most `longest` pages. There have to be more than `records` then:
    /// 1512 are the most that fit into two levels. The shape: files, pages of each, blocks.
    fn run(seed: u64, shape: [u64; 3], longest: u64, records: usize) -> Result {
        let [files, pages, blocks] = shape;
        let mut case = Case {
            random: seed | 1,
            tree: OwnerTree::new(),
            files: KVVec::new(),
            owners: KVVec::from_elem(0, blocks as usize, GFP_KERNEL)?,
            walks: 0,
            batch: KVVec::from_elem(OwnerRecord::default(), (files * pages) as usize, GFP_KERNEL)?,
        };
        for _ in 0..files {
            let extents = ExtentMap::new();
            let pages = KVVec::from_elem((None, 0), pages as usize, GFP_KERNEL)?;
            case.files.push(File { extents, pages }, GFP_KERNEL)?;
        }
        pr_info!("{CHANGES} changes from seed {seed:#x}\n");
        let mut most = 0;
        for step in 0..CHANGES {
            case.step(step, shape, longest)
                .inspect_err(|e| pr_err!("{e:?} in step {step}\n"))?;
            most = most.max(case.tree.len());
        }
        pr_info!("{most} records at most\n");
        same("enough records", most > records, true)?;
        for ino in 0..files {
            case.punch(ino, 0..pages)?;
        }
        same("records at the end", case.tree.len(), 0)?;
        case.check()
    }
}

#[kunit_tests(daxrmap_owner_tree)]
mod tests {
    use super::*;

    #[test]
    fn few_files_share_much() -> Result {
        Case::run(1, [3, 4000, 500], 4, 1512)
    }

    #[test]
    fn many_files_share_little() -> Result {
        Case::run(0x5eed, [100, 120, 4000], 4, 1512)
    }

    #[test]
    fn long_extents() -> Result {
        Case::run(0xda6, [16, 1000, 2000], 64, 0)
    }

    /// Number `i` of the owners of block 3.
    fn owner(i: u64) -> OwnerRecord {
        let (pgoff, block, len) = (i % 7, i % 4, 4 - i % 4);
        FileExtent {
            pgoff,
            block,
            len,
            unwritten: false,
        }
        .owner(i)
    }

    #[test]
    fn a_hundred_thousand_owners() -> Result {
        const OWNERS: u64 = 100_000;
        let mut tree = OwnerTree::new();
        for i in 0..OWNERS {
            tree.reserve(1)?;
            tree.insert(owner(i * 7919 % OWNERS))?; // a prime: each once, in no order
        }
        same("sharing()", tree.sharing(0, 10), (Sharing::Many, 4))?;
        same("sharing()", tree.sharing(3, 10), (Sharing::Many, 1))?;
        same("next_gap()", tree.next_gap(0, 10), Some(4..10))?;
        let mut batch = KVec::from_elem(OwnerRecord::default(), 128, GFP_KERNEL)?;
        for remove in [false, true] {
            let (mut cursor, mut next) = (Cursor::new(), 0);
            tree.check()?;
            while next < OWNERS {
                let found = tree.owners(3..4, &mut cursor, &mut batch);
                same("that there are more", found > 0, true)?;
                for rec in batch.iter().take(found) {
                    same("owner", Some(*rec), owner(next).clip(&(3..4)))?;
                    if remove {
                        tree.remove(owner(next))?;
                    }
                    next += 1;
                }
            }
            same("owners left", tree.owners(3..4, &mut cursor, &mut batch), 0)?;
        }
        same("records at the end", tree.len(), 0)
    }

    #[test]
    fn every_second_page_is_written_and_is_not() -> Result {
        const PAGES: u64 = 4000;
        let (mut tree, mut file) = (OwnerTree::new(), ExtentMap::new());
        let all = FileExtent {
            pgoff: 0,
            block: 7,
            len: PAGES,
            unwritten: true,
        };
        tree.reserve(1)?;
        tree.reserve_extents(&mut file, 1)?;
        tree.map(&mut file, 1, all)?;
        for (unwritten, extents) in [(false, PAGES), (true, 1)] {
            for i in 0..PAGES / 2 {
                let page = i * 7919 % (PAGES / 2) * 2; // a prime: each once, in no order
                tree.reserve(2)?;
                tree.reserve_extents(&mut file, 2)?;
                tree.convert(&mut file, 1, page..page + 1, unwritten)?;
            }
            tree.check()?;
            file.check()?;
            let lengths = (file.len() as u64, tree.len() as u64, file.pages());
            same(
                "extents, records, pages",
                lengths,
                (extents, extents, PAGES),
            )?;
            same("any_unwritten()", tree.any_unwritten(7..8), unwritten)?;
            same("any_unwritten()", tree.any_unwritten(7..9), true)?;
        }
        Ok(())
    }

    // What the slab allocator has, and nothing above a page, which may fail needlessly.
    #[test]
    fn nodes_are_half_a_page_and_a_quarter() -> Result {
        let (mut tree, page) = (OwnerTree::new(), kernel::page::PAGE_SIZE);
        for i in 0..100 {
            tree.reserve(1)?;
            tree.insert(owner(i))?;
            if i == 50 {
                same("an inner node, two leaves", tree.bytes(), page)?;
            }
        }
        same("one leaf more", tree.bytes(), page + page / 4)
    }
}
