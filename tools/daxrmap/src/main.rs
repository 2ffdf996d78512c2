// SPDX-License-Identifier: GPL-2.0

//! `daxrmap`: asks a daxrmap filesystem. See daxrmap(8).

use clap::Parser;
use daxrmap::{
    cli::{
        not_parsed,
        Cli,
        Command, //
    },
    run::{
        run,
        scrub::scrub, //
    },
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
/// A scrub could not be done, or not all of it: 1 says what it has found.
const NOT_SCRUBBED: u8 = 4;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed("daxrmap", &error, ExitCode::from(USAGE)),
    };
    let out = &mut BufWriter::new(io::stdout().lock());
    if let Command::Scrub(args) = &cli.command {
        return scrub(args, out).map_or_else(
            |error| {
                failed(&error);
                ExitCode::from(NOT_SCRUBBED)
            },
            ExitCode::from,
        );
    }
    match run(&cli.command, out) {
        Ok(errors) if errors.is_empty() => ExitCode::SUCCESS,
        Ok(errors) => {
            errors.iter().for_each(complain);
            FAILED
        }
        Err(error) => {
            failed(&error);
            FAILED
        }
    }
}

fn failed(error: &daxrmap::error::Error) {
    // As a program that SIGPIPE ends: silently.
    if !error.is_broken_pipe() {
        complain(error);
    }
}

fn complain(error: &daxrmap::error::Error) {
    eprintln!("daxrmap: {error}");
}
