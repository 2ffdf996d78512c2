// SPDX-License-Identifier: GPL-2.0

//! `daxrmap lost` and `daxrmap owners` on ext4 and XFS.

use super::{
    looked::{
        ranges,
        Looked, //
    },
    print, //
};
use crate::{
    abi::Lost,
    cli::OwnersArgs,
    error::{
        Error,
        Result, //
    },
    lost,
    other::{
        Other,
        Owned,
        Part,
        Walk, //
    },
    ranges::{
        Range,
        Ranges, //
    },
    report::{
        self,
        BlockUse,
        File,
        LostMetadata,
        LostRange, //
    },
};
use std::{
    collections::{
        BTreeMap,
        HashSet, //
    },
    io::Write, //
};

/// Blocks are counted in these, whatever the filesystem's are.
const BLOCK: u64 = daxrmap_media::BLOCK_SIZE;

/// What is lost, and what the inodes `also` are called.
pub(super) fn look(mount: &Other, also: &HashSet<u64>) -> Result<Looked> {
    let bad = mount.bad()?;
    let mut walk = Walk::new(mount, &bad.ranges, also)?;
    let mut errors = bad.errors;
    errors.append(&mut walk.names.errors);
    let mut named: Vec<_> = also.iter().map(|&ino| file(&walk, ino)).collect();
    named.sort_unstable_by_key(|file| file.inode);
    let report = report::LostReport {
        mount: mount.path().into(),
        files: files(&walk),
        metadata: Some(metadata(&walk)),
    };
    Ok(Looked {
        report,
        named,
        errors,
    })
}

/// What of a file it is called, if it is not data.
fn part_name(walk: &Walk, ino: u64, part: Part) -> Option<&'static str> {
    match part {
        Part::Data if walk.is_directory(ino) => Some("directory"),
        Part::Data => None,
        Part::Attributes => Some("attributes"),
        Part::ExtentMap => Some("extent map"),
    }
}

fn file(walk: &Walk, ino: u64) -> File {
    let names = walk.names.of(ino).iter();
    File {
        inode: ino,
        state: walk.state(ino),
        paths: names.map(|path| path.as_path().into()).collect(),
    }
}

/// The files that have lost something, by inode number.
fn files(walk: &Walk) -> Vec<report::LostFileReport> {
    let mut files: BTreeMap<u64, Vec<LostRange>> = BTreeMap::new();
    for part in [Part::Data, Part::Attributes, Part::ExtentMap] {
        // What was never written reads as zeroes from good blocks and from bad ones.
        let owned = walk.survey.owned.iter();
        let owned = owned.filter(|owned| owned.part == part && !owned.unwritten);
        let records: Vec<_> = owned.map(record).collect();
        for file in lost::by_file(&records) {
            let part = part_name(walk, file.ino, part);
            let ranges = ranges(&file, BLOCK, part);
            files.entry(file.ino).or_default().extend(ranges);
        }
    }
    let report = |(ino, lost)| report::LostFileReport {
        file: file(walk, ino),
        generation: walk.generation(ino),
        lost,
        packages: None,
        processes: None,
    };
    files.into_iter().map(report).collect()
}

/// As daxrmap itself would tell of it.
fn record(owned: &Owned) -> Lost {
    Lost {
        ino: owned.ino,
        offset: owned.offset,
        length: owned.at.end - owned.at.start,
        physical: owned.at.start,
        ..Lost::default()
    }
}

/// What else is lost, in the order of the device.
fn metadata(walk: &Walk) -> Vec<LostMetadata> {
    let known = walk.survey.metadata.iter();
    let known = known.map(|(at, what)| (at.clone(), Some(*what)));
    let unknown = walk.survey.unknown.iter().map(|at| (at.clone(), None));
    let mut all: Vec<(Range, _)> = known.chain(unknown).collect();
    all.sort_unstable_by_key(|(at, _)| at.start);
    let report = |(at, what): (Range, _)| LostMetadata {
        what,
        block: at.start / BLOCK,
        length: at.end - at.start,
    };
    all.into_iter().map(report).collect()
}

/// Which block is meant.
fn block(mount: &Other, args: &OwnersArgs) -> Result<u64> {
    let here = |error: Error| error.about(mount.path());
    if let Some(pfn) = args.pfn {
        // A device that shows a page twice has the same at both places.
        let found = mount.stack().with_pfn(pfn);
        let first = found.first();
        return first
            .map(|range| range.start / BLOCK)
            .ok_or_else(|| here(Error::new(format!("pfn {pfn:#x} is not here"))));
    }
    let block = match (&args.file, args.block) {
        (Some(at), _) => mount.physical(&at.path, at.offset)? / BLOCK,
        (None, Some(block)) => block,
        (None, None) => return Err(Error::new("no block is given")),
    };
    let blocks = mount.stack().size() / BLOCK;
    if block >= blocks {
        let last = blocks.saturating_sub(1);
        return Err(here(Error::new(format!(
            "block {block} is not here: it has 0 to {last}"
        ))));
    }
    Ok(block)
}

pub(super) fn owners(mount: &Other, args: &OwnersArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let block = block(mount, args)?;
    let at = block * BLOCK..(block + 1) * BLOCK;
    let bad = mount.bad()?;
    let mut walk = Walk::new(mount, &Ranges::from(vec![at.clone()]), &HashSet::new())?;
    let is_bad = bad.ranges.within(at.clone()).next().is_some();
    // Nobody cares what else is bad.
    let mut errors = match is_bad {
        true => Vec::new(),
        false => bad.errors,
    };
    errors.append(&mut walk.names.errors);
    let survey = &walk.survey;
    let metadata = survey.metadata.first().map(|(_, what)| *what);
    let used = match metadata {
        _ if !survey.owned.is_empty() => BlockUse::Owned,
        Some("superblock") => BlockUse::Superblock,
        Some("log") => BlockUse::Log,
        Some(_) => BlockUse::Metadata,
        None if survey.unknown.is_empty() => BlockUse::Free,
        None => BlockUse::Unknown,
    };
    let mut owned: Vec<_> = survey.owned.iter().collect();
    owned.sort_unstable_by_key(|owned| (owned.ino, owned.part, owned.offset));
    let owner = |owned: &&Owned| report::OwnerReport {
        file: file(&walk, owned.ino),
        offset: owned.offset,
        part: match owned.unwritten {
            true => Some("unwritten"),
            false => part_name(&walk, owned.ino, owned.part),
        },
    };
    let report = report::OwnersReport {
        mount: mount.path().into(),
        block,
        pfn: mount.stack().pfn(at.start),
        used,
        metadata: metadata.filter(|_| used == BlockUse::Metadata),
        bad: is_bad,
        owners: owned.iter().map(owner).collect(),
    };
    print(&report, args.on.json, out)?;
    Ok(errors)
}
