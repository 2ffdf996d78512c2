// SPDX-License-Identifier: GPL-2.0

//! A file descriptor without a name that is read and polled: what eventfd and fanotify are like.
//!
//! The kernel crate can install a file, and has condition variables that poll(2) can wait for, but
//! nothing that makes such a file. C header:
//! [`include/linux/anon_inodes.h`](srctree/include/linux/anon_inodes.h)
//!
//! # Locking
//!
//! Who reads or polls has the file open, which holds the module; nothing is locked.

use crate::bindings;
use kernel::{
    error::to_result,
    fs::File,
    prelude::*,
    sync::{
        poll::{
            PollCondVar,
            PollTable, //
        },
        Arc, //
    },
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceWriter, //
    },
};

/// What is read.
pub(crate) trait Stream: Send + Sync + 'static {
    /// What the kernel calls the file.
    const NAME: &'static CStr;

    /// read(2): returns how many bytes were written to `to`. Unless `wait`, it does not wait until there
    /// is something.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if there is nothing, and it is not to wait; `ERESTARTSYS` if a signal comes; `EFAULT`, and
    /// what else the stream says.
    fn read(&self, to: UserSliceWriter, wait: bool) -> Result<usize>;

    /// What is notified when there is something.
    fn changes(&self) -> &PollCondVar;

    /// Whether there is something.
    fn is_ready(&self) -> bool;
}

/// A new file descriptor of the current task, closed on exec, that reads `stream`, which is dropped when
/// it is closed.
///
/// # Errors
///
/// `ENOMEM`; `EMFILE`, `ENFILE`.
pub(crate) fn open_stream<S: Stream>(stream: Arc<S>) -> Result<c_int> {
    let data = Arc::into_raw(stream);
    let name = S::NAME.as_char_ptr();
    // SAFETY: The name and the table are static, and the table's functions get `data`, which is a
    // reference that `release` drops.
    let fd =
        unsafe { bindings::daxrmap_open_stream(name, &Table::<S>::OPS, data.cast_mut().cast()) };
    to_result(fd).inspect_err(|_| {
        // SAFETY: There is no file, so the reference is still ours.
        drop(unsafe { Arc::from_raw(data) });
    })?;
    Ok(fd)
}

struct Table<S>(core::marker::PhantomData<S>);

impl<S: Stream> Table<S> {
    const OPS: bindings::daxrmap_stream_ops = bindings::daxrmap_stream_ops {
        read: Some(Self::read),
        poll: Some(Self::poll),
        release: Some(Self::release),
    };

    /// # Safety
    ///
    /// Called for read(2). `data`: what [`open_stream`] gave, not released.
    unsafe extern "C" fn read(data: *mut c_void, to: c_ulong, len: usize, wait: bool) -> isize {
        // SAFETY: The file has a reference: clause `data`.
        let stream = unsafe { &*data.cast::<S>() };
        let to = UserSlice::new(UserPtr::from_addr(to), len).writer();
        match stream.read(to, wait) {
            // A read of more is cut off by the VFS.
            Ok(bytes) => isize::try_from(bytes).unwrap_or(isize::MAX),
            Err(e) => e.to_errno() as isize,
        }
    }

    /// # Safety
    ///
    /// Called for poll(2).
    /// - `data`: what [`open_stream`] gave, not released.
    /// - `file`: the open file.
    /// - `table`: who polls; null, or there for the call.
    unsafe extern "C" fn poll(
        data: *mut c_void,
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> bool {
        // SAFETY: The file has a reference: clause `data`.
        let stream = unsafe { &*data.cast::<S>() };
        // SAFETY: It is open for the call, and has no position that fdget_pos() would lock: clause
        // `file`.
        let file = unsafe { File::from_raw_file(file) };
        // SAFETY: It is null, or there for the call: clause `table`.
        let table = unsafe { PollTable::from_raw(table) };
        table.register_wait(file, stream.changes());
        stream.is_ready()
    }

    /// # Safety
    ///
    /// Called once, when nobody has the file any more. `data`: what [`open_stream`] gave.
    unsafe extern "C" fn release(data: *mut c_void) {
        // SAFETY: It is the file's reference, which ends here: clause `data`.
        drop(unsafe { Arc::from_raw(data.cast::<S>()) });
    }
}
