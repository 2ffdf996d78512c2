// SPDX-License-Identifier: GPL-2.0

//! What is lost: makes files with ranges of the records of DAXRMAP_IOC_LOST.

use crate::{
    abi::{
        FileHandle,
        Lost,
        LostHead, //
        DAXRMAP_LOST_END,
    },
    error::{
        bad_answer, //
        Result,
    },
    sys::Buffer,
};
use std::{
    collections::BTreeMap,
    ops::ControlFlow, //
};

/// Records that are asked for at a time.
const BATCH: u32 = 1024;

/// The argument of the request.
pub type Request = Buffer<LostHead, Lost>;

/// Gives all records to `visit`, until it breaks off. `ask` makes the request.
///
/// # Errors
///
/// Those of `ask`, and if the records make no sense.
pub fn walk(
    mut ask: impl FnMut(&mut Request) -> Result<()>,
    mut visit: impl FnMut(&Lost) -> ControlFlow<()>,
) -> Result<()> {
    let mut request = Request::new(&LostHead::default(), BATCH);
    loop {
        *request.head_mut() = LostHead {
            cursor: request.head().cursor,
            count: BATCH,
            ..LostHead::default()
        };
        ask(&mut request)?;
        let records = request.records(request.head().entries)?;
        for record in records {
            check(record)?;
            if visit(record).is_break() {
                return Ok(());
            }
        }
        if request.head().oflags & DAXRMAP_LOST_END != 0 {
            return Ok(());
        }
        if records.is_empty() {
            return Err(bad_answer("there is more, and yet nothing"));
        }
    }
}

/// All records. Of `ask` and errors as in [`walk`].
pub fn list(ask: impl FnMut(&mut Request) -> Result<()>) -> Result<Vec<Lost>> {
    let mut all = Vec::new();
    walk(ask, |record| {
        all.push(*record);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

fn check(record: &Lost) -> Result<()> {
    let fits = |start: u64| start.checked_add(record.length).is_some();
    if record.length == 0 || !fits(record.offset) || !fits(record.physical) {
        return Err(bad_answer("a range that cannot be"));
    }
    if record.handle_bytes as usize > record.handle.len() {
        return Err(bad_answer("a file handle longer than its room"));
    }
    Ok(())
}

/// Bytes of a file that are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// First byte in the file.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// First byte on the device.
    pub physical: u64,
    /// How many places of files have lost the same bytes of the device, this one among them.
    pub owners: u64,
}

impl Range {
    /// Makes `next` a part of this, if it goes on where this ends.
    fn merge(&mut self, next: &Range) -> bool {
        let follows = self.offset + self.length == next.offset
            && self.physical + self.length == next.physical
            && self.owners == next.owners;
        if follows {
            self.length += next.length;
        }
        follows
    }
}

/// A file that has lost data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostFile {
    /// Inode number.
    pub ino: u64,
    /// Its generation.
    pub generation: u32,
    /// Opens the file.
    pub handle: FileHandle,
    /// What is lost, ascending, in as few ranges as possible.
    pub ranges: Vec<Range>,
}

/// How many records there are at which bytes of the device.
struct OwnerCounts {
    /// From that byte to that of the next entry.
    steps: BTreeMap<u64, u64>,
}

impl OwnerCounts {
    fn new(records: &[Lost]) -> Self {
        let mut changes: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for record in records {
            changes.entry(record.physical).or_default().0 += 1;
            let end = record.physical + record.length;
            changes.entry(end).or_default().1 += 1;
        }
        let mut owners = 0;
        let steps = changes.into_iter().map(|(at, (begin, end))| {
            owners = owners + begin - end;
            (at, owners)
        });
        Self {
            steps: steps.collect(),
        }
    }

    /// The parts of a record's range that have the same number of owners.
    fn parts(&self, record: Lost) -> impl Iterator<Item = Range> + '_ {
        let end = record.physical + record.length;
        let starts = self.steps.range(record.physical..end);
        let ends = self.steps.range(record.physical + 1..=end);
        starts
            .zip(ends)
            .map(move |((&from, &owners), (&to, _))| Range {
                offset: record.offset + (from - record.physical),
                length: to - from,
                physical: from,
                owners,
            })
    }
}

/// The files that the records are about, by inode number.
pub fn by_file(records: &[Lost]) -> Vec<LostFile> {
    let counts = OwnerCounts::new(records);
    let mut files: BTreeMap<(u64, u32), LostFile> = BTreeMap::new();
    for record in records {
        let file = files
            .entry((record.ino, record.generation))
            .or_insert_with(|| LostFile {
                ino: record.ino,
                generation: record.generation,
                handle: FileHandle {
                    handle_bytes: record.handle_bytes,
                    handle_type: record.handle_type,
                    f_handle: record.handle,
                },
                ranges: Vec::new(),
            });
        file.ranges.extend(counts.parts(*record));
    }
    let mut files: Vec<_> = files.into_values().collect();
    for file in &mut files {
        file.ranges.sort_by_key(|range| range.offset);
        file.ranges.dedup_by(|next, range| range.merge(next));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    const BLOCK: u64 = 4096;

    /// A record, in blocks.
    fn rec(ino: u64, page: u64, block: u64, len: u64) -> Lost {
        Lost {
            ino,
            offset: page * BLOCK,
            length: len * BLOCK,
            physical: block * BLOCK,
            generation: 7,
            handle_bytes: 12,
            handle_type: 0x81,
            ..Lost::default()
        }
    }

    /// Page, block, pages, owners.
    fn ranges(file: &LostFile) -> Vec<(u64, u64, u64, u64)> {
        let of = |r: &Range| {
            (
                r.offset / BLOCK,
                r.physical / BLOCK,
                r.length / BLOCK,
                r.owners,
            )
        };
        file.ranges.iter().map(of).collect()
    }

    /// A kernel that gives `all`, `step` at a time; the cursor counts.
    fn kernel(all: Vec<Lost>, step: usize) -> impl FnMut(&mut Request) -> Result<()> {
        move |request| {
            assert_eq!(request.head().count, request.room());
            assert_eq!((request.head().entries, request.head().oflags), (0, 0));
            let from = request.head().cursor[0] as usize;
            let to = all.len().min(from + step);
            request.room_mut()[..to - from].copy_from_slice(&all[from..to]);
            let head = request.head_mut();
            head.entries = (to - from) as u32;
            head.cursor[0] = to as u64;
            if to == all.len() {
                head.oflags = DAXRMAP_LOST_END;
            }
            Ok(())
        }
    }

    #[test]
    fn in_steps() {
        let all: Vec<_> = (0..5000).map(|i| rec(i + 2, i, 4, 1)).collect();
        assert_eq!(list(kernel(all.clone(), 1000)).unwrap(), all);
        assert_eq!(list(kernel(all.clone(), 1)).unwrap(), all);
        assert_eq!(list(kernel(Vec::new(), 1)).unwrap(), []);
    }

    #[test]
    fn breaks_off() {
        let all: Vec<_> = (0..100).map(|i| rec(2, i, i, 1)).collect();
        let mut seen = 0;
        let mut calls = 0;
        let mut ask = kernel(all, 10);
        let result = walk(
            |request| {
                calls += 1;
                ask(request)
            },
            |record| {
                seen += 1;
                match record.offset / BLOCK {
                    15 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            },
        );
        result.unwrap();
        assert_eq!((seen, calls), (16, 2));
    }

    #[test]
    fn errors_of_the_kernel() {
        let error = list(|_| Err(Error::new("no"))).unwrap_err();
        assert_eq!(error.to_string(), "no");
    }

    fn refused(answer: impl FnMut(&mut Request) -> Result<()>) {
        let error = list(answer).unwrap_err();
        assert!(error.to_string().contains("makes no sense"), "{error}");
    }

    #[test]
    fn more_records_than_room() {
        for entries in [BATCH + 1, u32::MAX] {
            refused(|request| {
                request.head_mut().entries = entries;
                Ok(())
            });
        }
    }

    #[test]
    fn no_progress() {
        refused(|_| Ok(()));
    }

    #[test]
    fn records_that_cannot_be() {
        let good = rec(2, 1, 4, 1);
        let bad = [
            Lost { length: 0, ..good },
            Lost {
                offset: u64::MAX - BLOCK + 1,
                ..good
            },
            Lost {
                physical: u64::MAX,
                ..good
            },
            Lost {
                length: u64::MAX,
                ..good
            },
            Lost {
                handle_bytes: 33,
                ..good
            },
            Lost {
                handle_bytes: u32::MAX,
                ..good
            },
        ];
        for bad in bad {
            refused(kernel(vec![good, bad], 5));
        }
        let edge = Lost {
            offset: u64::MAX - BLOCK,
            physical: u64::MAX - BLOCK,
            handle_bytes: 32,
            ..good
        };
        assert_eq!(
            by_file(&list(kernel(vec![edge], 5)).unwrap())[0]
                .ranges
                .len(),
            1
        );
    }

    #[test]
    fn one_block_of_many_files() {
        let records: Vec<_> = (0..1000).map(|i| rec(1001 - i, i, 4, 1)).collect();
        let files = by_file(&records);
        assert_eq!(files.len(), 1000);
        for (file, ino) in files.iter().zip(2..) {
            assert_eq!(file.ino, ino);
            assert_eq!(ranges(file), [(1001 - ino, 4, 1, 1000)]);
            assert_eq!(file.handle.handle_bytes, 12);
        }
    }

    #[test]
    fn ranges_are_merged() {
        // Pages 0 to 4 at blocks 10 to 14, in three records and not in order; a hole; page 8.
        let records = [
            rec(2, 3, 13, 2),
            rec(2, 8, 18, 1),
            rec(2, 0, 10, 1),
            rec(2, 1, 11, 2),
        ];
        assert_eq!(
            ranges(&by_file(&records)[0]),
            [(0, 10, 5, 1), (8, 18, 1, 1)]
        );
        // Pages that follow each other on blocks that do not.
        let records = [rec(2, 0, 10, 1), rec(2, 1, 12, 1)];
        assert_eq!(
            ranges(&by_file(&records)[0]),
            [(0, 10, 1, 1), (1, 12, 1, 1)]
        );
    }

    #[test]
    fn parts_with_different_owners() {
        // Blocks 10 to 14; 12 is shared with one file, 13 with two.
        let records = [rec(2, 0, 10, 5), rec(3, 7, 12, 2), rec(4, 0, 13, 1)];
        let files = by_file(&records);
        assert_eq!(
            ranges(&files[0]),
            [(0, 10, 2, 1), (2, 12, 1, 2), (3, 13, 1, 3), (4, 14, 1, 1)]
        );
        assert_eq!(ranges(&files[1]), [(7, 12, 1, 2), (8, 13, 1, 3)]);
        assert_eq!(ranges(&files[2]), [(0, 13, 1, 3)]);
    }

    #[test]
    fn a_file_may_own_a_block_twice() {
        let records = [rec(2, 0, 10, 1), rec(2, 1, 10, 1)];
        assert_eq!(
            ranges(&by_file(&records)[0]),
            [(0, 10, 1, 2), (1, 10, 1, 2)]
        );
    }
}
