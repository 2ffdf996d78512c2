// SPDX-License-Identifier: GPL-2.0

//! Finds the paths of inode numbers. The whole mount is walked once for it.
//!
//! Other filesystems that are mounted below are left out, and so is what they hide. The filesystem
//! may change meanwhile; what is renamed then may be missed.

use crate::error::Error;
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
        for entry in WalkDir::new(root).same_file_system(true) {
            match entry {
                Ok(entry) if wanted.contains(&entry.ino()) => {
                    let paths = names.paths.entry(entry.ino()).or_default();
                    paths.push(entry.into_path());
                }
                Ok(_) => {}
                Err(error) => names.failed(root, error),
            }
        }
        for paths in names.paths.values_mut() {
            paths.sort();
        }
        names
    }

    fn failed(&mut self, root: &Path, error: walkdir::Error) {
        let path = error.path().unwrap_or(root).to_owned();
        // The others are about symbolic links, which are not followed.
        let Some(error) = error.into_io_error() else {
            return;
        };
        // What is removed under our eyes has no name any more.
        if error.kind() != io::ErrorKind::NotFound || path == root {
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
