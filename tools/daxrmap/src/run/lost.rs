// SPDX-License-Identifier: GPL-2.0

//! `daxrmap lost`.

use super::{
    file,
    looked::{
        ranges,
        Looked, //
    },
    other,
    print, //
};
use crate::{
    cli::lost::LostArgs,
    error::{
        Error,
        Result, //
    },
    lost,
    mount::{
        Any,
        Mount,
        Unnamed, //
    },
    names::Names,
    packages, processes,
    report::{
        self,
        LostReport,
        State, //
    },
};
use std::{
    collections::HashSet,
    io::Write,
    path::PathBuf, //
};

pub(super) fn lost(args: &LostArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let mount = Any::open(&args.on.mount)?;
    let mut looked = look(&mount, &HashSet::new())?;
    if args.packages {
        add_packages(&mut looked);
    }
    if args.open {
        let inodes = looked.report.files.iter().map(|lost| lost.file.inode);
        let mut found = processes::of(mount.device(), &inodes.collect());
        looked.errors.append(&mut found.errors);
        for lost in &mut looked.report.files {
            lost.processes = Some(found.by_inode.remove(&lost.file.inode).unwrap_or_default());
        }
    }
    print(&looked.report, args.on.json, out)?;
    Ok(looked.errors)
}

/// What is lost, and what the inodes `also` are called.
pub(super) fn look(mount: &Any, also: &HashSet<u64>) -> Result<Looked> {
    match mount {
        Any::Ours(mount) => ours(mount, also),
        Any::Other(mount) => other::look(mount, also),
    }
}

fn add_packages(looked: &mut Looked) {
    let all = looked.report.files.iter();
    let paths: Vec<PathBuf> = all
        .flat_map(|lost| lost.file.paths.iter().map(|name| name.plain().to_owned()))
        .collect();
    let found = match packages::of(&paths) {
        Ok(found) => found,
        Err(error) => return looked.errors.push(error),
    };
    for lost in &mut looked.report.files {
        let paths = lost.file.paths.iter();
        let of = paths.filter_map(|name| found.get(name.plain()));
        let mut of: Vec<_> = of.flatten().cloned().collect();
        of.sort_unstable();
        of.dedup();
        lost.packages = Some(of);
    }
}

fn ours(mount: &Mount, also: &HashSet<u64>) -> Result<Looked> {
    let block_size = u64::from(mount.status()?.block_size);
    let files = lost::by_file(&mount.lost()?);
    let mut wanted = also.clone();
    wanted.extend(files.iter().map(|file| file.ino));
    let mut names = Names::find(mount.path(), &wanted);
    let mut errors = std::mem::take(&mut names.errors);
    let mut reported = Vec::new();
    for lost in &files {
        let mut unnamed = State::Unknown;
        if names.of(lost.ino).is_empty() {
            match mount.unnamed(&lost.handle) {
                Ok(Unnamed::Gone) => continue,
                Ok(Unnamed::Unlinked) => unnamed = State::Unlinked,
                Ok(Unnamed::Hidden) => {}
                Err(error) => {
                    errors.push(Error::from(error).about_what(format!("inode {}", lost.ino)));
                }
            }
        }
        reported.push(report::LostFileReport {
            file: file(&names, lost.ino, unnamed),
            generation: Some(lost.generation),
            lost: ranges(lost, block_size, None),
            packages: None,
            processes: None,
        });
    }
    let mut named: Vec<_> = also
        .iter()
        .map(|&ino| file(&names, ino, State::Unknown))
        .collect();
    named.sort_unstable_by_key(|file| file.inode);
    let report = LostReport {
        mount: mount.path().into(),
        files: reported,
        metadata: None,
    };
    Ok(Looked {
        report,
        named,
        errors,
    })
}
