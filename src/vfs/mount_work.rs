// SPDX-License-Identifier: GPL-2.0

//! Work of a mount that is started inside of the gate and done outside of it.
//!
//! # Locking
//!
//! Done by a worker that holds nothing. Unmount waits for it before inodes go, so the work must not
//! wait for unmount; see [`Gate`].

use super::{
    gate::Gate,
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

/// What is to be done.
pub(crate) trait Task<F: FileSystem>: Send + Sync + 'static {
    /// Does it. Never runs twice at a time.
    fn run(&self, sb: &SuperBlock<F>);
}

/// A task of one mount, which is made in advance, so that starting it cannot fail.
#[pin_data]
pub(crate) struct MountWork<F: FileSystem, T: Task<F>> {
    gate: Arc<Gate<F>>,
    #[pin]
    work: Work<Self>,
    task: T,
}

impl_has_work! {
    impl{F: FileSystem, T: Task<F>} HasWork<Self> for MountWork<F, T> { self.work }
}

impl<F: FileSystem, T: Task<F>> MountWork<F, T> {
    /// Work for the mount that is behind `gate`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(gate: Arc<Gate<F>>, task: T) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                gate,
                work <- new_work!("daxrmap::MountWork"),
                task,
            }),
            GFP_KERNEL,
        )
    }

    /// The task.
    pub(crate) fn task(&self) -> &T {
        &self.task
    }

    /// Has a worker run the task, once more if it is running. `visit` is one of the same mount,
    /// else nothing happens.
    pub(crate) fn start(self: &Arc<Self>, visit: &Visit<'_, F>) {
        if visit.is_of(&self.gate) {
            // An error says that it is about to run anyway.
            let _ = self.gate.queue().enqueue(self.clone());
        }
    }
}

impl<F: FileSystem, T: Task<F>> WorkItem for MountWork<F, T> {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        // SAFETY: This is work of the gate's queue, started inside of the gate.
        if let Some(sb) = unsafe { this.gate.super_block() } {
            this.task.run(sb);
        }
    }
}
