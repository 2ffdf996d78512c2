// SPDX-License-Identifier: GPL-2.0

//! ACLs as user space has them, valid or not; also for the tests of `tools/media`.

use std::vec::Vec;

/// One with these entries: tag, permissions, user or group.
pub(crate) fn bytes(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}
