// SPDX-License-Identifier: GPL-2.0

//! Looks through a mount for what the filesystem did not say: names of inodes, and, where it did not even
//! say the inodes, the extents of every file and directory.
//!
//! Files without a name are looked for among those that processes have open or mapped.

use super::{
    open_files,
    Other,
    Owned,
    Part,
    Survey, //
};
use crate::{
    abi::{
        self,
        FIEMAP_EXTENT_DATA_INLINE,
        FIEMAP_EXTENT_NOT_PLACED,
        FIEMAP_EXTENT_UNWRITTEN,
        FIEMAP_FLAG_SYNC,
        FIEMAP_FLAG_XATTR, //
    },
    error::{
        Error,
        Result, //
    },
    fiemap, mounts,
    names::Names,
    number::DeviceNumber,
    progress::Progress,
    ranges::Ranges,
    report::State,
    sys::{
        self,
        Buffer, //
    },
};
use rustix::fs::{
    major,
    minor, //
};
use std::{
    collections::{
        HashMap,
        HashSet, //
    },
    fs::{
        self,
        File,
        FileType,
        OpenOptions, //
    },
    os::{
        fd::AsFd,
        unix::fs::{
            MetadataExt,
            OpenOptionsExt, //
        }, //
    },
    path::Path,
};
use walkdir::{
    DirEntry,
    DirEntryExt,
    WalkDir, //
};

/// What became known of some bytes of the device.
#[derive(Debug)]
pub struct Walk {
    /// What the filesystem said, and what was found.
    pub survey: Survey,
    /// The names of the inodes of it.
    pub names: Names,
    unlinked: HashSet<u64>,
    directories: HashSet<u64>,
    generations: HashMap<u64, u32>,
}

impl Walk {
    /// Finds who has these bytes, and what the inodes `also` are called.
    ///
    /// # Errors
    ///
    /// If the filesystem's answers make no sense. What cannot be looked at is among the errors of the names.
    pub fn new(mount: &Other, wanted: &Ranges, also: &HashSet<u64>) -> Result<Self> {
        let survey = mount.survey(wanted)?;
        let mut walk = Self {
            names: Names::default(),
            unlinked: HashSet::new(),
            directories: HashSet::new(),
            generations: HashMap::new(),
            survey,
        };
        let mut inodes = also.clone();
        inodes.extend(walk.survey.owned.iter().map(|owned| owned.ino));
        if walk.survey.unknown.is_empty() {
            walk.names = Names::find(mount.path(), &inodes);
        } else {
            walk.look_through(mount, inodes);
        }
        walk.look_at_open_files(mount);
        walk.look_at_named();
        Ok(walk)
    }

    /// Whether a file has names.
    pub fn state(&self, ino: u64) -> State {
        match self.names.of(ino) {
            [] if self.unlinked.contains(&ino) => State::Unlinked,
            [] => State::Unknown,
            _ => State::Named,
        }
    }

    /// Whether it is a directory.
    pub fn is_directory(&self, ino: u64) -> bool {
        self.directories.contains(&ino)
    }

    /// The inode's generation, where there was something to ask.
    pub fn generation(&self, ino: u64) -> Option<u32> {
        self.generations.get(&ino).copied()
    }

    /// Names of `wanted`, and of every file that has a byte which the filesystem knows no owner of.
    fn look_through(&mut self, mount: &Other, mut wanted: HashSet<u64>) {
        let unknown = std::mem::take(&mut self.survey.unknown);
        let here = |text: &str| Error::new(text).about(mount.path());
        if mounts::is_part(mount.path()) == Some(true) {
            self.names.errors.push(here(
                "a part of a filesystem: what is outside of it is not looked at",
            ));
        }
        // What is mounted over has blocks as well.
        let alone = mounts::Alone::new(mount.path());
        let root = alone.as_ref().map_or_else(
            |error| {
                let text = format!("what is mounted over is not looked at: {error}");
                self.names.errors.push(here(&text));
                mount.path().to_owned()
            },
            mounts::Alone::path,
        );
        // Only what has other names is seen again.
        let mut seen = HashSet::new();
        let mut progress = Progress::of("files");
        for entry in WalkDir::new(&root).same_file_system(true) {
            progress.step();
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.names.failed(&root, mount.path(), error);
                    continue;
                }
            };
            let below = entry.path().strip_prefix(&root).unwrap_or(entry.path());
            let path = match below.as_os_str().is_empty() {
                true => mount.path().to_owned(),
                false => mount.path().join(below),
            };
            let ino = entry.ino();
            if has_extents(entry.file_type()) && !seen.contains(&ino) {
                match self.look_at(&entry, &unknown) {
                    Ok(Some((found, links))) => {
                        if !found.is_empty() {
                            wanted.insert(ino);
                        }
                        self.survey.owned.extend(found);
                        if links > 1 {
                            seen.insert(ino);
                        }
                    }
                    Ok(None) => {}
                    Err(error) => self.names.errors.push(error.about(&path)),
                }
            }
            if wanted.contains(&ino) && is_it(&path, mount.device(), ino) {
                self.names.add(ino, path);
            }
        }
        self.names.sort();
        self.survey.unknown = unknown;
        self.subtract_found();
    }

    /// What this entry has of these bytes, and how many names. `None` if it is not there any more.
    fn look_at(&self, entry: &DirEntry, unknown: &Ranges) -> Result<Option<(Vec<Owned>, u64)>> {
        let file = match open(entry.path()) {
            Err(error) if error.errno() == Some(libc::ENOENT) => return Ok(None),
            file => file?,
        };
        let links = match entry.file_type().is_dir() {
            true => 1,
            false => file.metadata()?.nlink(),
        };
        let found = owned_by(&file, entry.ino(), entry.file_type(), unknown)?;
        Ok(Some((found, links)))
    }

    /// Files that have no name, if there is something to find there.
    fn look_at_open_files(&mut self, mount: &Other) {
        let unnamed: HashSet<_> = self
            .survey
            .owned
            .iter()
            .map(|owned| owned.ino)
            .filter(|&ino| self.names.of(ino).is_empty())
            .collect();
        if unnamed.is_empty() && self.survey.unknown.is_empty() {
            return;
        }
        for (ino, path) in open_files::unlinked(mount.device()) {
            if self.survey.unknown.is_empty() {
                if unnamed.contains(&ino) {
                    self.unlinked.insert(ino);
                }
                continue;
            }
            // Who closes it meanwhile, or dies, takes it along.
            let Ok(file) = File::open(&path) else {
                continue;
            };
            let Ok(kind) = file.metadata().map(|meta| meta.file_type()) else {
                continue;
            };
            if !has_extents(kind) {
                continue;
            }
            self.unlinked.insert(ino);
            match owned_by(&file, ino, kind, &self.survey.unknown) {
                Ok(found) => {
                    if let (false, Some(generation)) = (found.is_empty(), generation(&file)) {
                        self.generations.insert(ino, generation);
                    }
                    self.survey.owned.extend(found);
                }
                Err(error) => self.names.errors.push(error.about(path)),
            }
        }
        self.subtract_found();
    }

    fn subtract_found(&mut self) {
        let found = self.survey.owned.iter().map(|owned| owned.at.clone());
        let found: Ranges = found.collect::<Vec<_>>().into();
        self.survey.unknown = self.survey.unknown.without(&found);
    }

    fn look_at_named(&mut self) {
        for owned in &self.survey.owned {
            let Some(path) = self.names.of(owned.ino).first() else {
                continue;
            };
            if self.generations.contains_key(&owned.ino) {
                continue;
            }
            let Ok(file) = open(path) else { continue };
            if let Some(generation) = generation(&file) {
                self.generations.insert(owned.ino, generation);
            }
            if file.metadata().is_ok_and(|meta| meta.is_dir()) {
                self.directories.insert(owned.ino);
            }
        }
    }
}

/// Whether a path leads to that, and not to what is mounted over it.
fn is_it(path: &Path, device: DeviceNumber, ino: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| {
        let on = DeviceNumber {
            major: major(meta.dev()),
            minor: minor(meta.dev()),
        };
        (on, meta.ino()) == (device, ino)
    })
}

/// Of these FIEMAP can be asked; of all others there is nothing to open.
fn has_extents(kind: FileType) -> bool {
    kind.is_file() || kind.is_dir()
}

fn open(path: &Path) -> Result<File> {
    // What has become a fifo meanwhile shall not keep us waiting.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    Ok(OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?)
}

fn generation(file: &File) -> Option<u32> {
    let mut request = Buffer::<u64, u64>::new(&0, 0);
    sys::ioctl(file.as_fd(), abi::FS_IOC_GETVERSION, &mut request).ok()?;
    // The kernel writes an int, whatever the number of the request says.
    Some(*request.head() as u32)
}

/// What a file has of these bytes: data, and attributes.
fn owned_by(file: &File, ino: u64, kind: FileType, unknown: &Ranges) -> Result<Vec<Owned>> {
    let mut found = Vec::new();
    for (part, flag) in [(Part::Data, 0), (Part::Attributes, FIEMAP_FLAG_XATTR)] {
        match extents(file, ino, (part, flag | FIEMAP_FLAG_SYNC), unknown) {
            // It says of an earlier failure that something could not be written. What has a place has one.
            Err(error) if error.errno() == Some(libc::EIO) => {
                found.extend(extents(file, ino, (part, flag), unknown)?);
            }
            // XFS does not say where directories are.
            Err(error) if kind.is_dir() && not_here(&error) => {}
            // Nor do all say where attributes are.
            Err(error) if part == Part::Attributes && not_here(&error) => {}
            result => found.extend(result?),
        }
    }
    Ok(found)
}

fn not_here(error: &Error) -> bool {
    [libc::EOPNOTSUPP, libc::ENOTTY, libc::EBADR]
        .map(Some)
        .contains(&error.errno())
}

fn extents(
    file: &File,
    ino: u64,
    (part, flags): (Part, u32),
    unknown: &Ranges,
) -> Result<Vec<Owned>> {
    let mut found = Vec::new();
    fiemap::extents(
        flags,
        |request| Ok(sys::ioctl(file.as_fd(), abi::FS_IOC_FIEMAP, request)?),
        |extent| {
            if extent.fe_flags & (FIEMAP_EXTENT_NOT_PLACED | FIEMAP_EXTENT_DATA_INLINE) != 0 {
                return;
            }
            let all = extent.fe_physical..extent.fe_physical + extent.fe_length;
            for at in unknown.within(all) {
                found.push(Owned {
                    ino,
                    part,
                    offset: extent.fe_logical + (at.start - extent.fe_physical),
                    at,
                    unwritten: extent.fe_flags & FIEMAP_EXTENT_UNWRITTEN != 0,
                });
            }
        },
    )?;
    Ok(found)
}
