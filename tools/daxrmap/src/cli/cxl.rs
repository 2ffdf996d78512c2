// SPDX-License-Identifier: GPL-2.0

//! The arguments of `daxrmap cxl`.

use clap::Args;
use std::path::PathBuf;

/// Whose poison list.
#[derive(Debug, Args)]
pub struct CxlArgs {
    /// The pmem devices (all that are behind CXL)
    #[arg(value_name = "DEV")]
    pub devices: Vec<PathBuf>,
    /// Say nothing of devices that have nothing new
    #[arg(long, short)]
    pub quiet: bool,
}
