// SPDX-License-Identifier: GPL-2.0

//! All who are told of an event: standard output or the journal, hooks, metrics.

use crate::{
    cli::monitor::MonitorArgs,
    error::{
        Error,
        Result, //
    },
    monitor::{
        follow::{
            Follow,
            Watched, //
        },
        journal::{
            Journal,
            Written,
            SOCKET, //
        },
        metrics::Metrics,
        spool::Spool,
    },
    mount::Any,
    report::{
        moment,
        EventReport, //
    },
};
use std::{
    io::{
        self,
        Write, //
    },
    path::Path, //
};

/// They.
pub(super) struct Told<'a, W> {
    out: &'a mut W,
    json: bool,
    journal: Option<Journal>,
    spool: Option<Spool>,
    metrics: Option<Metrics>,
    behind: bool,
}

fn printed(result: io::Result<()>) -> Result<()> {
    result.map_err(|error| Error::from(error).about_what("standard output"))
}

/// Whether there is a place for it.
fn has_folder(file: &Path) -> bool {
    let folder = file.parent();
    folder.is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
}

impl<'a, W: Write> Told<'a, W> {
    /// Finds them.
    pub(super) fn new(args: &MonitorArgs, out: &'a mut W) -> Result<Self> {
        // Without systemd a service writes to standard output.
        let journal = args.service && Path::new(SOCKET).exists();
        let textfile = args.textfile.as_deref();
        // A service is told where node_exporter would look, whether that is here or not.
        let textfile = textfile.filter(|file| !args.service || has_folder(file));
        Ok(Self {
            out,
            json: args.json,
            journal: journal
                .then(|| Journal::open(Path::new(SOCKET)))
                .transpose()?,
            spool: args.spool.as_deref().map(Spool::open).transpose()?,
            metrics: textfile.map(Metrics::new),
            behind: true,
        })
    }

    /// Prints what was in the journal.
    pub(super) fn written(&mut self, written: &[Written]) -> Result<()> {
        for entry in written {
            if self.json && !entry.json.is_empty() {
                printed(writeln!(self.out, "{}", entry.json))?;
            } else if !self.json {
                for line in entry.message.lines() {
                    printed(writeln!(self.out, "{} {line}", moment(entry.time)))?;
                }
            }
        }
        self.flush()
    }

    /// Tells all of them.
    pub(super) fn event(&mut self, event: &EventReport) -> Result<()> {
        match &self.journal {
            Some(journal) => {
                if let Err(error) = journal.write(event) {
                    self.complain(&error.about_what("journal"));
                }
            }
            None if self.json => {
                let json = serde_json::to_writer(&mut *self.out, event).map_err(io::Error::from);
                printed(json.and_then(|()| writeln!(self.out)))?;
            }
            None => printed(write!(self.out, "{event}"))?,
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.count(event);
            self.behind = true;
        }
        if event.happened.wants_hooks() {
            if let Some(Err(error)) = self.spool.as_mut().map(|spool| spool.add(event)) {
                self.complain(&error);
            }
        }
        Ok(())
    }

    /// Says what went wrong, and goes on.
    pub(super) fn complain(&self, error: &Error) {
        let journal = self.journal.as_ref().map(|journal| journal.complain(error));
        if !matches!(journal, Some(Ok(()))) {
            eprintln!("daxrmap: {error}");
        }
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        printed(self.out.flush())
    }

    /// Other mounts than before are to be counted.
    pub(super) fn has_changed(&mut self) {
        self.behind = true;
    }

    /// Whether the metrics have to be written.
    pub(super) fn is_behind(&self) -> bool {
        self.metrics.is_some() && self.behind
    }

    /// Counts what is bad and lost now, and writes the metrics, if there is something new.
    pub(super) fn count_now(&mut self, follow: &Follow) -> bool {
        if !self.is_behind() {
            return false;
        }
        self.behind = false;
        let mut errors = Vec::new();
        let mut now = Vec::new();
        for mount in &follow.mounts {
            let device = device_name(mount);
            let point = mount.path().to_string_lossy().into_owned();
            match numbers(mount) {
                Ok((bad, lost)) => now.push((device, point, Some(bad), lost)),
                Err(error) => errors.push(error),
            }
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.now(&now);
            errors.extend(metrics.write().err());
        }
        errors.iter().for_each(|error| self.complain(error));
        true
    }
}

fn device_name(mount: &Watched) -> String {
    let name = mount.device().name();
    name.map_or_else(
        || mount.device().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Bytes that are bad, and, where that can be had without looking through all files, lost.
fn numbers(mount: &Watched) -> Result<(u64, Option<u64>)> {
    match Any::open(mount.path())? {
        Any::Ours(mount) => {
            let status = mount.status()?;
            let lost = mount
                .lost()?
                .iter()
                .fold(0, |sum: u64, record| sum.saturating_add(record.length));
            let bad = status.bad_blocks.saturating_mul(status.block_size.into());
            Ok((bad, Some(lost)))
        }
        Any::Other(mount) => {
            let bad = mount.bad()?.ranges;
            Ok((bad.iter().map(|range| range.end - range.start).sum(), None))
        }
    }
}
