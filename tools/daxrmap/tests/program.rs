// SPDX-License-Identifier: GPL-2.0

//! The program: exit status and messages. What it says of a daxrmap mount is tested in the guest
//! (tests/selftests/reports/tool.c).

use std::process::{
    Command,
    Output, //
};

fn daxrmap(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daxrmap"));
    command.args(args).output().unwrap()
}

fn stderr(output: &Output) -> &str {
    assert!(output.stdout.is_empty());
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn errors_are_one_line_and_1() {
    let failed = |args: &[&str], message: &str| {
        let output = daxrmap(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert_eq!(stderr(&output), format!("daxrmap: {message}\n"), "{args:?}");
    };
    for command in ["lost", "status"] {
        failed(
            &[command, "/no/such"],
            "/no/such: No such file or directory",
        );
    }
    let ours = "/proc: not a daxrmap filesystem";
    failed(&["status", "/proc", "--json"], ours);
    failed(&["clear", "/proc", "1"], ours);
    let others = "/proc: not a filesystem of daxrmap, ext4 or XFS";
    failed(&["lost", "/proc", "--json"], others);
    failed(&["owners", "/proc", "1"], others);
}

#[test]
fn no_module_no_guard() {
    if std::path::Path::new("/dev/daxrmap").exists() {
        return;
    }
    let why = "/dev/daxrmap: there is no such device: load the module first (modprobe daxrmap)";
    for args in [
        &["guard", "on"][..],
        &["guard", "off"],
        &["guard", "status"],
        &["guard", "status", "--json"],
    ] {
        let output = daxrmap(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert_eq!(stderr(&output), format!("daxrmap: {why}\n"), "{args:?}");
    }
    for command in ["hold", "release", "wrap", "unwrap"] {
        let output = daxrmap(&["guard", command]);
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
    for command in ["hold", "release", "wrap"] {
        let output = daxrmap(&["guard", command, "/dev/null"]);
        let message = "daxrmap: /dev/null: not a block device\n";
        assert_eq!((output.status.code(), stderr(&output)), (Some(1), message));
    }
}

/// What is written down goes where the environment says.
#[test]
fn state_of_the_guard() {
    let dir = tempfile::tempdir().unwrap();
    let guard = |args: &[&str], state: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daxrmap"));
        command.arg("guard").args(args).env("DAXRMAP_STATE", state);
        command.output().unwrap()
    };
    let state = dir.path().join("a/b");
    for command in ["save", "restore", "save"] {
        let output = guard(&[command], &state);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    }
    let text = std::fs::read_to_string(state.join("guard.json")).unwrap();
    assert!(text.contains("\"version\": 1"), "{text}");
    let output = guard(&["unwrap", "/dev/x"], &state);
    let message =
        "daxrmap: /dev/x: nothing is written down that was made over it, or is called so\n";
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), message));
    std::fs::write(state.join("guard.json"), "x").unwrap();
    for command in [&["save"][..], &["restore"], &["wrap", "--all"]] {
        let output = guard(command, &state);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("not what we have written"));
    }
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = guard(&["save"], &file);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn usage_is_2() {
    for args in [
        &[][..],
        &["frob"],
        &["lost"],
        &["owners", "/proc"],
        &["owners", "/proc", "x"],
        &["clear", "/proc"],
        &["clear", "/proc", "x"],
        &["clear", "/proc", "1", "0"],
        &["clear", "/proc", "1", "2", "3"],
    ] {
        let output = daxrmap(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!stderr(&output).starts_with("error"), "{args:?}");
        assert!(!stderr(&output).is_empty());
    }
    let output = daxrmap(&["owners", "/proc", "x"]);
    assert!(stderr(&output).starts_with("daxrmap: invalid value 'x' for '[BLOCK]': not a number"));
}

#[test]
fn help_is_no_error() {
    for arg in ["--help", "--version"] {
        let output = daxrmap(&[arg]);
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stderr.is_empty());
        assert!(std::str::from_utf8(&output.stdout)
            .unwrap()
            .contains("daxrmap"));
    }
}
