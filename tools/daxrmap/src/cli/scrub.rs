// SPDX-License-Identifier: GPL-2.0

//! The arguments of `daxrmap scrub`.

use crate::size;
use clap::Args;
use std::path::PathBuf;

/// What to read, and how.
#[derive(Debug, Args)]
pub struct ScrubArgs {
    /// Where the filesystem is mounted, or a block device
    #[arg(value_name = "MNT|DEV")]
    pub target: PathBuf,
    /// Read free blocks too
    #[arg(long)]
    pub all: bool,
    /// Read so many bytes a second at most; K, M, G and T are understood
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    pub rate: Option<u64>,
    /// Go on where an earlier scrub has stopped; fail if there is none
    #[arg(long, conflicts_with = "restart")]
    pub resume: bool,
    /// Begin anew, even if an earlier scrub has stopped half way
    #[arg(long)]
    pub restart: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Wait for the platform's own scrub (ARS), where there is one, before reading
    #[arg(long)]
    pub wait_ars: bool,
}

/// Bytes a second: a page at least, or it would never end.
fn rate(text: &str) -> Result<u64, String> {
    match size::parse(text)? {
        rate if rate >= 4096 => Ok(rate),
        _ => Err("less than a page (4096) a second".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{
        Cli,
        Command, //
    };
    use clap::Parser;

    #[test]
    fn what_to_scrub() {
        let scrub =
            |args: &[&str]| match Cli::try_parse_from(["daxrmap", "scrub"].iter().chain(args))
                .map(|cli| cli.command)
            {
                Ok(Command::Scrub(args)) => Some(args),
                Ok(other) => panic!("{other:?}"),
                Err(_) => None,
            };
        let plain = scrub(&["/mnt"]).unwrap();
        assert_eq!(plain.target.to_str(), Some("/mnt"));
        assert!(!plain.all && !plain.json && !plain.resume && !plain.restart && !plain.wait_ars);
        assert_eq!(plain.rate, None);
        let all = scrub(&[
            "--all",
            "--rate",
            "2M",
            "--restart",
            "--json",
            "--wait-ars",
            "/mnt",
        ]);
        let all = all.unwrap();
        assert!(all.all && all.restart && all.json && all.wait_ars);
        assert_eq!(all.rate, Some(2 << 20));
        for bad in [
            &[][..],
            &["/a", "/b"],
            &["--rate", "0", "/mnt"],
            &["--rate", "4095", "/mnt"],
            &["--rate", "x", "/mnt"],
            &["--resume", "--restart", "/mnt"],
        ] {
            assert!(scrub(bad).is_none(), "{bad:?}");
        }
    }
}
