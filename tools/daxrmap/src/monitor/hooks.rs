// SPDX-License-Identifier: GPL-2.0

//! Runs hooks: the programs in a folder, as run-parts(8) picks them, one after another.

use crate::error::{
    Error,
    Result, //
};
use rustix::process::{
    kill_process_group,
    Pid,
    Signal, //
};
use std::{
    ffi::OsString,
    fs,
    os::unix::{
        fs::MetadataExt,
        process::CommandExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
    process::{
        Child,
        Command,
        ExitStatus,
        Stdio, //
    },
    thread,
    time::{
        Duration,
        Instant, //
    },
};

/// The hooks of a folder, in order, and why others are none. No folder is no hooks.
///
/// # Errors
///
/// If the folder cannot be read, or others may change what is in it.
pub fn find(dir: &Path) -> Result<(Vec<PathBuf>, Vec<Error>)> {
    let mut hooks = Vec::new();
    let mut errors = Vec::new();
    let meta = match fs::symlink_metadata(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((hooks, errors)),
        meta => meta.map_err(|error| Error::from(error).about(dir))?,
    };
    trusted(&meta).map_err(|error| error.about(dir))?;
    let entries = fs::read_dir(dir).map_err(|error| Error::from(error).about(dir))?;
    for entry in entries {
        let path = entry.map_err(|error| Error::from(error).about(dir))?.path();
        let plain = path
            .file_name()
            .is_some_and(|name| is_plain(name.as_encoded_bytes()));
        if !plain {
            continue;
        }
        match fs::metadata(&path) {
            Ok(meta) if !meta.is_file() || meta.mode() & 0o111 == 0 => {}
            Ok(meta) => match trusted(&meta) {
                Ok(()) => hooks.push(path),
                Err(error) => errors.push(error.about(&path)),
            },
            Err(error) => errors.push(Error::from(error).about(&path)),
        }
    }
    hooks.sort();
    Ok((hooks, errors))
}

/// Names that run-parts(8) takes: no copies of editors and of dpkg.
fn is_plain(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || [b'_', b'-'].contains(byte);
    !name.is_empty() && name.iter().all(plain)
}

/// Whether only those can have changed it who may do all anyway: root, and we ourselves.
fn trusted(meta: &fs::Metadata) -> Result<()> {
    let we = rustix::process::geteuid().as_raw();
    if meta.uid() != 0 && meta.uid() != we {
        return Err(Error::new("not run: it is not root's"));
    }
    if meta.mode() & 0o022 != 0 {
        return Err(Error::new("not run: others than its owner may write to it"));
    }
    Ok(())
}

/// Runs one with these variables in its environment, and kills it and its children if that takes longer than
/// `limit`.
///
/// # Errors
///
/// If it cannot be run, or fails.
pub fn run(
    hook: &Path,
    environment: impl Iterator<Item = (String, OsString)>,
    limit: Duration,
) -> Result<()> {
    let run = || {
        let mut child = Command::new(hook)
            .envs(environment)
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()?;
        match wait(&mut child, limit)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Error::new(format!("failed: {status}"))),
            None => {
                let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                if let Some(group) = group {
                    kill_process_group(group, Signal::KILL).map_err(std::io::Error::from)?;
                }
                child.wait()?;
                let seconds = limit.as_secs();
                Err(Error::new(format!("killed: it took more than {seconds} s")))
            }
        }
    };
    run().map_err(|error: Error| error.about(hook))
}

/// How it ended; `None` if it did not in time.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn hook(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn which_are_hooks() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        assert!(find(&dir.join("none")).unwrap().0.is_empty());
        for (name, mode) in [
            ("b", 0o755),
            ("10-A_", 0o700),
            ("c~", 0o755),
            ("d.dpkg-old", 0o755),
            ("e", 0o644),
            ("open", 0o775),
        ] {
            hook(dir, name, "", mode);
        }
        fs::create_dir(dir.join("folder")).unwrap();
        let (hooks, errors) = find(dir).unwrap();
        assert_eq!(hooks, [dir.join("10-A_"), dir.join("b")]);
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let path = dir.join("open").display().to_string();
        let refusal = format!("{path}: not run: others than its owner may write to it");
        assert_eq!(errors, [refusal]);
        fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(find(dir).is_err());
    }

    #[test]
    fn how_one_is_run() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let fact = || [("DAXRMAP_PATH".to_owned(), out.clone().into())].into_iter();
        let text = "pwd >\"$DAXRMAP_PATH\"";
        let good = hook(dir.path(), "good", text, 0o755);
        run(&good, fact(), Duration::from_secs(30)).unwrap();
        assert_eq!(fs::read_to_string(&out).unwrap(), "/\n");
        let bad = hook(dir.path(), "bad", "exit 3", 0o755);
        let error = run(&bad, fact(), Duration::from_secs(30)).unwrap_err();
        assert!(
            error.to_string().ends_with("bad: failed: exit status: 3"),
            "{error}"
        );
        // Its children too.
        let slow = hook(dir.path(), "slow", "sleep 1000 & wait", 0o755);
        let error = run(&slow, fact(), Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("slow: killed"), "{error}");
    }
}
