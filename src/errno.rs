// SPDX-License-Identifier: GPL-2.0

//! Error numbers that the kernel crate has no names for, and which of them user space gets to see. Pure:
//! there is nothing to lock.
//!
//! C header: [`include/uapi/asm-generic/errno.h`](srctree/include/uapi/asm-generic/errno.h)

use kernel::prelude::*;

macro_rules! declare {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        $(
            $(#[$doc])*
            #[cfg_attr(not(MODULE), allow(dead_code, reason = "the tools need some of them"))]
            pub(crate) fn $name() -> Error {
                Error::from_errno(-$number)
            }
        )*
    };
}

declare! {
    /// `ENAMETOOLONG`: the name is longer than 255 bytes.
    enametoolong = 36;
    /// `ENOTEMPTY`: the directory has entries.
    enotempty = 39;
    /// `EBADE`: what is to be deduplicated is not the same.
    ebade = 52;
    /// `ENODATA`: there is nothing of what was asked for.
    enodata = 61;
    /// `EOPNOTSUPP`: the operation is not offered.
    eopnotsupp = 95;
    /// `EALREADY`: it is so already.
    ealready = 114;
    /// `ESTALE`: what a file handle names is gone.
    estale = 116;
    /// `EUCLEAN`: the metadata is inconsistent.
    euclean = 117;
    /// `EHWPOISON`: a poisoned block, accessed as memory. As a device, it is `EIO`.
    ehwpoison = 133;
}

/// What a system call says of an error. Some numbers are only for inside of the kernel, or of this
/// filesystem, and are in nobody's manual page.
#[cfg_attr(not(MODULE), allow(dead_code, reason = "there are no system calls"))]
pub(crate) fn for_system_call(e: Error) -> Error {
    if e == ehwpoison() || e == ENXIO {
        // A bad block is memory to who maps it, and a device to all others; and so is one that is
        // gone.
        EIO
    } else if e == ERESTARTSYS {
        // A page is pinned now, and who waited for it is to go.
        EINTR
    } else {
        e
    }
}
