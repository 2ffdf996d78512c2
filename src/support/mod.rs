// SPDX-License-Identifier: GPL-2.0

//! Small safe wrappers of what the kernel offers to everybody, and its Rust crate does not have yet, or
//! not in this form. They know nothing of the rooms that use them.
//!
//! - [`nofs`]: allocation under a filesystem's lock. [`task`]: the task that runs this.
//! - [`mod@plain`]: types that are copied from and to user space. [`mod@random`]: random numbers.
//! - [`ratelimit`]: limits for lines of the log. [`workqueue`]: a work queue of one's own.
//!
//! # Locking
//!
//! None of them takes a lock that a caller could see.

mod nofs;
mod plain;
mod random;
mod ratelimit;
mod task;
mod workqueue;

pub(crate) use self::{
    nofs::NoFsScope,
    plain::{
        plain,
        Plain, //
    },
    random::{
        random,
        random_bytes, //
    },
    ratelimit::RateLimit,
    task::{
        fatal_signal_pending,
        is_admin, //
    },
    workqueue::OwnedQueue, //
};
