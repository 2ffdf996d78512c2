// SPDX-License-Identifier: GPL-2.0

//! Filesystems of other modules that register (include/daxrmap.h): what they call, what is called of them,
//! and the device that they have.
//!
//! - [`entry`]: the C functions that they call. [`filesystem`]: their operations, as safe functions.
//! - [`device`]: a dax device that they name, of a pmem disk or in fsdev mode.
//!
//! # Locking
//!
//! Nothing here takes a lock. What a filesystem's operations may be called under is said in the header.

mod device;
mod entry;
mod filesystem;

pub(crate) use self::{
    device::{
        AnyDax,
        DaxRef, //
    },
    entry::{
        Entries,
        Key,
        Registrar, //
    },
    filesystem::{
        Filesystem,
        Owner, //
    },
};
