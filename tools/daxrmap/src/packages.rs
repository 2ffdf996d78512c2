// SPDX-License-Identifier: GPL-2.0

//! Which packages files are of: what `dpkg -S` says, which is `dpkg-query -S`. (busybox has a dpkg too, without
//! that.)

use crate::{
    error::{
        Error,
        Result, //
    },
    foreign::command, //
};
use std::{
    collections::HashMap,
    ffi::{
        OsStr,
        OsString, //
    },
    io,
    os::unix::ffi::{
        OsStrExt,
        OsStringExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
    process::Output,
};

/// Paths that dpkg is asked about at a time: each time it reads all of its lists.
const BATCH: usize = 256;

/// The packages of each of these paths that is of one.
///
/// # Errors
///
/// If there is no dpkg, or it fails.
pub fn of(paths: &[PathBuf]) -> Result<HashMap<PathBuf, Vec<String>>> {
    ask(paths, |patterns| {
        command("dpkg-query")
            .arg("-S")
            .arg("--")
            .args(patterns)
            .output()
    })
}

fn ask(
    paths: &[PathBuf],
    mut dpkg: impl FnMut(&[OsString]) -> io::Result<Output>,
) -> Result<HashMap<PathBuf, Vec<String>>> {
    let mut found = HashMap::new();
    for paths in paths.chunks(BATCH) {
        // By the names under which they may be listed.
        let mut asked: HashMap<PathBuf, &Path> = HashMap::new();
        for path in paths {
            asked.extend(merged(path).map(|other| (other, path.as_path())));
            asked.insert(path.clone(), path);
        }
        let patterns: Vec<_> = asked.keys().map(|path| pattern(path)).collect();
        let failed = |error: Error| error.about_what("dpkg: the packages are not known");
        let output = dpkg(&patterns).map_err(|error| failed(error.into()))?;
        // 1 is that a file is of no package.
        if !matches!(output.status.code(), Some(0 | 1)) {
            let text = String::from_utf8_lossy(&output.stderr);
            let reason = text.lines().next().unwrap_or("it was killed").to_owned();
            return Err(failed(Error::new(reason)));
        }
        for line in output.stdout.split(|&byte| byte == b'\n') {
            let Some((packages, path)) = listed(line) else {
                continue;
            };
            if let Some(path) = asked.get(path) {
                let all: &mut Vec<String> = found.entry(path.to_path_buf()).or_default();
                all.extend(packages);
            }
        }
    }
    Ok(found)
}

/// The name from before /bin, /sbin and /lib* were links into /usr, by which it may be listed.
fn merged(path: &Path) -> Option<PathBuf> {
    let below = path.strip_prefix("/usr").ok()?;
    let first = below.iter().next()?.as_bytes();
    let moved = first == b"bin" || first == b"sbin" || first.starts_with(b"lib");
    moved.then(|| Path::new("/").join(below))
}

/// The path as a pattern that fits nothing else.
fn pattern(path: &Path) -> OsString {
    let mut pattern = Vec::new();
    for &byte in path.as_os_str().as_bytes() {
        if b"*?[\\".contains(&byte) {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    OsString::from_vec(pattern)
}

/// `PACKAGE, PACKAGE: PATH`. Lines about diversions are others.
fn listed(line: &[u8]) -> Option<(Vec<String>, &Path)> {
    let colon = line.windows(3).position(|at| at == b": /")?;
    let packages = std::str::from_utf8(&line[..colon]).ok()?;
    let packages: Vec<_> = packages.split(", ").map(str::to_owned).collect();
    if packages.iter().any(|name| name.contains(' ')) {
        return None;
    }
    Some((packages, Path::new(OsStr::from_bytes(&line[colon + 2..]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn said(code: i32, out: &[u8], err: &str) -> io::Result<Output> {
        Ok(Output {
            status: std::process::ExitStatus::from_raw(code << 8),
            stdout: out.to_owned(),
            stderr: err.into(),
        })
    }

    fn path(bytes: &[u8]) -> PathBuf {
        OsStr::from_bytes(bytes).into()
    }

    #[test]
    fn what_dpkg_says() {
        let out = b"bash: /bin/bash\n\
            diversion by dash from: /usr/bin/x\n\
            libc6:amd64, libc6:i386: /etc/a: b\xff\n\
            other: /not/asked\n";
        let paths = [
            path(b"/usr/bin/bash"),
            path(b"/etc/a: b\xff"),
            path(b"/usr/bin/x"),
        ];
        let found = ask(&paths, |patterns| {
            assert!(patterns.contains(&OsString::from("/bin/bash")));
            assert!(patterns.contains(&OsString::from("/usr/bin/bash")));
            said(
                1,
                out,
                "dpkg-query: no path found matching pattern /usr/bin/x",
            )
        });
        let found = found.unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[&paths[0]], ["bash"]);
        assert_eq!(found[&paths[1]], ["libc6:amd64", "libc6:i386"]);
    }

    #[test]
    fn names_are_no_patterns() {
        let pattern = |text: &str| pattern(Path::new(text)).into_string().unwrap();
        assert_eq!(pattern("/a*[b]?\\"), r"/a\*\[b]\?\\");
        assert_eq!(merged(Path::new("/usr/lib64/x")), Some("/lib64/x".into()));
        assert_eq!(merged(Path::new("/usr/share/x")), None);
        assert_eq!(merged(Path::new("/bin/x")), None);
    }

    #[test]
    fn in_batches() {
        let paths: Vec<PathBuf> = (0..1000).map(|i| format!("/srv/{i}").into()).collect();
        let mut calls = Vec::new();
        let found = ask(&paths, |patterns| {
            calls.push(patterns.len());
            said(1, b"a: /srv/7\nb: /srv/999\n", "")
        });
        assert_eq!(calls, [256, 256, 256, 232]);
        assert_eq!(found.unwrap().len(), 2);
        let none = ask(&[], |_| unreachable!("nothing to ask"));
        assert!(none.unwrap().is_empty());
    }

    #[test]
    fn no_dpkg() {
        let error = ask(&[path(b"/a")], |_| Err(io::ErrorKind::NotFound.into())).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("dpkg: the packages are not known: "),
            "{text}"
        );
        let error = ask(&[path(b"/a")], |_| said(2, b"", "dpkg: locked\nmore")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "dpkg: the packages are not known: dpkg: locked"
        );
    }

    /// Held against the real thing, where there is one.
    #[test]
    fn itself() {
        let path = Path::new("/usr/bin/dpkg");
        if !path.exists() {
            return;
        }
        let found = of(&[path.to_owned(), "/no such*".into()]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[path], ["dpkg"]);
    }
}
