// SPDX-License-Identifier: GPL-2.0

//! Work of a mount that is started inside of the gate and done outside of it, by a worker.
//!
//! # Locking
//!
//! The worker holds nothing. Unmount waits for it before inodes go, so the work must not wait for
//! unmount; see [`Gate`].

use super::gate::Gate;
use crate::vfs::{
    FileSystem,
    SuperBlock,
    Visit, //
};
use kernel::{
    impl_has_work, new_work,
    prelude::*,
    sync::Arc,
    workqueue::{
        Work,
        WorkItem, //
    },
};

/// The mount that a task works on, while it runs.
pub(crate) struct Working<'a, F: FileSystem> {
    sb: &'a SuperBlock<F>,
    gate: &'a Gate<F>,
}

impl<'a, F: FileSystem> Working<'a, F> {
    /// The super block.
    pub(crate) fn sb(&self) -> &'a SuperBlock<F> {
        self.sb
    }

    /// Whether unmount has begun, and waits for the work.
    pub(crate) fn is_ending(&self) -> bool {
        self.gate.is_ending()
    }
}

/// What a [`MountWork`] does.
pub(crate) trait MountTask<F: FileSystem>: Send + Sync + 'static {
    /// Does the work. May sleep; never runs twice at a time.
    fn run(&self, working: &Working<'_, F>);
}

/// A task of one mount, which is made in advance, so that starting it cannot fail.
pub(crate) struct MountWork<F: FileSystem, T: MountTask<F>>(Arc<TaskWork<F, T>>);

/// A task and its work item. It is private here, so that only [`MountWork::start`] starts it.
#[pin_data]
struct TaskWork<F: FileSystem, T: MountTask<F>> {
    gate: Arc<Gate<F>>,
    #[pin]
    work: Work<Self>,
    task: T,
}

impl_has_work! {
    impl{F: FileSystem, T: MountTask<F>} HasWork<Self> for TaskWork<F, T> { self.work }
}

impl<F: FileSystem, T: MountTask<F>> MountWork<F, T> {
    /// Work for the mount that is behind `gate`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(gate: Arc<Gate<F>>, task: T) -> Result<Self> {
        let item = Arc::pin_init(
            pin_init!(TaskWork {
                gate,
                work <- new_work!("daxrmap::MountWork"),
                task,
            }),
            GFP_KERNEL,
        )?;
        Ok(Self(item))
    }

    /// The task.
    pub(crate) fn task(&self) -> &T {
        &self.0.task
    }

    /// Has a worker run the task, once more if it is running. `visit` is one of the same mount,
    /// else nothing happens.
    pub(crate) fn start(&self, visit: &Visit<'_, F>) {
        let item = &self.0;
        if visit.is_of(&item.gate) {
            // An error says that it is about to run anyway.
            let _ = item.gate.queue().enqueue(item.clone());
        }
    }
}

impl<F: FileSystem, T: MountTask<F>> WorkItem for TaskWork<F, T> {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        // SAFETY: This is work of the gate's queue, started inside of the gate by `start`, and the result
        // is used until it ends: clause "work".
        if let Some(sb) = unsafe { this.gate.super_block() } {
            let gate = &this.gate;
            this.task.run(&Working { sb, gate });
        }
    }
}
