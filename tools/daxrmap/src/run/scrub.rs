// SPDX-License-Identifier: GPL-2.0

//! `daxrmap scrub`: has the kernel read what is in use, and says what it has found.

use super::print;
use crate::{
    abi::Scrub,
    cli::scrub::ScrubArgs,
    cxl::{
        self,
        Poison, //
    },
    error::{
        Error,
        Result, //
    },
    guard::Control,
    number::DeviceNumber,
    progress::Progress,
    report,
    scrub::{
        ars::Bus,
        state::{
            Reached,
            Store, //
        },
        target::Target,
        walk::{
            walk,
            Reader, //
        },
    },
    teller,
};
use signal_hook::consts::{
    SIGHUP,
    SIGINT,
    SIGTERM, //
};
use std::{
    io::Write,
    path::Path,
    process::ExitCode,
    sync::{
        atomic::{
            AtomicUsize,
            Ordering, //
        },
        Arc,
    },
    time::{
        Duration,
        Instant, //
    },
};

/// How often it is written down how far it is: what a crash costs.
const OFTEN: Duration = Duration::from_secs(5);

/// The signal that came, or 0.
#[derive(Clone, Default)]
struct Signal(Arc<AtomicUsize>);

impl Signal {
    /// From now on those that are to stop a scrub are remembered; a second one ends the program at once.
    fn watch() -> Result<Self> {
        let signal = Self::default();
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let again = Arc::new(std::sync::atomic::AtomicBool::new(false));
            // In this order: the first one finds the flag not set yet.
            signal_hook::flag::register_conditional_default(number, again.clone())?;
            signal_hook::flag::register(number, again)?;
            signal_hook::flag::register_usize(number, signal.0.clone(), number as usize)?;
        }
        Ok(signal)
    }

    fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn came(&self) -> bool {
        self.number() != 0
    }
}

/// The module, and where it is written down how far it is.
struct Module {
    control: Control,
    store: Store,
    signal: Signal,
    saved: Instant,
    progress: Progress,
    /// Bytes that have been looked at.
    bytes: u64,
    said: usize,
}

impl Reader for Module {
    fn read(&mut self, disk: DeviceNumber, page: u64, count: u64) -> Result<Scrub> {
        let answer = self.control.scrub(disk, page, count)?;
        let done = answer.page.saturating_sub(page).saturating_mul(4096);
        self.bytes = self.bytes.saturating_add(done);
        self.progress.add(done);
        Ok(answer)
    }

    fn reached(&mut self, reached: &Reached) -> Result<()> {
        for find in reached.found.iter().skip(self.said) {
            self.progress.suspend(|| {
                eprintln!("daxrmap: {} page {} cannot be read", find.disk, find.page);
            });
        }
        let news = self.said != reached.found.len();
        self.said = reached.found.len();
        if news || self.saved.elapsed() >= OFTEN {
            self.store.save(reached)?;
            self.saved = Instant::now();
        }
        Ok(())
    }

    fn stops(&self) -> bool {
        self.signal.came()
    }
}

/// From where to go on.
fn begin(args: &ScrubArgs, target: &Target, store: &Store) -> Result<(Reached, Option<u64>)> {
    let here = |error: Error| error.about(&args.target);
    let fresh = Reached::nowhere(target.stack.size(), args.all);
    if args.restart {
        return Ok((fresh, None));
    }
    let earlier = store.load()?;
    let same = earlier.filter(|earlier| (earlier.size, earlier.all) == (fresh.size, fresh.all));
    match same {
        Some(earlier) => {
            let position = earlier.position;
            Ok((earlier, Some(position)))
        }
        None if args.resume => Err(here(Error::new(
            "there is no scrub of it, with these options, that has stopped half way",
        ))),
        None => Ok((fresh, None)),
    }
}

/// Asks CXL devices what they know already, which need not be read then. Its owners are told: by the guard that
/// hears what is said, or else by the kernel itself. `None` if no device keeps a list.
fn poison_lists(target: &Target) -> Option<Poison> {
    let hears = teller::hears_cxl();
    let mut sum = None;
    for disk in target.stack.disks() {
        match cxl::enter_poison_list(&disk.name(), !hears) {
            Ok(Some(poison)) => {
                let sum = sum.get_or_insert_with(Poison::default);
                sum.named = sum.named.saturating_add(poison.named);
                sum.new = sum.new.saturating_add(poison.new);
            }
            Ok(None) => {}
            // Reading finds what there is all the same.
            Err(error) => eprintln!("daxrmap: {error}"),
        }
    }
    sum
}

/// Has the platform look too. Returns whether there is one that does.
fn platform(target: &Target, wait: bool, signal: &Signal) -> Vec<Result<bool>> {
    let mut buses = Vec::new();
    for disk in target.stack.disks() {
        match Bus::of(Path::new("/sys"), &disk.name()) {
            Some(bus) if !buses.contains(&bus) => buses.push(bus),
            _ => {}
        }
    }
    let one = |bus: &Bus| {
        bus.start()?;
        if wait {
            bus.wait(|| signal.came())?;
        }
        Ok(true)
    };
    buses.iter().map(one).collect()
}

/// What is told by the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was read, and is good.
    Clean,
    /// Something was found.
    Found,
    /// This signal has stopped it.
    Stopped(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Clean => Self::SUCCESS,
            Outcome::Found => Self::from(1),
            // As a shell tells of it.
            Outcome::Stopped(signal) => Self::from(128u8.saturating_add(signal)),
        }
    }
}

/// Does what the arguments say, and writes what comes of it to `out`.
///
/// # Errors
///
/// What made it impossible, or impossible to go on. How far it came is written down then.
pub fn scrub(args: &ScrubArgs, out: &mut impl Write) -> Result<Outcome> {
    let control = Control::open()?;
    let target = Target::open(&args.target, args.all)?;
    let store = Store::open(&target.name)?;
    let (mut reached, resumed_from) = begin(args, &target, &store)?;
    let signal = Signal::watch()?;

    let poison = poison_lists(&target);
    let mut ars = false;
    for started in platform(&target, args.wait_ars, &signal) {
        match started {
            Ok(started) => ars |= started,
            // Reading finds what there is all the same.
            Err(error) => eprintln!("daxrmap: {error}"),
        }
    }
    let total = target.left(0);
    let done = total.saturating_sub(target.left(reached.position));
    if let Some(position) = resumed_from {
        eprintln!("daxrmap: going on at byte {position}, where an earlier scrub has stopped");
    }
    let progress = Progress::of_bytes("scrub", total).since(done);
    let started = Instant::now();
    let mut module = Module {
        control,
        store,
        signal,
        saved: started,
        progress: if args.json {
            progress.quiet()
        } else {
            progress
        },
        bytes: 0,
        said: reached.found.len(),
    };
    let walked = walk(
        &target.stack,
        &target.wanted,
        &mut reached,
        args.rate,
        &mut module,
    );
    let Module {
        store,
        signal,
        bytes,
        progress,
        ..
    } = module;
    drop(progress);
    let complete = match walked {
        Ok(true) => {
            store.done()?;
            true
        }
        Ok(false) => {
            store.save(&reached)?;
            false
        }
        Err(error) => {
            store.save(&reached)?;
            return Err(error.about(&args.target));
        }
    };
    let found = !reached.found.is_empty() || poison.is_some_and(|poison| poison.new != 0);
    let report = report::ScrubReport {
        target: args.target.as_path().into(),
        all: args.all,
        complete,
        position: reached.position,
        resumed_from,
        read: reached.read,
        bytes,
        seconds: started.elapsed().as_secs_f64(),
        ars,
        device_pages: poison.map(|poison| poison.named),
        device_new: poison.map(|poison| poison.new),
        known_pages: reached.known,
        untold: reached.untold,
        found: reached.found,
    };
    print(&report, args.json, out)?;
    Ok(match complete {
        true if found => Outcome::Found,
        true => Outcome::Clean,
        false => Outcome::Stopped(u8::try_from(signal.number()).unwrap_or(0)),
    })
}
