// SPDX-License-Identifier: GPL-2.0

//! How far fsck.daxrmap is: a bar on a terminal, or lines for who has started it, as e2fsck(8) writes them with `-C`:
//! `PASS DONE ALL DEVICE`. What takes long is to read the log, so that is what is counted, in KiB.

use crate::{
    error::{
        Error,
        Result, //
    },
    progress::Progress,
    sys, //
};
use daxrmap_media::{
    disk::Disk,
    superblock::Copies,
    BLOCK_SIZE, //
};
use std::{
    cell::RefCell,
    fs::File,
    io::{
        self,
        Write, //
    },
};

/// Lines for each pass.
const LINES: u64 = 100;

/// Who is told.
enum Told {
    /// Somebody at a terminal, if it takes long, or at once.
    Terminal { at_once: bool },
    /// Who reads this descriptor.
    Reader { to: File, device: String },
}

/// Tells how far each pass is.
pub(super) struct Passes(Told);

impl Passes {
    /// As `-C` wants it. Lines have this name of the device.
    pub(super) fn new(fd: Option<i32>, device: &str) -> Result<Self> {
        let to = match fd {
            None | Some(0) => {
                return Ok(Self(Told::Terminal {
                    at_once: fd.is_some(),
                }))
            }
            Some(fd) => sys::inherited(fd).map_err(|error| {
                let error: Error = error.into();
                error.about_what(format!("descriptor {fd}"))
            })?,
        };
        Ok(Self(Told::Reader {
            to: to.into(),
            device: device.to_owned(),
        }))
    }

    /// The disk, which tells while it is read how far this pass is.
    pub(super) fn watch<D: Disk>(&self, pass: u32, disk: D, blocks: u64) -> Watched<'_, D> {
        let copies = Copies::find(&disk, blocks);
        let regions = copies.superblock().map(|sb| sb.regions);
        let largest = regions.and_then(|regions| regions.iter().map(|region| region.blocks).max());
        let all = (largest.unwrap_or(0).saturating_mul(BLOCK_SIZE) / 1024).max(1);
        let meter = match &self.0 {
            Told::Terminal { at_once } => {
                let bar = Progress::of_steps("reading the log", all);
                Meter::Bar(if *at_once { bar.at_once() } else { bar })
            }
            Told::Reader { to, device } => Meter::Lines {
                to,
                device,
                pass,
                told: None,
            },
        };
        let watched = Watched {
            disk,
            state: RefCell::new(State {
                read: 0,
                all,
                meter,
            }),
        };
        watched.state.borrow_mut().tell(0);
        watched
    }
}

enum Meter<'a> {
    Bar(Progress),
    Lines {
        to: &'a File,
        device: &'a str,
        pass: u32,
        /// How many hundredths were told of.
        told: Option<u64>,
    },
}

struct State<'a> {
    /// Bytes.
    read: u64,
    /// KiB.
    all: u64,
    meter: Meter<'a>,
}

impl State<'_> {
    fn tell(&mut self, done: u64) {
        match &mut self.meter {
            Meter::Bar(bar) => bar.set(done),
            Meter::Lines {
                to,
                device,
                pass,
                told,
            } => {
                let part = done.saturating_mul(LINES) / self.all;
                if told.is_some_and(|told| told >= part) {
                    return;
                }
                *told = Some(part);
                // Who does not read any more does not want to know.
                let line = format!("{pass} {done} {} {device}\n", self.all);
                let _ = to.write_all(line.as_bytes());
            }
        }
    }
}

/// A disk that counts what is read of it.
pub(super) struct Watched<'a, D> {
    disk: D,
    state: RefCell<State<'a>>,
}

impl<D> Drop for Watched<'_, D> {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        state.tell(state.all);
    }
}

impl<D: Disk> Disk for Watched<'_, D> {
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.disk.read(at, buf)?;
        let mut state = self.state.borrow_mut();
        state.read = state.read.saturating_add(buf.len() as u64);
        // Something is read twice; the end comes when it is the end.
        let done = (state.read / 1024).min(state.all - 1);
        state.tell(done);
        Ok(())
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.write(at, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync()
    }
}
