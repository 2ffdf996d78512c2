// SPDX-License-Identifier: GPL-2.0

//! The terminal that standard output is, or what people want to be taken for one.

use anstream::{
    AutoStream,
    ColorChoice, //
};
use std::{
    env,
    io, //
};

/// Columns of what is no terminal.
const COLUMNS: usize = 80;

/// How many columns there are: COLUMNS says it, or the terminal.
pub fn width() -> usize {
    let wanted = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let columns = wanted.filter(|&columns: &usize| columns != 0).or_else(|| {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|&columns| columns != 0)
    });
    columns.unwrap_or(COLUMNS)
}

/// Whether there are colours: on a terminal that has them, unless NO_COLOR is set; CLICOLOR_FORCE wants them
/// anywhere.
pub fn has_colors() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}
