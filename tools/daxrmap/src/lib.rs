// SPDX-License-Identifier: GPL-2.0

//! What the programs are made of: `daxrmap`, `mkfs.daxrmap`, `fsck.daxrmap`.
//!
//! - [`abi`]: the kernel's structs. [`sys`]: the system calls that take them, and all `unsafe`.
//! - [`mount`]: a mounted filesystem, to be asked. [`other`]: one that is not daxrmap.
//!   [`mounts`]: what is mounted where.
//! - [`stack`], [`dm`]: what is below a mount. [`ranges`]: sets of bytes. [`number`]: block devices.
//! - [`lost`], [`fsmap`], [`fiemap`], [`clear`]: what the kernel's answers mean. They believe nothing of
//!   them: a wrong answer is an error, not a panic or an endless loop.
//! - [`map`]: a picture of a device. [`screen`]: the terminal that it is for.
//! - [`packages`], [`processes`]: whose files they are, and who has them open.
//! - [`place`]: from a path to the device. [`names`]: from inode numbers to paths. [`escape`]: paths as text. [`progress`]: how far it is.
//! - [`guard`]: the guard in the kernel, and what is written down for it. [`state`]: files for that.
//! - [`monitor`]: events of the kernel, and who gets to know of them.
//! - [`scrub`]: what is read so that poison is found early, how fast, and how far one came.
//! - [`cli`]: arguments. [`report`]: output, as text and JSON. [`run`]: one function for each command.
//! - [`error`]: errors, as people read them.
//!
//! What is on the medium is told by the crate `daxrmap_media`, in the module's own words.
//!
//! - [`device`]: opens a device or an image. [`foreign`]: what others have on it. [`size`]: sizes as text.
//! - [`mod@cxl`]: memory devices behind CXL, and their poison lists. [`teller`]: who tells the kernel of failures.
//! - [`mkfs`], [`fsck`]: the programs of these names.

pub mod abi;
pub mod clear;
pub mod cli;
pub mod cxl;
pub mod device;
pub mod dm;
pub mod error;
pub mod escape;
pub mod fiemap;
pub mod foreign;
pub mod fsck;
pub mod fsmap;
pub mod guard;
pub mod lost;
pub mod map;
pub mod mkfs;
pub mod monitor;
pub mod mount;
pub mod mounts;
pub mod names;
pub mod number;
pub mod other;
pub mod packages;
pub mod place;
pub mod processes;
pub mod progress;
pub mod ranges;
pub mod report;
pub mod run;
pub mod screen;
pub mod scrub;
pub mod size;
pub mod stack;
pub mod state;
pub mod sys;
pub mod teller;
