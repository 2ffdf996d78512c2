// SPDX-License-Identifier: GPL-2.0

//! Events: what happens to pages, mounts and devices, in order, for who reads a file descriptor.
//!
//! Whoever has something to tell has a [`Source`] and [tells](Source::tell) it; the [`Hub`] puts it into
//! the queue of each reader. A queue has the size that its reader asked for, and is made when the reader
//! comes: to tell takes no memory and waits for nobody. A reader that is slow loses what there is no room
//! for, and is told how much ([`ring`], which is pure). If nobody listens, to tell is to look at a flag.
//!
//! - [`record`]: one event. [`reader`]: one reader, as a file. [`hub`]: all of them.
//!
//! # Locking
//!
//! Two spin locks, the list's and inside of it a queue's, for copying in memory: so all that is here but
//! coming and going may be done under any mutex. Not in an interrupt.

mod hub;
mod reader;
mod record;
mod ring;

pub(crate) use self::{
    hub::{
        Hub,
        Source, //
    },
    record::{
        Cause,
        Event,
        Flag,
        Kind, //
    },
};
