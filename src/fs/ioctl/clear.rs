// SPDX-License-Identifier: GPL-2.0

//! DAXRMAP_IOC_CLEAR: bad blocks that are good again return to use.
//!
//! A block leaves the bad set if nobody owns it, the driver says that it has cleared it, and it
//! passes a test. The driver's word is that the block is not on its list of bad blocks, its page not
//! flagged as poisoned, and in the kernel's own map: every failure that we hear of sets the flag, and
//! the driver takes it away with the poison, and puts a page back that a machine check has taken out
//! of the map. What is flagged or out of the map and not listed is not even touched: the driver would
//! clear nothing, and the access might be an oops.
//!
//! # Locking
//!
//! The mount's gate, for one block at a time, with nothing else held: a failure is dealt with before
//! all of it, and what it says of the block is taken into account, or after it, and the block is bad
//! again. The state lock inside of it for the question, the commit lock for the transaction; in between the
//! block is bad and nobody's, so that nobody can get it.

use super::uapi::ClearArg;
use crate::{
    errno::{
        enodata,
        eopnotsupp, //
    },
    events::Kind,
    fs::Mount,
    support::{
        fatal_signal_pending,
        is_admin, //
    },
};
use core::ops::Range;
use kernel::{
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// What became of a bad block.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Clearing {
    /// It can be allocated.
    Cleared,
    /// Somebody owns it.
    Busy,
    /// The driver does not know it as bad, so it has nothing to clear.
    Unlisted,
    /// It is still on the driver's list, flagged, or out of the kernel's map.
    Uncleared,
    /// What was written was not what was read.
    Failed,
}

impl Clearing {
    fn text(self) -> &'static str {
        match self {
            Self::Cleared => "cleared and tested, returned to use",
            Self::Busy => "stays in quarantine: a file has it, heal or remove that first",
            Self::Unlisted => {
                "stays in quarantine: the driver does not list it, and has nothing to clear"
            }
            Self::Uncleared => "stays in quarantine: the driver cannot clear it",
            Self::Failed => "stays in quarantine: it failed the test",
        }
    }

    fn errno(self) -> Result {
        match self {
            Self::Cleared => Ok(()),
            Self::Busy => Err(EBUSY),
            Self::Unlisted | Self::Uncleared => Err(eopnotsupp()),
            Self::Failed => Err(EIO),
        }
    }
}

/// What became of the blocks so far.
struct Tally<'a> {
    device: &'a CStr,
    arg: ClearArg,
    /// Of the first one that was not returned.
    first: Result,
    /// The blocks that the log does not tell of yet, and what became of them all.
    run: Option<(Range<u64>, Clearing)>,
}

impl<'a> Tally<'a> {
    fn new(device: &'a CStr, arg: &ClearArg) -> Self {
        Self {
            device,
            arg: ClearArg {
                count: 0,
                busy: 0,
                refused: 0,
                failed: 0,
                ..*arg
            },
            first: Ok(()),
            run: None,
        }
    }

    fn add(&mut self, block: u64, outcome: Clearing) {
        let number = match outcome {
            Clearing::Cleared => &mut self.arg.count,
            Clearing::Busy => &mut self.arg.busy,
            Clearing::Unlisted | Clearing::Uncleared => &mut self.arg.refused,
            Clearing::Failed => &mut self.arg.failed,
        };
        *number = number.saturating_add(1);
        if self.first.is_ok() {
            self.first = outcome.errno();
        }
        let next = block.saturating_add(1);
        match &mut self.run {
            Some((run, same)) if run.end == block && *same == outcome => run.end = next,
            _ => {
                self.log();
                self.run = Some((block..next, outcome));
            }
        }
    }

    /// One line for blocks in a row that met the same fate.
    fn log(&mut self) {
        if let Some((run, outcome)) = self.run.take() {
            pr_notice!(
                "{}: block {} count {} {}\n",
                self.device,
                run.start,
                run.end.saturating_sub(run.start),
                outcome.text()
            );
        }
    }

    /// What the call says, if nothing else went wrong.
    fn result(&self) -> Result {
        if self.arg.count != 0 {
            return Ok(());
        }
        self.first.and(Err(enodata()))
    }
}

/// Has one block cleared and tested, and returns it to use. Runs between failures. `None` if it is
/// not bad.
///
/// # Errors
///
/// `EIO` if the device is gone, `ENOMEM`.
fn clear_block(mount: &Mount, block: u64) -> Result<Option<Clearing>> {
    let device = mount.device();
    let range = block..block.saturating_add(1);

    mount.meta().check_alive()?;
    let asked = mount.meta().read().unmark_bad(range.clone());
    match asked {
        Err(e) if e == enodata() => return Ok(None),
        Err(e) if e == EBUSY => return Ok(Some(Clearing::Busy)),
        // Asked again when it is done.
        asked => drop(asked?),
    }
    let is_good =
        || -> Result<bool> { Ok(device.next_bad(&range).is_none() && !device.is_poisoned(block)?) };
    if device.next_bad(&range).is_some() {
        // This is where the driver clears. What it says is of no interest, but what it did. The
        // flag, which it takes away then, makes it look after the kernel's map too: a page that
        // came out of that before the device was bound anew has no flag any more.
        device.mark_poisoned(block)?;
        let _ = device.zero(range.clone());
        if !is_good()? {
            return Ok(Some(Clearing::Uncleared));
        }
    } else if !is_good()? {
        return Ok(Some(Clearing::Unlisted));
    }
    let tested = device.test(block, || mount.engine().test_delay());
    match tested.and_then(|()| device.zero(range.clone())) {
        Err(e) if e == ENOMEM => return Err(e),
        Ok(()) if is_good()? => {}
        // It came on the list anew, which the gate does not hold up.
        _ if device.next_bad(&range).is_some() => return Ok(Some(Clearing::Uncleared)),
        _ => {
            // Whatever the driver said of it, it does not count any more.
            device.mark_poisoned(block)?;
            return Ok(Some(Clearing::Failed));
        }
    }
    mount.engine().test_delay();
    mount
        .meta()
        .transact(|state| state.unmark_bad(range.clone()))?;
    mount.engine().counters.cleared.add(1);
    mount
        .engine()
        .announce(Kind::Cleared, &range, |event| event);
    Ok(Some(Clearing::Cleared))
}

/// # Errors
///
/// What include/uapi/daxrmap.h says.
pub(super) fn clear(mount: &Mount, arg: UserPtr) -> Result {
    if !is_admin(true) {
        return Err(EPERM);
    }
    let (mut reader, mut writer) = UserSlice::new(arg, size_of::<ClearArg>()).reader_writer();
    let arg: ClearArg = reader.read()?;
    let end = arg.block.checked_add(arg.count).ok_or(EINVAL)?;
    if arg.flags != 0
        || arg.reserved != 0
        || arg.count == 0
        || end > mount.meta().read().total_blocks()
    {
        return Err(EINVAL);
    }

    // What was removed has nothing any more.
    mount.reap_all();
    let mut tally = Tally::new(mount.engine().name(), &arg);
    let mut from = arg.block;
    let mut result = Ok(());
    while result.is_ok() {
        let Some(bad) = mount.meta().read().next_bad(from, end) else {
            break;
        };
        let block = bad.start;
        from = block.saturating_add(1);
        result = if fatal_signal_pending() {
            Err(EINTR)
        } else {
            let done = mount
                .engine()
                .between_failures(|| clear_block(mount, block));
            done.map(|outcome| {
                if let Some(outcome) = outcome {
                    tally.add(block, outcome);
                }
            })
        };
    }
    tally.log();
    writer.write(&tally.arg)?;
    result.and_then(|()| tally.result())
}
