// SPDX-License-Identifier: GPL-2.0

//! POSIX ACLs, as extended attributes have them: the form that user space has too
//! (include/uapi/linux/posix_acl_xattr.h).
//!
//! The VFS makes them, and decides by them. Here is what must hold for one that is stored.
//!
//! Plain values; nothing to lock.

use super::{
    attr::{
        Attr,
        FileType, //
    },
    xattr_set::Xattr, //
};

/// Name of the ACL that says who may do what with an inode.
pub(crate) const ACCESS: &[u8] = b"system.posix_acl_access";

/// Name of the ACL that what is made in a directory begins with.
pub(crate) const DEFAULT: &[u8] = b"system.posix_acl_default";

/// `POSIX_ACL_XATTR_VERSION`.
const VERSION: u32 = 2;

/// No user and no group.
const NOBODY: u32 = u32::MAX;

/// Read, write and execute.
const ALL: u16 = 0o7;

/// Whom an entry is about. They come in this order; of those without a number there is one, but that a
/// mask is needed only beside those with a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Who {
    /// The owner.
    Owner,
    /// A user.
    User(u32),
    /// The group of the inode.
    OwningGroup,
    /// Another group.
    Group(u32),
    /// What the three above can have at most.
    Mask,
    /// All others.
    Other,
}

impl Who {
    fn rank(self) -> u8 {
        match self {
            Who::Owner => 0,
            Who::User(_) => 1,
            Who::OwningGroup => 2,
            Who::Group(_) => 3,
            Who::Mask => 4,
            Who::Other => 5,
        }
    }
}

/// Who may do what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct AclEntry {
    /// Who.
    pub(crate) who: Who,
    /// 4 read, 2 write, 1 execute.
    pub(crate) permissions: u16,
}

/// An ACL that is valid.
#[derive(Clone, Copy)]
pub(crate) struct StoredAcl<'a>(&'a [u8]);

impl<'a> StoredAcl<'a> {
    /// Reads the value of an extended attribute; `None` if it is not valid.
    pub(crate) fn new(value: &'a [u8]) -> Option<Self> {
        let (version, entries) = value.split_first_chunk()?;
        if u32::from_le_bytes(*version) != VERSION || entries.len() % ENTRY_LEN != 0 {
            return None;
        }
        // The first must be the owner's, the last all others'.
        let mut last = None;
        let (mut groups, mut named, mut masks) = (0u32, false, 0u32);
        for bytes in entries.chunks_exact(ENTRY_LEN) {
            let who = entry(bytes)?.who;
            let in_order = match last {
                None => who == Who::Owner,
                Some(Who::Other) => false,
                Some(Who::Owner) if who == Who::Owner => false,
                Some(before) => Who::rank(before) <= who.rank(),
            };
            if !in_order {
                return None;
            }
            match who {
                Who::OwningGroup => groups = groups.checked_add(1)?,
                Who::Mask => masks = masks.checked_add(1)?,
                Who::User(_) | Who::Group(_) => named = true,
                Who::Owner | Who::Other => {}
            }
            last = Some(who);
        }
        let whole = last == Some(Who::Other) && groups == 1;
        let masked = masks == 1 || (masks == 0 && !named);
        (whole && masked).then_some(StoredAcl(entries))
    }

    /// Visits the entries.
    pub(crate) fn iter(self) -> impl Iterator<Item = AclEntry> + 'a {
        self.0.chunks_exact(ENTRY_LEN).filter_map(entry)
    }

    /// The permissions in the mode of an inode that has it as its access ACL: the mask is the group's.
    pub(crate) fn permissions(self) -> u32 {
        let mut mode = 0;
        for entry in self.iter() {
            let permissions = u32::from(entry.permissions);
            mode = match entry.who {
                Who::Owner => mode | permissions << 6,
                Who::OwningGroup => mode | permissions << 3,
                Who::Mask => (mode & !0o070) | permissions << 3,
                Who::Other => mode | permissions,
                Who::User(_) | Who::Group(_) => mode,
            };
        }
        mode
    }
}

/// Bytes of an entry: tag and permissions, 2 each, and a user or group.
const ENTRY_LEN: usize = 8;

fn entry(bytes: &[u8]) -> Option<AclEntry> {
    let (tag, rest) = bytes.split_first_chunk()?;
    let (permissions, rest) = rest.split_first_chunk()?;
    let id = u32::from_le_bytes(*rest.first_chunk()?);
    let permissions = u16::from_le_bytes(*permissions);
    let who = match u16::from_le_bytes(*tag) {
        0x01 => Who::Owner,
        0x02 if id != NOBODY => Who::User(id),
        0x04 => Who::OwningGroup,
        0x08 if id != NOBODY => Who::Group(id),
        0x10 => Who::Mask,
        0x20 => Who::Other,
        _ => return None,
    };
    (permissions & !ALL == 0).then_some(AclEntry { who, permissions })
}

/// What is wrong with an ACL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AclFault {
    /// It makes no sense, or is not for such an inode.
    Invalid,
    /// The permissions in the mode of the inode should be these.
    Mode(u32),
}

/// Checks an extended attribute of an inode, if it is an ACL.
///
/// # Errors
///
/// What is wrong.
pub(crate) fn check(xattr: &Xattr, attr: &Attr) -> Result<(), AclFault> {
    let is_access = match &*xattr.name {
        ACCESS => true,
        DEFAULT => false,
        _ => return Ok(()),
    };
    let may_be = match attr.file_type() {
        Some(FileType::Regular | FileType::Special) => is_access,
        Some(FileType::Dir) => true,
        Some(FileType::Symlink) | None => false,
    };
    let acl = StoredAcl::new(&xattr.value).ok_or(AclFault::Invalid)?;
    if !may_be {
        return Err(AclFault::Invalid);
    }
    let permissions = acl.permissions();
    if is_access && attr.mode & 0o777 != permissions {
        return Err(AclFault::Mode(permissions));
    }
    Ok(())
}
