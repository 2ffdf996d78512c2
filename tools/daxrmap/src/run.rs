// SPDX-License-Identifier: GPL-2.0

//! What the commands do: each asks the mount, or reads the device, makes a report, and prints it.

mod cxl;
mod dump;
mod guard;
mod looked;
mod lost;
mod map;
mod monitor;
mod other;
pub mod scrub;

use crate::{
    cli::{
        ClearArgs,
        Command,
        On,
        OwnersArgs, //
    },
    error::{
        Error,
        Result, //
    },
    fsmap::Use,
    mount::{
        Any,
        Mount, //
    },
    names::Names,
    report::{
        self,
        BlockUse,
        File,
        State, //
    },
    teller,
};
use serde::Serialize;
use std::{
    collections::HashSet,
    fmt::Display,
    io::{
        self,
        Write, //
    },
    ops::Range,
    path::PathBuf, //
};

/// Does what a command says, and writes what comes of it to `out`. Returns what went wrong on the way, without which
/// the output would be more complete.
///
/// # Errors
///
/// What made it impossible; nothing has been written then, or `out` failed.
pub fn run(command: &Command, out: &mut impl Write) -> Result<Vec<Error>> {
    match command {
        Command::Lost(args) => lost::lost(args, out),
        Command::Map(args) => map::map(args, out),
        Command::Owners(args) => match Any::open(&args.on.mount)? {
            Any::Ours(mount) => owners(&mount, args, out),
            Any::Other(mount) => other::owners(&mount, args, out),
        },
        Command::Cxl(args) => cxl::cxl(args, out),
        Command::Guard { command } => guard::guard(command, out),
        Command::Scrub(args) => {
            scrub::scrub(args, out)?;
            Ok(Vec::new())
        }
        Command::Monitor(args) => monitor::monitor(args, out),
        Command::Hooks(args) => monitor::hooks(args),
        Command::Status { on } => status(on, out),
        Command::Clear(args) => clear(args, out),
        Command::Dump(args) => dump::dump(args, out),
    }
}

fn print(report: &(impl Serialize + Display), json: bool, out: &mut impl Write) -> Result<()> {
    match json {
        true => print_json(report, out),
        false => print_text(report, out),
    }
}

fn print_json(report: &impl Serialize, out: &mut impl Write) -> Result<()> {
    let written = serde_json::to_writer_pretty(&mut *out, report)
        .map_err(Into::into)
        .and_then(|()| writeln!(out));
    flushed(written, out)
}

fn print_text(report: &impl Display, out: &mut impl Write) -> Result<()> {
    let written = write!(out, "{report}");
    flushed(written, out)
}

fn flushed(written: io::Result<()>, out: &mut impl Write) -> Result<()> {
    written
        .and_then(|()| out.flush())
        .map_err(|error| Error::from(error).about_what("standard output"))
}

fn file(names: &Names, ino: u64, unnamed: State) -> File {
    let paths: Vec<_> = names
        .of(ino)
        .iter()
        .map(|path| path.as_path().into())
        .collect();
    File {
        inode: ino,
        state: if paths.is_empty() {
            unnamed
        } else {
            State::Named
        },
        paths,
    }
}

/// Which block is meant.
fn block(args: &OwnersArgs, mount: &Mount, status: &crate::abi::Status) -> Result<u64> {
    let here = |error: Error| error.about(mount.path());
    if let Some(pfn) = args.pfn {
        let block = pfn.checked_sub(status.first_pfn);
        return block.filter(|&block| block < status.blocks).ok_or_else(|| {
            let last = status.first_pfn + status.blocks.saturating_sub(1);
            here(Error::new(format!(
                "pfn {pfn:#x} is not here: it has {:#x} to {last:#x}",
                status.first_pfn
            )))
        });
    }
    let block = match (&args.file, args.block) {
        (Some(at), _) => mount.physical(&at.path, at.offset)? / u64::from(status.block_size),
        (None, Some(block)) => block,
        (None, None) => return Err(Error::new("no block is given")),
    };
    blocks(block, 1, status).map_err(here)?;
    Ok(block)
}

/// The blocks, if they are here.
fn blocks(first: u64, count: u64, status: &crate::abi::Status) -> Result<Range<u64>> {
    let end = first.checked_add(count);
    if let Some(end) = end.filter(|&end| end <= status.blocks) {
        return Ok(first..end);
    }
    let has = status.blocks.saturating_sub(1);
    Err(Error::new(match count {
        1 => format!("block {first} is not here: it has 0 to {has}"),
        _ => format!("{count} blocks from {first} on are not here: it has 0 to {has}"),
    }))
}

fn owners(mount: &Mount, args: &OwnersArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let status = mount.status()?;
    let block = block(args, mount, &status)?;
    let physical = block * u64::from(status.block_size);
    let (used, owned, bad) = match mount.at(physical)? {
        Use::Free => (BlockUse::Free, Vec::new(), false),
        Use::Bad => (BlockUse::Quarantined, Vec::new(), true),
        Use::Super => (BlockUse::Superblock, Vec::new(), false),
        Use::Log => (BlockUse::Log, Vec::new(), false),
        Use::Unknown => (BlockUse::Busy, Vec::new(), false),
        Use::Owned(owners) => (BlockUse::Owned, owners, mount.is_lost(physical)?),
    };
    let wanted: HashSet<_> = owned.iter().map(|owner| owner.ino).collect();
    let mut names = Names::find(mount.path(), &wanted);
    let errors = std::mem::take(&mut names.errors);
    let owner = |owner: &crate::fsmap::Owner| report::OwnerReport {
        file: file(&names, owner.ino, State::Unknown),
        offset: owner.offset,
        part: owner.unwritten.then_some("unwritten"),
    };
    let report = report::OwnersReport {
        mount: mount.path().into(),
        block,
        pfn: Some(status.first_pfn + block),
        used,
        metadata: None,
        bad,
        owners: owned.iter().map(owner).collect(),
    };
    print(&report, args.on.json, out)?;
    Ok(errors)
}

fn status(on: &On, out: &mut impl Write) -> Result<Vec<Error>> {
    let mount = Mount::open(&on.mount)?;
    let numbers = mount.status()?;
    let number = mount.device();
    let unnamed = || PathBuf::from(format!("{}:{}", number.major, number.minor));
    let device = number.name().unwrap_or_else(unnamed);
    let report = report::StatusReport::new(
        mount.path().into(),
        device.as_path().into(),
        &numbers,
        teller::of(number, teller::hears_cxl()),
    );
    print(&report, on.json, out)?;
    Ok(Vec::new())
}

fn clear(args: &ClearArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let mount = Mount::open(&args.on.mount)?;
    let here = |error: Error| error.about(mount.path());
    let blocks = blocks(args.block, args.count, &mount.status()?).map_err(here)?;
    let answer = mount.clear(blocks)?;
    let mut errors: Vec<_> = answer.outcome.complaint().into_iter().collect();
    errors.extend(answer.broke_off);
    if answer.outcome == Default::default() {
        let not_bad = || {
            Error::new(match args.count {
                1 => format!("block {} is not bad", args.block),
                count => format!("none of {count} blocks from {} on is bad", args.block),
            })
        };
        return Err(here(errors.pop().unwrap_or_else(not_bad)));
    }
    let report = report::ClearReport {
        mount: mount.path().into(),
        block: args.block,
        count: args.count,
        outcome: answer.outcome,
    };
    print(&report, args.on.json, out)?;
    Ok(errors.into_iter().map(here).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_are_not_here() {
        let status = crate::abi::Status {
            blocks: 10,
            ..Default::default()
        };
        let ask = |first, count| blocks(first, count, &status).map_err(|error| error.to_string());
        assert_eq!(ask(0, 10), Ok(0..10));
        assert_eq!(ask(9, 1), Ok(9..10));
        assert_eq!(
            ask(10, 1).unwrap_err(),
            "block 10 is not here: it has 0 to 9"
        );
        let refusal = "2 blocks from 9 on are not here: it has 0 to 9";
        assert_eq!(ask(9, 2).unwrap_err(), refusal);
        assert!(ask(u64::MAX, 1).is_err());
        assert!(ask(1, u64::MAX).is_err());
    }
}
