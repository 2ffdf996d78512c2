// SPDX-License-Identifier: GPL-2.0

//! What `daxrmap dump` prints.
//!
//! The log may be long: it is read while it is printed, a record at a time.

use super::{
    date::date,
    Name, //
};
use crate::{
    escape::escape,
    size::human, //
};
use daxrmap_media::{
    log::{
        self,
        End,
        Kind,
        Record, //
    },
    superblock::{
        Content,
        Copies,
        Copy,
        Super, //
    },
    BLOCK_SIZE,
};
use serde::{
    ser::SerializeSeq,
    Serialize,
    Serializer, //
};
use serde_json::{
    json,
    Value, //
};
use std::{
    ffi::OsStr,
    fmt,
    fs::File,
    os::unix::ffi::OsStrExt, //
    path::Path,
};

mod operation;
mod udev;

pub use self::udev::Udev;

/// `daxrmap dump`
#[derive(Debug, Serialize)]
pub struct DumpReport<'a> {
    /// The device.
    pub device: Name,
    /// How many blocks it has.
    pub blocks: u64,
    #[serde(serialize_with = "copies")]
    superblocks: &'a Copies,
    #[serde(serialize_with = "filesystem")]
    filesystem: Option<&'a Super>,
    /// The log, if it is wanted and there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogReport<'a>>,
}

/// A log.
#[derive(Debug, Serialize)]
pub struct LogReport<'a> {
    records: Records<'a>,
    #[serde(serialize_with = "end")]
    end: End,
}

#[derive(Debug)]
struct Records<'a> {
    file: &'a File,
    copies: &'a Copies,
}

impl<'a> DumpReport<'a> {
    /// Of a device with so many blocks.
    pub fn new(device: Name, blocks: u64, superblocks: &'a Copies) -> Self {
        Self {
            device,
            blocks,
            superblocks,
            filesystem: superblocks.superblock(),
            log: None,
        }
    }
}

impl<'a> LogReport<'a> {
    /// Reads it once, to see how it ends. `None` if nobody knows where it is.
    pub fn new(file: &'a File, copies: &'a Copies) -> Option<Self> {
        let Ok(end) = log::walk(&file, copies, |_| Ok::<_, std::convert::Infallible>(()));
        Some(Self {
            records: Records { file, copies },
            end: end?,
        })
    }

    /// What is wrong with it.
    pub fn complaint(&self) -> Option<String> {
        complaint(&self.end)
    }
}

fn complaint(end: &End) -> Option<String> {
    if let Some(error) = &end.error {
        return Some(format!("the log: {error}"));
    }
    if !end.is_complete {
        return Some(format!(
            "the log: its checkpoint is cut off in block {}",
            end.at / BLOCK_SIZE
        ));
    }
    (end.later.records != 0).then(|| {
        format!(
            "the log: cannot be read on in block {}, but there is more of it, from block {} on: \
             {} records",
            end.at / BLOCK_SIZE,
            end.later.block,
            end.later.records
        )
    })
}

/// What is to be said of a copy, in a word or two.
fn state(copies: &Copies, index: usize) -> &'static str {
    let Some(copy) = copies.copies.get(index) else {
        return "none";
    };
    match (&copy.content, copies.superblock()) {
        (Content::Good(sb), Some(best)) if sb == best => "good",
        (Content::Good(sb), Some(best)) if sb.uuid == best.uuid => "stale",
        (Content::Good(_), _) => "foreign",
        (Content::None, _) => "none",
        (Content::Damaged, _) => "damaged",
        (Content::Version(_), _) => "version",
        (Content::Unreadable(_), _) => "unreadable",
    }
}

fn copies<S: Serializer>(copies: &Copies, to: S) -> Result<S::Ok, S::Error> {
    let one = |(index, copy): (usize, &Copy)| {
        let mut value = json!({ "block": copy.block, "state": state(copies, index) });
        match &copy.content {
            Content::Good(sb) => value["generation"] = sb.generation.into(),
            Content::Version(version) => value["version"] = (*version).into(),
            Content::Unreadable(error) => value["error"] = error.to_string().into(),
            Content::None | Content::Damaged => {}
        }
        value
    };
    to.collect_seq(copies.copies.iter().enumerate().map(one))
}

fn filesystem<S: Serializer>(sb: &Option<&Super>, to: S) -> Result<S::Ok, S::Error> {
    let Some(sb) = sb else {
        return to.serialize_none();
    };
    let region = |index: usize| {
        json!({
            "start": sb.regions[index].start,
            "blocks": sb.regions[index].blocks,
            "active": sb.active as usize == index,
        })
    };
    let [compat, ro_compat, incompat] = sb.features;
    json!({
        "uuid": sb.uuid.to_string(),
        "label": String::from_utf8_lossy(&sb.label),
        "features": { "compat": compat, "ro_compat": ro_compat, "incompat": incompat,
            "incompat_names": sb.incompat_names().collect::<Vec<_>>() },
        "block_size": BLOCK_SIZE,
        "blocks": sb.blocks,
        "generation": sb.generation,
        "regions": [region(0), region(1)],
        "first_seq": sb.first_seq,
        "previous_seq": sb.previous_seq,
        "made": sb.made,
    })
    .serialize(to)
}

fn end<S: Serializer>(end: &End, to: S) -> Result<S::Ok, S::Error> {
    json!({
        "block": end.at / BLOCK_SIZE,
        "byte": end.at % BLOCK_SIZE,
        "seq": end.seq,
        "used": end.used,
        "complete": end.is_complete,
        "error": end.error.as_ref().map(ToString::to_string),
        "later_records": end.later.records,
        "unreadable_blocks": end.later.unreadable,
    })
    .serialize(to)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Transaction => "transaction",
        Kind::Checkpoint => "checkpoint",
        Kind::CheckpointEnd => "end of checkpoint",
    }
}

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut records = to.serialize_seq(None)?;
        log::walk(&self.file, self.copies, |record| {
            let Record {
                place,
                operations,
                is_whole,
            } = record;
            let operations: Vec<Value> = operations.iter().map(operation::json).collect();
            records.serialize_element(&json!({
                "seq": place.seq,
                "kind": kind(place.kind),
                "block": place.block(),
                "byte": place.at % BLOCK_SIZE,
                "size": place.size,
                "whole": is_whole,
                "operations": operations,
            }))
        })?;
        records.end()
    }
}

impl fmt::Display for LogReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        log::walk(&self.records.file, self.records.copies, |record| {
            let place = record.place;
            writeln!(
                f,
                "record {}: {}, block {}, byte {}, size {}",
                place.seq,
                kind(place.kind),
                place.block(),
                place.at % BLOCK_SIZE,
                place.size
            )?;
            for op in &record.operations {
                f.write_str("  ")?;
                operation::text(op, f)?;
                f.write_str("\n")?;
            }
            if !record.is_whole {
                writeln!(f, "  (what follows is no operation)")?;
            }
            Ok(())
        })?;
        let End { at, seq, used, .. } = self.end;
        writeln!(
            f,
            "end of the log: block {}, byte {}; {used} bytes; the next record would be {seq}",
            at / BLOCK_SIZE,
            at % BLOCK_SIZE
        )
    }
}

impl fmt::Display for DumpReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, copy) in self.superblocks.copies.iter().enumerate() {
            let name = ["first", "second"].get(index).copied().unwrap_or_default();
            write!(f, "{name} superblock: block {}, ", copy.block)?;
            match &copy.content {
                Content::Good(sb) => {
                    let state = state(self.superblocks, index);
                    writeln!(f, "{state}, generation {}", sb.generation)?;
                }
                Content::None => writeln!(f, "none")?,
                Content::Damaged => writeln!(f, "damaged")?,
                Content::Version(version) => writeln!(f, "of version {version}")?,
                Content::Unreadable(error) => writeln!(f, "{error}")?,
            }
        }
        if let Some(sb) = self.filesystem {
            write_filesystem(sb, f)?;
        }
        if let Some(log) = &self.log {
            log.fmt(f)?;
        }
        Ok(())
    }
}

fn write_filesystem(sb: &Super, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let label = format!("label:     {}", escape(OsStr::from_bytes(&sb.label)));
    let [compat, ro_compat, incompat] = sb.features;
    writeln!(f, "uuid:      {}", sb.uuid)?;
    writeln!(f, "{}", label.trim_end())?;
    write!(
        f,
        "features:  compat {compat:#x}, ro_compat {ro_compat:#x}, incompat {incompat:#x}"
    )?;
    for name in sb.incompat_names() {
        write!(f, " {name}")?;
    }
    writeln!(f)?;
    let size = human(sb.blocks.saturating_mul(BLOCK_SIZE));
    writeln!(f, "blocks:    {} of {BLOCK_SIZE} bytes ({size})", sb.blocks)?;
    writeln!(f, "made:      {} ({})", sb.made, date(sb.made))?;
    for (index, region) in sb.regions.iter().enumerate() {
        write!(
            f,
            "region {index}:  blocks {} to {}",
            region.start,
            region.start + region.blocks - 1
        )?;
        if sb.active as usize == index {
            write!(f, ", the log, from record {} on", sb.first_seq)?;
        } else if sb.previous_seq != 0 {
            write!(f, ", the log before, from record {} on", sb.previous_seq)?;
        }
        writeln!(f)?;
    }
    Ok(())
}

/// A name in a directory.
fn name(bytes: &[u8]) -> Name {
    Path::new(OsStr::from_bytes(bytes)).into()
}
