// SPDX-License-Identifier: GPL-2.0

//! `daxrmap monitor` and `daxrmap hooks`.

mod tell;
mod translate;

use self::{
    tell::Told,
    translate::Causes, //
};
use super::lost;
use crate::{
    cli::monitor::{
        HooksArgs,
        MonitorArgs, //
    },
    error::{
        Error,
        Result, //
    },
    guard::Control,
    monitor::{
        follow::{
            self,
            Follow,
            Watched, //
        },
        hooks as programs,
        journal,
        spool,
        stream::Stream, //
    },
    mount::Any,
};
use rustix::event::{
    poll,
    PollFd,
    PollFlags,
    Timespec, //
};
use sd_notify::NotifyState;
use std::{
    collections::HashSet,
    io::{
        self,
        Write, //
    },
    os::unix::net::UnixStream,
    sync::mpsc::TryRecvError,
    time::{
        Duration,
        Instant, //
    },
};

/// Batches that are told at a time: their files are looked for together.
const AT_A_TIME: usize = 64;
/// How often bad and lost bytes are counted anew, and the metrics written, at most.
const METRICS: Duration = Duration::from_secs(1);

/// Signals that end a monitor, as bytes to read.
fn ends() -> Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    for signal in [libc::SIGTERM, libc::SIGINT] {
        signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
    }
    Ok(reader)
}

pub(super) fn monitor(args: &MonitorArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let ends = ends()?;
    let control = Control::open()?;
    let mut follow = Follow::new(&args.mounts)?;
    let mountinfo = follow::mountinfo()?;
    // From now on nothing is missed, whatever happens before it is told.
    let fd = control.events()?;
    let mut watchdog = 0;
    let limit = sd_notify::watchdog_enabled(false, &mut watchdog)
        .then(|| Duration::from_micros(watchdog / 3));
    let stream = Stream::start(fd, limit, || notify(&[NotifyState::Watchdog]))?;
    let mut told = Told::new(args, out)?;
    if let Some(time) = &args.since {
        told.written(&journal::since(time)?)?;
    }
    notify(&[NotifyState::Ready]);
    already(&follow.refresh()?, &mut told)?;
    let mut counted = None::<Instant>;
    let mut causes = Causes::default();
    loop {
        if counted.is_none_or(|at: Instant| at.elapsed() >= METRICS) && told.count_now(&follow) {
            counted = Some(Instant::now());
        }
        told.flush()?;
        let stdout = io::stdout();
        let mut fds = vec![
            PollFd::new(&ends, PollFlags::IN),
            PollFd::new(&*stream.bell, PollFlags::IN),
            PollFd::new(&mountinfo, PollFlags::PRI),
        ];
        if !args.service {
            // Who reads our output may go away while there is nothing to say.
            fds.push(PollFd::new(&stdout, PollFlags::empty()));
        }
        let timeout = told.is_behind().then_some(METRICS);
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result.map_err(io::Error::from)?,
        };
        let ready: Vec<_> = fds.iter().map(PollFd::revents).collect();
        if !ready[0].is_empty() {
            break;
        }
        if ready
            .get(3)
            .is_some_and(|ready| ready.contains(PollFlags::ERR))
        {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
        // Before the events, which may be about a mount that has just come.
        if !ready[2].is_empty() {
            let new = follow.refresh()?;
            told.has_changed();
            already(&new, &mut told)?;
        }
        if !ready[1].is_empty() {
            stream.heard();
            while read(&stream, &follow, &mut causes, &mut told)? {
                told.flush()?;
            }
        }
    }
    notify(&[NotifyState::Stopping]);
    told.count_now(&follow);
    told.flush()?;
    Ok(Vec::new())
}

/// Whoever started us need not be systemd.
fn notify(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(false, state);
}

/// Tells some of what was read; false if nothing was.
fn read(
    stream: &Stream,
    follow: &Follow,
    causes: &mut Causes,
    told: &mut Told<'_, impl Write>,
) -> Result<bool> {
    let mut events = Vec::new();
    let mut failed = None;
    for _ in 0..AT_A_TIME {
        match stream.batches.try_recv() {
            Ok(Ok(batch)) => events.extend(batch),
            Ok(Err(error)) => failed = Some(error.about_what("events")),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    if events.is_empty() && failed.is_none() {
        return Ok(false);
    }
    events.retain(|event| follow.wants(event));
    for event in translate::events(&events, follow, causes) {
        told.event(&event)?;
    }
    told.flush()?;
    failed.map_or(Ok(true), Err)
}

/// Tells what is lost already on mounts that were not there before.
fn already(mounts: &[Watched], told: &mut Told<'_, impl Write>) -> Result<()> {
    for mount in mounts {
        let found = Any::open(mount.path()).and_then(|any| lost::look(&any, &HashSet::new()));
        match found {
            Ok(looked) => {
                for event in translate::lost(looked.report, mount) {
                    told.event(&event)?;
                }
                looked.errors.iter().for_each(|error| told.complain(error));
            }
            // It may be gone again.
            Err(error) => told.complain(&error),
        }
    }
    told.flush()
}

/// Runs the hooks for all that the monitor put aside.
pub(super) fn hooks(args: &HooksArgs) -> Result<Vec<Error>> {
    let limit = Duration::from_secs(args.timeout);
    let mut errors = Vec::new();
    let mut complain = |error: Error| {
        if errors.len() < 100 {
            errors.push(error);
        }
    };
    let (hooks, refused) = match programs::find(&args.hooks) {
        Ok(found) => found,
        // What cannot be told is not kept, or systemd would start us again and again.
        Err(error) => (Vec::new(), vec![error]),
    };
    refused.into_iter().for_each(&mut complain);
    spool::take_all(&args.spool, |facts| match facts {
        Ok(facts) => {
            let environment: Vec<_> = facts.environment().collect();
            for hook in &hooks {
                if let Err(error) = programs::run(hook, environment.iter().cloned(), limit) {
                    complain(error);
                }
            }
        }
        Err(error) => complain(error),
    })?;
    Ok(errors)
}
