// SPDX-License-Identifier: GPL-2.0

//! Says on standard error how far it is, if that is a terminal and it takes long.
//!
//! indicatif draws; what it has not is that nobody is bothered in the first second.

use indicatif::{
    ProgressBar,
    ProgressDrawTarget,
    ProgressStyle, //
};
use std::time::{
    Duration,
    Instant, //
};

/// Nobody waits for less.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often there is something new, a second.
const RATE: u8 = 5;

/// Counts something.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// From when on it is shown; `None`: it is.
    shown_from: Option<Instant>,
}

impl Progress {
    /// Of nothing yet, of what is called so. Nobody knows how many there are.
    pub fn of(what: &'static str) -> Self {
        Self::new(None, "{pos} {msg} in {elapsed} ...", what)
    }

    /// Of what is called so, a number of bytes.
    pub fn of_bytes(what: &'static str, all: u64) -> Self {
        const BAR: &str = "{msg} [{bar:30}] {percent}%, {binary_bytes_per_sec}, {eta} left";
        Self::new(Some(all), BAR, what)
    }

    /// Of so many steps of work.
    pub fn of_steps(what: &'static str, all: u64) -> Self {
        Self::new(Some(all), "{msg} [{bar:40}] {percent}%", what)
    }

    fn new(all: Option<u64>, template: &str, what: &'static str) -> Self {
        let style = ProgressStyle::with_template(template).expect("these are templates");
        let bar = ProgressBar::with_draw_target(all, ProgressDrawTarget::hidden());
        Self {
            bar: bar
                .with_style(style.progress_chars("=> "))
                .with_message(what),
            shown_from: Some(Instant::now() + PATIENCE),
        }
    }

    /// Shows it from the start, if there is a terminal.
    pub fn at_once(mut self) -> Self {
        self.shown_from = Some(Instant::now());
        self
    }

    /// Shows nothing.
    pub fn quiet(mut self) -> Self {
        self.shown_from = None;
        self
    }

    /// So many were there from the start: the rate is that of the others.
    pub fn since(self, count: u64) -> Self {
        self.bar.set_position(count);
        self.bar.reset_eta();
        self
    }

    /// Runs `f`, which writes to the terminal, without the bar in between.
    pub fn suspend(&self, f: impl FnOnce()) {
        self.bar.suspend(f);
    }

    /// One more.
    pub fn step(&mut self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&mut self, count: u64) {
        self.bar.inc(count);
        self.show();
    }

    /// So many by now.
    pub fn set(&mut self, count: u64) {
        self.bar.set_position(count);
        self.show();
    }

    fn show(&mut self) {
        if self.shown_from.is_some_and(|from| Instant::now() >= from) {
            self.shown_from = None;
            // Hidden still, if that is no terminal.
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(RATE));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::{
        InMemoryTerm,
        TermLike, //
    };
    use std::thread::sleep;

    #[test]
    fn only_if_it_takes_long() {
        let mut soon = Progress::of("things");
        soon.step();
        assert_eq!(soon.bar.position(), 1);
        assert!(soon.shown_from.is_some());
        let mut late = Progress::of("things").at_once();
        late.step();
        assert!(late.shown_from.is_none());
    }

    /// What a terminal shows, and that it is gone in the end.
    #[test]
    fn on_a_terminal() {
        let terminal = InMemoryTerm::new(2, 80);
        let mut progress = Progress::of_bytes("log", 1000);
        progress.shown_from = None;
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 20);
        progress.bar.set_draw_target(target);
        progress.set(250);
        sleep(Duration::from_millis(100));
        progress.set(500);
        let text = terminal.contents();
        assert!(text.starts_with("log [===============>"), "{text}");
        assert!(text.contains("50%"), "{text}");
        assert!(text.len() <= usize::from(terminal.width()));
        drop(progress);
        assert_eq!(terminal.contents(), "");
    }
}
