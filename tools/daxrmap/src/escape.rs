// SPDX-License-Identifier: GPL-2.0

//! Paths as text, so that each is one word of one line and can be told from every other: as `ls -b`.
//!
//! Blanks and backslashes get a backslash, control characters the escapes of C, and bytes that are not
//! UTF-8 three octal digits each.

use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt::Write,
    os::unix::ffi::OsStrExt, //
};

/// The path as text.
pub fn escape(path: &OsStr) -> Cow<'_, str> {
    match path.to_str() {
        Some(text) if !text.contains(needs_escape) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(path.as_bytes())),
    }
}

fn needs_escape(c: char) -> bool {
    c == ' ' || c == '\\' || c.is_control()
}

fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if needs_escape(c) {
                push_char(&mut out, c);
            } else {
                out.push(c);
            }
        }
        push_octal(&mut out, chunk.invalid());
    }
    out
}

fn push_char(out: &mut String, c: char) {
    let letter = match c {
        ' ' | '\\' => c,
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        _ => return push_octal(out, c.encode_utf8(&mut [0; 4]).as_bytes()),
    };
    out.push('\\');
    out.push(letter);
}

fn push_octal(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(out, "\\{byte:03o}").expect("a String takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        escape(OsStr::from_bytes(bytes)).into_owned()
    }

    #[test]
    fn plain_names_stay() {
        for name in ["/mnt/a", "", "/mnt/gr\u{fc}n\u{2713}", "a'b\"c$d*"] {
            assert_eq!(text(name.as_bytes()), name);
        }
    }

    #[test]
    fn as_ls_b() {
        assert_eq!(text(b"a b\\c"), r"a\ b\\c");
        assert_eq!(text(b"\x07\x08\t\n\x0b\x0c\r"), r"\a\b\t\n\v\f\r");
        assert_eq!(text(b"\x01\x1b[2J\x7f"), r"\001\033[2J\177");
        // U+0085, a control character of two bytes
        assert_eq!(text(b"\xc2\x85"), r"\302\205");
    }

    #[test]
    fn bytes_that_are_not_utf8() {
        assert_eq!(text(b"a\xffb"), r"a\377b");
        // cut off, too long, a surrogate
        assert_eq!(text(b"\xe2\x82"), r"\342\202");
        assert_eq!(text(b"\xc0\xaf."), r"\300\257.");
        assert_eq!(text(b"\xed\xa0\x80"), r"\355\240\200");
        assert_eq!(text(b"\xff \xc3\xbc\n"), "\\377\\ \u{fc}\\n");
    }

    #[test]
    fn different_names_are_different_texts() {
        let mut seen = std::collections::HashSet::new();
        for a in 1..=255u8 {
            for b in 1..=255u8 {
                assert!(seen.insert(text(&[a, b])), "{a} {b}");
            }
        }
        assert!(!seen.contains(&text(b"\\303\\274")));
    }

    /// Held against the real thing, where there is a name for it.
    #[test]
    fn the_same_as_ls() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            &b"a b"[..],
            b"\x01\\",
            b"\xff\xfe",
            b"tab\there",
            b"\x1b[1m",
        ] {
            let path = dir.path().join(OsStr::from_bytes(name));
            std::fs::write(&path, "").unwrap();
            let ls = std::process::Command::new("ls")
                .arg("-b")
                .arg(dir.path())
                .env("LC_ALL", "C.UTF-8")
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(ls.stdout).unwrap().trim_end(), text(name));
            std::fs::remove_file(&path).unwrap();
        }
    }
}
