// SPDX-License-Identifier: GPL-2.0

//! Finds the paths of inode numbers. The whole mount is walked once for it.
//!
//! Other filesystems that are mounted below are left out, and so is what they hide. The filesystem
//! may change meanwhile; what is renamed then may be missed.

use crate::{
    error::Error,
    progress::Progress, //
};
use std::{
    collections::{
        HashMap,
        HashSet, //
    },
    io,
    path::{
        Path,
        PathBuf, //
    },
};
use walkdir::{
    DirEntryExt,
    WalkDir, //
};

/// What a walk found.
#[derive(Debug, Default)]
pub struct Names {
    paths: HashMap<u64, Vec<PathBuf>>,
    /// Directories that could not be read.
    pub errors: Vec<Error>,
}

impl Names {
    /// All names of the inodes `wanted` below `root`.
    pub fn find(root: &Path, wanted: &HashSet<u64>) -> Self {
        let mut names = Self::default();
        if wanted.is_empty() {
            return names;
        }
        let mut progress = Progress::of("names");
        for entry in WalkDir::new(root).same_file_system(true) {
            progress.step();
            match entry {
                Ok(entry) if wanted.contains(&entry.ino()) => {
                    names.add(entry.ino(), entry.into_path());
                }
                Ok(_) => {}
                Err(error) => names.failed(root, root, error),
            }
        }
        names.sort();
        names
    }

    /// One more name of an inode.
    pub fn add(&mut self, ino: u64, path: PathBuf) {
        self.paths.entry(ino).or_default().push(path);
    }

    /// Puts the names in order.
    pub fn sort(&mut self) {
        for paths in self.paths.values_mut() {
            paths.sort();
        }
    }

    /// Notes what a walk of `root`, which people call `shown`, could not read, unless it is just gone.
    pub fn failed(&mut self, root: &Path, shown: &Path, error: walkdir::Error) {
        let path = error.path().unwrap_or(root);
        let below = path.strip_prefix(root).unwrap_or(path);
        let is_root = below.as_os_str().is_empty();
        let path = match is_root {
            true => shown.to_owned(),
            false => shown.join(below),
        };
        // The others are about symbolic links, which are not followed.
        let Some(error) = error.into_io_error() else {
            return;
        };
        // What is removed under our eyes has no name any more.
        if error.kind() != io::ErrorKind::NotFound || is_root {
            self.errors.push(Error::from(error).about(path));
        }
    }

    /// The names of an inode, in order; none if there was none.
    pub fn of(&self, ino: u64) -> &[PathBuf] {
        self.paths.get(&ino).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        os::unix::fs::MetadataExt, //
    };

    fn ino(path: &Path) -> u64 {
        fs::symlink_metadata(path).unwrap().ino()
    }

    #[test]
    fn all_names_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("d/e")).unwrap();
        for name in ["a", "d/b", "d/e/c"] {
            fs::write(path(name), name).unwrap();
        }
        fs::hard_link(path("d/e/c"), path("link")).unwrap();
        std::os::unix::fs::symlink("a", path("symlink")).unwrap();
        let wanted = HashSet::from([ino(&path("d/e/c")), ino(&path("a")), 1]);
        let names = Names::find(dir.path(), &wanted);
        assert_eq!(names.of(ino(&path("a"))), [path("a")]);
        assert_eq!(names.of(ino(&path("d/e/c"))), [path("d/e/c"), path("link")]);
        assert!(names.of(ino(&path("d/b"))).is_empty());
        assert!(names.of(1).is_empty());
        assert!(names.errors.is_empty());
    }

    #[test]
    fn a_root_that_is_gone() {
        let names = Names::find(Path::new("/no/such"), &HashSet::from([1]));
        assert_eq!(names.errors.len(), 1);
        assert_eq!(
            names.errors[0].to_string(),
            "/no/such: No such file or directory"
        );
    }
}
