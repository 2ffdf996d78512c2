// SPDX-License-Identifier: GPL-2.0

//! Checks a filesystem, and corrects it.
//!
//! The check makes everything right in memory. Correcting a filesystem is writing that: a checkpoint goes to
//! the region that has no log, then the superblocks are written. So a crash at any time leaves what there
//! was, or what is right.

mod acls;
mod links;
mod problem;
mod replay;
#[cfg(test)]
mod tests;

pub use self::problem::{
    Broken,
    Problem, //
};

use self::replay::{
    Reader,
    Replayed,
    Stop, //
};
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
    media::Superblock,
    state::State,
    superblock::{
        Content,
        Copies,
        Super, //
    },
    BLOCK_SIZE, //
};
use std::time::Duration;

/// Least number of bytes of a record.
const RECORD: u64 = 64;

/// Why there is nothing to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no superblock.
    None,
    /// No copy of the superblock can be used.
    Damaged,
    /// It is of a version that is not known.
    Version(u32),
    /// It has incompat features that are not known.
    Features(u64),
    /// The system says so.
    System(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::System(error)
    }
}

/// Numbers of a filesystem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Inodes.
    pub inodes: u64,
    /// Inodes that have an ACL.
    pub acls: u64,
    /// Extents of files.
    pub extents: u64,
    /// Blocks that files have; those that several have count once.
    pub owned: u64,
    /// Blocks that can be allocated.
    pub free: u64,
    /// Blocks that are bad.
    pub bad: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bytes of the log that are in use.
    pub log_used: u64,
    /// Bytes of a region.
    pub log_size: u64,
    /// Transactions behind the checkpoint.
    pub transactions: u64,
}

/// What was found.
pub struct Check {
    /// The superblock.
    pub superblock: Super,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Inodes without a name, which a mount frees too.
    pub orphans: u64,
    /// The second superblock is one checkpoint behind, as after a crash; a mount writes it anew.
    pub is_behind: bool,
    /// It has features that forbid to write.
    pub is_read_only: bool,
    /// Its numbers, after all corrections; `None` if it cannot be read.
    pub figures: Option<Figures>,
    sb: Superblock,
    state: Option<State>,
    /// Greater than the number of any record that may be there.
    seq: u64,
}

/// Checks the filesystem on a device of so many blocks. Nothing is written.
///
/// # Errors
///
/// Why it cannot be checked.
pub fn check(
    disk: &impl Disk,
    device_blocks: u64,
    now: Duration,
) -> std::result::Result<Check, Refused> {
    let copies = Copies::find(disk, device_blocks);
    let (Some(best), Some(sb)) = (copies.best(), copies.raw()) else {
        return Err(refusal(&copies));
    };
    let Some(can_write) = sb.features.can_write() else {
        return Err(Refused::Features(sb.features.incompat));
    };
    let mut check = Check {
        superblock: Super::from(sb),
        problems: Vec::new(),
        orphans: 0,
        is_behind: false,
        is_read_only: !can_write,
        figures: None,
        sb: *sb,
        state: None,
        seq: 0,
    };
    let mut stale = Vec::new();
    for (index, copy) in copies.copies.iter().enumerate() {
        let behind = match &copy.content {
            Content::Good(copy) if *copy == check.superblock => continue,
            Content::Good(copy) => {
                index == 1
                    && copy.uuid == check.superblock.uuid
                    && copy.generation.checked_add(1) == Some(check.superblock.generation)
            }
            _ => false,
        };
        stale.push((index, copy, behind));
    }
    if sb.blocks > device_blocks {
        check.problems.push(Problem::TooLarge {
            blocks: sb.blocks,
            device: device_blocks,
        });
    } else {
        let image = Image::new(disk, sb.blocks);
        check.read(&image, now)?;
    }
    for (index, copy, behind) in stale {
        debug_assert!(index != best);
        // One on a bad block is not written any more.
        let is_bad = |state: &State| state.is_bad(copy.block);
        if check.state.as_ref().is_some_and(is_bad) {
            continue;
        }
        if behind {
            check.is_behind = true;
            continue;
        }
        check.problems.push(Problem::Copy {
            index,
            block: copy.block,
            content: copy.content.clone(),
        });
    }
    Ok(check)
}

fn refusal(copies: &Copies) -> Refused {
    let contents = || copies.copies.iter().map(|copy| &copy.content);
    for content in contents() {
        if let Content::Version(version) = content {
            return Refused::Version(*version);
        }
    }
    for content in contents() {
        if let Content::Unreadable(error) = content {
            return Refused::System(error.clone());
        }
    }
    match copies.any() {
        true => Refused::Damaged,
        false => Refused::None,
    }
}

impl Check {
    /// Reads the log, and makes right in memory what is wrong.
    fn read<D: Disk>(&mut self, image: &Image<'_, D>, now: Duration) -> Result<()> {
        let mut reader = Reader { image, sb: self.sb };
        let mut read = self.replay(&reader)?;
        if let (Stop::End, true) = (&read.stop, read.state.is_some()) {
            if let Some(sb) = reader.newer(read.seq) {
                self.problems.push(Problem::OldSuperblocks {
                    block: sb.active_region().start,
                });
                reader.sb = sb;
                self.sb = sb;
                read = self.replay(&reader)?;
            }
        }
        let Some(mut state) = read.state else {
            return Ok(());
        };
        if !self.sb.features.has(read.incompat) {
            self.sb.features.incompat |= read.incompat;
            self.problems.push(Problem::Features);
        }
        if !state.has_root() {
            self.problems.push(Problem::NoRoot);
            return Ok(());
        }
        if !holds(&state)? {
            let broken = match links::mend(&mut state, now) {
                Ok(broken) => broken,
                Err(error) if error.errno() == -kernel::prelude::ENOMEM.to_errno() => {
                    return Err(error)
                }
                // What could not be made right shows below.
                Err(_) => Vec::new(),
            };
            self.problems.extend(broken.into_iter().map(Problem::Links));
            self.problems.extend(acls::mend(&mut state)?);
            if !holds(&state)? {
                self.problems.push(Problem::Inconsistent);
                return Ok(());
            }
        }
        self.evict(&mut state)?;
        self.figures = Some(Figures {
            inodes: state.inode_count(),
            acls: acls::count(&state),
            extents: state.owners().len() as u64,
            owned: state.owned_blocks(),
            free: state.free_blocks(),
            bad: state.bad_blocks(),
            blocks: state.total_blocks(),
            log_used: read.used,
            log_size: self.sb.active_region().bytes(),
            transactions: read.transactions,
        });
        self.state = Some(state);
        Ok(())
    }

    /// Reads the log as far as it can be used.
    fn replay<D: Disk>(&mut self, reader: &Reader<'_, D>) -> Result<Replayed> {
        let mut read = reader.log(None)?;
        let mut around = false;
        if read.state.is_none() {
            let block = read.at / BLOCK_SIZE;
            match reader.around_checkpoint(None)? {
                Some(other) => {
                    let error = match read.stop {
                        Stop::Unreadable(error) => Some(error),
                        Stop::End | Stop::Wrong(..) => None,
                    };
                    self.problems.push(Problem::Checkpoint {
                        block,
                        error,
                        goes_on: other.goes_on,
                    });
                    around = true;
                    read = other;
                }
                None => {
                    let why = match &read.stop {
                        Stop::End => "it ends there".to_owned(),
                        Stop::Unreadable(error) => error.to_string(),
                        Stop::Wrong(_, why) => why.clone(),
                    };
                    self.problems.push(Problem::NoCheckpoint { block, why });
                    return Ok(read);
                }
            }
        }
        let later = reader.later(read.at, read.seq);
        // What is there, and may be where nothing can be read.
        let most = reader.sb.active_region().bytes() / RECORD;
        self.seq = later.last_seq.max(read.seq).saturating_add(most);
        let problem = match &read.stop {
            Stop::End if later.records == 0 => None,
            Stop::End => Some(Problem::Log {
                at: read.at,
                seq: read.seq,
                error: None,
                later,
            }),
            Stop::Unreadable(error) => Some(Problem::Log {
                at: read.at,
                seq: read.seq,
                error: Some(error.clone()),
                later,
            }),
            Stop::Wrong(place, why) => Some(Problem::Record {
                place: *place,
                why: why.clone(),
                later,
            }),
        };
        if let Some(problem) = problem {
            self.problems.push(problem);
        }
        if let Stop::Wrong(place, _) = read.stop {
            // The state has a part of that record: once more, without.
            let again = match around {
                true => reader.around_checkpoint(Some(place.seq))?,
                false => Some(reader.log(Some(place.seq))?),
            };
            read.incompat = again.as_ref().map_or(0, |again| again.incompat);
            read.state = again.and_then(|again| again.state);
            read.stop = Stop::End;
        }
        Ok(read)
    }

    /// Frees inodes that have no name.
    fn evict(&mut self, state: &mut State) -> Result<()> {
        let mut from = 0;
        while let Some((ino, inode)) = state.next_inode(from) {
            from = ino.saturating_add(1);
            if inode.attr.nlink == 0 {
                let mut is_gone = false;
                while !is_gone {
                    let (tx, is_all) = state.evict(ino)?;
                    state.commit(tx)?;
                    is_gone = is_all;
                }
                self.orphans += 1;
            }
        }
        Ok(())
    }

    /// Whether there is something to write: what a mount would do too, or a problem.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.orphans == 0 && !self.is_behind
    }

    /// Whether all problems can be corrected.
    pub fn can_correct(&self) -> bool {
        self.state.is_some() && !self.is_read_only && self.problems.iter().all(Problem::can_correct)
    }

    /// Writes what is right.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it [cannot be corrected](Self::can_correct); `ENOSPC` if the log has bad blocks and
    /// there is no room for another one; what the system says. The filesystem is what it was then.
    pub fn correct(mut self, disk: &impl Disk) -> Result<()> {
        if !self.can_correct() {
            return Ok(Err(kernel::prelude::EINVAL)?);
        }
        let Some(mut state) = self.state.take() else {
            return Ok(Err(kernel::prelude::EINVAL)?);
        };
        for problem in &self.problems {
            if let Problem::Copy { block, content, .. } = problem {
                self.erase(disk, *block, content)
                    .map_err(|error| Error::io(format!("cannot write block {block}"), &error))?;
            }
        }
        let image = Image::new(disk, self.sb.blocks);
        // The one where the log is, as the superblocks will say.
        let mut journal = Journal::abandoned(self.sb, self.seq);
        let written = journal.checkpoint(&image, &state);
        let elsewhere = written.is_err();
        match image.result(written) {
            // The other region cannot be used.
            Err(_) if elsewhere => {
                let written = journal.repair(&image, &mut state);
                image.result(written)
            }
            // One copy of the superblock will do for the log, but not for who has it corrected.
            result => result,
        }
    }

    /// Makes room for a copy of the superblock. What is there may look newer than what is to come; an
    /// older one of ours does not, and may be all that is left if a crash cuts the new one.
    fn erase(&self, disk: &impl Disk, block: u64, content: &Content) -> std::io::Result<()> {
        match content {
            Content::Good(sb) if sb.uuid == self.superblock.uuid => Ok(()),
            _ => {
                disk.write(block * BLOCK_SIZE, &[0; BLOCK_SIZE as usize])?;
                disk.sync()
            }
        }
    }
}

/// Whether all that must hold in the state does.
fn holds(state: &State) -> Result<bool> {
    match state.check() {
        Ok(()) => Ok(true),
        Err(e) if e == kernel::prelude::ENOMEM => Err(e.into()),
        Err(_) => Ok(false),
    }
}
