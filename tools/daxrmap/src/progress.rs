// SPDX-License-Identifier: GPL-2.0

//! Says on a terminal how far it is, if it takes long.

use std::{
    io::{
        self,
        IsTerminal,
        Write, //
    },
    time::{
        Duration,
        Instant, //
    },
};

/// Nobody waits for less.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often there is something new.
const TICK: Duration = Duration::from_millis(200);

/// Counts something.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    terminal: bool,
    count: u64,
    started: Instant,
    next: Instant,
    shown: bool,
}

impl Progress {
    /// Of nothing yet, of what is called so.
    pub fn of(what: &'static str) -> Self {
        let started = Instant::now();
        Self {
            what,
            terminal: io::stderr().is_terminal(),
            count: 0,
            started,
            next: started + PATIENCE,
            shown: false,
        }
    }

    /// One more.
    pub fn step(&mut self) {
        self.count += 1;
        if !self.terminal {
            return;
        }
        let now = Instant::now();
        if now >= self.next {
            self.next = now + TICK;
            self.shown = true;
            let seconds = (now - self.started).as_secs();
            // Who reads that is not there any more, or is.
            let _ = write!(
                io::stderr(),
                "\r\x1b[K{} {} in {seconds} s ...",
                self.count,
                self.what
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_on_a_terminal_and_only_if_it_takes_long() {
        let long = |terminal| Progress {
            terminal,
            next: Instant::now(),
            ..Progress::of("things")
        };
        let mut soon = Progress {
            terminal: true,
            ..Progress::of("things")
        };
        let (mut nobody, mut somebody) = (long(false), long(true));
        for progress in [&mut soon, &mut nobody, &mut somebody] {
            progress.step();
        }
        assert_eq!(soon.count, 1);
        assert!(!soon.shown && !nobody.shown && somebody.shown);
    }
}
