// SPDX-License-Identifier: GPL-2.0

//! Reading what is on persistent memory, so that poison is found before a process meets it.
//!
//! The module in the kernel reads, a little at a time, and tells the owners of what it finds. Here is what to
//! ask it for: [`target`] says what is in use, and where; [`rate`] how fast; [`state`] how far an earlier one
//! came; [`ars`] has the platform look as well. [`walk`] does it.

pub mod ars;
pub mod rate;
pub mod state;
pub mod target;
pub mod walk;
