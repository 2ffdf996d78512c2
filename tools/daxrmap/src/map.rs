// SPDX-License-Identifier: GPL-2.0

//! A picture of a device: many equal cells, and what is in each.
//!
//! The kernel's records come in the order of the device, and may be millions. [`Sweep`] lays one above the other and
//! forgets what it has passed; what is kept is a few numbers for each of the [`Cells`].

mod cells;
mod class;
mod palette;
mod sweep;

pub use self::{
    cells::{
        Cell,
        Cells,
        MOST_NAMED, //
    },
    class::Class,
    palette::{
        terminal,
        Color,
        Theme,
        DARK,
        LIGHT, //
    },
    sweep::Sweep,
};
