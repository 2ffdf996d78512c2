// SPDX-License-Identifier: GPL-2.0

//! `daxrmap dump` on images.

mod common;

use common::{
    add,
    change_superblock,
    damage,
    daxrmap,
    image,
    mkfs,
    records,
    said,
    write,
    Dir,
    Said,
    Step::*,
    BLOCK,
    BLOCKS,
    UUID, //
};
use serde_json::Value;
use std::path::Path;

fn dump(path: &Path, args: &[&str]) -> Said {
    said(daxrmap().arg("dump").args(args).arg(path))
}

fn json(path: &Path, args: &[&str]) -> Value {
    let said = dump(path, &[&["--json"], args].concat());
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn superblocks_and_regions() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    let out = dump(&path, &[]).fine();
    for line in [
        "first superblock: block 0, good, generation 1",
        "second superblock: block 639, good, generation 1",
        &format!("uuid:      {UUID}"),
        "label:     a\\ b",
        "features:  compat 0x1, ro_compat 0x0, incompat 0x0",
        "blocks:    640 of 4096 bytes (2.5 MiB)",
        "region 1:  blocks 623 to 638",
    ] {
        assert!(out.lines().any(|l| l == line), "{line}\n{out}");
    }
    assert!(out.contains("\nregion 0:  blocks 1 to 16, the log, from record "));
    let value = json(&path, &[]);
    assert_eq!(value["blocks"], 640);
    assert_eq!(value["superblocks"][1]["state"], "good");
    let filesystem = &value["filesystem"];
    assert_eq!(filesystem["uuid"], UUID);
    assert_eq!(filesystem["label"], "a b");
    assert_eq!(filesystem["regions"][0]["active"], true);
    assert_eq!(filesystem["regions"][1]["start"], 623);
    assert!(value.get("log").is_none());

    add(&path, &[Checkpoint]);
    let value = json(&path, &[]);
    assert_eq!(value["filesystem"]["generation"], 2);
    assert_eq!(value["filesystem"]["regions"][1]["active"], true);
}

#[test]
fn what_is_not_written() {
    let dir = Dir::new();
    let steps = [File(1, b"a"), Prepare(2, 3, 4), Convert(2, 4, 1, true)];
    let path = image(&dir, "a", BLOCKS, &steps);
    add(&path, &[Convert(2, 3, 2, false)]);
    let out = dump(&path, &["--log"]).fine();
    for line in [
        "features:  compat 0x1, ro_compat 0x0, incompat 0x1 unwritten",
        "  MapUnwritten 2: pages 3 to 6, blocks 17 to 20",
        "  Convert 2: page 4, to written",
        "  Convert 2: pages 3 to 4, to unwritten",
    ] {
        assert!(out.lines().any(|l| l == line), "{line}\n{out}");
    }
    let value = json(&path, &["--log"]);
    let features = &value["filesystem"]["features"];
    assert_eq!(features["incompat_names"][0], "unwritten");
    let records = value["log"]["records"].as_array().unwrap();
    let operation = |back: usize| &records[records.len() - back]["operations"][0];
    assert_eq!(operation(3)["op"], "MapUnwritten");
    assert_eq!(operation(3)["block"], 17);
    assert_eq!(operation(1)["op"], "Convert");
    assert_eq!(operation(1)["count"], 2);
    assert_eq!(operation(1)["written"], false);
}

#[test]
fn copies_that_are_not_good() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    add(&path, &[Checkpoint]);
    let states = |path: &Path| {
        let value = json(path, &[]);
        [0, 1].map(|i| {
            value["superblocks"][i]["state"]
                .as_str()
                .unwrap()
                .to_owned()
        })
    };
    // Without the newer one it is the older one.
    write(&path, 512, &[0; 512]);
    assert_eq!(states(&path), ["stale", "good"]);
    let value = json(&path, &[]);
    assert_eq!(value["filesystem"]["generation"], 2);
    assert_eq!(
        value["filesystem"]["previous_seq"].as_u64().unwrap() + 1,
        value["filesystem"]["first_seq"].as_u64().unwrap()
    );
    dump(&path, &[]).fine();
    damage(&path, 100);
    assert_eq!(states(&path), ["damaged", "good"]);
    write(&path, 0, &[0; 8]);
    assert_eq!(states(&path), ["none", "good"]);
    // Neither of them.
    for slot in [0, 512] {
        damage(&path, (BLOCKS - 1) * BLOCK + slot + 100);
    }
    let said = dump(&path, &[]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("second superblock: block 639, damaged\n"));
    assert!(said
        .err
        .ends_with(": no copy of the superblock can be used\n"));
    dump(&path, &["--udev"]).failed(1);
    write(&path, (BLOCKS - 1) * BLOCK, &[0; 520]);
    assert_eq!(dump(&path, &[]).failed(1), "not a daxrmap filesystem");
}

#[test]
fn another_version() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    for block in [0, BLOCKS - 1] {
        change_superblock(&path, block * BLOCK, |sb| sb[8] = 9);
    }
    let said = dump(&path, &[]);
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("first superblock: block 0, of version 9\n"),
        "{}",
        said.out
    );
    assert_eq!(json(&path, &[])["superblocks"][1]["version"], 9);
}

#[test]
fn the_log() {
    let dir = Dir::new();
    let path = image(
        &dir,
        "a",
        BLOCKS,
        &[
            Dir(1, b"d"),
            File(2, b"f \xff"),
            Fill(3, 2, 3),
            Bad(500, 2),
            Unlink(2, b"f \xff"),
            Fill(3, 7, 1),
        ],
    );
    let out = dump(&path, &["--log"]).fine();
    for line in [
        ": end of checkpoint, block 1, byte 0, size ",
        "\n  NextIno 2\n",
        "\n  NewInode 1: parent 1, mode 040755, uid 0, gid 0, links 2, size 0, mtime ",
        "\n  NewInode 2: parent 1, mode 040755, ",
        "\n  Link in 1: d is inode 2\n",
        "\n  NewInode 3: mode 100644, ",
        "\n  Link in 2: f\\ \\377 is inode 3\n",
        "\n  Map 3: pages 2 to 4, blocks 17 to 19\n",
        "\n  MarkBad: blocks 500 to 501\n",
        "\n  Unlink in 2: f\\ \\377\n",
        "\n  Map 3: page 7, block 20\n",
        "\nend of the log: block 1, byte ",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert_eq!(out.matches(": transaction, block 1, ").count(), 6);

    let log = &json(&path, &["--log"])["log"];
    let records = log["records"].as_array().unwrap();
    assert_eq!(records.len(), 7);
    assert_eq!(records[0]["kind"], "end of checkpoint");
    let link = &records[2]["operations"][1];
    assert_eq!(link["op"], "Link");
    assert_eq!(link["name"]["path_hex"], "6620ff");
    let map = &records[3]["operations"][0];
    assert_eq!([&map["page"], &map["block"], &map["count"]], [2, 17, 3]);
    assert_eq!(log["end"]["complete"], true);
    assert_eq!(log["end"]["later_records"], 0);
    let seq = |record: &Value| record["seq"].as_u64().unwrap();
    assert_eq!(seq(&log["end"]), seq(&records[0]) + 7);
}

#[test]
fn a_log_with_damage() {
    let dir = Dir::new();
    let steps = [File(1, b"a"), File(1, b"b"), File(1, b"c"), File(1, b"d")];
    let path = image(&dir, "a", BLOCKS, &steps);
    let at = records(&path);
    damage(&path, at[2].at + 40);
    let said = dump(&path, &["--log"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("Link in 1: a "), "{said:?}");
    assert!(!said.out.contains("Link in 1: b "), "{said:?}");
    assert!(
        said.err
            .ends_with("but there is more of it, from block 1 on: 2 records\n"),
        "{said:?}"
    );
    assert_eq!(json(&path, &["--log"])["log"]["end"]["later_records"], 2);
    // Only who asks for it is told.
    dump(&path, &[]).fine();
    damage(&path, at[0].at + 40);
    let said = dump(&path, &["--log"]);
    assert_eq!(said.code, 1);
    assert!(
        said.err.ends_with("its checkpoint is cut off in block 1\n"),
        "{said:?}"
    );
}

#[test]
fn a_device_that_is_too_small() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(600 * BLOCK).unwrap();
    let said = dump(&path, &[]);
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .ends_with("the filesystem has 640 blocks, the device only 600\n"),
        "{said:?}"
    );
}

#[test]
fn for_udev() {
    let dir = Dir::new();
    let path = image(&dir, "a", BLOCKS, &[]);
    assert_eq!(
        dump(&path, &["--udev"]).fine(),
        format!(
            "ID_FS_USAGE=filesystem\nID_FS_TYPE=daxrmap\nID_FS_VERSION=1\n\
             ID_FS_UUID={UUID}\nID_FS_UUID_ENC={UUID}\n\
             ID_FS_LABEL=a_b\nID_FS_LABEL_ENC=a\\x20b\n\
             ID_FS_SIZE=2621440\nID_FS_BLOCKSIZE=4096\n"
        )
    );
    let path = dir.file("b", BLOCKS * BLOCK);
    said(mkfs().args(["-q", "-U", UUID]).arg(&path)).fine();
    assert!(!dump(&path, &["--udev"]).fine().contains("LABEL"));
}

#[test]
fn what_is_nothing_of_ours() {
    let dir = Dir::new();
    let path = dir.file("a", BLOCKS * BLOCK);
    for args in [&[][..], &["--json"], &["--log"], &["--udev"]] {
        assert_eq!(dump(&path, args).failed(1), "not a daxrmap filesystem");
    }
    let none = dir.file("empty", 0);
    dump(&none, &[]).failed(1);
    assert_eq!(dump(Path::new("/"), &[]).failed(1), "Is a directory");
    dump(Path::new("/dev/null"), &[]).failed(1);
}
