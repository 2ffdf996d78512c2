// SPDX-License-Identifier: GPL-2.0

//! Reads a filesystem: superblocks, checkpoint, transactions. Nothing is written.
//!
//! If the checkpoint at the start of the log cannot be read, the log before it can tell the same, as
//! long as its region was not used again: it ends where that checkpoint was made. Transactions that
//! come after the checkpoint are then found by its last record.
//!
//! # Locking
//!
//! None: nobody else knows the filesystem yet.

use super::{
    incompat,
    metadata,
    tag,
    Journal, //
};
use crate::{
    errno::{
        eopnotsupp,
        euclean, //
    },
    media::{
        Medium,
        Reader,
        Replay,
        Secret,
        Superblock, //
    },
    state::{
        Op,
        State,
        Transaction,
        ROOT_INO, //
    },
};
use kernel::prelude::*;

/// A filesystem that was read.
pub(crate) struct Opened {
    /// Its log.
    pub(crate) journal: Journal,
    /// All of its metadata.
    pub(crate) state: State,
    /// The generation of each copy of the superblock, or why it cannot be had.
    pub(crate) copies: [Result<u64>; 2],
    /// Whether its features allow this version to write.
    pub(crate) can_write: bool,
    /// Whether a part of the log cannot be read that was not needed: nothing is lost.
    pub(crate) damaged: bool,
    /// Whether a record of the log is damaged: what came after it is lost.
    pub(crate) lost: bool,
    /// Whether the superblock lacks something that is in use now, and is to get it: a secret, or a feature
    /// that the log needs, whose note was in a copy that is no more.
    pub(crate) lacks: bool,
}

impl Journal {
    /// Reads the filesystem of a device of `device_blocks` blocks. Writes nothing. `random`: the secret
    /// that it gets if it has none.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no filesystem; `EUCLEAN` if it is damaged; `EOPNOTSUPP` if it is of a
    /// version or has features that are not known here; `EIO` if some of it cannot be read; `ENOMEM`.
    pub(crate) fn open(medium: &impl Medium, device_blocks: u64, random: Secret) -> Result<Opened> {
        let found = Superblock::read(medium, device_blocks)?;
        let mut sb = found.sb;
        let mut lacks = sb.secret().is_none();
        if lacks {
            sb.set_secret(random);
        }
        let can_write = sb.features.can_write().ok_or_else(eopnotsupp)?;
        let (read, damaged) = match replay(medium, &sb) {
            Ok(read) => (read, false),
            Err(e) if e == EIO || e == euclean() => (replay_around(medium, &sb)?.ok_or(e)?, true),
            Err(e) => return Err(e),
        };
        let Read {
            replay,
            state,
            incompat,
        } = read;
        lacks |= !sb.features.has(incompat);
        sb.features.incompat |= incompat;
        // A root that says that it is removed is for fsck to mend: it could not be read in.
        if !state.has_root() || state.get(ROOT_INO)?.attr.nlink == 0 {
            return Err(euclean());
        }
        for range in metadata(&sb) {
            if !state.is_in_flight(range) {
                return Err(euclean());
            }
        }
        let state = state.with_dead_orphans()?;
        let cut_off = replay.cut_off(medium)?;
        let journal = match cut_off {
            None => Journal {
                sb,
                log: replay.into_log(),
                damaged,
            },
            // Numbers that none of these has, so that they never look like the next record.
            Some(seq) => Journal::abandoned(sb, seq.saturating_add(sb.active_region().bytes())),
        };
        Ok(Opened {
            journal,
            state,
            copies: found.copies,
            can_write,
            damaged,
            lost: cut_off.is_some(),
            lacks,
        })
    }
}

/// A state with nothing but the blocks that metadata has.
fn empty(sb: &Superblock) -> Result<State> {
    let mut state = State::empty(sb.blocks, sb.secret().unwrap_or_default())?;
    for range in metadata(sb) {
        state.take(range)?;
    }
    Ok(state)
}

/// What was read of the log.
struct Read {
    replay: Replay,
    state: State,
    /// The incompat features that its operations need.
    incompat: u64,
}

/// Reads the log from its start.
fn replay(medium: &impl Medium, sb: &Superblock) -> Result<Read> {
    let mut state = empty(sb)?;
    let mut replay = Replay::new(sb.active_region(), tag(sb), sb.first_seq);
    let incompat = apply_all(medium, &mut replay, &mut state)?;
    if !replay.is_complete() {
        return Err(euclean());
    }
    Ok(Read {
        replay,
        state,
        incompat,
    })
}

/// Reads the log before, then what comes after the checkpoint. `None` if one of them is not there.
fn replay_around(medium: &impl Medium, sb: &Superblock) -> Result<Option<Read>> {
    if sb.previous_seq == 0 {
        return Ok(None);
    }
    let [first, second] = sb.regions;
    let other = if sb.active == 0 { second } else { first };
    let mut state = empty(sb)?;
    let mut before = Replay::new(other, tag(sb), sb.previous_seq);
    let incompat = match apply_all(medium, &mut before, &mut state) {
        Err(e) if e == ENOMEM => return Err(e),
        Ok(incompat) if before.is_complete() && before.into_log().seq() == sb.first_seq => incompat,
        _ => return Ok(None),
    };
    let region = sb.active_region();
    let Some(mut replay) = Replay::after_checkpoint(medium, region, tag(sb), sb.first_seq)? else {
        return Ok(None);
    };
    let incompat = incompat | apply_all(medium, &mut replay, &mut state)?;
    Ok(Some(Read {
        replay,
        state,
        incompat,
    }))
}

/// Returns the incompat features that the operations need.
fn apply_all(medium: &impl Medium, replay: &mut Replay, state: &mut State) -> Result<u64> {
    let mut payload = KVVec::new();
    let mut needed = 0;
    while replay.next(medium, &mut payload)? {
        let mut from = Reader::new(&payload);
        let mut tx = Transaction::new();
        while !from.is_empty() {
            tx.push(Op::decode(&mut from)?)?;
        }
        needed |= incompat(tx.ops());
        state.commit(tx)?;
    }
    Ok(needed)
}
