// SPDX-License-Identifier: GPL-2.0

//! ioctls about the filesystem as a whole that others have, too: shutdown, label, discarding.
//!
//! C header: [`include/uapi/linux/fs.h`](srctree/include/uapi/linux/fs.h)
//!
//! FS_IOC_GETFSUUID, FIFREEZE and FITHAW are the VFS's.
//!
//! # Locking
//!
//! The VFS holds no lock. A label is written while the mount cannot become read-only, and is not
//! frozen.

use crate::{
    bindings,
    errno::eopnotsupp,
    support::is_admin,
    vfs::{
        write_access::while_writable,
        FileSystem,
        Inode,
        SuperBlock, //
    },
};
use kernel::{
    error::to_result,
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// Most bytes of a label.
pub(crate) const LABEL_MAX: usize = 64;

/// What these ioctls ask of a filesystem.
pub(crate) trait Whole: FileSystem {
    /// The name for people, filled up with zeroes.
    fn label(&self) -> [u8; LABEL_MAX];

    /// Gives it another one, durably.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is not UTF-8; `EROFS`; what the medium says.
    fn set_label(&self, label: &[u8; LABEL_MAX]) -> Result;
}

/// FS_IOC_SHUTDOWN: no more access, until unmount. Which kind makes a difference only for what mmap has
/// stored, as metadata is always durable: the default makes that durable too.
///
/// # Safety
///
/// `sb`: it is mounted, and stays so for the call.
unsafe fn shut_down<F: Whole>(sb: &SuperBlock<F>, arg: UserPtr) -> Result {
    if !is_admin(true) {
        return Err(EPERM);
    }
    let kind: u32 = UserSlice::new(arg, size_of::<u32>()).reader().read()?;
    let stop = || {
        pr_warn!(
            "{}: shut down, because it was asked for (kind {})\n",
            sb.id(),
            kind
        );
        sb.fs().shutdown();
    };
    match kind {
        bindings::FS_SHUTDOWN_FLAGS_DEFAULT => {
            // SAFETY: The super block is live: invariant "info" of `SuperBlock`; the field does not
            // change.
            let bdev = unsafe { (*sb.as_ptr()).s_bdev };
            // SAFETY: It is open, as the super block is mounted: clause `sb`.
            to_result(unsafe { bindings::bdev_freeze(bdev) })?;
            stop();
            // SAFETY: It is open, as the super block is mounted: clause `sb`. It was frozen above.
            to_result(unsafe { bindings::bdev_thaw(bdev) })
        }
        bindings::FS_SHUTDOWN_FLAGS_LOGFLUSH | bindings::FS_SHUTDOWN_FLAGS_NOLOGFLUSH => {
            stop();
            Ok(())
        }
        _ => Err(EINVAL),
    }
}

/// FS_IOC_GETFSLABEL: a string, and zeroes to the end of an array of FSLABEL_MAX bytes.
fn get_label<F: Whole>(fs: &F, arg: UserPtr) -> Result {
    let mut answer = [0; bindings::FSLABEL_MAX as usize];
    for (to, from) in answer.iter_mut().zip(fs.label()) {
        *to = from;
    }
    UserSlice::new(arg, answer.len())
        .writer()
        .write_slice(&answer)
}

/// FS_IOC_SETFSLABEL.
fn set_label<F: Whole>(fs: &F, arg: UserPtr) -> Result {
    let new: [u8; LABEL_MAX + 1] = UserSlice::new(arg, LABEL_MAX + 1).reader().read()?;
    let new = CStr::from_bytes_until_nul(&new).map_err(|_| EINVAL)?;
    let mut label = [0; LABEL_MAX];
    for (to, from) in label.iter_mut().zip(new.to_bytes()) {
        *to = *from;
    }
    fs.set_label(&label)
}

/// Answers these ioctls; `None` if it is another one.
///
/// # Safety
///
/// `file`: open on `inode`.
pub(in crate::vfs) unsafe fn answer<F: Whole>(
    file: *mut bindings::file,
    inode: &Inode<F>,
    cmd: c_uint,
    arg: UserPtr,
) -> Option<Result> {
    Some(match cmd {
        // SAFETY: A super block of which a file is open is mounted: clause `file`.
        bindings::FS_IOC_SHUTDOWN => unsafe { shut_down(inode.sb(), arg) },
        bindings::FS_IOC_GETFSLABEL => get_label(inode.fs(), arg),
        bindings::FS_IOC_SETFSLABEL if !is_admin(true) => Err(EPERM),
        bindings::FS_IOC_SETFSLABEL => {
            // SAFETY: The file is open: clause `file`.
            unsafe { while_writable(file, || set_label(inode.fs(), arg)) }
        }
        // There is nothing that memory could do with it: as XFS and ext4 answer on such a device.
        bindings::FITRIM if !is_admin(true) => Err(EPERM),
        bindings::FITRIM => Err(eopnotsupp()),
        _ => return None,
    })
}
