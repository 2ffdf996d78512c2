// SPDX-License-Identifier: GPL-2.0

//! ACLs: finds those that are not valid, and modes that do not go with them, and the operations that make
//! them right.

use super::Problem;
use crate::{
    error::Result,
    state::{
        acl::{
            self,
            AclFault,
            ACCESS, //
        },
        Attr,
        State, //
    },
};

/// Makes ACLs and modes right, and returns what was wrong. An ACL that is not valid goes, with what the
/// mode has for groups: nobody may do more for that.
pub(super) fn mend(state: &mut State) -> Result<Vec<Problem>> {
    let mut faults = Vec::new();
    for (inode, stored) in state.inodes_from(0) {
        for xattr in stored.xattrs.iter() {
            if let Err(fault) = acl::check(xattr, &stored.attr) {
                faults.push((inode, xattr.name.to_vec(), fault));
            }
        }
    }
    let mut problems = Vec::new();
    for (inode, name, fault) in faults {
        let is_access = name == ACCESS;
        let stored = state.get(inode)?;
        let before = stored.attr.mode;
        let (value, mode, permissions) = match fault {
            AclFault::Mode(permissions) => {
                let value = stored.xattrs.get(&name).map(|xattr| &*xattr.value);
                (value, permissions, Some(permissions))
            }
            AclFault::Invalid if is_access => (None, before & 0o707, None),
            AclFault::Invalid => (None, before & 0o777, None),
        };
        let attr = Attr {
            mode: (before & !0o777) | mode,
            ..stored.attr
        };
        let tx = state.replace_xattr(inode, &name, value, attr)?;
        state.commit(tx)?;
        problems.push(Problem::Acl {
            inode,
            is_access,
            permissions,
        });
    }
    Ok(problems)
}

/// How many inodes have one.
pub(super) fn count(state: &State) -> u64 {
    let has = |name: &[u8]| matches!(name, acl::ACCESS | acl::DEFAULT);
    state
        .inodes_from(0)
        .filter(|(_, inode)| inode.xattrs.iter().any(|xattr| has(&xattr.name)))
        .count() as u64
}
