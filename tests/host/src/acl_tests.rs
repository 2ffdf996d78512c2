// SPDX-License-Identifier: GPL-2.0

//! Tests of ACLs: which are valid, and which mode goes with them.

use crate::{
    acl_bytes::bytes,
    state::{
        acl::{
            AclEntry,
            StoredAcl,
            Who,
            ACCESS,
            DEFAULT, //
        },
        Attr,
        Op,
        SetMode,
        State,
        Xattr,
        ROOT_INO, //
    },
    state_tests::{
        at,
        attr,
        commit,
        create,
        mkdir,
        new_state,
        symlink,
        tx,
        DIR,
        FILE, //
    },
};
use kernel::prelude::*;
use std::{
    format,
    vec,
    vec::Vec, //
};

const OWNER: u16 = 0x01;
const USER: u16 = 0x02;
const OWNING_GROUP: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
const NOBODY: u32 = u32::MAX;

/// One with a user, a mask, and all permissions of `mode` as they should be.
pub(crate) fn of_mode(mode: u32, user: u32) -> Vec<u8> {
    let [owner, mask, other] = [6, 3, 0].map(|shift| (mode >> shift & 7) as u16);
    bytes(&[
        (OWNER, owner, NOBODY),
        (USER, 6, user),
        (OWNING_GROUP, 5, NOBODY),
        (MASK, mask, NOBODY),
        (OTHER, other, NOBODY),
    ])
}

#[test]
fn the_whole_of_one() {
    let value = bytes(&[
        (OWNER, 7, NOBODY),
        (USER, 6, 5),
        (USER, 0, 4),
        (OWNING_GROUP, 4, 9),
        (GROUP, 1, 0),
        (MASK, 5, NOBODY),
        (OTHER, 2, NOBODY),
    ]);
    let acl = StoredAcl::new(&value).unwrap();
    let entries: Vec<_> = acl.iter().map(|e| (e.who, e.permissions)).collect();
    let expected = [
        (Who::Owner, 7),
        (Who::User(5), 6),
        (Who::User(4), 0),
        (Who::OwningGroup, 4),
        (Who::Group(0), 1),
        (Who::Mask, 5),
        (Who::Other, 2),
    ];
    assert_eq!(entries, expected);
    assert_eq!(acl.permissions(), 0o752);
    assert_eq!(
        acl.iter().nth(1),
        Some(AclEntry {
            who: Who::User(5),
            permissions: 6
        })
    );
}

#[test]
fn which_are_valid() {
    // Entries by one letter each; with permissions for all of them.
    let of = |letters: &str| {
        let entries: Vec<_> = letters
            .bytes()
            .map(|letter| match letter {
                b'o' => (OWNER, 6, NOBODY),
                b'u' => (USER, 7, 1),
                b'U' => (USER, 7, NOBODY),
                b'g' => (OWNING_GROUP, 5, NOBODY),
                b'n' => (GROUP, 7, 1),
                b'N' => (GROUP, 7, NOBODY),
                b'm' => (MASK, 4, NOBODY),
                b'x' => (OTHER, 3, NOBODY),
                b'p' => (OTHER, 8, NOBODY),
                _ => (3, 7, NOBODY),
            })
            .collect();
        StoredAcl::new(&bytes(&entries)).map(StoredAcl::permissions)
    };
    for (letters, mode) in [
        ("ogx", 0o653),
        ("ogmx", 0o643),
        ("ougmx", 0o643),
        ("ognmx", 0o643),
        ("ouuugnnmx", 0o643),
    ] {
        assert_eq!(of(letters), Some(mode), "{letters}");
    }
    for letters in [
        "", "o", "og", "gx", "ox", "ogxx", "oogx", "oggx", "ogmmx", "ougx", "ognx", "ogxm", "oxg",
        "ugmx", "uogmx", "ogumx", "ongmx", "ogmnx", "oUgmx", "ogNmx", "ogp", "o?gx", "ogx?",
        "ogxo",
    ] {
        assert_eq!(of(letters), None, "{letters}");
    }
    let value = bytes(&[(OWNER, 7, 0), (OWNING_GROUP, 7, 0), (OTHER, 7, 0)]);
    for len in 0..value.len() {
        assert!(StoredAcl::new(&value[..len]).is_none(), "{len} bytes");
    }
    assert!(StoredAcl::new(&[&value[..], &[0]].concat()).is_none());
    for version in [0u8, 1, 3] {
        let mut other = value.clone();
        other[0] = version;
        assert!(StoredAcl::new(&other).is_none());
    }
    assert!(StoredAcl::new(&value).is_some());
}

/// Sets one, and the permissions.
fn set(s: &mut State, ino: u64, name: &[u8], value: Option<&[u8]>, mode: u32) -> Result {
    let before = s.get(ino)?.attr;
    let attr = Attr {
        mode: (before.mode & !0o777) | mode,
        ctime: at(9),
        ..before
    };
    let tx = s.replace_xattr(ino, name, value, attr)?;
    s.commit(tx)?;
    s.check()
}

#[test]
fn mode_and_acl_change_together() {
    let mut s = new_state(10);
    let ino = create(&mut s, ROOT_INO, b"file");
    let value = of_mode(0o664, 5);
    assert_eq!(set(&mut s, ino, ACCESS, Some(&value), 0o664), Ok(()));
    assert_eq!(s.xattr(ino, ACCESS).unwrap(), value);
    assert_eq!(s.get(ino).unwrap().attr.mode, FILE & !0o777 | 0o664);
    assert_eq!(s.get(ino).unwrap().attr.ctime, at(9));
    let other = of_mode(0o751, 6);
    assert_eq!(set(&mut s, ino, ACCESS, Some(&other), 0o751), Ok(()));
    assert_eq!(s.xattr(ino, ACCESS).unwrap(), other);
    for _ in 0..2 {
        assert_eq!(set(&mut s, ino, ACCESS, None, 0o600), Ok(()));
        assert!(s.xattr(ino, ACCESS).is_err());
        assert_eq!(s.get(ino).unwrap().attr.mode, FILE & !0o777 | 0o600);
    }
    assert_eq!(set(&mut s, 99, ACCESS, None, 0o600), Err(ENOENT));
    let large = vec![0; (1 << 16) + 1];
    assert_eq!(set(&mut s, ino, ACCESS, Some(&large), 0o600), Err(E2BIG));
    // As many names as can be listed, and no ACL among them.
    for i in 0..256 {
        let name = format!("user.{i:0250}");
        let t = s.set_xattr(
            ino,
            Xattr::copy(name.as_bytes(), b"").unwrap(),
            SetMode::Any,
            at(1),
        );
        commit(&mut s, t.unwrap());
    }
    assert_eq!(set(&mut s, ino, ACCESS, Some(&value), 0o664), Err(ENOSPC));
    assert_eq!(set(&mut s, ino, ACCESS, None, 0o644), Ok(()));
}

#[test]
fn what_the_check_finds() {
    // The name of it, what it is on, permissions in the mode; whether that is right.
    for (name, on, mode, right) in [
        (ACCESS, "file", 0o664, true),
        (ACCESS, "file", 0o660, false),
        (ACCESS, "dir", 0o664, true),
        (ACCESS, "link", 0o664, false),
        (DEFAULT, "dir", 0o000, true),
        (DEFAULT, "file", 0o664, false),
        (&b"system.other"[..], "link", 0o000, true),
    ] {
        let mut s = new_state(10);
        let ino = match on {
            "file" => create(&mut s, ROOT_INO, b"it"),
            "dir" => mkdir(&mut s, ROOT_INO, b"it"),
            _ => symlink(&mut s, ROOT_INO, b"it", b"nowhere"),
        };
        let value = of_mode(0o664, 5);
        let result = set(&mut s, ino, name, Some(&value), mode);
        assert_eq!(result.is_ok(), right, "{name:?} on a {on}");
    }
    let mut s = new_state(10);
    let ino = mkdir(&mut s, ROOT_INO, b"dir");
    assert!(set(&mut s, ino, DEFAULT, Some(b"no ACL"), 0o755).is_err());
}

#[test]
fn a_new_inode_has_them_at_once() {
    let mut s = new_state(10);
    let (ino, mut t) = s.mkdir(ROOT_INO, b"dir", attr(DIR, 1)).unwrap();
    for name in [ACCESS, DEFAULT] {
        let value = of_mode(DIR, 5);
        t.push(crate::state::xattr_op(ino, name, &value).unwrap())
            .unwrap();
    }
    commit(&mut s, t);
    assert_eq!(s.get(ino).unwrap().xattrs.iter().count(), 2);
    // A mode alone is not right then.
    let attr = Attr {
        mode: DIR & !0o070,
        ..s.get(ino).unwrap().attr
    };
    s.commit(tx(vec![Op::SetAttr { ino, attr }])).unwrap();
    assert!(s.check().is_err());
}
