// SPDX-License-Identifier: GPL-2.0

//! The kernel's records: bytes of the file descriptor that DAXRMAP_IOC_EVENTS returns.

use crate::{
    abi::Event,
    error::{
        bad_answer,
        Error,
        Result, //
    },
};
use rustix::event::{
    eventfd,
    poll,
    EventfdFlags,
    PollFd,
    PollFlags,
    Timespec, //
};
use std::{
    fs::File,
    io::{
        self,
        Read, //
    },
    os::fd::OwnedFd,
    sync::{
        mpsc::{
            sync_channel,
            Receiver,
            SyncSender, //
        },
        Arc, //
    },
    thread,
    time::Duration, //
};
use zerocopy::FromBytes;

/// Records that are asked for at a time.
const BATCH: usize = 448;
/// Batches that are kept for who is told slowly: beyond that the kernel keeps them, and counts what it drops.
const BATCHES: usize = 1024;

/// All records in these bytes. Those of a later version of the kernel may be longer.
///
/// # Errors
///
/// If they make no sense.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let (event, _) =
            Event::read_from_prefix(bytes).map_err(|_| bad_answer("a part of an event"))?;
        let size = usize::from(event.size);
        if size < size_of::<Event>() || size % 8 != 0 {
            return Err(bad_answer("an event of a size that cannot be"));
        }
        bytes = bytes
            .get(size..)
            .ok_or_else(|| bad_answer("a part of an event"))?;
        let fits = |start: u64| start.checked_add(event.length).is_some();
        if !fits(event.physical) || !fits(event.offset) {
            return Err(bad_answer("an event with a range that cannot be"));
        }
        if event.handle_bytes as usize > event.handle.len() {
            return Err(bad_answer("a file handle longer than its room"));
        }
        events.push(event);
    }
    Ok(events)
}

/// What a thread reads.
#[derive(Debug)]
pub struct Stream {
    /// Batches of records; the last one may be why there are no more.
    pub batches: Receiver<Result<Vec<Event>>>,
    /// Readable if there may be batches.
    pub bell: Arc<OwnedFd>,
}

impl Stream {
    /// Starts a thread that reads from `fd`. It calls `alive` at least that often, unless it cannot get rid of what
    /// it has read.
    ///
    /// # Errors
    ///
    /// If there is no thread to be had.
    pub fn start(
        fd: OwnedFd,
        every: Option<Duration>,
        alive: impl Fn() + Send + 'static,
    ) -> Result<Self> {
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (sender, batches) = sync_channel(BATCHES);
        let rings = bell.clone();
        thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || read_all(fd, every, &alive, &sender, &rings))?;
        Ok(Self { batches, bell })
    }

    /// Forgets that the bell rang.
    pub fn heard(&self) {
        // There is nothing to forget if it did not ring.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
    }
}

fn read_all(
    fd: OwnedFd,
    every: Option<Duration>,
    alive: &impl Fn(),
    sender: &SyncSender<Result<Vec<Event>>>,
    bell: &OwnedFd,
) {
    let mut file = File::from(fd);
    let every = every.and_then(|every| Timespec::try_from(every).ok());
    let mut buffer = vec![0; BATCH * size_of::<Event>()];
    loop {
        alive();
        let batch = match wait(&file, every.as_ref()) {
            Ok(false) => continue,
            Ok(true) => match file.read(&mut buffer) {
                Ok(0) => Err(Error::new("there are no more events")),
                Ok(n) => decode(&buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        };
        let last = batch.is_err();
        if sender.send(batch).is_err() {
            return;
        }
        // If it cannot ring any more it has rung.
        let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
        if last {
            return;
        }
    }
}

/// Whether there is something to read before the time is over.
fn wait(file: &File, every: Option<&Timespec>) -> io::Result<bool> {
    match poll(&mut [PollFd::new(file, PollFlags::IN)], every) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        os::unix::net::UnixStream, //
    };
    use zerocopy::IntoBytes;

    fn event(sequence: u64) -> Event {
        Event {
            size: size_of::<Event>() as u16,
            kind: 2,
            sequence,
            length: 4096,
            handle_bytes: 12,
            ..Event::default()
        }
    }

    #[test]
    fn records_of_now_and_of_later() {
        assert_eq!(decode(&[]).unwrap(), []);
        let mut bytes = event(0).as_bytes().to_vec();
        let mut longer = event(1);
        longer.size += 16;
        bytes.extend(longer.as_bytes());
        bytes.extend([0xff; 16]);
        bytes.extend(event(2).as_bytes());
        let events = decode(&bytes).unwrap();
        let sequence: Vec<_> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(sequence, [0, 1, 2]);
    }

    #[test]
    fn records_that_cannot_be() {
        let good = event(0);
        for bad in [
            Event { size: 0, ..good },
            Event {
                size: good.size - 8,
                ..good
            },
            Event {
                size: good.size + 8,
                ..good
            },
            Event {
                size: good.size + 1,
                ..good
            },
            Event {
                physical: u64::MAX,
                ..good
            },
            Event {
                offset: u64::MAX - 4094,
                ..good
            },
            Event {
                handle_bytes: 33,
                ..good
            },
        ] {
            let error = decode(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("makes no sense"), "{error}");
        }
        for length in 1..size_of::<Event>() {
            assert!(decode(&good.as_bytes()[..length]).is_err());
        }
    }

    #[test]
    fn a_thread_reads_until_there_is_no_more() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let stream = Stream::start(reader.into(), None, || {}).unwrap();
        let mut writer = writer;
        writer.write_all(event(5).as_bytes()).unwrap();
        let batch = stream.batches.recv().unwrap().unwrap();
        assert_eq!(batch, [event(5)]);
        drop(writer);
        let error = stream.batches.recv().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "there are no more events");
        let mut bell = [PollFd::new(&*stream.bell, PollFlags::IN)];
        assert_eq!(poll(&mut bell, None).unwrap(), 1);
        stream.heard();
    }
}
