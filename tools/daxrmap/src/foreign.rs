// SPDX-License-Identifier: GPL-2.0

//! What others have on a device: filesystems, partition tables, parts of arrays.
//!
//! blkid(8) is asked, and wipefs(8) removes it, so that both are of one opinion.

use crate::error::{
    Error, //
    Result,
};
use daxrmap_media::disk::Disk;
use std::{
    env,
    ffi::OsString,
    io,
    path::Path,
    process::{
        Command,
        Output,
        Stdio, //
    }, //
};

/// Bytes at the start in which blkid looks: a copy of a LUKS header is what is farthest in.
const START: u64 = (4 << 20) + 4096;
/// Bytes at the end in which blkid looks.
const END: u64 = 1 << 20;
/// Zeroes that are written at a time.
const CHUNK: usize = 1 << 16;

/// What blkid knows of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing is there.
    Nothing,
    /// This is there.
    Something(String),
    /// blkid cannot tell, as this says.
    Unknown(String),
}

/// A program of the administrator's, which may not be where an ordinary user looks.
pub(crate) fn command(name: &str) -> Command {
    let mut path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    path.push(":/usr/sbin:/sbin");
    let mut command = Command::new(name);
    command
        .env("PATH", path)
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> io::Result<Output> {
    command.output()
}

/// Asks blkid what is on the device, without its cache.
pub fn probe(path: &Path) -> Known {
    // busybox has one that knows no -p, and says nothing.
    match run(command("blkid").arg("-V")) {
        Ok(output) if contains(&output, "libblkid") => {}
        Ok(_) => return Known::Unknown("blkid is not that of util-linux".to_owned()),
        Err(error) => return Known::Unknown(format!("blkid: {}", Error::from(error))),
    }
    match ask(path) {
        Ok(output) => answer(&output),
        Err(error) => Known::Unknown(format!("blkid: {}", Error::from(error))),
    }
}

fn ask(path: &Path) -> io::Result<Output> {
    let mut command = command("blkid");
    command.args(["-p", "-o", "export", "--"]).arg(path);
    run(&mut command)
}

/// The uuid of the filesystem on the device, if blkid tells one.
pub fn uuid(path: &Path) -> Option<String> {
    let output = ask(path).ok().filter(|output| output.status.success())?;
    value(&String::from_utf8_lossy(&output.stdout), "UUID").map(str::to_owned)
}

/// What stands behind a name in what blkid exports.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

fn contains(output: &Output, text: &str) -> bool {
    [&output.stdout, &output.stderr]
        .into_iter()
        .any(|bytes| String::from_utf8_lossy(bytes).contains(text))
}

/// What the exit status and the output of `blkid -p -o export` mean.
fn answer(output: &Output) -> Known {
    let text = String::from_utf8_lossy(&output.stdout);
    let value = |name: &str| value(&text, name);
    match output.status.code() {
        Some(0) => match (value("TYPE"), value("PTTYPE")) {
            (Some(kind), _) => Known::Something(kind.to_owned()),
            (None, Some(kind)) => Known::Something(format!("a partition table ({kind})")),
            (None, None) => Known::Unknown("blkid finds something, but does not say what".into()),
        },
        Some(2) => Known::Nothing,
        Some(8) => Known::Something("more than one filesystem".to_owned()),
        _ => {
            let reason = String::from_utf8_lossy(&output.stderr);
            let reason = reason.lines().next().unwrap_or_default();
            Known::Unknown(format!("blkid failed: {reason}"))
        }
    }
}

/// Removes what blkid may know: wipefs does, or, without it, zeroes wherever it could be.
///
/// # Errors
///
/// What the disk says.
pub fn wipe(path: &Path, disk: &impl Disk, size: u64) -> Result<()> {
    let mut command = command("wipefs");
    command
        .args(["--all", "--force", "--quiet", "--"])
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    zero(disk, 0, START.min(size))?;
    zero(disk, size.saturating_sub(END), size)?;
    Ok(disk.sync()?)
}

fn zero(disk: &impl Disk, mut at: u64, end: u64) -> Result<()> {
    while at < end {
        let n = CHUNK.min(usize::try_from(end - at).unwrap_or(CHUNK));
        disk.write(at, &[0; CHUNK][..n])?;
        at += n as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn said(code: i32, text: &str) -> Known {
        answer(&Output {
            status: std::process::ExitStatus::from_raw(code << 8),
            stdout: text.into(),
            stderr: b"error: /x: No such\nmore".to_vec(),
        })
    }

    #[test]
    fn what_blkid_says() {
        let some = |text: &str| Known::Something(text.to_owned());
        assert_eq!(said(2, ""), Known::Nothing);
        assert_eq!(said(0, "DEVNAME=/x\nLABEL=TYPE\nTYPE=xfs\n"), some("xfs"));
        assert_eq!(
            said(0, "DEVNAME=/x\nPTTYPE=gpt\n"),
            some("a partition table (gpt)")
        );
        assert_eq!(said(8, ""), some("more than one filesystem"));
        for (code, text) in [(0, ""), (4, "TYPE=xfs\n"), (127, "")] {
            assert!(matches!(said(code, text), Known::Unknown(_)), "{code}");
        }
        assert_eq!(
            said(4, ""),
            Known::Unknown("blkid failed: error: /x: No such".to_owned())
        );
    }
}
