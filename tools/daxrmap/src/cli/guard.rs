// SPDX-License-Identifier: GPL-2.0

//! The arguments of `daxrmap guard`.

use clap::{
    Args,
    Subcommand, //
};
use std::path::PathBuf;

/// What to do with the guard.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum GuardCommand {
    /// Put back the lists of bad blocks, and watch for failures, for every device
    On,
    /// Watch no more
    Off,
    /// Show what the guard does, and has done
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Become the holder of a pmem device, so that nothing of a failure is missed
    Hold {
        /// The pmem device
        #[arg(value_name = "DEV")]
        device: PathBuf,
        /// Also if it is not known what is on it
        #[arg(long)]
        force: bool,
    },
    /// Be its holder no more
    Release {
        /// The pmem device
        #[arg(value_name = "DEV")]
        device: PathBuf,
    },
    /// Make a device-mapper device over an XFS, in place, so that the pmem device can be held
    Wrap(WrapArgs),
    /// Remove it
    Unwrap {
        /// The pmem device, or the device-mapper device or its name
        #[arg(value_name = "DEV")]
        device: PathBuf,
    },
    /// Write down the lists of bad blocks that drivers forget
    Save,
    /// Put them back
    Restore,
}

/// What to wrap.
#[derive(Debug, Args)]
pub struct WrapArgs {
    /// The pmem device, or a partition of it
    #[arg(value_name = "DEV", required_unless_present = "all")]
    pub device: Option<PathBuf>,
    /// The name of the device-mapper device (DEV's name with "-guard" behind it)
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Make all again that there were, after a boot
    #[arg(long, conflicts_with_all = ["device", "name"])]
    pub all: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{
        Cli,
        Command, //
    };
    use clap::Parser;

    #[test]
    fn what_the_guard_is_to_do() {
        let guard = |args: &[&str]| match Cli::try_parse_from(["daxrmap"].iter().chain(args))
            .map(|cli| cli.command)
        {
            Ok(Command::Guard { command }) => Some(command),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        assert!(matches!(guard(&["guard", "on"]), Some(GuardCommand::On)));
        let status = guard(&["guard", "status", "--json"]);
        assert!(matches!(status, Some(GuardCommand::Status { json: true })));
        let hold = guard(&["guard", "hold", "/dev/x", "--force"]);
        assert!(matches!(hold, Some(GuardCommand::Hold { force: true, .. })));
        let wrap = guard(&["guard", "wrap", "/dev/x", "--yes", "--name", "y"]);
        let Some(GuardCommand::Wrap(wrap)) = wrap else {
            panic!("{wrap:?}");
        };
        assert_eq!(
            (wrap.name.as_deref(), wrap.yes, wrap.all),
            (Some("y"), true, false)
        );
        assert!(guard(&["guard", "wrap", "--all"]).is_some());
        for bad in [
            &["guard"][..],
            &["guard", "hold"],
            &["guard", "on", "x"],
            &["guard", "wrap"],
            &["guard", "wrap", "--all", "/dev/x"],
            &["guard", "wrap", "--all", "--name", "x"],
            &["guard", "save", "--json"],
            &["guard", "frob"],
        ] {
            assert!(guard(bad).is_none(), "{bad:?}");
        }
    }
}
