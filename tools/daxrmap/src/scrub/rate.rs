// SPDX-License-Identifier: GPL-2.0

//! A token bucket: so many bytes a second, and not many at once.

use std::time::{
    Duration,
    Instant, //
};

/// What is not used in this time is lost.
const BURST: Duration = Duration::from_millis(200);
/// The longest that one sleeps without a look whether to stop.
const NAP: Duration = Duration::from_millis(100);

/// A bucket, into which tokens for bytes flow.
#[derive(Debug)]
pub struct Bucket {
    /// Bytes a second; without, there is no limit.
    rate: Option<u64>,
    /// What is in it; less than nothing after more was taken than there was.
    bytes: f64,
    last: Instant,
}

impl Bucket {
    /// An empty one.
    pub fn new(rate: Option<u64>) -> Self {
        Self {
            rate,
            bytes: 0.0,
            last: Instant::now(),
        }
    }

    /// How many bytes should be asked for at once, `most` at most: what flows in a tenth of a second.
    pub fn portion(&self, most: u64) -> u64 {
        self.rate
            .map_or(most, |rate| (rate / 10).clamp(1, most.max(1)))
    }

    /// Lets flow in what has come until now, takes so many bytes out, and says for how long to wait before they
    /// may be used.
    fn take(&mut self, bytes: u64, now: Instant) -> Duration {
        let Some(rate) = self.rate else {
            return Duration::ZERO;
        };
        let rate = rate as f64;
        let passed = now.saturating_duration_since(self.last);
        self.last = now;
        self.bytes = (self.bytes + passed.as_secs_f64() * rate).min(BURST.as_secs_f64() * rate);
        self.bytes -= bytes as f64;
        Duration::from_secs_f64((-self.bytes / rate).max(0.0))
    }

    /// Waits until so many bytes may be used. False if it is to stop.
    pub fn wait(&mut self, bytes: u64, stop: impl Fn() -> bool) -> bool {
        let mut left = self.take(bytes, Instant::now());
        while !left.is_zero() && !stop() {
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
        !stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_fast_as_it_is_told() {
        let mut bucket = Bucket::new(Some(1000));
        let start = bucket.last;
        let mut now = start;
        for _ in 0..100 {
            now += bucket.take(100, now);
        }
        assert_eq!((now - start).as_millis(), 10_000);
    }

    #[test]
    fn what_was_not_used_is_lost() {
        let mut bucket = Bucket::new(Some(1000));
        let later = bucket.last + Duration::from_secs(3600);
        assert_eq!(bucket.take(200, later), Duration::ZERO);
        assert_eq!(bucket.take(100, later), Duration::from_millis(100));
    }

    #[test]
    fn without_a_limit() {
        let mut bucket = Bucket::new(None);
        assert_eq!(bucket.take(u64::MAX, Instant::now()), Duration::ZERO);
        assert_eq!(bucket.portion(4096), 4096);
        assert!(bucket.wait(1 << 40, || false));
        assert!(!bucket.wait(1, || true));
    }

    #[test]
    fn portions() {
        assert_eq!(Bucket::new(Some(100_000)).portion(1 << 22), 10_000);
        assert_eq!(Bucket::new(Some(u64::MAX)).portion(1 << 22), 1 << 22);
        assert_eq!(Bucket::new(Some(1)).portion(1 << 22), 1);
    }
}
