// SPDX-License-Identifier: GPL-2.0

//! The arguments of `daxrmap monitor` and `daxrmap hooks`.

use clap::Args;
use std::path::PathBuf;

/// What to watch, and whom to tell.
#[derive(Debug, Args)]
pub struct MonitorArgs {
    /// Where the filesystems are mounted (all that are on persistent memory)
    #[arg(value_name = "MNT")]
    pub mounts: Vec<PathBuf>,
    /// Watch all mounts on persistent memory
    #[arg(long, conflicts_with = "mounts")]
    pub all: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Print first what the service wrote to the journal since then, as journalctl reads it
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        conflicts_with = "service"
    )]
    pub since: Option<String>,
    /// Be a service of systemd: write to the journal, not to standard output
    #[arg(long, conflicts_with = "json")]
    pub service: bool,
    /// Keep metrics in this file, for Prometheus' node_exporter
    #[arg(long, value_name = "FILE")]
    pub textfile: Option<PathBuf>,
    /// Put aside in this folder what `daxrmap hooks` is to tell
    #[arg(long, value_name = "DIR")]
    pub spool: Option<PathBuf>,
}

/// Which hooks, and what for.
#[derive(Debug, Args)]
pub struct HooksArgs {
    /// Where the monitor puts aside what is to be told
    #[arg(long, value_name = "DIR", default_value = "/run/daxrmap/failures")]
    pub spool: PathBuf,
    /// Where the hooks are
    #[arg(long, value_name = "DIR", default_value = "/etc/daxrmap/on-failure.d")]
    pub hooks: PathBuf,
    /// How many seconds a hook may take
    #[arg(
        long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=86400),
    )]
    pub timeout: u64,
}

#[cfg(test)]
mod tests {
    use crate::cli::{
        Cli,
        Command, //
    };
    use clap::Parser;

    fn parse(args: &[&str]) -> Option<Command> {
        let cli = Cli::try_parse_from(["daxrmap"].iter().chain(args));
        cli.map(|cli| cli.command).ok()
    }

    #[test]
    fn what_to_watch() {
        let monitor = |args: &[&str]| match parse(args) {
            Some(Command::Monitor(args)) => args,
            other => panic!("{other:?}"),
        };
        assert!(monitor(&["monitor"]).mounts.is_empty());
        assert!(monitor(&["monitor", "--all", "--json"]).json);
        assert_eq!(monitor(&["monitor", "/a", "/b"]).mounts.len(), 2);
        let since = monitor(&["monitor", "--since", "-1h"]).since;
        assert_eq!(since.as_deref(), Some("-1h"));
        let service = monitor(&["monitor", "--service", "--textfile", "f", "--spool", "d"]);
        assert!(service.service && service.textfile.is_some() && service.spool.is_some());
        for bad in [
            &["monitor", "--all", "/a"][..],
            &["monitor", "--service", "--json"],
            &["monitor", "--service", "--since", "today"],
            &["monitor", "--since"],
        ] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn how_long_a_hook_may_take() {
        let Some(Command::Hooks(hooks)) = parse(&["hooks"]) else {
            panic!("not hooks");
        };
        assert_eq!(hooks.timeout, 60);
        assert_eq!(hooks.spool.to_str(), Some("/run/daxrmap/failures"));
        assert!(parse(&["hooks", "--timeout", "0"]).is_none());
        assert!(parse(&["hooks", "--timeout", "soon"]).is_none());
        assert!(parse(&["hooks", "x"]).is_none());
    }
}
