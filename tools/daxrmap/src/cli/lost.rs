// SPDX-License-Identifier: GPL-2.0

//! The arguments of `daxrmap lost`.

use super::On;
use clap::Args;

/// What to tell beside what is lost.
#[derive(Debug, Args)]
pub struct LostArgs {
    /// Where, and how to tell.
    #[command(flatten)]
    pub on: On,
    /// Name the packages that the files are of, as dpkg knows them
    #[arg(long)]
    pub packages: bool,
    /// Name the processes that have the files open or mapped
    #[arg(long)]
    pub open: bool,
}

#[cfg(test)]
mod tests {
    use crate::cli::{
        Cli,
        Command, //
    };
    use clap::Parser;

    #[test]
    fn what_else_is_told() {
        let lost = |args: &[&str]| match Cli::try_parse_from(["daxrmap", "lost"].iter().chain(args))
        {
            Ok(Cli {
                command: Command::Lost(lost),
            }) => Some((lost.packages, lost.open, lost.on.json)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        assert_eq!(lost(&["/mnt"]), Some((false, false, false)));
        assert_eq!(lost(&["--packages", "/mnt"]), Some((true, false, false)));
        assert_eq!(
            lost(&["/mnt", "--open", "--json"]),
            Some((false, true, true))
        );
        assert_eq!(lost(&["--open"]), None);
    }
}
