// SPDX-License-Identifier: GPL-2.0

//! What the programs are made of: `daxrmap`, `mkfs.daxrmap`, `fsck.daxrmap`.
//!
//! - [`abi`]: the kernel's structs. [`sys`]: the system calls that take them, and all `unsafe`.
//! - [`mount`]: a mounted daxrmap filesystem, to be asked.
//! - [`lost`], [`fsmap`], [`fiemap`], [`clear`]: what the kernel's answers mean. They believe nothing of
//!   them: a wrong answer is an error, not a panic or an endless loop.
//! - [`names`]: from inode numbers to paths. [`escape`]: paths as text.
//! - [`cli`]: arguments. [`report`]: output, as text and JSON. [`run`]: one function for each command.
//! - [`error`]: errors, as people read them.
//!
//! What is on the medium is told by the crate `daxrmap_media`, in the module's own words.
//!
//! - [`device`]: opens a device or an image. [`foreign`]: what others have on it. [`size`]: sizes as text.
//! - [`mkfs`], [`fsck`]: the programs of these names.

pub mod abi;
pub mod clear;
pub mod cli;
pub mod device;
pub mod error;
pub mod escape;
pub mod fiemap;
pub mod foreign;
pub mod fsck;
pub mod fsmap;
pub mod lost;
pub mod mkfs;
pub mod mount;
pub mod names;
pub mod report;
pub mod run;
pub mod size;
pub mod sys;
