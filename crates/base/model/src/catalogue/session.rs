//! Sessions and their recordings.

use std::time::Duration;

use super::{Fact, Kind};
use crate::Fields;

/// A recording is complete.
pub const SESSION_RECORDED: Kind = Kind::info("session_recorded");
/// A session could not be recorded.
pub const SESSION_SKIPPED: Kind = Kind::warning("session_skipped");
/// A session that was not recorded (a single command) is over.
pub const SESSION_ENDED: Kind = Kind::info("session_ended");

/// The recording of an interactive session is complete.
#[must_use]
pub fn session_recorded(duration: Duration, bytes: u64, truncated: bool) -> Fact {
    let fields = Fields::new()
        .with("duration_s", seconds(duration))
        .with("bytes", bytes)
        .with("truncated", truncated)
        .with("interactive", true);
    Fact::new(&SESSION_RECORDED, fields)
}

/// Recording was refused: `disk_pressure` or `shard_open_failed`.
#[must_use]
pub fn session_skipped(reason: &str) -> Fact {
    Fact::new(&SESSION_SKIPPED, Fields::new().with("reason", reason))
}

/// A session without a terminal is over.
#[must_use]
pub fn session_ended(duration: Duration) -> Fact {
    let fields = Fields::new().with("duration_s", seconds(duration)).with("interactive", false);
    Fact::new(&SESSION_ENDED, fields)
}

/// Seconds with three decimals.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
