// SPDX-License-Identifier: GPL-2.0

//! `superintervals` as a peer: built once, blocks of 31 bits, hits from the last to the first.

use super::{
    Peer,
    Static, //
};
use crate::fold::{
    Fold,
    Rec,
    Run,
    Sweep, //
};
use std::ops::Range;
use superintervals::IntervalMap;

/// Owners by blocks.
pub struct Super {
    map: IntervalMap<(u64, u64)>,
    scratch: Vec<(u64, u64)>,
}

impl Peer for Super {
    fn owners(&mut self, range: Range<u64>) -> u64 {
        let mut fold = Fold::new(range.clone());

        for found in self
            .map
            .search_items_iter(range.start as i32, range.end as i32 - 1)
        {
            let (ino, pgoff) = found.data;
            fold.hit(found.start as u64, found.end as u64 + 1, ino, pgoff);
        }
        fold.sum()
    }

    fn sharing(&mut self, block: u64, max_len: u64) -> Run {
        self.scratch.clear();
        self.scratch.extend(
            self.map
                .search_keys_iter(block as i32, (block + max_len) as i32 - 1)
                .map(|(start, end)| (start as u64, end as u64 + 1)),
        );
        Sweep::unsorted(block, max_len, &mut self.scratch)
    }
}

impl Static for Super {
    fn build(records: &[Rec]) -> Self {
        let mut map = IntervalMap::new();

        map.reserve(records.len());
        for rec in records {
            map.add(rec.block as i32, rec.end() as i32 - 1, (rec.ino, rec.pgoff));
        }
        map.build();
        Super {
            map,
            scratch: Vec::new(),
        }
    }
}
