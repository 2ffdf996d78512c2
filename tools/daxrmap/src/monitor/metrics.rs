// SPDX-License-Identifier: GPL-2.0

//! Numbers for Prometheus, in its text format: node_exporter's textfile collector reads the file.

use crate::{
    error::{
        Error,
        Result, //
    },
    report::{
        EventReport,
        Happened, //
    },
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    fs::{
        self,
        OpenOptions, //
    },
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{
        Path,
        PathBuf, //
    },
};

/// What is counted, of a device and a mount point.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    failures: u64,
    owners: u64,
    told: u64,
    healed: u64,
    bad: Option<u64>,
    lost: Option<u64>,
}

/// How a number is called, what it is, and how it is found in a row.
type Number = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Row) -> Option<u64>,
);

const NUMBERS: [Number; 6] = [
    (
        "daxrmap_failures_total",
        "counter",
        "Failures of memory.",
        |row| Some(row.failures),
    ),
    (
        "daxrmap_owners_total",
        "counter",
        "Ranges of files that failures hit.",
        |row| Some(row.owners),
    ),
    (
        "daxrmap_processes_told_total",
        "counter",
        "Processes that were told of a failure by a signal.",
        |row| Some(row.told),
    ),
    (
        "daxrmap_healed_bytes_total",
        "counter",
        "Bytes of files that were lost and have good memory again.",
        |row| Some(row.healed),
    ),
    (
        "daxrmap_bad_bytes",
        "gauge",
        "Bytes of bad blocks now.",
        |row| row.bad,
    ),
    (
        "daxrmap_lost_bytes",
        "gauge",
        "Bytes of files that are lost now, counted for each owner.",
        |row| row.lost,
    ),
];

/// The numbers.
#[derive(Debug)]
pub struct Metrics {
    file: PathBuf,
    rows: BTreeMap<(String, String), Row>,
    missed: u64,
    /// Whether the file is older than the numbers.
    changed: bool,
}

impl Metrics {
    /// None yet, for this file.
    pub fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            rows: BTreeMap::new(),
            missed: 0,
            changed: true,
        }
    }

    /// Counts an event.
    pub fn count(&mut self, event: &EventReport) {
        self.changed = true;
        if event.happened == Happened::EventsLost {
            self.missed = self.missed.saturating_add(event.count.unwrap_or(0));
            return;
        }
        let Some(device) = &event.device else { return };
        let mount = event.mount.as_ref().map_or("", |mount| mount.shown());
        let key = (device.shown().to_owned(), mount.to_owned());
        let row = self.rows.entry(key).or_default();
        let add = |number: &mut u64, n: u64| *number = number.saturating_add(n);
        match event.happened {
            Happened::Failure => add(&mut row.failures, 1),
            Happened::Owner => add(&mut row.owners, 1),
            Happened::Healed => add(&mut row.healed, event.length.unwrap_or(0)),
            Happened::Done => add(&mut row.told, event.told.unwrap_or(0)),
            _ => {}
        }
    }

    /// How many bytes are bad and lost now on each of the mounts; all others are gone.
    pub fn now(&mut self, now: &[(String, String, Option<u64>, Option<u64>)]) {
        self.changed = true;
        for row in self.rows.values_mut() {
            (row.bad, row.lost) = (None, None);
        }
        for (device, mount, bad, lost) in now {
            let key = (device.clone(), mount.clone());
            let row = self.rows.entry(key).or_default();
            (row.bad, row.lost) = (*bad, *lost);
        }
    }

    /// Replaces the file as a whole, if something has changed.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        let mut new: OsString = self.file.clone().into();
        // The collector reads what ends in .prom.
        new.push(".new");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&new)?;
            // The collector is somebody else.
            file.set_permissions(fs::Permissions::from_mode(0o644))?;
            file.write_all(self.text().as_bytes())?;
            fs::rename(&new, &self.file)
        };
        write().map_err(|error| Error::from(error).about(&self.file))
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (name, kind, help, number) in NUMBERS {
            head(&mut out, name, kind, help);
            for ((device, mount), row) in &self.rows {
                if let Some(number) = number(row) {
                    let (device, mount) = (label(device), label(mount));
                    let labels = format!("device=\"{device}\",mountpoint=\"{mount}\"");
                    writeln!(out, "{name}{{{labels}}} {number}").expect("a String takes all");
                }
            }
        }
        let name = "daxrmap_events_lost_total";
        let help = "Events that the monitor was too slow to read.";
        head(&mut out, name, "counter", help);
        writeln!(out, "{name} {}", self.missed).expect("a String takes all");
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a String takes all");
}

/// The value of a label, as the format has it.
fn label(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Reads the format as `promtool check metrics` does: all values by name and labels.
    fn parse(text: &str) -> HashMap<String, f64> {
        let mut values = HashMap::new();
        let mut family = String::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(help.ends_with('.'), "{line}");
                let (named, kind) = lines.next().unwrap()[7..].split_once(' ').unwrap();
                assert_eq!(named, name);
                assert!(["counter", "gauge"].contains(&kind));
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
                family = name.to_owned();
                continue;
            }
            let (what, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = what.split_once('{').unwrap_or((what, "}"));
            assert_eq!(name, family);
            assert!(labels.ends_with('}'), "{line}");
            let twice = values.insert(what.to_owned(), value.parse().unwrap());
            assert!(twice.is_none(), "{line}");
        }
        assert!(text.ends_with('\n'));
        values
    }

    fn event(happened: Happened) -> EventReport {
        EventReport {
            device: Some(Path::new("/dev/pmem0").into()),
            mount: Some(Path::new("/a\"b\\\n").into()),
            length: Some(8192),
            told: Some(2),
            count: Some(5),
            ..EventReport::new(happened, 0)
        }
    }

    #[test]
    fn what_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("daxrmap.prom");
        let mut metrics = Metrics::new(&file);
        for happened in [
            Happened::Failure,
            Happened::Owner,
            Happened::Owner,
            Happened::Done,
            Happened::Healed,
            Happened::EventsLost,
            Happened::EventsLost,
        ] {
            metrics.count(&event(happened));
        }
        let mount = "/a\"b\\\n".to_owned();
        metrics.now(&[("/dev/pmem0".to_owned(), mount, Some(4096), None)]);
        metrics.write().unwrap();
        let values = parse(&fs::read_to_string(&file).unwrap());
        let labels = r#"{device="/dev/pmem0",mountpoint="/a\"b\\\n"}"#;
        let of = |name: &str| values.get(&format!("{name}{labels}")).copied();
        assert_eq!(of("daxrmap_failures_total"), Some(1.0));
        assert_eq!(of("daxrmap_owners_total"), Some(2.0));
        assert_eq!(of("daxrmap_processes_told_total"), Some(2.0));
        assert_eq!(of("daxrmap_healed_bytes_total"), Some(8192.0));
        assert_eq!(of("daxrmap_bad_bytes"), Some(4096.0));
        assert_eq!(of("daxrmap_lost_bytes"), None);
        assert_eq!(values["daxrmap_events_lost_total"], 10.0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        // Nothing new, nothing written.
        fs::remove_file(&file).unwrap();
        metrics.write().unwrap();
        assert!(!file.exists());
        // What is mounted no more has no bad bytes, but has failed.
        metrics.now(&[]);
        metrics.write().unwrap();
        let values = parse(&fs::read_to_string(&file).unwrap());
        assert!(!values.contains_key(&format!("daxrmap_bad_bytes{labels}")));
        assert_eq!(values[&format!("daxrmap_failures_total{labels}")], 1.0);
    }

    #[test]
    fn a_folder_that_is_not_there() {
        let error = Metrics::new(Path::new("/none/x.prom")).write().unwrap_err();
        assert_eq!(error.to_string(), "/none/x.prom: No such file or directory");
    }
}
