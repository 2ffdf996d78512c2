// SPDX-License-Identifier: GPL-2.0

//! Tests of what a system call says of an error.

use crate::errno::{
    ehwpoison,
    enodata,
    euclean,
    for_system_call, //
};
use kernel::prelude::*;

#[test]
fn numbers_for_inside() {
    assert_eq!(for_system_call(ehwpoison()), EIO);
    assert_eq!(for_system_call(ENXIO), EIO);
    assert_eq!(for_system_call(ERESTARTSYS), EINTR);
    for same in [EIO, ENOSPC, EINTR, ENOENT, ERANGE, enodata(), euclean()] {
        assert_eq!(for_system_call(same), same);
    }
}
