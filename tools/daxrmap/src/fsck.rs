// SPDX-License-Identifier: GPL-2.0

//! `fsck.daxrmap`: checks a filesystem, and corrects it. See fsck.daxrmap(8).

mod passes;

use crate::{
    device::{
        Access,
        Device, //
    },
    error::{
        Error, //
        Result,
    },
    escape::escape,
    size::human,
};
use clap::Parser;
use daxrmap_media::{
    check::{
        self,
        Check,
        Figures,
        Problem,
        Refused, //
    },
    disk::Disk,
};
use passes::Passes;
use std::{
    io::{
        BufRead,
        Write, //
    },
    path::PathBuf,
    time::{
        Duration,
        SystemTime, //
    },
};

/// Checks a daxrmap filesystem on a block device, or on a file, and corrects it.
#[derive(Debug, Parser)]
#[command(name = "fsck.daxrmap", version)]
pub struct Args {
    /// Write nothing
    #[arg(short, conflicts_with = "yes")]
    pub no: bool,
    /// Correct what can be corrected
    #[arg(short, visible_short_aliases = ['a', 'p'])]
    pub yes: bool,
    /// Print figures
    #[arg(short)]
    pub verbose: bool,
    /// Write to this descriptor how far it is, as e2fsck does; 0: show it on the terminal
    #[arg(short = 'C', value_name = "FD", value_parser = clap::value_parser!(i32).range(0..))]
    pub progress: Option<i32>,
    /// The block device or file
    #[arg(value_name = "DEV")]
    pub device: PathBuf,
}

/// How it has ended, as fsck(8) has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong.
    Clean = 0,
    /// What was wrong is right now.
    Corrected = 1,
    /// Something is still wrong.
    Uncorrected = 4,
    /// It could not be checked or corrected.
    Failed = 8,
    /// It was not called as it should be.
    Usage = 16,
    /// Whoever was asked did not answer.
    Cancelled = 32,
}

/// What is done about problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Report,
    Ask,
    Correct,
}

/// Asks whether problems are to be corrected.
pub trait Ask {
    /// Whether there is somebody.
    fn is_there(&self) -> bool;

    /// The answer; `None` if there was none.
    fn answer(&mut self) -> Option<bool>;
}

/// Does it. Errors that come with an outcome are for standard error.
pub fn run(args: &Args, ask: &mut impl Ask, out: &mut impl Write) -> (Outcome, Vec<Error>) {
    let mut mode = match (args.yes, args.no) {
        (true, _) => Mode::Correct,
        (false, false) if ask.is_there() => Mode::Ask,
        (false, _) => Mode::Report,
    };
    let mut errors = Vec::new();
    let name = escape(args.device.as_os_str()).into_owned();
    // Before anything else can be open by that number.
    let passes = match Passes::new(args.progress, &name) {
        Ok(passes) => passes,
        Err(error) => {
            errors.push(error);
            return (Outcome::Usage, errors);
        }
    };
    let device = match open(args, &mut mode, &mut errors) {
        Ok(device) => device,
        Err(error) => {
            errors.push(error);
            return (Outcome::Failed, errors);
        }
    };
    let mut session = Session {
        name,
        device: &device,
        passes,
        verbose: args.verbose,
        out,
    };
    let outcome = session
        .run(mode, ask)
        .and_then(|outcome| {
            session.out.flush().map_err(about_output)?;
            Ok(outcome)
        })
        .unwrap_or_else(|error| {
            errors.push(error.about(&args.device));
            Outcome::Failed
        });
    (outcome, errors)
}

/// Opens the device. One in use can only be looked at.
fn open(args: &Args, mode: &mut Mode, errors: &mut Vec<Error>) -> Result<Device> {
    let access = match mode {
        Mode::Report => Access::ReadAlone,
        Mode::Ask | Mode::Correct => Access::Write,
    };
    let error = match Device::open(&args.device, access) {
        Ok(device) => return Ok(device),
        Err(error) => error,
    };
    if error.errno() != Some(libc::EBUSY) {
        return Err(error);
    }
    let in_use = |what| Error::new(format!("it is in use{what}")).about(&args.device);
    if *mode == Mode::Correct {
        return Err(in_use(": mounted, or part of another device"));
    }
    *mode = Mode::Report;
    errors.push(in_use(
        ": if something happens in it meanwhile, it looks damaged; nothing is written",
    ));
    Device::open(&args.device, Access::Read)
}

fn about_output(error: std::io::Error) -> Error {
    Error::from(error).about_what("standard output")
}

struct Session<'a, W> {
    name: String,
    device: &'a Device,
    passes: Passes,
    verbose: bool,
    out: &'a mut W,
}

impl<W: Write> Session<'_, W> {
    fn say(&mut self, text: impl std::fmt::Display) -> Result<()> {
        writeln!(self.out, "{}: {text}", self.name).map_err(about_output)
    }

    fn run(&mut self, mode: Mode, ask: &mut impl Ask) -> Result<Outcome> {
        let check = self.check(1)?;
        for problem in &check.problems {
            self.say(problem)?;
        }
        if check.problems.iter().any(Problem::loses) && check.can_correct() {
            self.say("to correct the log is to go back to what was before the damage")?;
        }
        match check.orphans {
            0 => {}
            1 => self.say("1 file has no name, and is to be freed")?,
            n => self.say(format_args!("{n} files have no name, and are to be freed"))?,
        }
        if check.is_behind {
            self.say("the second superblock is older than the first, as after a crash")?;
        }
        if check.is_read_only {
            let what = format!(
                "it has features that this program does not know ({:#x}), and can only be read",
                check.superblock.features[1]
            );
            self.say(what)?;
        }
        self.end(check, mode, ask)
    }

    /// What becomes of it.
    fn end(&mut self, check: Check, mode: Mode, ask: &mut impl Ask) -> Result<Outcome> {
        let figures = check.figures;
        if check.is_clean() {
            self.summary("clean", figures)?;
            return Ok(Outcome::Clean);
        }
        let uncorrected = match check.problems.is_empty() {
            true => Outcome::Clean,
            false => Outcome::Uncorrected,
        };
        let label = |outcome| match outcome {
            Outcome::Clean => "clean, but for what the next mount does",
            _ => "NOT corrected",
        };
        let correct = match mode {
            _ if !check.can_correct() => false,
            Mode::Report => false,
            Mode::Correct => true,
            Mode::Ask => {
                write!(self.out, "{}: correct it (y/n)? ", self.name)
                    .and_then(|()| self.out.flush())
                    .map_err(about_output)?;
                match ask.answer() {
                    Some(answer) => answer,
                    None => {
                        writeln!(self.out).map_err(about_output)?;
                        self.summary(label(uncorrected), figures)?;
                        return Ok(Outcome::Cancelled);
                    }
                }
            }
        };
        if !correct {
            self.summary(label(uncorrected), figures)?;
            return Ok(uncorrected);
        }
        check.correct(&self.device.file())?;
        // What is there now is looked at with the same eyes.
        let again = self.check(2)?;
        for problem in &again.problems {
            self.say(problem)?;
        }
        if !again.is_clean() {
            self.summary(label(Outcome::Uncorrected), again.figures)?;
            return Ok(Outcome::Uncorrected);
        }
        self.summary("corrected", again.figures)?;
        Ok(Outcome::Corrected)
    }

    fn check(&self, pass: u32) -> Result<Check> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or(Duration::ZERO);
        let blocks = self.device.blocks();
        let disk = self.passes.watch(pass, self.device.file(), blocks);
        check_with(&disk, blocks, now)
    }

    fn summary(&mut self, what: &str, figures: Option<Figures>) -> Result<()> {
        let Some(figures) = figures else {
            return self.say(what);
        };
        self.say(format_args!(
            "{what}: {} inodes, {} of {} blocks in use",
            figures.inodes,
            figures.blocks.saturating_sub(figures.free),
            figures.blocks
        ))?;
        if !self.verbose {
            return Ok(());
        }
        for (name, value) in [
            ("inodes", figures.inodes),
            ("ACLs", figures.acls),
            ("extents", figures.extents),
            ("blocks of files", figures.owned),
            ("free blocks", figures.free),
            ("bad blocks", figures.bad),
            ("transactions", figures.transactions),
        ] {
            writeln!(self.out, "{name:<16} {value}").map_err(about_output)?;
        }
        let (used, size) = (human(figures.log_used), human(figures.log_size));
        writeln!(self.out, "{:<16} {used} of {size}", "log").map_err(about_output)
    }
}

fn check_with(disk: &impl Disk, blocks: u64, now: Duration) -> Result<Check> {
    check::check(disk, blocks, now).map_err(|refused| match refused {
        Refused::None => Error::new("not a daxrmap filesystem"),
        Refused::Damaged => {
            Error::new("both superblocks are damaged: nothing tells where anything is")
        }
        Refused::Version(version) => Error::new(format!(
            "it is of version {version} of the format, which this program does not know"
        )),
        Refused::Features(features) => Error::new(format!(
            "it has features that this program does not know ({features:#x})"
        )),
        Refused::System(error) => error.into(),
    })
}

/// Somebody at a terminal.
pub struct Terminal<R> {
    /// What is typed.
    pub input: R,
    /// It is a terminal.
    pub is_terminal: bool,
}

impl<R: BufRead> Ask for Terminal<R> {
    fn is_there(&self) -> bool {
        self.is_terminal
    }

    fn answer(&mut self) -> Option<bool> {
        let mut line = String::new();
        match self.input.read_line(&mut line) {
            Ok(n) if n > 0 => Some(matches!(line.trim(), "y" | "Y" | "yes")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daxrmap_media::{
        format,
        BLOCK_SIZE, //
    };
    use std::{
        fs::File,
        os::unix::fs::FileExt,
        path::Path, //
    };

    /// An image whose second superblock is damaged.
    fn damaged(path: &Path) {
        let options = format::Options {
            blocks: 640,
            log: None,
            uuid: uuid::Uuid::from_bytes([1; 16]),
            label: String::new(),
            now: Duration::ZERO,
            random: 0,
            secret: [1; 16],
        };
        let mut open = File::options();
        let file = open
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .unwrap();
        file.set_len(640 * BLOCK_SIZE).unwrap();
        format::format(&file, &options).unwrap();
        file.write_all_at(&[9], 639 * BLOCK_SIZE + 50).unwrap();
    }

    /// What comes of an answer.
    fn asked(typed: &str, args: &[&str]) -> (Outcome, String, bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        damaged(&path);
        let before = std::fs::read(&path).unwrap();
        let mut args = Args::try_parse_from([&["fsck"], args, &["x"]].concat()).unwrap();
        args.device = path.clone();
        let mut ask = Terminal {
            is_terminal: true,
            input: typed.as_bytes(),
        };
        let mut out = Vec::new();
        let (outcome, errors) = run(&args, &mut ask, &mut out);
        assert!(errors.is_empty());
        let same = std::fs::read(&path).unwrap() == before;
        (outcome, String::from_utf8(out).unwrap(), same)
    }

    #[test]
    fn somebody_is_asked() {
        for yes in ["y\n", "Y\n", "yes\n", " y"] {
            let (outcome, out, same) = asked(yes, &[]);
            assert_eq!((outcome, same), (Outcome::Corrected, false));
            assert!(out.contains(": correct it (y/n)? "), "{out}");
        }
        for no in ["n\n", "\n", "ye\n"] {
            let (outcome, out, same) = asked(no, &[]);
            assert_eq!((outcome, same), (Outcome::Uncorrected, true));
            assert!(out.contains(": NOT corrected"), "{out}");
        }
        let (outcome, _, same) = asked("", &[]);
        assert_eq!((outcome, same), (Outcome::Cancelled, true));
    }

    #[test]
    fn nobody_is_asked() {
        let (outcome, out, same) = asked("y\n", &["-n"]);
        assert_eq!((outcome, same), (Outcome::Uncorrected, true));
        assert!(!out.contains('?'), "{out}");
        for arg in ["-y", "-a", "-p"] {
            let (outcome, out, same) = asked("n\n", &[arg]);
            assert_eq!((outcome, same), (Outcome::Corrected, false));
            assert!(!out.contains('?'), "{out}");
        }
    }
}
