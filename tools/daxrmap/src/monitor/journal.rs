// SPDX-License-Identifier: GPL-2.0

//! systemd's journal: events go there by its native protocol, and come back from `journalctl`.

use crate::{
    error::{
        Error,
        Result, //
    },
    report::EventReport,
};
use serde::Deserialize;
use std::{
    os::unix::net::UnixDatagram,
    path::Path,
    process::{
        Command,
        Stdio, //
    },
};

/// Where journald listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";
/// By which our entries are found.
pub const MESSAGE_ID: &str = "6f1d2c0b9a7e4f5d8c3b1a0e9d7f4c52";
/// A datagram takes some 200 KiB. A file with more names has them in part.
const MESSAGE_MAX: usize = 64 << 10;

/// The journal, to be written to.
#[derive(Debug)]
pub struct Journal(UnixDatagram);

impl Journal {
    /// Finds journald.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn open(socket: &Path) -> Result<Self> {
        let connect = || {
            let to = UnixDatagram::unbound()?;
            to.connect(socket)?;
            Ok(Self(to))
        };
        connect().map_err(|error: Error| error.about(socket))
    }

    /// Writes an event.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&self, event: &EventReport) -> Result<()> {
        self.0.send(&entry(event)).map(drop).map_err(Error::from)
    }

    /// Writes what went wrong.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn complain(&self, error: &Error) -> Result<()> {
        let mut entry = Vec::new();
        field(&mut entry, "MESSAGE", error.to_string().as_bytes());
        field(&mut entry, "PRIORITY", b"4");
        field(&mut entry, "SYSLOG_IDENTIFIER", b"daxrmap");
        self.0.send(&entry).map(drop).map_err(Error::from)
    }
}

/// A field: with its length before it, so that any bytes may be in it.
fn field(entry: &mut Vec<u8>, name: &str, value: &[u8]) {
    entry.extend(name.as_bytes());
    entry.push(b'\n');
    entry.extend((value.len() as u64).to_le_bytes());
    entry.extend(value);
    entry.push(b'\n');
}

fn entry(event: &EventReport) -> Vec<u8> {
    let mut entry = Vec::new();
    let mut message = event.messages().join("\n");
    if message.len() > MESSAGE_MAX {
        let end = (0..=MESSAGE_MAX)
            .rev()
            .find(|&i| message.is_char_boundary(i));
        message.truncate(end.unwrap_or(0));
    }
    let priority = event.happened.priority().to_string();
    for (name, value) in [
        ("MESSAGE", message.as_str()),
        ("MESSAGE_ID", MESSAGE_ID),
        ("PRIORITY", &priority),
        ("SYSLOG_IDENTIFIER", "daxrmap"),
    ] {
        field(&mut entry, name, value.as_bytes());
    }
    for (name, value) in event.facts() {
        let value = value.get(..MESSAGE_MAX).unwrap_or(&value);
        field(&mut entry, &format!("DAXRMAP_{name}"), value);
    }
    let mut json = serde_json::to_string(event).unwrap_or_default();
    if json.len() > MESSAGE_MAX {
        json.clear();
    }
    field(&mut entry, "DAXRMAP_JSON", json.as_bytes());
    entry
}

/// What is asked for of an entry.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: String,
    #[serde(rename = "MESSAGE")]
    message: Option<serde_json::Value>,
    #[serde(rename = "DAXRMAP_JSON")]
    json: Option<serde_json::Value>,
}

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// Nanoseconds since 1970.
    pub time: u64,
    /// What it said, in lines.
    pub message: String,
    /// What it was, as JSON; empty if that was too long.
    pub json: String,
}

/// What the service wrote since then.
///
/// # Errors
///
/// If journalctl(1) does not work, or does not take that time.
pub fn since(time: &str) -> Result<Vec<Written>> {
    let output = Command::new("journalctl")
        .arg("--output=json")
        .arg("--quiet")
        .arg("--all")
        .arg(format!("--since={time}"))
        .arg(format!("MESSAGE_ID={MESSAGE_ID}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::from(error).about_what("journalctl"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().next().unwrap_or("it failed").to_owned();
        return Err(Error::new(line).about_what("journalctl"));
    }
    read(&output.stdout)
}

/// Understands the output of journalctl(1).
fn read(output: &[u8]) -> Result<Vec<Written>> {
    let lines = output.split(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    let written = |line| {
        let entry: Entry = serde_json::from_slice(line)
            .map_err(|error| Error::new(format!("not understood: {error}")))?;
        let time: u64 = entry
            .time
            .parse()
            .map_err(|_| Error::new("not understood: a time"))?;
        Ok(Written {
            time: time.saturating_mul(1000),
            message: string(entry.message),
            json: string(entry.json),
        })
    };
    let all: Result<Vec<_>> = lines.map(written).collect();
    all.map_err(|error| error.about_what("journalctl"))
}

/// What journalctl takes for binary is an array of bytes.
fn string(value: Option<serde_json::Value>) -> String {
    match value {
        Some(serde_json::Value::String(text)) => text,
        Some(serde_json::Value::Array(bytes)) => {
            let bytes = bytes.iter().filter_map(|byte| byte.as_u64());
            let bytes: Vec<_> = bytes.filter_map(|byte| u8::try_from(byte).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Happened;
    use std::collections::HashMap;

    /// What journald would make of it.
    fn fields(mut entry: &[u8]) -> HashMap<String, Vec<u8>> {
        let mut fields = HashMap::new();
        while !entry.is_empty() {
            let name = entry.iter().position(|&byte| byte == b'\n').unwrap();
            let (length, rest) = entry[name + 1..].split_first_chunk::<8>().unwrap();
            let length = u64::from_le_bytes(*length) as usize;
            assert_eq!(rest[length], b'\n');
            let name = String::from_utf8(entry[..name].to_vec()).unwrap();
            fields.insert(name, rest[..length].to_vec());
            entry = &rest[length + 1..];
        }
        fields
    }

    #[test]
    fn an_entry_arrives() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        assert!(Journal::open(&socket).is_err());
        let journald = UnixDatagram::bind(&socket).unwrap();
        let journal = Journal::open(&socket).unwrap();
        let event = EventReport {
            physical: Some(4096),
            device: Some(Path::new("/dev/pmem0").into()),
            ..EventReport::new(Happened::Failure, 1)
        };
        journal.write(&event).unwrap();
        let mut buffer = vec![0; 1 << 16];
        let n = journald.recv(&mut buffer).unwrap();
        let fields = fields(&buffer[..n]);
        assert_eq!(
            fields["MESSAGE"],
            b"/dev/pmem0: memory failed: physical 4096"
        );
        assert_eq!(fields["MESSAGE_ID"], MESSAGE_ID.as_bytes());
        assert_eq!(fields["PRIORITY"], b"3");
        assert_eq!(fields["DAXRMAP_EVENT"], b"failure");
        assert_eq!(fields["DAXRMAP_DEVICE"], b"/dev/pmem0");
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(fields["DAXRMAP_JSON"], json.as_bytes());
    }

    #[test]
    fn what_journalctl_says() {
        let output = br#"{"__REALTIME_TIMESTAMP":"12","MESSAGE":"a","DAXRMAP_JSON":"{}","X":1}
{"__REALTIME_TIMESTAMP":"13","MESSAGE":[98,10,99],"DAXRMAP_JSON":null}
"#;
        let written = |time, message: &str, json: &str| Written {
            time,
            message: message.to_owned(),
            json: json.to_owned(),
        };
        let expected = [written(12_000, "a", "{}"), written(13_000, "b\nc", "")];
        assert_eq!(read(output).unwrap(), expected);
        assert_eq!(read(b"").unwrap(), []);
        for bad in ["{}", "x", r#"{"__REALTIME_TIMESTAMP":"x"}"#] {
            let error = read(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("journalctl: not understood"), "{error}");
        }
    }
}
