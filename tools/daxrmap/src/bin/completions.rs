// SPDX-License-Identifier: GPL-2.0

//! Writes into a folder what bash, zsh and fish complete of the programs' arguments. It is run where the programs are
//! built (scripts/build/tools.sh), and not installed.

use clap::CommandFactory;
use clap_complete::{
    generate_to,
    Shell, //
};
use std::{
    env,
    io,
    process::ExitCode, //
};

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

fn write(folder: &std::ffi::OsStr) -> io::Result<()> {
    for (name, mut command) in [
        ("daxrmap", daxrmap::cli::Cli::command()),
        ("mkfs.daxrmap", daxrmap::mkfs::Args::command()),
        ("fsck.daxrmap", daxrmap::fsck::Args::command()),
    ] {
        for shell in SHELLS {
            generate_to(shell, &mut command, name, folder)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [folder] = arguments.as_slice() else {
        eprintln!("usage: completions FOLDER");
        return ExitCode::from(2);
    };
    match write(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("completions: {}: {error}", folder.to_string_lossy());
            ExitCode::FAILURE
        }
    }
}
