// SPDX-License-Identifier: GPL-2.0

//! The cells of a picture, and what is known of each.

use super::class::Class;
use crate::ranges::Range;

/// Inodes that are remembered for one cell.
pub const MOST_NAMED: usize = 8;

/// A part of the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    bytes: [u64; Class::ALL.len()],
    /// How many places of files have the block that most have.
    pub most_owners: u64,
    /// The first inodes that have something of it.
    pub inodes: Vec<u64>,
    /// There are more of them.
    pub more_inodes: bool,
    /// What the filesystem has there for itself.
    pub metadata: Vec<&'static str>,
    /// It has something of the file that is looked at.
    pub marked: bool,
}

impl Cell {
    /// How many bytes of it are that.
    pub fn bytes(&self, class: Class) -> u64 {
        self.bytes[class as usize]
    }

    /// What it is shown as: what most of it is, but one bad block is enough.
    pub fn class(&self) -> Class {
        if self.bytes(Class::Bad) != 0 {
            return Class::Bad;
        }
        // The last one of those that are equal: it says more than that something is free.
        let most = Class::ALL
            .into_iter()
            .max_by_key(|&class| self.bytes(class));
        most.unwrap_or(Class::Free)
    }

    /// Nothing is in it.
    pub fn is_free(&self) -> bool {
        let others = Class::ALL.into_iter().filter(|&class| class != Class::Free);
        others
            .map(|class| self.bytes(class))
            .all(|bytes| bytes == 0)
    }

    fn has(&mut self, ino: u64) {
        // One file's extents follow one another mostly.
        if self.inodes.iter().rev().any(|&known| known == ino) {
            return;
        }
        match self.inodes.len() < MOST_NAMED {
            true => self.inodes.push(ino),
            false => self.more_inodes = true,
        }
    }
}

/// A range of the device, in equal cells; the last may be a part of one.
#[derive(Clone, Debug)]
pub struct Cells {
    range: Range,
    size: u64,
    cells: Vec<Cell>,
}

impl Cells {
    /// `range` in `most` cells or fewer, each of as many blocks as a power of 2.
    pub fn new(range: Range, block: u64, most: usize) -> Self {
        let bytes = range.end.saturating_sub(range.start);
        let most = most.max(1) as u64;
        let mut size = block.max(1);
        while bytes.div_ceil(size) > most {
            size = size.saturating_mul(2);
        }
        let count = bytes.div_ceil(size);
        Self {
            range,
            size,
            cells: vec![Cell::default(); usize::try_from(count).unwrap_or_default()],
        }
    }

    /// The range of the device.
    pub fn range(&self) -> Range {
        self.range.clone()
    }

    /// Bytes of a cell.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The cells, in order, and where each is.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Range, &Cell)> {
        self.cells.iter().enumerate().map(|(i, cell)| {
            let start = self.range.start + i as u64 * self.size;
            (start..(start + self.size).min(self.range.end), cell)
        })
    }

    /// All bytes that are that.
    pub fn total(&self, class: Class) -> u64 {
        self.cells.iter().map(|cell| cell.bytes(class)).sum()
    }

    /// These bytes, which were not told of before, are that; so many places of files have them.
    pub fn add(&mut self, range: Range, class: Class, owners: u64) {
        self.each(range, |cell, bytes| {
            cell.bytes[class as usize] += bytes;
            cell.most_owners = cell.most_owners.max(owners);
        });
    }

    /// An inode has something there.
    pub fn owner(&mut self, range: Range, ino: u64) {
        self.each(range, |cell, _| cell.has(ino));
    }

    /// The filesystem has that there.
    pub fn metadata(&mut self, range: Range, what: &'static str) {
        self.each(range, |cell, _| {
            if !cell.metadata.contains(&what) {
                cell.metadata.push(what);
            }
        });
    }

    /// The file that is looked at has something there.
    pub fn mark(&mut self, range: Range) {
        self.each(range, |cell, _| cell.marked = true);
    }

    /// Visits the cells that have something of a range, with how much that is.
    fn each(&mut self, range: Range, mut visit: impl FnMut(&mut Cell, u64)) {
        let mut at = range.start.max(self.range.start);
        let end = range.end.min(self.range.end);
        while at < end {
            let index = (at - self.range.start) / self.size;
            let next = self.range.start + (index + 1) * self.size;
            let next = next.min(end);
            // What is behind the last cell is behind `end` too.
            if let Some(cell) = self.cells.get_mut(index as usize) {
                visit(cell, next - at);
            }
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u64 = 4096;

    fn blocks(range: Range) -> Range {
        range.start * BLOCK..range.end * BLOCK
    }

    fn sizes(cells: &Cells) -> Vec<u64> {
        cells
            .iter()
            .map(|(at, _)| (at.end - at.start) / BLOCK)
            .collect()
    }

    #[test]
    fn powers_of_two() {
        let cells = |range, most| Cells::new(blocks(range), BLOCK, most);
        assert_eq!(sizes(&cells(0..4, 10)), [1; 4]);
        assert_eq!(sizes(&cells(3..20, 10)), [2, 2, 2, 2, 2, 2, 2, 2, 1]);
        assert_eq!(sizes(&cells(0..1000, 2)), [512, 488]);
        assert!(sizes(&cells(7..7, 10)).is_empty());
        let huge = Cells::new(0..u64::MAX, BLOCK, 1000);
        assert_eq!(huge.iter().len(), 512);
    }

    #[test]
    fn what_is_where() {
        let mut cells = Cells::new(blocks(10..30), BLOCK, 5);
        cells.add(blocks(0..12), Class::Free, 0);
        cells.add(blocks(12..20), Class::Shared2, 2);
        cells.add(blocks(20..23), Class::Data, 1);
        cells.add(blocks(23..24), Class::Bad, 7);
        cells.add(blocks(24..99), Class::Free, 0);
        cells.owner(blocks(12..23), 5);
        cells.mark(blocks(21..22));
        let shown: Vec<_> = cells.iter().map(|(_, cell)| cell.class()).collect();
        // Half free, half shared: that says more.
        let shared = Class::Shared2;
        assert_eq!(shown, [shared, shared, shared, Class::Bad, Class::Free]);
        let most: Vec<_> = cells.iter().map(|(_, cell)| cell.most_owners).collect();
        assert_eq!(most, [2, 2, 2, 7, 0]);
        let marked: Vec<_> = cells.iter().map(|(_, cell)| cell.marked).collect();
        assert_eq!(marked, [false, false, true, false, false]);
        let owned: Vec<_> = cells.iter().map(|(_, cell)| cell.inodes.len()).collect();
        assert_eq!(owned, [1, 1, 1, 1, 0]);
        assert_eq!(cells.total(Class::Shared2), 8 * BLOCK);
        let all: u64 = Class::ALL.into_iter().map(|class| cells.total(class)).sum();
        assert_eq!(all, 20 * BLOCK);
        assert!(cells.iter().last().unwrap().1.is_free());
    }

    #[test]
    fn no_more_names_than_there_is_room() {
        let mut cells = Cells::new(blocks(0..8), BLOCK, 1);
        for ino in 0..1000 {
            cells.owner(blocks(0..8), ino % 8);
        }
        let inodes = |cells: &Cells| {
            let (_, cell) = cells.iter().next().unwrap();
            (cell.inodes.len(), cell.more_inodes)
        };
        assert_eq!(inodes(&cells), (8, false));
        (0..1000).for_each(|ino| cells.owner(blocks(0..8), ino));
        assert_eq!(inodes(&cells), (MOST_NAMED, true));
    }
}
