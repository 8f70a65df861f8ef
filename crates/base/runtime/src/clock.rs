//! The wall clock, made monotonic.

use std::time::{Duration, Instant, SystemTime};

use base_model::Timestamp;

/// Wall time that never goes backwards while the process runs: the wall clock at start plus the
/// monotonic time since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Timestamp,
    monotonic: Instant,
}

impl Clock {
    /// Reads the wall clock once.
    #[must_use]
    pub fn start() -> Self {
        Self { wall: wall(), monotonic: Instant::now() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.wall + self.monotonic.elapsed()
    }

    /// Time left until `due`; zero when it has passed.
    #[must_use]
    pub fn until(&self, due: Timestamp) -> Duration {
        due.since(self.now())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_go_backwards() {
        let clock = Clock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second);
        assert!(first > Timestamp::from_micros(1_700_000_000_000_000));
    }
}
