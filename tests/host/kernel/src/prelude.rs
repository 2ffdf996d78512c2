// SPDX-License-Identifier: GPL-2.0

//! Stands in for `kernel::prelude`.

pub use crate::alloc::{
    flags::*,
    Box,
    KBox,
    KVBox,
    KVVec,
    KVec,
    VBox,
    VVec,
    Vec, //
};
pub use crate::error::{
    code::*,
    Error,
    Result, //
};
