// SPDX-License-Identifier: GPL-2.0

//! `daxrmap cxl`: puts what CXL memory devices say is poisoned on the driver's list of bad blocks.

use super::print_text;
use crate::{
    cli::cxl::CxlArgs,
    cxl::{
        self,
        Poison, //
    },
    error::{
        Error,
        Result, //
    },
    stack::Sysfs,
};
use std::{
    fmt::Write as _,
    io::Write,
    path::Path, //
};

pub(super) fn cxl(args: &CxlArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let mut errors = Vec::new();
    let mut text = String::new();
    for (name, asked) in names(&args.devices)? {
        let Some(identity) = cxl::identity(&name) else {
            if asked {
                errors.push(Error::new("it is not behind CXL").about(Path::new("/dev").join(name)));
            }
            continue;
        };
        let serials: Vec<_> = identity
            .serials
            .iter()
            .map(|serial| format!("{serial:#x}"))
            .collect();
        let who = format!(
            "/dev/{name} ({}, serial {})",
            identity.region,
            serials.join(", ")
        );
        let said = match cxl::enter_poison_list(&name, false) {
            Ok(Some(poison)) if args.quiet && poison.new == 0 => continue,
            Ok(Some(Poison { named, new })) => {
                format!("{named} pages are poisoned, {new} of them new")
            }
            Ok(None) => "the device keeps no poison list".to_owned(),
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        // A string takes all.
        let _ = writeln!(text, "{who}: {said}");
    }
    print_text(&text, out)?;
    Ok(errors)
}

/// The names below /dev of these devices, or of all pmem devices; and whether it was asked for that one.
fn names(devices: &[std::path::PathBuf]) -> Result<Vec<(String, bool)>> {
    if devices.is_empty() {
        let all = Sysfs::default().pmem_disks();
        return Ok(all.into_iter().map(|name| (name, false)).collect());
    }
    devices
        .iter()
        .map(|device| {
            let path = device
                .canonicalize()
                .map_err(|error| Error::from(error).about(device))?;
            let name = path.file_name().unwrap_or_default();
            Ok((name.to_string_lossy().into_owned(), true))
        })
        .collect()
}
