// SPDX-License-Identifier: GPL-2.0

//! `daxrmap map`.

use super::{
    lost::look,
    print_json,
    print_text, //
};
use crate::{
    cli::map::MapArgs,
    error::{
        Error,
        Result, //
    },
    map::{
        Cells,
        Class,
        Sweep, //
    },
    mount::Any,
    place,
    ranges::{
        Range,
        Ranges, //
    },
    report::{
        self,
        LostReport,
        MapReport, //
    },
    screen,
    size::human, //
};
use std::{
    collections::HashSet,
    fs,
    io::Write,
    path::{
        Path,
        PathBuf, //
    },
};

/// What is drawn.
struct Subject {
    /// Of what kind the filesystem is.
    filesystem: &'static str,
    /// Bytes of a block.
    block: u64,
    /// Bytes of the device, in whole blocks.
    size: u64,
    /// Bytes of it that are bad.
    bad: Ranges,
}

pub(super) fn map(args: &MapArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let to_output = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
    let takers = [args.on.json, to_output(&args.svg), to_output(&args.html)];
    if takers.iter().filter(|&&takes| takes).count() > 1 {
        return Err(Error::new("one thing only can go to standard output"));
    }
    let is_page = args.on.json || args.svg.is_some() || args.html.is_some();
    let mount = Any::open(&args.on.mount)?;
    let subject = subject(&mount)?;
    let (range, marks) = shown(args, &mount, &subject)?;
    let width = screen::width();
    let most = match is_page {
        true => report::page_cells(),
        false => report::text_cells(width, (range.end - 1) / subject.block),
    };
    let mut cells = Cells::new(range.clone(), subject.block, most);
    marks.iter().for_each(|mark| cells.mark(mark.clone()));
    let mut sweep = Sweep::new(&mut cells, &subject.bad, mount.device().encoded());
    mount.places(range.clone(), |record| sweep.record(record))?;
    let names_owners = sweep.finish();
    let mut inodes = HashSet::new();
    if is_page {
        inodes.extend(
            cells
                .iter()
                .flat_map(|(_, cell)| cell.inodes.iter().copied()),
        );
    }
    let mut looked = look(&mount, &inodes)?;
    let mut notes: Vec<_> = unknown(&cells, subject.filesystem, names_owners)
        .into_iter()
        .collect();
    notes.extend(elsewhere(&mut looked.report, &range, subject.block));
    let device = mount.device();
    let device = device.name().unwrap_or_else(|| device.to_string().into());
    let report = MapReport {
        mount: mount.path().into(),
        device: device.as_path().into(),
        filesystem: subject.filesystem,
        block_size: subject.block,
        blocks: subject.size / subject.block,
        first: range.start / subject.block,
        last: (range.end - 1) / subject.block,
        cell_blocks: cells.size() / subject.block,
        file: args.file.as_deref().map(Into::into),
        bytes: report::bytes(|class| cells.total(class)),
        notes,
        cells: report::cells(&cells, subject.block),
        files: looked.named,
        lost: looked.report,
    };
    if let Some(path) = &args.svg {
        write(path, &report.svg(), out)?;
    }
    if let Some(path) = &args.html {
        write(path, &report.html(), out)?;
    }
    if args.on.json {
        print_json(&report, out)?;
    } else if !is_page {
        print_text(&report.text(width, screen::has_colors()), out)?;
    }
    Ok(looked.errors)
}

fn subject(mount: &Any) -> Result<Subject> {
    let subject = match mount {
        Any::Ours(mount) => {
            let status = mount.status()?;
            let lost = mount.lost()?;
            let bad = lost
                .iter()
                .map(|lost| lost.physical..lost.physical + lost.length);
            Subject {
                filesystem: "daxrmap",
                block: status.block_size.into(),
                size: status.blocks * u64::from(status.block_size),
                bad: bad.collect::<Vec<_>>().into(),
            }
        }
        Any::Other(mount) => Subject {
            filesystem: mount.kind(),
            block: daxrmap_media::BLOCK_SIZE,
            size: mount.stack().size() / daxrmap_media::BLOCK_SIZE * daxrmap_media::BLOCK_SIZE,
            // look() tells why there may be more.
            bad: mount.bad()?.ranges,
        },
    };
    match subject.size {
        0 => Err(Error::new("it has no block").about(mount.path())),
        _ => Ok(subject),
    }
}

/// What of the device is shown, and which of that is marked.
fn shown(args: &MapArgs, mount: &Any, subject: &Subject) -> Result<(Range, Ranges)> {
    let (block, size) = (subject.block, subject.size);
    if let Some(path) = &args.file {
        let marks = place::all(mount.path(), mount.device(), path)?;
        let start = marks.iter().next().map_or(0, |first| first.start);
        let end = marks.iter().last().map_or(size, |last| last.end);
        let range = start / block * block..end.div_ceil(block).saturating_mul(block).min(size);
        return match range.start < range.end {
            true => Ok((range, marks)),
            false => Err(Error::new("it is behind the end of the device").about(path)),
        };
    }
    let Some(zoom) = args.range else {
        return Ok((0..size, Ranges::default()));
    };
    let here = |text: String| Error::new(text).about(mount.path());
    let range = zoom
        .bytes(block)
        .ok_or_else(|| here("a range that has no block".to_owned()))?;
    match range.end <= size {
        true => Ok((range, Ranges::default())),
        false => Err(here(format!(
            "the range ends behind the end of the device: it has blocks 0 to {}",
            size / block - 1
        ))),
    }
}

/// What one has to know of what is not known.
fn unknown(cells: &Cells, filesystem: &str, names_owners: bool) -> Option<String> {
    let bytes = cells.total(Class::Unknown);
    if bytes == 0 || filesystem == "daxrmap" || names_owners {
        return None;
    }
    let size = human(bytes);
    Some(match filesystem {
        "XFS" => format!(
            "Owner not told: {size} are in use, and an XFS without rmapbt does not say by whom. Data, clones \
             and metadata look the same there, and nothing is shown as shared."
        ),
        _ => format!(
            "Owner not told: {size} are in use, and {filesystem} does not say by whom. It is data, and \
             metadata that it has no name for. No block is shared there."
        ),
    })
}

/// Leaves what is lost in this range, and says how much else there is.
fn elsewhere(lost: &mut LostReport, range: &Range, block: u64) -> Option<String> {
    let inside = |first: u64, length: u64| {
        let start = first.saturating_mul(block);
        start < range.end && start.saturating_add(length) > range.start
    };
    let mut outside = 0;
    for file in &mut lost.files {
        let all = file.lost.len();
        file.lost.retain(|lost| inside(lost.block, lost.length));
        outside += all - file.lost.len();
    }
    lost.files.retain(|file| !file.lost.is_empty());
    if let Some(metadata) = &mut lost.metadata {
        let all = metadata.len();
        metadata.retain(|lost| inside(lost.block, lost.length));
        outside += all - metadata.len();
    }
    match outside {
        0 => None,
        1 => Some("Something else is lost outside of this range.".to_owned()),
        n => Some(format!("{n} other things are lost outside of this range.")),
    }
}

fn write(path: &Path, text: &str, out: &mut impl Write) -> Result<()> {
    match path == Path::new("-") {
        true => print_text(&text, out),
        false => fs::write(path, text).map_err(|error| Error::from(error).about(path)),
    }
}
