// SPDX-License-Identifier: GPL-2.0

//! The images of tests/images: what earlier versions have made is read as it was then.
//!
//! The listings beside them come from the module (tests/selftests/common/files/listing.c); here they
//! are made of the state and the image's bytes.

use crate::{
    crash::Recorder,
    errno::eopnotsupp,
    journal::{
        Journal,
        Opened,
        Store, //
    },
    media::BLOCK_SIZE,
    snapshot::{
        entries,
        Snapshot, //
    },
    state::{
        Attr,
        InodeKind,
        State,
        ROOT_INO, //
    },
    state_tests::{
        attr,
        FILE, //
    },
    SECRET, //
};
use kernel::prelude::EROFS;
use std::{
    format,
    fs,
    path::{
        Path,
        PathBuf, //
    },
    process::Command,
    rc::Rc,
    string::String,
    vec::Vec, //
};

const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../images");

fn fnv(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap()
}

struct Listing<'a> {
    state: &'a State,
    bytes: &'a [u8],
    lines: Vec<String>,
}

impl Listing<'_> {
    /// A file's contents, page by page; `None` where they are lost.
    fn sum(&self, ino: u64, size: u64) -> u64 {
        let map = self.state.get(ino).unwrap().as_file().unwrap();
        let mut sum = 0xcbf2_9ce4_8422_2325;
        for page in 0..size.div_ceil(BLOCK_SIZE) {
            let len = (size - page * BLOCK_SIZE).min(BLOCK_SIZE) as usize;
            let extent = map.in_range(page..page + 1).next();
            let block = extent.map(|e| e.block + page.saturating_sub(e.pgoff));
            sum = match block {
                None => fnv(sum, &[0; BLOCK_SIZE as usize][..len]),
                Some(block) if self.state.is_bad(block) => fnv(sum, b"EIO"),
                Some(block) => {
                    let at = (block * BLOCK_SIZE) as usize;
                    fnv(sum, &self.bytes[at..at + len])
                }
            };
        }
        sum
    }

    fn inode(&mut self, path: &str, ino: u64) {
        let state = self.state;
        let inode = state.get(ino).unwrap();
        let Attr {
            mode,
            uid,
            gid,
            nlink,
            mtime,
            size,
            rdev,
            flags,
            ..
        } = inode.attr;
        let kind = match &inode.kind {
            InodeKind::Dir(_) => "dir",
            InodeKind::File(_) => "file",
            InodeKind::Symlink(_) => "symlink",
            InodeKind::Special => "special",
        };
        let mut line = format!(
            "{kind} {path} ino={ino} mode={mode:o} uid={uid} gid={gid} links={nlink} dev={}:{} mtime={}.{:09}",
            rdev >> 20, rdev & 0xf_ffff, mtime.sec, mtime.nsec
        );
        match &inode.kind {
            InodeKind::File(map) => {
                let sum = self.sum(ino, size);
                line += &format!(" flags={flags} size={size} sum={sum:016x} extents=");
                for e in map.iter() {
                    line += &format!("{}+{}@{},", e.pgoff, e.len, e.block);
                }
            }
            InodeKind::Symlink(target) => line += &format!(" target={}", text(target)),
            InodeKind::Dir(_) => self.directory(path, ino),
            InodeKind::Special => {}
        }
        self.lines.push(line);
        for xattr in inode.xattrs.iter() {
            let (name, value) = (text(&xattr.name), text(&xattr.value));
            self.lines.push(format!("xattr {path} {name}={value}"));
        }
    }

    fn directory(&mut self, path: &str, ino: u64) {
        for (_, name, ino, _) in entries(self.state, ino) {
            self.inode(&format!("{path}/{}", text(&name)), ino);
        }
    }

    fn lost(&mut self) {
        for owner in self.state.owners().iter() {
            for (i, block) in (owner.block..owner.block + owner.len).enumerate() {
                if self.state.is_bad(block) {
                    let page = owner.pgoff + i as u64;
                    self.lines
                        .push(format!("lost block={block} ino={} page={page}", owner.ino));
                }
            }
        }
    }
}

fn listing(state: &State, bytes: &[u8]) -> Vec<String> {
    let mut list = Listing {
        state,
        bytes,
        lines: Vec::new(),
    };
    list.directory("", ROOT_INO);
    list.lost();
    list.lines.push(format!(
        "blocks total={} free={} bad={} inodes={}",
        state.total_blocks(),
        state.free_blocks(),
        state.bad_blocks(),
        state.inode_count()
    ));
    list.lines.sort();
    list.lines
}

fn unpack(path: &Path) -> Recorder {
    let out = Command::new("xz").arg("-dc").arg(path).output().unwrap();
    assert!(out.status.success(), "{}", path.display());
    Recorder::new(out.stdout)
}

/// It can be changed, and that is there when it is opened again.
fn change(opened: Opened, medium: Recorder) {
    let blocks = opened.state.total_blocks();
    let medium = Rc::new(medium);
    let mut store = Store::new(opened, medium.clone());
    store.make_writable().unwrap();
    let (_, tx) = store
        .change()
        .create(ROOT_INO, b"new", attr(FILE, 1))
        .unwrap();
    store.commit(tx).unwrap();
    store.state().check().unwrap();
    // It has a secret from then on.
    let again = Journal::open(&medium, blocks, [1; 16]).unwrap();
    assert!(!again.lacks);
    assert_eq!(again.copies[0], again.copies[1], "both superblocks are new");
    assert_eq!(Snapshot::of(&again.state), Snapshot::of(store.state()));
}

/// One image; the rest of its name is in the panic's message.
fn check(path: &Path) {
    let text = fs::read_to_string(path.with_extension("").with_extension("list")).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let medium = unpack(path);
    let blocks = medium.bytes.borrow().len() as u64 / BLOCK_SIZE;
    let opened = match (first, Journal::open(&medium, blocks, SECRET)) {
        ("mount no", Err(e)) => {
            assert_eq!(e, eopnotsupp());
            return;
        }
        ("mount rw" | "mount ro", Ok(opened)) => opened,
        (_, result) => panic!("{first}: {:?}", result.map(|_| ())),
    };
    assert_eq!(opened.can_write, first == "mount rw");
    opened.state.check().unwrap();
    let mut want: Vec<_> = rest.lines().map(String::from).collect();
    want.sort();
    assert_eq!(listing(&opened.state, &medium.bytes.borrow()), want);
    if opened.can_write {
        change(opened, medium);
    } else {
        let mut store = Store::new(opened, &medium);
        assert_eq!(store.make_writable(), Err(EROFS));
    }
}

#[test]
fn are_read_as_they_were_made() {
    let mut images: Vec<PathBuf> = fs::read_dir(IMAGES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "xz"))
        .collect();
    images.sort();
    assert!(images.len() >= 7, "{images:?}");
    for path in images {
        std::eprintln!("{}", path.display());
        check(&path);
    }
}
