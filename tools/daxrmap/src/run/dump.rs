// SPDX-License-Identifier: GPL-2.0

//! `daxrmap dump`: reads superblocks and log of a device or image, and prints them.

use super::{
    print,
    print_text, //
};
use crate::{
    cli::DumpArgs,
    device::{
        Access,
        Device, //
    },
    error::{
        Error, //
        Result,
    },
    report::{
        self,
        LogReport,
        Udev, //
    },
};
use daxrmap_media::superblock::{
    Content,
    Copies, //
};
use std::io::Write;

pub(super) fn dump(args: &DumpArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let here = |error: Error| error.about(&args.device);
    let device = Device::open(&args.device, Access::Read)?;
    let copies = Copies::find(device.file(), device.blocks());
    if !copies.any() {
        // If it cannot be read, that is why.
        let mut contents = copies.copies.iter().map(|copy| &copy.content);
        let unreadable = contents.find_map(|content| match content {
            Content::Unreadable(error) => Some(error.clone()),
            _ => None,
        });
        return Err(here(unreadable.map_or_else(
            || Error::new("not a daxrmap filesystem"),
            Error::from,
        )));
    }
    if args.udev {
        let sb = copies.superblock().ok_or_else(|| here(no_superblock()))?;
        print_text(&Udev(sb), out)?;
        return Ok(Vec::new());
    }
    let mut errors = Vec::new();
    let mut report =
        report::DumpReport::new(args.device.as_path().into(), device.blocks(), &copies);
    match copies.superblock() {
        None => errors.push(here(no_superblock())),
        Some(sb) if sb.blocks > device.blocks() => errors.push(here(Error::new(format!(
            "the filesystem has {} blocks, the device only {}",
            sb.blocks,
            device.blocks()
        )))),
        Some(_) => {}
    }
    if args.log {
        report.log = LogReport::new(device.file(), &copies);
        let complaint = report.log.as_ref().and_then(LogReport::complaint);
        errors.extend(complaint.map(|text| here(Error::new(text))));
    }
    print(&report, args.json, out)?;
    Ok(errors)
}

fn no_superblock() -> Error {
    Error::new("no copy of the superblock can be used")
}
