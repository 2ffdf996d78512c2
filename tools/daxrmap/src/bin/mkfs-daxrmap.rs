// SPDX-License-Identifier: GPL-2.0

//! `mkfs.daxrmap`: makes a filesystem. See mkfs.daxrmap(8).

use clap::Parser;
use daxrmap::mkfs::{
    run, //
    Args,
};
use std::{
    io,
    process::ExitCode, //
};

const NAME: &str = "mkfs.daxrmap";

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return daxrmap::cli::not_parsed(NAME, &error, ExitCode::FAILURE),
    };
    match run(&args, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_broken_pipe() {
                eprintln!("{NAME}: {error}");
            }
            ExitCode::FAILURE
        }
    }
}
