// SPDX-License-Identifier: GPL-2.0

//! `mkfs.daxrmap` on images: each option, and each refusal.

mod common;

use common::{
    blkid,
    fsck,
    mkfs,
    read,
    said,
    write,
    Dir,
    Said,
    BLOCK,
    UUID, //
};
use std::{
    fs,
    os::unix::{
        fs::MetadataExt,
        process::CommandExt, //
    },
    path::Path,
    process::Command,
};

const MIB: u64 = 1 << 20;

fn make(args: &[&str], path: &Path) -> Said {
    said(mkfs().args(args).arg(path))
}

/// A number in a superblock.
fn number(path: &Path, block: u64, at: u64) -> u64 {
    u64::from_le_bytes(read(path, block * BLOCK + at, 8).try_into().unwrap())
}

fn is_ours(path: &Path, blocks: u64) -> bool {
    [0, blocks - 1]
        .iter()
        .all(|block| read(path, block * BLOCK, 8) == b"daxrmap\0")
}

#[test]
fn as_large_as_the_file() {
    let dir = Dir::new();
    // Without what is no whole block.
    let path = dir.file("a b", 4 * MIB + 4095);
    let out = make(&["-U", UUID, "-L", "gr\u{fc}n 1"], &path).fine();
    let expected = format!(
        "{}/a\\ b: daxrmap\n\
         uuid   {UUID}\n\
         label  gr\u{fc}n\\ 1\n\
         size   1024 blocks of 4096 bytes (4 MiB)\n\
         log    blocks 1 to 16, blocks 1007 to 1022 (64 KiB each)\n",
        path.parent().unwrap().display()
    );
    assert_eq!(out, expected);
    assert!(is_ours(&path, 1024));
    assert_eq!(read(&path, 0, 512), read(&path, 1023 * BLOCK, 512));
    assert_eq!(read(&path, 40, 2), [0x01, 0x23]);
    assert_eq!(read(&path, 56, 8), "gr\u{fc}n 1\0".as_bytes());
    assert_eq!(number(&path, 0, 128), 1024);
    assert_eq!(fs::metadata(&path).unwrap().len(), 4 * MIB + 4095);
}

#[test]
fn a_file_is_created_or_made_larger() {
    let dir = Dir::new();
    let path = dir.path("new");
    assert!(make(&["-s", "3M"], &path).fine().contains("768 blocks"));
    assert_eq!(fs::metadata(&path).unwrap().len(), 3 * MIB);
    assert!(is_ours(&path, 768));

    let path = dir.file("small", MIB);
    make(&["-s", "5M", "-q"], &path).fine();
    assert_eq!(fs::metadata(&path).unwrap().len(), 5 * MIB);
    assert!(is_ours(&path, 1280));

    // A part of a file is none of its size.
    let path = dir.file("large", 8 * MIB);
    make(&["-s", "2M"], &path).fine();
    assert_eq!(fs::metadata(&path).unwrap().len(), 8 * MIB);
    assert!(is_ours(&path, 512));
}

#[test]
fn uuids_are_random() {
    let dir = Dir::new();
    let uuid = |name| {
        let out = make(&[], &dir.file(name, 2 * MIB)).fine();
        let line = out.lines().nth(1).unwrap().to_owned();
        assert_eq!(line.len(), "uuid   ".len() + UUID.len());
        // It says that it is.
        assert!(line[21..].starts_with('4') && "89ab".contains(&line[26..27]));
        line
    };
    assert_ne!(uuid("a"), uuid("b"));
}

#[test]
fn a_log_does_not_go_on_with_that_of_the_same_uuid() {
    let dir = Dir::new();
    let path = dir.file("a", 2 * MIB);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..4 {
        make(&["-f", "-U", UUID], &path).fine();
        assert!(seen.insert(number(&path, 0, 184)));
    }
}

#[test]
fn a_large_one_is_small() {
    let dir = Dir::new();
    let path = dir.path("a");
    make(&["-s", "1T"], &path).fine();
    assert!(is_ours(&path, 1 << 28));
    assert!(fs::metadata(&path).unwrap().blocks() * 512 < MIB);
}

#[test]
fn quiet() {
    let dir = Dir::new();
    assert_eq!(make(&["-q"], &dir.file("a", 2 * MIB)).fine(), "");
}

#[test]
fn a_dry_run_writes_nothing() {
    let dir = Dir::new();
    let path = dir.file("a", 4 * MIB);
    let out = make(&["-n", "-U", UUID], &path).fine();
    assert!(out.contains(": daxrmap, not made\n"), "{out}");
    let lines = |out: &str| out.lines().skip(1).collect::<Vec<_>>().join("\n");
    assert_eq!(fs::metadata(&path).unwrap().blocks(), 0);

    let new = dir.path("new");
    assert!(make(&["-n", "-s", "1G"], &new).fine().contains("262144"));
    assert!(!new.exists());
    make(&["-n", "-s", "1G"], &path).fine();
    assert_eq!(fs::metadata(&path).unwrap().len(), 4 * MIB);

    // It says what is made then.
    assert_eq!(lines(&make(&["-U", UUID], &path).fine()), lines(&out));
    let before = fs::read(&path).unwrap();
    make(&["-n"], &path).failed(1);
    make(&["-n", "-f"], &path).fine();
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn sizes_that_are_not_possible() {
    let dir = Dir::new();
    let path = dir.file("a", 2 * MIB - 1);
    assert_eq!(
        make(&[], &path).failed(1),
        "2097151 bytes, 2 MiB is the least"
    );
    let new = dir.path("new");
    for size in ["0", "1M", "8P"] {
        make(&["-s", size], &new).failed(1);
        assert!(!new.exists());
    }
    for size in ["", "x", "-1", "1.5G", "99999999999999999999"] {
        let said = make(&["-s", size], &new);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{size}");
        assert!(said.err.starts_with("mkfs.daxrmap: "), "{}", said.err);
        assert!(!new.exists());
    }
    assert_eq!(fs::read(&path).unwrap(), vec![0; 2 * MIB as usize - 1]);
}

/// First block and number of blocks of each region, as the superblock has them.
fn regions(path: &Path) -> [u64; 4] {
    [144, 152, 160, 168].map(|at| number(path, 0, at))
}

#[test]
fn a_log_as_large_as_somebody_says() {
    let dir = Dir::new();
    let path = dir.file("a", 4 * MIB);
    // Without what is no whole block.
    let args = ["-l", "1025K", "-U", UUID];
    let line = "log    blocks 1 to 256, blocks 767 to 1022 (1 MiB each)\n";
    let dry = make(&[&["-n"], &args[..]].concat(), &path).fine();
    assert!(dry.ends_with(line), "{dry}");
    assert_eq!(read(&path, 0, 8), [0; 8]);
    assert!(make(&args, &path).fine().ends_with(line));
    assert_eq!(regions(&path), [1, 256, 767, 256]);
    said(fsck().arg("-n").arg(&path)).fine();

    // As small and as large as can be; the other way round than by a 64th.
    let path = dir.path("b");
    make(&["-s", "64M", "-l", "64k"], &path).fine();
    assert_eq!(regions(&path), [1, 16, 16384 - 17, 16]);
    let path = dir.path("c");
    make(&["-s", "2M", "-l", "988K"], &path).fine();
    assert_eq!(regions(&path), [1, 247, 264, 247]);
    for name in ["b", "c"] {
        said(fsck().arg("-n").arg(dir.path(name))).fine();
    }
    let path = dir.path("d");
    make(&["-s", "1T", "-l", "1G"], &path).fine();
    assert_eq!(regions(&path)[1], 262_144);
    assert!(fs::metadata(&path).unwrap().blocks() * 512 < MIB);
}

#[test]
fn logs_that_are_not_possible() {
    let dir = Dir::new();
    let path = dir.file("a", 4 * MIB);
    let new = dir.path("new");
    for size in ["0", "4K", "65535"] {
        let bytes = size.replace("4K", "4096");
        let why = format!("regions of {bytes} bytes are too small for a log, 64 KiB is the least");
        assert_eq!(make(&["-l", size], &path).failed(1), why);
        assert_eq!(make(&["-n", "-l", size], &path).failed(1), why);
        assert_eq!(make(&["-s", "4M", "-l", size], &new).failed(1), why);
    }
    for (size, bytes) in [
        ("2016K", 2016 << 10),
        ("2M", 2 << 20),
        ("16383P", 16383u64 << 50),
    ] {
        let why = format!(
            "a log with two regions of {bytes} bytes is too large for 4 MiB, 2060288 bytes is the most for one"
        );
        assert_eq!(make(&["-l", size], &path).failed(1), why);
        assert_eq!(make(&["-n", "-s", "4M", "-l", size], &new).failed(1), why);
    }
    for size in ["", "x", "-1", "1.5M", "99999999999999999999"] {
        let said = make(&["-l", size], &path);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{size}");
    }
    assert!(!new.exists());
    assert_eq!(fs::metadata(&path).unwrap().blocks(), 0);
}

#[test]
fn labels_and_uuids_that_are_not_possible() {
    let dir = Dir::new();
    let path = dir.file("a", 2 * MIB);
    // 65 bytes, in 33 letters.
    let long = format!("{}x", "\u{fc}".repeat(32));
    assert_eq!(
        make(&["-L", &long], &path).failed(1),
        "the label has 65 bytes, 64 is the most"
    );
    for uuid in [
        "",
        "x",
        "01234567-89ab-4def-8123-456789abcde",
        "01234567-89ab-4def-8123-456789abcdef0",
        "0123456789ab4def8123456789abcdef",
        "01234567-89ab-4def-8123-456789abcdeg",
        "01234567-89ab-4def-8123+456789abcdef",
        "{01234567-89ab-4def-8123-456789abcdef}",
        "01234567-89ab-4def-8123-456789abc\u{fc}f",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let said = make(&["-U", uuid], &path);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{uuid}");
    }
    assert_eq!(fs::metadata(&path).unwrap().blocks(), 0);
    make(&["-L", &long[..64]], &path).fine();
    assert_eq!(read(&path, 56, 64), &long.as_bytes()[..64]);
}

#[test]
fn what_is_no_device() {
    let dir = Dir::new();
    assert_eq!(
        make(&[], &dir.path("none")).failed(1),
        "No such file or directory"
    );
    assert_eq!(make(&[], Path::new("/")).failed(1), "Is a directory");
    assert_eq!(
        make(&["-s", "2M"], Path::new("/dev/null")).failed(1),
        "neither a block device nor a regular file"
    );
    assert_eq!(
        make(&["-s", "2M"], &dir.path("no/such")).failed(1),
        "No such file or directory"
    );
    let said = said(&mut mkfs());
    assert_eq!(said.code, 1);
    assert!(said.err.contains("<DEV>"), "{}", said.err);
}

#[test]
fn no_permission() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = Dir::new();
    let path = dir.file("a", 2 * MIB);
    // Nobody, with a program that it can get at.
    let exe = fs::File::open(mkfs().get_program()).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&exe);
    rustix::io::fcntl_setfd(&exe, rustix::io::FdFlags::empty()).unwrap();
    let mut command = Command::new(format!("/proc/self/fd/{fd}"));
    let said = said(command.uid(65534).arg(&path));
    assert_eq!(said.failed(1), "Permission denied");
    assert_eq!(fs::metadata(&path).unwrap().blocks(), 0);
}

#[test]
fn version_and_help() {
    for arg in ["-V", "--version", "-h", "--help"] {
        let out = said(mkfs().arg(arg)).fine();
        assert!(out.contains("daxrmap"), "{out}");
    }
}

#[test]
fn what_is_ours_is_refused() {
    let dir = Dir::new();
    let made = |name: &str| {
        let path = dir.file(name, 4 * MIB);
        make(&["-q", "-U", UUID], &path).fine();
        path
    };
    let refused = |path: &Path, args: &[&str]| {
        let before = fs::read(path).unwrap();
        let why = make(args, path).failed(1);
        assert!(why.starts_with("it holds a daxrmap filesystem"), "{why}");
        assert_eq!(fs::read(path).unwrap(), before);
        why
    };
    let path = made("whole");
    assert!(refused(&path, &[]).contains(UUID));
    refused(&path, &["-s", "2M"]);
    // One copy is enough, and a damaged one too.
    for (name, block) in [("first", 0), ("second", 1023)] {
        let path = made(name);
        write(&path, block * BLOCK, &[0; 512]);
        assert!(refused(&path, &[]).contains(UUID));
        write(&path, (1023 - block) * BLOCK + 60, &[1]);
        assert!(refused(&path, &[]).contains("damaged"));
    }
    let path = made("both");
    make(&["-f", "-q", "-s", "2M"], &path).fine();
    assert!(is_ours(&path, 512));
    // The old one's second copy is gone.
    assert_eq!(read(&path, 1023 * BLOCK, 512), [0; 512]);
}

/// An image of something else.
fn foreign(dir: &Dir, kind: &str) -> std::path::PathBuf {
    let path = dir.file(kind, 16 * MIB);
    match kind {
        "ext4" => {
            let mut command = Command::new("mke2fs");
            said(command.args(["-q", "-F", "-t", "ext4"]).arg(&path)).fine();
        }
        "swap" => {
            said(Command::new("mkswap").arg("-q").arg(&path));
        }
        "btrfs" => {
            let at = 0x10000;
            let mut sb = vec![0u8; 4096];
            sb[0x40..0x48].copy_from_slice(b"_BHRfS_M");
            sb[0x90..0x94].copy_from_slice(&4096u32.to_le_bytes());
            let sum = crc32c::crc32c(&sb[32..]);
            sb[..4].copy_from_slice(&sum.to_le_bytes());
            write(&path, at, &sb);
        }
        "dos" => {
            // A partition of 4 MiB at 1 MiB.
            write(&path, 446, &[0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 32]);
            write(&path, 510, &[0x55, 0xaa]);
        }
        "linux_raid_member" => {
            // Version 1.0: 8 KiB before the end.
            let at = 16 * MIB - 8192;
            let mut sb = vec![0u8; 256];
            sb[0..4].copy_from_slice(&0xa92b_4efcu32.to_le_bytes());
            sb[4..8].copy_from_slice(&1u32.to_le_bytes());
            sb[16..32].fill(9);
            sb[144..152].copy_from_slice(&(at / 512).to_le_bytes());
            let words = sb
                .chunks(4)
                .map(|word| u32::from_le_bytes(word.try_into().unwrap()));
            let sum: u64 = words.map(u64::from).sum();
            let sum = (sum & 0xffff_ffff) as u32 + (sum >> 32) as u32;
            sb[216..220].copy_from_slice(&sum.to_le_bytes());
            write(&path, at, &sb);
        }
        _ => unreachable!(),
    }
    path
}

#[test]
fn what_others_have_is_refused_and_then_gone() {
    let dir = Dir::new();
    for kind in ["ext4", "swap", "btrfs", "dos", "linux_raid_member"] {
        let path = foreign(&dir, kind);
        let before = fs::read(&path).unwrap();
        assert!(
            blkid(&path).out.contains(&format!("TYPE={kind}\n")),
            "{kind}"
        );
        for args in [&[][..], &["-n"], &["-s", "4M"], &["-q"]] {
            let why = make(args, &path).failed(1);
            assert!(why.starts_with("it holds ") && why.contains(kind), "{why}");
        }
        make(&["-f", "-n"], &path).fine();
        assert_eq!(fs::read(&path).unwrap(), before);
        make(&["-f"], &path).fine();
        assert_eq!(blkid(&path).code, 2, "{kind}");
        assert!(is_ours(&path, 4096));
    }
}

/// A PATH with a program in front that says what it should not.
fn with_fake(dir: &Dir, name: &str, script: &str) -> String {
    let bin = dir.path(&format!("bin-{name}"));
    fs::create_dir(&bin).unwrap();
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&path, mode).unwrap();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

#[test]
fn without_blkid_nobody_can_tell() {
    let dir = Dir::new();
    let path = dir.file("a", 4 * MIB);
    for (name, script) in [
        // Another program of that name; one that fails.
        ("1", "exit 0"),
        (
            "2",
            "[ \"$1\" = -V ] && echo libblkid && exit 0\necho no >&2; exit 4",
        ),
    ] {
        let fake = Dir::new();
        let search = with_fake(&fake, "blkid", script);
        let run = |args: &[&str]| said(mkfs().env("PATH", &search).args(args).arg(&path));
        let why = run(&[]);
        assert!(
            why.err
                .contains("nobody can tell whether it holds something"),
            "{name} {why:?}"
        );
        why.failed(1);
        assert_eq!(read(&path, 0, 8), [0; 8]);
        run(&["-f"]).fine();
        assert!(is_ours(&path, 1024));
        write(&path, 0, &vec![0; 4 * MIB as usize]);
    }
}

#[test]
fn without_wipefs_it_is_gone_too() {
    let dir = Dir::new();
    let search = with_fake(&dir, "wipefs", "exit 1");
    for kind in ["btrfs", "ext4", "linux_raid_member"] {
        let path = foreign(&dir, kind);
        said(mkfs().env("PATH", &search).arg("-f").arg(&path)).fine();
        assert_eq!(blkid(&path).code, 2, "{kind}");
        assert!(is_ours(&path, 4096));
    }
}

#[test]
fn standard_output_that_takes_nothing() {
    let dir = Dir::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let said = said(mkfs().arg(dir.file("a", 2 * MIB)).stdout(full));
    assert_eq!(said.code, 1);
    assert_eq!(
        said.err,
        "mkfs.daxrmap: standard output: No space left on device\n"
    );
}
