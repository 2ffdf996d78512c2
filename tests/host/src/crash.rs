// SPDX-License-Identifier: GPL-2.0

//! Tests of crashes: every state that the medium may be in when the power fails mounts, with all
//! completed operations, and with the one in flight as a whole or not at all.
//!
//! The medium records stores, flushes and fences. A store is durable for certain after a flush and a
//! fence; before that any set of cache lines may be, each with any number of the stores to it, in
//! order. Where there are too many sets some are drawn by chance.
//!
//! Environment: `DAXRMAP_CRASH_STATES` (10,000), `DAXRMAP_SEED`.

use crate::{
    acl_tests::of_mode,
    journal::{
        Format,
        Journal,
        Store, //
    },
    media::{
        Medium,
        BLOCK_SIZE,
        LABEL_BYTES, //
    },
    snapshot::Snapshot,
    state::{
        acl::{
            StoredAcl,
            ACCESS, //
        },
        flags,
        Attr,
        FileType,
        Op,
        RenameMode,
        SetMode,
        State,
        Transaction,
        Xattr,
        EXTENTS,
        ROOT_INO, //
    },
    state_tests::{
        at,
        attr,
        DIR,
        FIFO,
        FILE,
        LINK, //
    },
    SECRET, //
};
use kernel::prelude::*;
use std::{
    cell::{
        Cell,
        RefCell, //
    },
    collections::{
        BTreeMap,
        BTreeSet, //
    },
    println,
    rc::Rc,
    vec,
    vec::Vec, //
};

const LINE: usize = 64;
pub(crate) const BLOCKS: u64 = 1024;

#[derive(Clone)]
enum Event {
    Store(usize, Vec<u8>),
    Flush(usize, usize),
    Fence,
}

/// A medium in memory, and what was done to it.
pub(crate) struct Recorder {
    pub(crate) bytes: RefCell<Vec<u8>>,
    events: RefCell<Vec<Event>>,
    /// Fences with this number are left out: a bug on purpose.
    skips: Cell<Option<fn(usize) -> bool>>,
    fences: RefCell<usize>,
    /// After so many more fences the device cannot make anything durable any more.
    pub(crate) fences_left: Cell<Option<usize>>,
    /// Bytes that cannot be read.
    pub(crate) poison: RefCell<Vec<core::ops::Range<u64>>>,
    /// Blocks that are known to be bad, and cannot be written.
    pub(crate) listed: RefCell<Vec<core::ops::Range<u64>>>,
    /// Those of them that the metadata have come to know.
    pub(crate) discovered: RefCell<Vec<core::ops::Range<u64>>>,
}

impl Recorder {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Recorder {
            bytes: RefCell::new(bytes),
            events: RefCell::new(Vec::new()),
            skips: Cell::new(None),
            fences: RefCell::new(0),
            fences_left: Cell::new(None),
            poison: RefCell::default(),
            listed: RefCell::default(),
            discovered: RefCell::default(),
        }
    }
}

impl Medium for Recorder {
    fn read(&self, at: u64, buf: &mut [u8]) -> Result {
        let end = at + buf.len() as u64;
        if self
            .poison
            .borrow()
            .iter()
            .any(|bad| bad.start < end && at < bad.end)
        {
            return Err(EIO);
        }
        let at = at as usize;
        let bytes = self.bytes.borrow();
        buf.copy_from_slice(bytes.get(at..at + buf.len()).ok_or(EIO)?);
        Ok(())
    }

    fn store(&self, at: u64, new: &[u8]) -> Result {
        let end = (at + new.len() as u64).div_ceil(BLOCK_SIZE);
        let listed = self.known_bad(&(at / BLOCK_SIZE..end)).is_some();
        if listed || self.fences_left.get() == Some(0) {
            return Err(EIO);
        }
        let at = at as usize;
        let mut bytes = self.bytes.borrow_mut();
        let place = bytes.get_mut(at..at + new.len()).ok_or(EIO)?;
        place.copy_from_slice(new);
        self.events
            .borrow_mut()
            .push(Event::Store(at, new.to_vec()));
        Ok(())
    }

    fn flush(&self, at: u64, len: u64) -> Result {
        self.events
            .borrow_mut()
            .push(Event::Flush(at as usize, len as usize));
        Ok(())
    }

    fn fence(&self) -> Result {
        if let Some(left) = self.fences_left.get() {
            let left = left.checked_sub(1).ok_or(EIO)?;
            self.fences_left.set(Some(left));
        }
        let mut fences = self.fences.borrow_mut();
        *fences += 1;
        if !self.skips.get().is_some_and(|skips| skips(*fences)) {
            self.events.borrow_mut().push(Event::Fence);
        }
        Ok(())
    }

    fn known_bad(&self, blocks: &core::ops::Range<u64>) -> Option<core::ops::Range<u64>> {
        let listed = self.listed.borrow();
        let parts = listed
            .iter()
            .map(|bad| bad.start.max(blocks.start)..bad.end.min(blocks.end));
        parts
            .filter(|part| !part.is_empty())
            .min_by_key(|part| part.start)
    }

    fn discovered(&self, blocks: &core::ops::Range<u64>) {
        self.discovered.borrow_mut().push(blocks.clone());
    }
}

/// A small generator of chance (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// What a crash at a moment may leave: what is durable, and for each line the stores that may be.
struct Cache {
    durable: Vec<u8>,
    /// Stores to a line that may not be durable yet: offset in the line, bytes, whether flushed.
    lines: BTreeMap<usize, Vec<(usize, Vec<u8>, bool)>>,
}

impl Cache {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Store(at, bytes) => {
                let mut done = 0;
                while done < bytes.len() {
                    let (line, off) = ((at + done) / LINE, (at + done) % LINE);
                    let n = (LINE - off).min(bytes.len() - done);
                    let part = bytes[done..done + n].to_vec();
                    self.lines.entry(line).or_default().push((off, part, false));
                    done += n;
                }
            }
            Event::Flush(at, len) => {
                for line in at / LINE..(at + len).div_ceil(LINE) {
                    for store in self.lines.get_mut(&line).into_iter().flatten() {
                        store.2 = true;
                    }
                }
            }
            Event::Fence => {
                let lines: Vec<_> = self.lines.keys().copied().collect();
                for line in lines {
                    // Stores to a line become durable in order.
                    let stores = self.lines.get_mut(&line).unwrap();
                    let flushed = stores.iter().rposition(|s| s.2).map_or(0, |i| i + 1);
                    for (off, bytes, _) in stores.drain(..flushed) {
                        let at = line * LINE + off;
                        self.durable[at..at + bytes.len()].copy_from_slice(&bytes);
                    }
                    if self.lines[&line].is_empty() {
                        self.lines.remove(&line);
                    }
                }
            }
        }
    }

    /// Runs `check` on the medium with so many of the stores to each line.
    fn with(&mut self, chosen: &[(usize, usize)], check: impl FnOnce(&Recorder)) {
        let mut undo = Vec::new();
        for (line, n) in chosen {
            for (off, bytes, _) in &self.lines[line][..*n] {
                let at = line * LINE + off;
                let place = &mut self.durable[at..at + bytes.len()];
                undo.push((at, place.to_vec()));
                place.copy_from_slice(bytes);
            }
        }
        let medium = Recorder::new(core::mem::take(&mut self.durable));
        check(&medium);
        self.durable = medium.bytes.into_inner();
        for (at, old) in undo.into_iter().rev() {
            self.durable[at..at + old.len()].copy_from_slice(&old);
        }
    }
}

/// A mounted filesystem, with the contents of its files.
struct Fs {
    medium: Rc<Recorder>,
    store: Store<Rc<Recorder>>,
    clock: i64,
}

/// What a block holds that belongs to this page: it was written for it, or for a clone's source.
fn stamp(medium: &Recorder, block: u64) -> u64 {
    let mut bytes = [0; 8];
    medium.read(block * BLOCK_SIZE, &mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}

/// State, the stamps of all pages, and the label.
#[derive(Debug, Eq, PartialEq)]
struct Seen {
    state: Snapshot,
    stamps: Vec<(u64, u64, u64)>,
    label: [u8; LABEL_BYTES],
}

impl Seen {
    fn of(state: &State, journal: &Journal, medium: &Recorder) -> Self {
        let mut stamps = Vec::new();
        for (ino, inode) in state.inodes_from(0) {
            for extent in inode.as_file().into_iter().flat_map(|map| map.iter()) {
                for i in 0..extent.len {
                    // What is in a block that is not written is of nobody.
                    let stamp = match extent.unwritten {
                        true => 0,
                        false => stamp(medium, extent.block + i),
                    };
                    stamps.push((ino, extent.pgoff + i, stamp));
                }
            }
        }
        Seen {
            state: Snapshot::of(state),
            stamps,
            label: journal.superblock().label,
        }
    }
}

pub(crate) fn format() -> Format {
    Format {
        blocks: BLOCKS,
        region: None,
        uuid: *b"0123456789abcdef",
        label: [0; 64],
        first_seq: 1,
        made: 7,
        secret: SECRET,
        root: attr(DIR, 1),
    }
}

pub(crate) fn blank() -> Vec<u8> {
    vec![0; (BLOCKS * BLOCK_SIZE) as usize]
}

impl Fs {
    fn new() -> Self {
        let medium = Rc::new(Recorder::new(blank()));
        Journal::format(&*medium, &format()).unwrap();
        let opened = Journal::open(&*medium, BLOCKS, SECRET).unwrap();
        let mut store = Store::new(opened, medium.clone());
        assert_eq!(store.make_writable(), Ok(0));
        medium.events.borrow_mut().clear();
        Fs {
            medium,
            store,
            clock: 1,
        }
    }

    fn files(&self, dirs: bool) -> Vec<u64> {
        let wanted = |(ino, inode): (u64, &crate::state::StoredInode)| {
            let wanted = if dirs {
                inode.as_dir().is_ok()
            } else {
                inode.as_file().is_ok()
            };
            (wanted && inode.attr.nlink != 0).then_some(ino)
        };
        self.store
            .state()
            .inodes_from(0)
            .filter_map(wanted)
            .collect()
    }

    /// One operation. Errors are fine: nothing has happened then.
    fn step(&mut self, chance: &mut Chance) -> Result {
        self.clock += 1;
        let time = at(self.clock);
        let pick = |from: &[u64], chance: &mut Chance| match from.len() {
            0 => Err(ENOENT),
            n => Ok(from[chance.below(n as u64) as usize]),
        };
        let dir = pick(&self.files(true), chance)?;
        let name = [b'a' + chance.below(12) as u8];
        match chance.below(60) / 2 {
            16 => self.store.checkpoint(),
            21..=28 => self.namespace_step(chance, dir, &name),
            0..=2 => {
                let (_, tx) = self
                    .store
                    .change()
                    .create(dir, &name, attr(FILE, self.clock))?;
                self.store.commit(tx)
            }
            3 => {
                let (_, tx) = self
                    .store
                    .change()
                    .mkdir(dir, &name, attr(DIR, self.clock))?;
                self.store.commit(tx)
            }
            4 => {
                let tx = self.store.state().unlink(dir, &name, time)?;
                self.store.commit(tx)
            }
            5 => {
                let tx = self.store.state().rmdir(dir, &name, time)?;
                self.store.commit(tx)
            }
            6 if chance.below(2) == 0 => self.store.reap().map(|_| ()),
            6 => {
                let orphans: Vec<_> = self
                    .store
                    .state()
                    .inodes_from(0)
                    .filter_map(|(ino, inode)| (inode.attr.nlink == 0).then_some(ino))
                    .collect();
                self.store.evict(pick(&orphans, chance)?).map(|_| ())
            }
            7..=11 => {
                let ino = pick(&self.files(false), chance)?;
                let (pgoff, want) = (chance.below(20), 1 + chance.below(6));
                let new = self.store.change().allocate(want, chance.below(BLOCKS))?;
                let len = new.end - new.start;
                let state = self.store.state();
                let tx = if chance.below(3) == 0 {
                    state.remap_unwritten(ino, pgoff, new.start, len)?
                } else {
                    self.stamp(new.clone(), chance)?;
                    state.remap(ino, pgoff, new.start, len)?
                };
                self.store.commit(tx).inspect_err(|_| {
                    self.store.change().release(new).unwrap();
                })
            }
            20 => {
                let mut label = [0; LABEL_BYTES];
                label[..8].copy_from_slice(&chance.next().to_le_bytes());
                self.store.set_label(&label)
            }
            18 | 19 => {
                let ino = pick(&self.files(false), chance)?;
                let (from, len) = (chance.below(20), 1 + chance.below(9));
                let (state, pages) = (self.store.state(), from..from + len);
                let tx = if chance.below(2) == 0 {
                    state.collapse(ino, pages, self.clock as u64)?
                } else {
                    state.insert(ino, pages, self.clock as u64)?
                };
                self.store.commit(tx)
            }
            17 => {
                let ino = pick(&self.files(false), chance)?;
                let (pgoff, len) = (chance.below(20), 1 + chance.below(6));
                let (state, written) = (self.store.state(), chance.below(3) != 0);
                let tx = state.convert(ino, pgoff, len, written)?;
                let map = state.get(ino)?.as_file()?;
                for extent in map.in_range(pgoff..pgoff + len).filter(|e| e.unwritten) {
                    self.stamp(extent.block..extent.block_end(), chance)?;
                }
                self.store.commit(tx)
            }
            12 | 13 => {
                let files = self.files(false);
                let (src, dst) = (pick(&files, chance)?, pick(&files, chance)?);
                let (from, to, len) = (chance.below(20), chance.below(20), 1 + chance.below(8));
                let tx = self.store.state().clone_range(src, from, dst, to, len)?;
                self.store.commit(tx)
            }
            14 => {
                let ino = pick(&self.files(false), chance)?;
                let tx =
                    self.store
                        .state()
                        .unmap_range(ino, chance.below(20), 1 + chance.below(9))?;
                self.store.commit(tx)
            }
            _ => {
                let mut block = chance.below(BLOCKS - 2) + 1;
                if chance.below(4) == 0 {
                    let region = self.store.journal().superblock().regions[(block % 2) as usize];
                    block = region.start + block % region.blocks;
                }
                let marked = self.store.mark_bad(block..block + 1)?;
                marked.durable
            }
        }
    }
}

impl Fs {
    /// Writes to blocks: first the data; the record that shows them comes after a fence.
    fn stamp(&self, blocks: core::ops::Range<u64>, chance: &mut Chance) -> Result {
        for block in blocks {
            let stamp = chance.next().to_le_bytes();
            self.medium.store(block * BLOCK_SIZE, &stamp)?;
            self.medium.flush(block * BLOCK_SIZE, 8)?;
        }
        Ok(())
    }

    /// One operation on names and attributes that are not data.
    fn namespace_step(&mut self, chance: &mut Chance, dir: u64, name: &[u8]) -> Result {
        let time = at(self.clock);
        let state = self.store.state();
        // Nobody has those that are dead.
        let all = state.inodes_from(0).map(|(ino, _)| ino);
        let all: Vec<_> = all.filter(|ino| !state.is_dead(*ino)).collect();
        let ino = all[chance.below(all.len() as u64) as usize];
        let other = [b'a' + chance.below(12) as u8];
        // Up to some lines, and now and then more than fits beside it in a record of a checkpoint.
        let most = if chance.below(8) == 0 { 6000 } else { 300 };
        let bytes = vec![other[0]; chance.below(most) as usize];
        let tx = match chance.below(10) {
            0 => {
                let target = &bytes[..bytes.len().min(4095)];
                let mut state = self.store.change();
                state.symlink(dir, name, target, attr(LINK, self.clock))?.1
            }
            1 => {
                let device = Attr {
                    rdev: chance.next() as u32,
                    ..attr(FIFO, self.clock)
                };
                self.store.change().create(dir, name, device)?.1
            }
            2 => state.link(dir, name, ino, time)?,
            3 => self.store.change().tmpfile(attr(FILE, self.clock))?.1,
            4 => {
                let modes = [
                    RenameMode::Replace,
                    RenameMode::NoReplace,
                    RenameMode::Exchange,
                ];
                let mode = modes[chance.below(3) as usize];
                let dirs = self.files(true);
                let to = dirs[chance.below(dirs.len() as u64) as usize];
                state.rename(dir, name, to, &other, mode, time)?
            }
            5 => {
                let whiteout = attr(FIFO, self.clock);
                self.store
                    .change()
                    .rename_whiteout((dir, name), (dir, &other), whiteout)?
                    .1
            }
            6 => {
                let mut tx = Transaction::new();
                let before = state.get(ino)?.attr;
                tx.push(Op::SetAttr {
                    ino,
                    attr: Attr {
                        flags: chance.next() as u32 & flags::ALL,
                        ctime: time,
                        ..before
                    },
                })?;
                tx
            }
            7 => state.remove_xattr(ino, name, time)?,
            8 => {
                let before = state.get(ino)?.attr;
                if before.file_type() == Some(FileType::Symlink) {
                    return Ok(());
                }
                let acl = of_mode(chance.next() as u32, chance.next() as u32 >> 1);
                let acl = (chance.below(3) != 0).then_some(&*acl);
                let permissions = acl.and_then(StoredAcl::new).map(StoredAcl::permissions);
                let attr = Attr {
                    mode: (before.mode & !0o777) | permissions.unwrap_or(before.mode & 0o777),
                    ctime: time,
                    ..before
                };
                state.replace_xattr(ino, ACCESS, acl, attr)?
            }
            _ => state.set_xattr(ino, Xattr::copy(name, &bytes)?, SetMode::Any, time)?,
        };
        self.store.commit(tx)
    }
}

/// How many states were looked at, and which kinds.
#[derive(Debug, Default)]
struct Found {
    states: u64,
    before: u64,
    after: u64,
    checkpoints: u64,
    moves: u64,
}

/// Looks at states after crashes in so many steps, `states` in all. Err: what is wrong.
fn crash(
    seed: u64,
    states: u64,
    skips: Option<fn(usize) -> bool>,
) -> std::result::Result<Found, std::string::String> {
    let mut chance = Chance(seed | 1);
    let mut found = Found::default();
    while found.states < states {
        let mut fs = Fs::new();
        fs.medium.skips.set(skips);
        let mut cache = Cache {
            durable: fs.medium.bytes.borrow().clone(),
            lines: BTreeMap::new(),
        };
        // Old enough that the log is about to be full, at some time.
        for _ in 0..chance.below(600) {
            let _ = fs.step(&mut chance);
        }
        for event in fs.medium.events.borrow().iter() {
            cache.event(event);
        }
        for _ in 0..60 {
            let generation = fs.store.journal().superblock().generation;
            let regions = fs.store.journal().superblock().regions;
            let before = Seen::of(fs.store.state(), fs.store.journal(), &fs.medium);
            fs.medium.events.borrow_mut().clear();
            let _ = fs.step(&mut chance);
            let after = Seen::of(fs.store.state(), fs.store.journal(), &fs.medium);
            let checkpoint = fs.store.journal().superblock().generation != generation;
            found.checkpoints += u64::from(checkpoint);
            found.moves += u64::from(fs.store.journal().superblock().regions != regions);
            let events = fs.medium.events.borrow().clone();
            for i in 0..=events.len() {
                if i > 0 {
                    cache.event(&events[i - 1]);
                }
                // A checkpoint has many events that differ little.
                if i < events.len() && checkpoint && chance.below(8) != 0 {
                    continue;
                }
                let done = i == events.len();
                for chosen in choices(&cache, &mut chance) {
                    found.states += 1;
                    let mut wrong = None;
                    cache.with(&chosen, |medium| {
                        wrong = judge(medium, &before, &after, done, &mut found);
                    });
                    if let Some(wrong) = wrong {
                        return Err(std::format!(
                            "seed {seed:#x}, state {}, event {i} of {}: {wrong}",
                            found.states,
                            events.len()
                        ));
                    }
                }
            }
        }
    }
    Ok(found)
}

fn judge(
    medium: &Recorder,
    before: &Seen,
    after: &Seen,
    done: bool,
    found: &mut Found,
) -> Option<std::string::String> {
    let (state, journal) = match Journal::open(medium, BLOCKS, SECRET) {
        Ok(opened) => (opened.state, opened.journal),
        Err(e) => return Some(std::format!("it does not mount: {e:?}")),
    };
    if let Err(e) = state.check() {
        return Some(std::format!("it is inconsistent: {e:?}"));
    }
    let seen = Seen::of(&state, &journal, medium);
    if seen.equals(after) {
        found.after += 1;
        None
    } else if !done && seen.equals(before) {
        found.before += 1;
        None
    } else {
        Some(std::format!(
            "it is not as before: {}\nand not as after: {}",
            first_difference(&seen, before),
            first_difference(&seen, after)
        ))
    }
}

/// Where two of them differ, with some of what is around.
fn first_difference(is: &Seen, was: &Seen) -> std::string::String {
    let (is, was) = (std::format!("{is:?}"), std::format!("{was:?}"));
    let equal = is.bytes().zip(was.bytes()).take_while(|(a, b)| a == b);
    let from = equal.count().saturating_sub(200);
    let part = |text: &str| {
        text[from..]
            .chars()
            .take(400)
            .collect::<std::string::String>()
    };
    std::format!("{}\ninstead of {}", part(&is), part(&was))
}

impl Seen {
    /// Whether it is the same after a mount: who was allocating is not known any more.
    fn equals(&self, other: &Self) -> bool {
        self.stamps == other.stamps
            && self.label == other.label
            && self.state.inodes == other.state.inodes
            && self.state.owners == other.state.owners
            && self.state.bad == other.state.bad
            && self.state.free == other.state.free
    }
}

/// Sets of lines that may be durable: all of them when they are few, else none, all, and some.
fn choices(cache: &Cache, chance: &mut Chance) -> Vec<Vec<(usize, usize)>> {
    let full: Vec<_> = cache.lines.iter().map(|(l, s)| (*l, s.len())).collect();
    let mut sets = BTreeSet::new();
    sets.insert(Vec::new());
    sets.insert(full.clone());
    let draws = if full.len() <= 2 { 6 } else { 10 };
    for _ in 0..draws {
        let some = full
            .iter()
            .map(|(line, n)| (*line, chance.below(*n as u64 + 1) as usize))
            .filter(|(_, n)| *n > 0);
        sets.insert(some.collect());
    }
    sets.into_iter().collect()
}

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn every_state_after_a_crash_is_before_or_after() {
    let states = number("DAXRMAP_CRASH_STATES", 10_000);
    let found = crash(number("DAXRMAP_SEED", 0x5eed), states, None).unwrap();
    println!("{found:?}");
    assert!(found.checkpoints > 0 && found.moves > 0 && found.before > 0 && found.after > 0);
}

/// A file of many extents that is dead: whatever a crash leaves of it, in any piece, the next mount frees it,
/// and nothing else.
#[test]
fn what_is_dead_goes_after_any_crash() {
    const MANY: u64 = 3 * EXTENTS as u64 + 2;
    let mut chance = Chance(7);
    let mut fs = Fs::new();
    let keep = {
        let (ino, tx) = fs.store.change().tmpfile(attr(FILE, 1)).unwrap();
        fs.store.commit(tx).unwrap();
        let (kept, tx) = fs
            .store
            .change()
            .create(ROOT_INO, b"kept", attr(FILE, 1))
            .unwrap();
        fs.store.commit(tx).unwrap();
        for page in (0..2 * MANY).step_by(2) {
            let block = fs.store.change().allocate(1, 0).unwrap().start;
            let tx = fs.store.state().remap(ino, page, block, 1).unwrap();
            fs.store.commit(tx).unwrap();
        }
        // Half of it is somebody else's as well.
        let tx = fs.store.state().clone_range(ino, 0, kept, 0, MANY);
        fs.store.commit(tx.unwrap()).unwrap();
        assert_eq!(fs.store.evict(ino), Ok(false));
        kept
    };
    let owned = |state: &State| state.get(keep).unwrap().as_file().unwrap().len() as u64;
    assert_eq!(owned(fs.store.state()), MANY / 2);
    let free = fs.store.state().free_blocks() + MANY / 2;
    let mut cache = Cache {
        durable: blank(),
        lines: BTreeMap::new(),
    };
    cache.durable.copy_from_slice(&fs.medium.bytes.borrow());
    let (mut pieces, mut states) = (0, 0);
    loop {
        fs.medium.events.borrow_mut().clear();
        if !fs.store.reap().unwrap() {
            break;
        }
        pieces += 1;
        fs.store.state().check().unwrap();
        let events = fs.medium.events.borrow().clone();
        for event in &events {
            cache.event(event);
            for chosen in choices(&cache, &mut chance) {
                states += 1;
                cache.with(&chosen, |medium| {
                    let again = Recorder::new(medium.bytes.borrow().clone());
                    let opened = Journal::open(&again, BLOCKS, SECRET).unwrap();
                    assert!(opened.state.count_dead() <= 1);
                    let mut store = Store::new(opened, Rc::new(again));
                    store.make_writable().unwrap();
                    while store.reap().unwrap() {}
                    let state = store.state();
                    state.check().unwrap();
                    assert_eq!((state.inode_count(), state.free_blocks()), (2, free));
                    assert_eq!(owned(state), MANY / 2);
                });
            }
        }
    }
    assert_eq!(pieces, 4);
    assert!(states > 30, "{states}");
    assert_eq!(fs.store.state().free_blocks(), free);
}

/// The fence before a record, and the one after it, are needed both.
#[test]
fn a_missing_fence_is_found() {
    crash(1, 20_000, Some(|n| n % 2 == 1)).unwrap_err();
    crash(1, 20_000, Some(|n| n % 2 == 0)).unwrap_err();
}

#[test]
fn root_only() {
    let fs = Fs::new();
    assert_eq!(fs.store.state().inode_count(), 1);
    assert_eq!(fs.store.state().lookup(ROOT_INO, b"a"), Err(ENOENT));
    fs.store.state().check().unwrap();
}
