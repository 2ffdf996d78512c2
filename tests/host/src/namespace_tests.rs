// SPDX-License-Identifier: GPL-2.0

//! Tests of the namespace: names, links, rename, readdir.

use crate::errno::{
    enametoolong,
    enotempty, //
};
use crate::{
    snapshot::entries,
    state::{
        check_name,
        RenameMode,
        FIRST_COOKIE,
        ROOT_INO, //
    },
    state_tests::{
        at,
        attr,
        commit,
        create,
        mkdir,
        new_state,
        nlink,
        DIR,
        FILE, //
    }, //
};
use kernel::prelude::*;
use std::{
    collections::BTreeMap,
    format, //
};

#[test]
fn namespace_errors() {
    let mut s = new_state(10);
    let file = create(&mut s, ROOT_INO, b"file");
    let dir = mkdir(&mut s, ROOT_INO, b"dir");
    create(&mut s, dir, b"inner");
    let now = at(9);
    let long = [b'x'; 256];

    for (d, n, error) in [
        (ROOT_INO, &b"file"[..], EEXIST),
        (99, b"a", ENOENT),
        (file, b"a", ENOTDIR),
        (ROOT_INO, b"", EINVAL),
        (ROOT_INO, b".", EINVAL),
        (ROOT_INO, b"..", EINVAL),
        (ROOT_INO, b"a/b", EINVAL),
        (ROOT_INO, b"a\0", EINVAL),
        (ROOT_INO, &long, enametoolong()),
    ] {
        assert_eq!(s.create(d, n, attr(FILE, 0)).err(), Some(error));
        assert_eq!(s.mkdir(d, n, attr(DIR, 0)).err(), Some(error));
        assert_eq!(s.link(d, n, file, now).err(), Some(error));
    }
    check_name(&long[..255]).unwrap();
    assert_eq!(s.create(ROOT_INO, b"n", attr(DIR, 0)).err(), Some(EINVAL));
    assert_eq!(s.mkdir(ROOT_INO, b"n", attr(FILE, 0)).err(), Some(EINVAL));
    assert_eq!(s.tmpfile(attr(DIR, 0)).err(), Some(EINVAL));
    assert_eq!(s.link(ROOT_INO, b"n", dir, now).err(), Some(EPERM));
    assert_eq!(s.lookup(ROOT_INO, b"nope"), Err(ENOENT));
    assert_eq!(s.lookup(file, b"nope"), Err(ENOTDIR));
    assert_eq!(s.unlink(ROOT_INO, b"dir", now).err(), Some(EISDIR));
    assert_eq!(s.unlink(ROOT_INO, b"nope", now).err(), Some(ENOENT));
    assert_eq!(s.rmdir(ROOT_INO, b"file", now).err(), Some(ENOTDIR));
    assert_eq!(s.rmdir(ROOT_INO, b"dir", now).err(), Some(enotempty()));
    assert_eq!(s.evict(file).err(), Some(EBUSY));
    assert_eq!(s.evict(77).err(), Some(ENOENT));
    assert_eq!(s.map(dir, 0, 1), Err(EISDIR));
    assert_eq!(s.map(file, 0, 0), Err(EINVAL));
}

#[test]
fn links_and_times() {
    let mut s = new_state(10);
    let dir = mkdir(&mut s, ROOT_INO, b"dir");
    assert_eq!((nlink(&s, dir), nlink(&s, ROOT_INO)), (2, 3));
    assert_eq!(s.get(dir).unwrap().as_dir().unwrap().parent(), ROOT_INO);
    let file = create(&mut s, dir, b"a");
    assert_eq!(nlink(&s, file), 1);
    assert_eq!(s.get(dir).unwrap().attr.mtime, at(5));

    let t = s.link(ROOT_INO, b"b", file, at(6)).unwrap();
    commit(&mut s, t);
    let file_attr = s.get(file).unwrap().attr;
    assert_eq!(
        (file_attr.nlink, file_attr.ctime, file_attr.mtime),
        (2, at(6), at(5))
    );
    let root = s.get(ROOT_INO).unwrap().attr;
    assert_eq!((root.mtime, root.ctime, root.atime), (at(6), at(6), at(1)));

    let t = s.unlink(dir, b"a", at(7)).unwrap();
    commit(&mut s, t);
    assert_eq!((nlink(&s, file), s.lookup(dir, b"a")), (1, Err(ENOENT)));
    assert_eq!(s.lookup(ROOT_INO, b"b"), Ok(file));
    let t = s.rmdir(ROOT_INO, b"dir", at(8)).unwrap();
    commit(&mut s, t);
    assert_eq!((nlink(&s, dir), nlink(&s, ROOT_INO)), (0, 2));
    // Nothing can be created in a directory that is gone.
    assert_eq!(s.create(dir, b"x", attr(FILE, 0)).err(), Some(ENOENT));
    let (t, _) = s.evict(dir).unwrap();
    commit(&mut s, t);
    assert!(s.inode(dir).is_none());
    assert!(
        create(&mut s, ROOT_INO, b"new") > file,
        "numbers are not reused"
    );
}

#[test]
fn rename_rules() {
    use RenameMode::*;
    let mut s = new_state(10);
    let a = mkdir(&mut s, ROOT_INO, b"a");
    let b = mkdir(&mut s, a, b"b");
    let f = create(&mut s, ROOT_INO, b"f");
    let g = create(&mut s, b, b"g");
    let e = mkdir(&mut s, ROOT_INO, b"e");
    let now = at(20);
    let root = ROOT_INO;

    for (od, on, nd, nn, mode, error) in [
        (root, &b"x"[..], root, &b"y"[..], Replace, ENOENT),
        (root, b"f", b, b"g", NoReplace, EEXIST),
        (root, b"f", b, b"zz", Exchange, ENOENT),
        (root, b"f", root, b"e", Replace, EISDIR),
        (root, b"e", root, b"f", Replace, ENOTDIR),
        (root, b"e", root, b"a", Replace, enotempty()),
        (root, b"a", b, b"x", Replace, EINVAL),
        (root, b"a", a, b"x", Replace, EINVAL),
        (a, b"b", root, b"a", Exchange, EINVAL),
        (root, b"f", root, b"..", Replace, EINVAL),
        (root, b"f", f, b"x", Replace, ENOTDIR),
    ] {
        assert_eq!(
            s.rename(od, on, nd, nn, mode, now).err(),
            Some(error),
            "{on:?} -> {nn:?}"
        );
    }
    assert!(s
        .rename(root, b"f", root, b"f", Replace, now)
        .unwrap()
        .ops()
        .is_empty());

    // A directory moves: the links and ".." follow.
    let t = s.rename(a, b"b", root, b"b2", NoReplace, now).unwrap();
    commit(&mut s, t);
    assert_eq!((nlink(&s, a), nlink(&s, root)), (2, 5));
    assert_eq!(s.get(b).unwrap().as_dir().unwrap().parent(), root);
    assert_eq!(s.get(a).unwrap().attr.mtime, now);

    // It replaces an empty one, which is an orphan then.
    let t = s.rename(root, b"b2", root, b"e", Replace, now).unwrap();
    commit(&mut s, t);
    assert_eq!((nlink(&s, e), nlink(&s, root)), (0, 4));
    assert_eq!(s.lookup(root, b"e"), Ok(b));

    // Replaces a file.
    let t = s.rename(root, b"f", b, b"g", Replace, now).unwrap();
    commit(&mut s, t);
    assert_eq!((nlink(&s, g), nlink(&s, f)), (0, 1));
    assert_eq!(s.lookup(b, b"g"), Ok(f));

    // Exchanges a file deep down with a directory.
    let t = s.rename(b, b"g", root, b"a", Exchange, now).unwrap();
    commit(&mut s, t);
    assert_eq!((s.lookup(b, b"g"), s.lookup(root, b"a")), (Ok(a), Ok(f)));
    assert_eq!((nlink(&s, b), nlink(&s, root)), (3, 3));
}

#[test]
fn readdir_is_stable() {
    let mut s = new_state(10);
    let mut cookies = BTreeMap::new();
    for i in 0..200 {
        create(&mut s, ROOT_INO, format!("f{i}").as_bytes());
    }
    for (cookie, n, ..) in entries(&s, ROOT_INO) {
        assert!((FIRST_COOKIE..1 << 62).contains(&cookie));
        cookies.insert(n, cookie);
    }
    assert_eq!(cookies.len(), 200);
    for i in (0..200).step_by(3) {
        let t = s
            .unlink(ROOT_INO, format!("f{i}").as_bytes(), at(1))
            .unwrap();
        s.commit(t).unwrap();
        let (_, t) = s
            .create(ROOT_INO, format!("g{i}").as_bytes(), attr(FILE, 1))
            .unwrap();
        s.commit(t).unwrap();
    }
    s.check().unwrap();
    for (cookie, n, ..) in entries(&s, ROOT_INO) {
        if n.starts_with(b"f") {
            assert_eq!(cookies[&n], cookie);
        }
    }
}
