// SPDX-License-Identifier: GPL-2.0

//! Reads the log as a mount does, and finds out where reading ends, and why.

use crate::{
    disk::{
        Disk,
        Image, //
    },
    error::{
        Error,
        Result, //
    },
    journal::Journal,
    log::{
        end_of_checkpoint,
        later,
        tag,
        Kind,
        Later,
        Place,
        Walk, //
    },
    media::{
        Region,
        Secret,
        Superblock, //
    },
    state::{
        State,
        Transaction, //
    },
    BLOCK_SIZE, //
};
use kernel::prelude::ENOMEM;
use std::hash::{
    BuildHasher,
    Hasher,
    RandomState, //
};

/// Why reading has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is no next record, or it was not to be read.
    End,
    /// It cannot be read.
    Unreadable(Error),
    /// It checks, but cannot have been written by us.
    Wrong(Place, String),
}

/// A log that was read.
pub(super) struct Replayed {
    /// What it says, if its checkpoint is whole. After a record that is wrong it cannot be used.
    pub(super) state: Option<State>,
    pub(super) stop: Stop,
    /// Where the next record would be: first byte on the device.
    pub(super) at: u64,
    /// The number that it would have.
    pub(super) seq: u64,
    /// Bytes of the region that were read.
    pub(super) used: u64,
    /// How many records were read behind the checkpoint.
    pub(super) transactions: u64,
    /// Where they would be was found.
    pub(super) goes_on: bool,
    /// The incompat features that its operations need.
    pub(super) incompat: u64,
}

/// A secret for a filesystem that has none.
fn random() -> Secret {
    let number = || RandomState::new().build_hasher().finish();
    (u128::from(number()) << 64 | u128::from(number())).to_le_bytes()
}

/// The log of one filesystem.
pub(super) struct Reader<'a, D> {
    pub(super) image: &'a Image<'a, D>,
    pub(super) sb: Superblock,
}

impl<D: Disk> Reader<'_, D> {
    fn tag(&self) -> u64 {
        tag(&self.sb.uuid)
    }

    /// The region that has no log.
    fn other(&self) -> Region {
        let [first, second] = self.sb.regions;
        if self.sb.active == 0 {
            second
        } else {
            first
        }
    }

    /// A state with nothing but the blocks that metadata has.
    fn empty(&self) -> Result<State> {
        let secret = self.sb.secret().unwrap_or_else(random);
        let mut state = State::empty(self.sb.blocks, secret)?;
        for range in Journal::abandoned(self.sb, 0).metadata() {
            state.take(range)?;
        }
        Ok(state)
    }

    /// Reads the log from its checkpoint on, up to the record with the number `limit`.
    pub(super) fn log(&self, limit: Option<u64>) -> Result<Replayed> {
        let region = self.sb.active_region();
        let walk = Walk::new(self.image, region, self.tag(), self.sb.first_seq);
        self.read(walk, self.empty()?, limit)
    }

    /// Reads the log before, and then what comes after the checkpoint, if that can be found. `None` if
    /// there is no log before.
    pub(super) fn around_checkpoint(&self, limit: Option<u64>) -> Result<Option<Replayed>> {
        let sb = &self.sb;
        if sb.previous_seq == 0 {
            return Ok(None);
        }
        let walk = Walk::new(self.image, self.other(), self.tag(), sb.previous_seq);
        let before = self.read(walk, self.empty()?, None)?;
        let Some(state) = before.state else {
            return Ok(None);
        };
        if before.stop != Stop::End || before.seq != sb.first_seq {
            return Ok(None);
        }
        let region = sb.active_region();
        let end = end_of_checkpoint(self.image, region, self.tag(), sb.first_seq);
        // What cannot be read was passed over.
        let _ = self.image.result(Ok(()));
        match end {
            Some(end) => {
                let walk = Walk::behind_checkpoint(self.image, region, self.tag(), end);
                let mut behind = self.read(walk, state, limit)?;
                behind.incompat |= before.incompat;
                Ok(Some(behind))
            }
            None => Ok(Some(Replayed {
                state: Some(state),
                stop: Stop::End,
                at: region.start.saturating_mul(BLOCK_SIZE),
                seq: sb.first_seq,
                used: 0,
                transactions: 0,
                goes_on: false,
                incompat: before.incompat,
            })),
        }
    }

    /// Whether the other region has a log that goes on where this one ends at `seq`, and is in use:
    /// then there was a newer superblock.
    pub(super) fn newer(&self, seq: u64) -> Option<Superblock> {
        let sb = Superblock {
            active: 1 - self.sb.active.min(1),
            first_seq: seq,
            previous_seq: self.sb.first_seq,
            ..self.sb
        };
        let start = self.other().start.saturating_mul(BLOCK_SIZE);
        let later = Reader { sb, ..*self }.later(start, seq);
        (later.records != 0).then_some(sb)
    }

    /// What is in the active region from byte `at` of the device on, with a greater number than `seq`.
    pub(super) fn later(&self, at: u64, seq: u64) -> Later {
        let region = self.sb.active_region();
        let found = later(self.image, region, self.tag(), at, seq.saturating_add(1));
        // What cannot be read was counted.
        let _ = self.image.result(Ok(()));
        found
    }

    fn read(
        &self,
        mut walk: Walk<'_, Image<'_, D>>,
        mut state: State,
        limit: Option<u64>,
    ) -> Result<Replayed> {
        let (mut transactions, mut incompat) = (0, 0);
        let (stop, at, seq, used) = loop {
            let (at, seq, used) = (walk.at(), walk.seq(), walk.used());
            let stop = if limit == Some(seq) {
                Stop::End
            } else {
                let next = walk.next();
                match self.image.result(next) {
                    Ok(None) => Stop::End,
                    Ok(Some(place)) => match self.apply(&mut state, &walk)? {
                        Ok(needed) => {
                            incompat |= needed;
                            transactions += u64::from(place.kind == Kind::Transaction);
                            continue;
                        }
                        Err(why) => Stop::Wrong(place, why),
                    },
                    Err(error) if error.errno() == -ENOMEM.to_errno() => return Err(error),
                    Err(error) => Stop::Unreadable(error),
                }
            };
            break (stop, at, seq, used);
        };
        let in_checkpoint =
            matches!(&stop, Stop::Wrong(place, _) if place.kind != Kind::Transaction);
        Ok(Replayed {
            state: (walk.is_complete() && !in_checkpoint).then_some(state),
            stop,
            at,
            seq,
            used,
            transactions,
            goes_on: true,
            incompat,
        })
    }

    /// Applies the record that was read last. Returns the incompat features that it needs, or why that is not
    /// possible.
    fn apply(
        &self,
        state: &mut State,
        walk: &Walk<'_, Image<'_, D>>,
    ) -> Result<std::result::Result<u64, String>> {
        let mut tx = Transaction::new();
        for (index, op) in walk.operations().enumerate() {
            match op {
                Ok(op) => tx.push(op)?,
                Err(e) if e == ENOMEM => return Err(e.into()),
                Err(_) => return Ok(Err(format!("its operation {} is none", index + 1))),
            }
        }
        let needed = tx.ops().iter().fold(0, |all, op| all | op.incompat());
        match state.commit(tx) {
            Ok(()) => {}
            Err(e) if e == ENOMEM => return Err(e.into()),
            Err(_) => return Ok(Err("it does not fit what is before it".to_owned())),
        }
        for range in Journal::abandoned(self.sb, 0).metadata() {
            if !state.is_in_flight(range) {
                let why = "it gives a file blocks of the metadata";
                return Ok(Err(why.to_owned()));
            }
        }
        Ok(Ok(needed))
    }
}
