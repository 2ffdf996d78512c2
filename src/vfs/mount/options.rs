// SPDX-License-Identifier: GPL-2.0

//! Mount options.
//!
//! C sources: fs/fs_context.c (`vfs_parse_fs_param`), fs/namespace.c.
//!
//! There is one option: `dax`, or `dax=always`, as XFS and ext4 have it. It says what is so anyway. The
//! VFS refuses every other one, and names it in the log.
//!
//! # Locking
//!
//! Mount and remount call [`parse`] before anything is locked; [`show`] runs under the namespace's lock.

use crate::bindings;
use kernel::{
    error::from_result,
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};

/// # Safety
///
/// Called by the VFS. `param`: an option, which nobody changes during the call.
pub(in crate::vfs) unsafe extern "C" fn parse(
    _fc: *mut bindings::fs_context,
    param: *mut bindings::fs_parameter,
) -> c_int {
    // SAFETY: It is there for the call, and nobody changes it: clause `param`.
    let param = unsafe { &*param };
    // SAFETY: The key of an option is a nul-terminated string: clause `param`.
    let key = unsafe { CStr::from_char_ptr(param.key) };
    from_result(|| match param.type_() {
        // The VFS takes it for "not mine".
        _ if key != c"dax" => Err(ENOPARAM),
        bindings::fs_value_type_fs_value_is_flag => Ok(0),
        bindings::fs_value_type_fs_value_is_string => {
            // SAFETY: The value is a string, as its type says: clause `param`.
            let value = unsafe { param.__bindgen_anon_1.string };
            // SAFETY: It is nul-terminated, and lives as long as the option: clause `param`.
            let value = unsafe { CStr::from_char_ptr(value) };
            if value == c"always" {
                return Ok(0);
            }
            pr_err!("dax={}: all files are DAX here, dax=always\n", value);
            Err(EINVAL)
        }
        _ => {
            pr_err!("dax: the value is of the wrong kind\n");
            Err(EINVAL)
        }
    })
}

/// # Safety
///
/// Called by the VFS. `seq`: a place to write to, for this call.
pub(in crate::vfs) unsafe extern "C" fn show(
    seq: *mut kernel::bindings::seq_file,
    _root: *mut bindings::dentry,
) -> c_int {
    // SAFETY: It is there for the call: clause `seq`.
    let seq = unsafe { SeqFile::from_raw(seq) };
    seq_print!(seq, ",dax=always");
    0
}
