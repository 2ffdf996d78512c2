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
    for command in ["lost", "status"] {
        let output = daxrmap(&[command, "/no/such"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output),
            "daxrmap: /no/such: No such file or directory\n"
        );
        let output = daxrmap(&[command, "/proc", "--json"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output),
            "daxrmap: /proc: not a daxrmap filesystem\n"
        );
    }
    for command in ["owners", "clear"] {
        let output = daxrmap(&[command, "/proc", "1"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output),
            "daxrmap: /proc: not a daxrmap filesystem\n"
        );
    }
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
