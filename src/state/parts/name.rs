// SPDX-License-Identifier: GPL-2.0

//! Bytes that somebody has chosen: names of entries, targets of symbolic links, values of extended
//! attributes. What they may be, and how they are copied.
//!
//! # Locking
//!
//! None: nothing here is shared.

use crate::errno::enametoolong;
use kernel::prelude::*;

/// Longest name of a directory entry, in bytes.
pub(crate) const NAME_MAX: usize = 255;

/// Longest target, in bytes: a path with its NUL is one page.
const TARGET_MAX: usize = 4095;

/// A name in a directory: bytes without NUL and '/'.
pub(crate) type Name = KVec<u8>;

/// Where a symbolic link leads: bytes without NUL.
pub(crate) type TargetPath = KVec<u8>;

/// The value of an extended attribute.
pub(crate) type Value = KVVec<u8>;

/// Checks that an entry may have this name.
///
/// # Errors
///
/// `EINVAL` if it is empty, "." or "..", or has a NUL or '/' in it; `ENAMETOOLONG`.
pub(crate) fn check_name(name: &[u8]) -> Result {
    if name.len() > NAME_MAX {
        return Err(enametoolong());
    }
    if matches!(name, b"" | b"." | b"..") || name.iter().any(|b| matches!(b, 0 | b'/')) {
        return Err(EINVAL);
    }
    Ok(())
}

/// Checks that a symbolic link may lead there.
///
/// # Errors
///
/// `EINVAL` if it is empty or has a NUL in it; `ENAMETOOLONG`.
pub(crate) fn check_target(target: &[u8]) -> Result {
    if target.len() > TARGET_MAX {
        return Err(enametoolong());
    }
    if target.is_empty() || target.contains(&0) {
        return Err(EINVAL);
    }
    Ok(())
}

/// Returns a copy.
pub(in crate::state) fn copy_name(name: &[u8]) -> Result<Name> {
    let mut copy = Name::with_capacity(name.len(), GFP_KERNEL)?;
    copy.extend_from_slice(name, GFP_KERNEL)?;
    Ok(copy)
}

/// Returns a copy.
pub(in crate::state) fn copy_value(bytes: &[u8]) -> Result<Value> {
    let mut copy = Value::with_capacity(bytes.len(), GFP_KERNEL)?;
    copy.extend_from_slice(bytes, GFP_KERNEL)?;
    Ok(copy)
}
