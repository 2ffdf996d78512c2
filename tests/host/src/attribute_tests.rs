// SPDX-License-Identifier: GPL-2.0

//! Tests of what an inode has besides names and data: targets, extended attributes, link counts.

use crate::{
    errno::{
        enametoolong,
        enodata, //
    },
    state::{
        Attr,
        InodeKind,
        Op,
        RenameMode,
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
        name,
        new_state,
        nlink,
        symlink,
        tx,
        DIR,
        FIFO,
        FILE,
        LINK, //
    },
};
use kernel::prelude::*;
use std::{
    format,
    vec,
    vec::Vec, //
};

fn set(s: &mut State, ino: u64, name: &[u8], value: &[u8], mode: SetMode) -> Result {
    let tx = s.set_xattr(ino, Xattr::copy(name, value)?, mode, at(9))?;
    s.commit(tx)?;
    s.check()
}

#[test]
fn symbolic_links() {
    let mut s = new_state(10);
    let longest = vec![b'x'; 4095];
    let link = symlink(&mut s, ROOT_INO, b"link", &longest);
    assert_eq!(s.get(link).unwrap().target().unwrap(), longest);
    assert_eq!(s.get(link).unwrap().attr.size, 4095);
    for (target, mode, error) in [
        (&b""[..], LINK, EINVAL),
        (b"a\0", LINK, EINVAL),
        (&[b'x'; 4096], LINK, enametoolong()),
        (b"a", FILE, EINVAL),
    ] {
        let result = s.symlink(ROOT_INO, b"n", target, attr(mode, 1));
        assert_eq!(result.err(), Some(error));
    }
    // It has no extents, and no entries.
    assert_eq!(s.map(link, 0, 1), Err(EINVAL));
    assert_eq!(s.remap(link, 0, 1, 1).err(), Some(EINVAL));
    assert_eq!(s.lookup(link, b"a"), Err(ENOTDIR));
    let file = create(&mut s, ROOT_INO, b"file");
    assert_eq!(s.get(file).unwrap().target(), Err(EINVAL));
    let t = s.unlink(ROOT_INO, b"link", at(2)).unwrap();
    commit(&mut s, t);
    let (t, _) = s.evict(link).unwrap();
    commit(&mut s, t);
    assert_eq!(s.inode_count(), 2);
}

#[test]
fn modes_that_make_no_sense() {
    let mut s = new_state(10);
    for mode in [0, 0o644, 0o030644, 0o170644, 0o200000 | FILE] {
        assert_eq!(s.create(ROOT_INO, b"n", attr(mode, 1)).err(), Some(EINVAL));
        assert_eq!(s.tmpfile(attr(mode, 1)).err(), Some(EINVAL));
    }
    assert_eq!(s.create(ROOT_INO, b"n", attr(LINK, 1)).err(), Some(EINVAL));
    assert_eq!(s.tmpfile(attr(FIFO, 1)).err(), Some(EINVAL));
    for mode in [0o010600, 0o020600, 0o060600, 0o140600] {
        let name = format!("{mode:o}");
        let (ino, t) = s.create(ROOT_INO, name.as_bytes(), attr(mode, 1)).unwrap();
        commit(&mut s, t);
        assert!(matches!(s.get(ino).unwrap().kind, InodeKind::Special));
    }
}

#[test]
fn no_more_links_than_fit() {
    const MOST: u32 = (1 << 31) - 1;
    let mut s = new_state(10);
    let file = create(&mut s, ROOT_INO, b"file");
    let dir = mkdir(&mut s, ROOT_INO, b"dir");
    for (ino, mode) in [(file, FILE), (dir, DIR)] {
        let attr = Attr {
            nlink: MOST,
            ..attr(mode, 1)
        };
        s.commit(tx(vec![Op::SetAttr { ino, attr }])).unwrap();
    }
    assert_eq!(s.link(ROOT_INO, b"n", file, at(1)).err(), Some(EMLINK));
    assert_eq!(s.mkdir(dir, b"n", attr(DIR, 1)).err(), Some(EMLINK));
    s.create(dir, b"n", attr(FILE, 1)).unwrap();
    mkdir_unchecked(&mut s, b"other");
    let rename = s.rename(ROOT_INO, b"other", dir, b"n", RenameMode::Replace, at(1));
    assert_eq!(rename.err(), Some(EMLINK));
    // What there is may go.
    let t = s.unlink(ROOT_INO, b"file", at(1)).unwrap();
    s.commit(t).unwrap();
    assert_eq!(nlink(&s, file), MOST - 1);
    s.link(ROOT_INO, b"n", file, at(1)).unwrap();
}

fn mkdir_unchecked(s: &mut State, name: &[u8]) {
    let (_, t) = s.mkdir(ROOT_INO, name, attr(DIR, 1)).unwrap();
    s.commit(t).unwrap();
}

#[test]
fn whiteouts() {
    let mut s = new_state(10);
    let dir = mkdir(&mut s, ROOT_INO, b"dir");
    let file = create(&mut s, ROOT_INO, b"file");
    let other = create(&mut s, dir, b"other");
    let (from, to) = ((ROOT_INO, &b"file"[..]), (dir, &b"other"[..]));
    let not = s.rename_whiteout(from, to, attr(DIR, 1));
    assert_eq!(not.err(), Some(EINVAL));
    let (left, t) = s.rename_whiteout(from, to, attr(FIFO, 7)).unwrap();
    commit(&mut s, t);
    assert_eq!(s.lookup(dir, b"other"), Ok(file));
    assert_eq!(s.lookup(ROOT_INO, b"file"), Ok(left));
    assert_eq!((nlink(&s, left), nlink(&s, other)), (1, 0));
    assert_eq!(s.get(ROOT_INO).unwrap().attr.mtime, at(7));
    // Of a directory: the links follow, a whiteout is not one.
    let (_, t) = s
        .rename_whiteout((ROOT_INO, b"dir"), (ROOT_INO, b"moved"), attr(FIFO, 8))
        .unwrap();
    commit(&mut s, t);
    assert_eq!(nlink(&s, ROOT_INO), 3);
}

#[test]
fn extended_attributes() {
    use SetMode::*;
    let mut s = new_state(10);
    let ino = create(&mut s, ROOT_INO, b"file");
    assert_eq!(s.xattr(ino, b"user.a").err(), Some(enodata()));
    assert_eq!(s.xattr(99, b"user.a").err(), Some(ENOENT));
    assert_eq!(set(&mut s, ino, b"user.a", b"1", Replace), Err(enodata()));
    assert_eq!(set(&mut s, ino, b"user.a", b"1", Create), Ok(()));
    assert_eq!(set(&mut s, ino, b"user.a", b"2", Create), Err(EEXIST));
    assert_eq!(s.xattr(ino, b"user.a").unwrap(), b"1");
    assert_eq!(set(&mut s, ino, b"user.a", b"22", Replace), Ok(()));
    assert_eq!(set(&mut s, ino, b"user.b", b"", Any), Ok(()));
    assert_eq!(set(&mut s, ino, b"trusted.z", &[7; 1 << 16], Any), Ok(()));
    assert_eq!(s.xattr(ino, b"user.a").unwrap(), b"22");
    assert_eq!(s.xattr(ino, b"user.b").unwrap(), b"");
    assert_eq!(s.xattr(ino, b"trusted.z").unwrap(), [7; 1 << 16]);
    assert_eq!(s.get(ino).unwrap().attr.ctime, at(9));
    let names: Vec<_> = s.get(ino).unwrap().xattrs.iter().collect();
    let names: Vec<_> = names.into_iter().map(|x| x.name.to_vec()).collect();
    assert_eq!(names, [&b"trusted.z"[..], b"user.a", b"user.b"]);

    for (name, value, error) in [
        (&b""[..], &b""[..], ERANGE),
        (&[b'n'; 256], b"", ERANGE),
        (b"a\0", b"", EINVAL),
        (b"a", &[0; (1 << 16) + 1], E2BIG),
    ] {
        assert_eq!(set(&mut s, ino, name, value, Any), Err(error));
    }
    let t = s.remove_xattr(ino, b"user.a", at(11)).unwrap();
    commit(&mut s, t);
    assert_eq!(s.get(ino).unwrap().attr.ctime, at(11));
    assert_eq!(s.xattr(ino, b"user.a").err(), Some(enodata()));
    let again = s.remove_xattr(ino, b"user.a", at(11));
    assert_eq!(again.err(), Some(enodata()));
    assert_eq!(s.xattr(ino, b"user.b").unwrap(), b"");
}

#[test]
fn no_more_names_than_can_be_listed() {
    let mut s = new_state(10);
    let ino = create(&mut s, ROOT_INO, b"file");
    // 256 bytes each, with the NUL.
    for i in 0..256 {
        let name = format!("user.{i:0250}");
        assert_eq!(set(&mut s, ino, name.as_bytes(), b"", SetMode::Any), Ok(()));
    }
    assert_eq!(set(&mut s, ino, b"a", b"", SetMode::Any), Err(ENOSPC));
    let name = format!("user.{:0250}", 7);
    assert_eq!(
        set(&mut s, ino, name.as_bytes(), b"2", SetMode::Any),
        Ok(())
    );
    let t = s.remove_xattr(ino, name.as_bytes(), at(1)).unwrap();
    commit(&mut s, t);
    assert_eq!(set(&mut s, ino, b"a", b"", SetMode::Any), Ok(()));
}

#[test]
fn attributes_of_several_new_inodes() {
    // In one record, as a checkpoint may have them: each gets the memory that was reserved for it.
    let mut s = new_state(10);
    let mut ops = Vec::new();
    for ino in 5..9 {
        ops.push(Op::NewInode {
            ino,
            attr: Attr {
                nlink: 0,
                ..attr(FILE, 1)
            },
            parent: 0,
        });
    }
    for i in 0..30 {
        ops.push(Op::SetXattr {
            ino: [7, 1, 5, 7, 8][i % 5],
            name: name(format!("user.{i}").as_bytes()),
            value: KVVec::from_elem(i as u8, i, GFP_KERNEL).unwrap(),
        });
    }
    commit(&mut s, tx(ops));
    let count = |ino| s.get(ino).unwrap().xattrs.iter().count();
    assert_eq!([1, 5, 6, 7, 8].map(count), [6, 6, 0, 12, 6]);
    assert_eq!(s.xattr(7, b"user.3").unwrap(), [3; 3]);
}
