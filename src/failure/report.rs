// SPDX-License-Identifier: GPL-2.0

//! Step 5 of a failure, as far as it is for people: counters, and an account of the last failure, for
//! debugfs and the log.
//!
//! # Locking
//!
//! Counters are atomics. The engine has [`Last`] under a mutex of its own; nothing is taken inside of it.

use crate::{
    rmap::OwnerRecord,
    trace, //
};
use core::{
    mem::size_of,
    ops::Range, //
};
use kernel::{
    fmt,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// One number that only grows.
pub(crate) struct Counter(Atomic<u64>);

impl Counter {
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Counts `n` more.
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// The number.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counters of what happened since the mount. debugfs shows them.
pub(crate) struct Counters {
    /// Notifications that concerned the mount.
    pub(crate) notifies: Counter,
    /// Blocks that became bad.
    pub(crate) failed_blocks: Counter,
    /// Owners that were found.
    pub(crate) owners: Counter,
    /// Of these, those that somebody mapped, and that were told.
    pub(crate) owners_mapped: Counter,
    /// Notifications that `folio->mapping` answered.
    pub(crate) shortcut: Counter,
    /// Notifications that the owner tree answered.
    pub(crate) tree: Counter,
    /// Owners that had lost the block by the time they were locked.
    pub(crate) moved: Counter,
    /// Faults on a bad block: SIGBUS.
    pub(crate) late_faults: Counter,
    /// Reads and writes of a bad block: EIO.
    pub(crate) late_io: Counter,
    /// Blocks that the driver knew as bad before anybody told.
    pub(crate) discovered: Counter,
    /// Pages of files that got a good block, or became a hole, in the place of a bad one.
    pub(crate) healed: Counter,
    /// Blocks that left the bad set.
    pub(crate) cleared: Counter,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            notifies: Counter::new(),
            failed_blocks: Counter::new(),
            owners: Counter::new(),
            owners_mapped: Counter::new(),
            shortcut: Counter::new(),
            tree: Counter::new(),
            moved: Counter::new(),
            late_faults: Counter::new(),
            late_io: Counter::new(),
            discovered: Counter::new(),
            healed: Counter::new(),
            cleared: Counter::new(),
        }
    }

    /// Names and values, for debugfs.
    pub(crate) fn each(&self) -> [(&'static str, u64); 12] {
        [
            ("notifies", self.notifies.get()),
            ("failed_blocks", self.failed_blocks.get()),
            ("owners", self.owners.get()),
            ("owners_mapped", self.owners_mapped.get()),
            ("shortcut", self.shortcut.get()),
            ("tree", self.tree.get()),
            ("moved", self.moved.get()),
            ("late_faults", self.late_faults.get()),
            ("late_io", self.late_io.get()),
            ("discovered", self.discovered.get()),
            ("healed", self.healed.get()),
            ("cleared", self.cleared.get()),
        ]
    }
}

/// How the owners were found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// There are none.
    None,
    /// `folio->mapping`.
    Shortcut,
    /// The owner tree.
    Tree,
}

/// What was done about one owner. The numbers are those of the tracepoint.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Outcome {
    /// Not in core: nobody has it open, the bad set will answer.
    Absent = trace::ABSENT,
    /// In core, mapped by nobody.
    Unmapped = trace::UNMAPPED,
    /// Mapped, and told.
    Killed = trace::KILLED,
    /// Lost the block before it could be locked.
    Moved = trace::MOVED,
}

struct Line {
    owner: OwnerRecord,
    outcome: Outcome,
    errno: i32,
}

/// Owners whose fate is remembered; the rest is only counted.
const LINES: usize = 1024;

/// Of these so many are together: a page of them.
const CHUNK: usize = kernel::page::PAGE_SIZE / size_of::<Line>();

/// The owners whose fate is remembered. A page of them is had when it is needed: making more room would
/// move those that are there.
struct Lines {
    chunks: KVec<KVec<Line>>,
    len: usize,
}

impl Lines {
    const fn new() -> Self {
        Self {
            chunks: KVec::new(),
            len: 0,
        }
    }

    /// None any more. The room stays.
    fn clear(&mut self) {
        self.len = 0;
        for chunk in &mut self.chunks {
            chunk.clear();
        }
    }

    /// One more, if there is room or memory.
    fn push(&mut self, line: Line) {
        if self.len >= LINES {
            return;
        }
        let flags = GFP_NOWAIT | __GFP_NOWARN;
        let which = self.len / CHUNK;
        if which >= self.chunks.len() {
            let Ok(chunk) = KVec::with_capacity(CHUNK, flags) else {
                return;
            };
            if self.chunks.push(chunk, flags).is_err() {
                return;
            }
        }
        let chunk = self.chunks.get_mut(which);
        if chunk.is_some_and(|chunk| chunk.push_within_capacity(line).is_ok()) {
            self.len += 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Line> + '_ {
        self.chunks.iter().flatten()
    }
}

/// The last failure, for debugfs and the log.
pub(crate) struct Last {
    range: Range<u64>,
    via: Via,
    flags: c_int,
    owners: u64,
    killed: u64,
    absent: u64,
    /// Processes that were told, if that is known of all owners.
    processes: Option<u32>,
    lines: Lines,
}

impl Last {
    /// Nothing has failed yet.
    pub(crate) fn new() -> Self {
        Self {
            range: 0..0,
            via: Via::None,
            flags: 0,
            owners: 0,
            killed: 0,
            absent: 0,
            processes: Some(0),
            lines: Lines::new(),
        }
    }

    /// A new failure begins. `counts`: processes are counted that are told.
    pub(crate) fn begin(&mut self, range: Range<u64>, flags: c_int, counts: bool) {
        let mut lines = core::mem::replace(&mut self.lines, Lines::new());
        lines.clear();
        *self = Self {
            range,
            flags,
            processes: counts.then_some(0),
            lines,
            ..Self::new()
        };
    }

    /// How its owners are found.
    pub(crate) fn set_via(&mut self, via: Via) {
        self.via = via;
    }

    /// One owner has been dealt with. Without memory it is counted, not remembered.
    pub(crate) fn owner(&mut self, owner: OwnerRecord, outcome: Outcome, errno: i32) {
        if outcome != Outcome::Moved {
            self.owners = self.owners.saturating_add(1);
        }
        match outcome {
            Outcome::Killed => self.killed = self.killed.saturating_add(1),
            Outcome::Absent => self.absent = self.absent.saturating_add(1),
            Outcome::Unmapped | Outcome::Moved => {}
        }
        self.lines.push(Line {
            owner,
            outcome,
            errno,
        });
    }

    /// So many processes more were told, if that is known.
    pub(crate) fn add_processes(&mut self, told: Option<u32>) {
        self.processes = self
            .processes
            .zip(told)
            .map(|(all, n)| all.saturating_add(n));
    }

    /// How many processes were told for all its owners, if that is known.
    pub(crate) fn processes(&self) -> Option<u32> {
        self.processes
    }

    /// How its owners were dealt with.
    pub(crate) fn totals(&self) -> trace::Totals {
        trace::Totals {
            owners: self.owners,
            told: self.killed,
            absent: self.absent,
        }
    }

    /// The first owners, for the log line.
    pub(crate) fn first_owners(&self) -> FirstOwners<'_> {
        FirstOwners(self)
    }
}

/// As debugfs shows it.
impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let via = match self.via {
            Via::None => "none",
            Via::Shortcut => "shortcut",
            Via::Tree => "tree",
        };
        let len = self.range.end.saturating_sub(self.range.start);
        let (block, owners, flags) = (self.range.start, self.owners, self.flags);
        writeln!(
            f,
            "block {block} count {len} via {via} owners {owners} flags {flags:#x}"
        )?;
        for line in self.lines.iter() {
            let OwnerRecord {
                ino, pgoff, len, ..
            } = line.owner;
            let (core, mapped, done) = match line.outcome {
                Outcome::Absent => ("absent", "unmapped", "untouched"),
                Outcome::Unmapped => ("incore", "unmapped", "untouched"),
                Outcome::Killed => ("incore", "mapped", "killed"),
                Outcome::Moved => ("incore", "unmapped", "moved"),
            };
            let errno = line.errno;
            writeln!(
                f,
                "ino {ino} pgoff {pgoff} count {len} {core} {mapped} {done} errno {errno}"
            )?;
        }
        Ok(())
    }
}

/// The first owners of a failure: ` (ino:pgoff ino:pgoff ...)`, or nothing.
pub(crate) struct FirstOwners<'a>(&'a Last);

impl fmt::Display for FirstOwners<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let mut owners = self.0.lines.iter().filter(|l| l.outcome != Outcome::Moved);
        let mut before = " (";
        for line in owners.by_ref().take(SHOWN) {
            write!(f, "{before}{}:{}", line.owner.ino, line.owner.pgoff)?;
            before = " ";
        }
        let dots = if owners.next().is_some() { " ..." } else { "" };
        if before == " " {
            write!(f, "{dots})")?;
        }
        Ok(())
    }
}
