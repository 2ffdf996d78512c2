// SPDX-License-Identifier: GPL-2.0

//! `fsck.daxrmap`: checks a filesystem, and corrects it. See fsck.daxrmap(8).

use clap::Parser;
use daxrmap::fsck::{
    run,
    Args,
    Outcome,
    Terminal, //
};
use std::{
    io::{
        self,
        IsTerminal, //
    },
    process::ExitCode,
};

const NAME: &str = "fsck.daxrmap";

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let usage = ExitCode::from(Outcome::Usage as u8);
            return daxrmap::cli::not_parsed(NAME, &error, usage);
        }
    };
    let mut ask = Terminal {
        is_terminal: io::stdin().is_terminal() && io::stdout().is_terminal(),
        input: io::stdin().lock(),
    };
    let (outcome, errors) = run(&args, &mut ask, &mut io::stdout().lock());
    for error in errors {
        if !error.is_broken_pipe() {
            eprintln!("{NAME}: {error}");
        }
    }
    ExitCode::from(outcome as u8)
}
