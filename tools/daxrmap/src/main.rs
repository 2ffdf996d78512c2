// SPDX-License-Identifier: GPL-2.0

//! `daxrmap`: asks a daxrmap filesystem. See daxrmap(8).

use clap::Parser;
use daxrmap::{
    cli::{
        not_parsed,
        Cli, //
    },
    run::run, //
};
use std::{
    io::{
        self,
        BufWriter, //
    },
    process::ExitCode, //
};

/// Something failed.
const FAILED: ExitCode = ExitCode::FAILURE;
/// It was not called as it should be.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed("daxrmap", &error, ExitCode::from(USAGE)),
    };
    match run(&cli.command, &mut BufWriter::new(io::stdout().lock())) {
        Ok(errors) if errors.is_empty() => ExitCode::SUCCESS,
        Ok(errors) => {
            errors.iter().for_each(complain);
            FAILED
        }
        Err(error) => {
            // As a program that SIGPIPE ends: silently.
            if !error.is_broken_pipe() {
                complain(&error);
            }
            FAILED
        }
    }
}

fn complain(error: &daxrmap::error::Error) {
    eprintln!("daxrmap: {error}");
}
