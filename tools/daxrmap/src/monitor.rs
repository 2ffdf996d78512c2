// SPDX-License-Identifier: GPL-2.0

//! Events of the kernel, and who gets to know of them.
//!
//! - [`stream`]: reads and checks the kernel's records. [`follow`]: which mounts there are, and what they are on.
//!   [`paths`]: the names of the files that records are about.
//! - [`journal`]: writes to systemd's journal, and reads what was written. [`metrics`]: numbers for Prometheus.
//!   [`spool`]: what hooks are to be told. [`hooks`]: runs them.
//!
//! Nobody who is told may hold up the reading of events: records are read by a thread of its own, and hooks are
//! run by another process ([`spool`] says why).

pub mod follow;
pub mod hooks;
pub mod journal;
pub mod metrics;
pub mod paths;
pub mod spool;
pub mod stream;
