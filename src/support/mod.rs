// SPDX-License-Identifier: GPL-2.0

//! Small safe wrappers of what the kernel offers to everybody, and its Rust crate does not have yet, or
//! not in this form. They know nothing of the rooms that use them.
//!
//! - [`nofs`]: allocation under a filesystem's lock. [`task`]: the task that runs this.
//! - [`mod@plain`]: types that are copied from and to user space. [`mod@random`]: random numbers.
//! - [`published`]: a value that one changes and many read.
//! - [`ratelimit`]: limits for lines of the log. [`text`]: such a line, formatted once.
//! - [`workqueue`]: a work queue of one's own.
//! - [`tracepoint`]: probes of the kernel's tracepoints. [`signals`]: who was told of failed memory.
//! - [`control`]: a device that answers ioctls. [`stream`]: a file that is read and polled.
//!
//! # Locking
//!
//! None of them takes a lock that a caller could see.

mod control;
mod nofs;
mod plain;
mod published;
mod random;
mod ratelimit;
mod signals;
mod stream;
mod task;
mod text;
mod tracepoint;
mod workqueue;

pub(crate) use self::{
    control::{
        Answer,
        Control, //
    },
    nofs::NoFsScope,
    plain::{
        plain,
        Plain, //
    },
    published::{
        publish,
        ReadGuard,
        Reader,
        Writer, //
    },
    random::{
        random,
        random_bytes, //
    },
    ratelimit::RateLimit,
    signals::Signals,
    stream::{
        open_stream,
        Stream, //
    },
    task::{
        cond_resched,
        fatal_signal_pending,
        is_admin, //
    },
    text::Text,
    tracepoint::Probe,
    workqueue::OwnedQueue, //
};
