//! One instant type for the whole product: microseconds since the Unix epoch, UTC.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use ::time::OffsetDateTime;
use serde::{Deserialize, Serialize};

/// An instant, in microseconds since 1970-01-01T00:00:00Z. Given as an argument, never read here.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Time since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// As a calendar date and time in UTC; instants beyond year ±9999 clamp to the epoch.
    #[must_use]
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// From a calendar date and time.
    #[must_use]
    pub fn from_utc(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(0))
    }

    /// `YYYY-MM-DD` in UTC.
    #[must_use]
    pub fn date(self) -> String {
        let at = self.to_utc();
        format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
    }

    /// RFC 3339 in UTC, with `digits` (0, 3 or 6) decimals and `Z`.
    #[must_use]
    pub fn rfc3339(self, digits: usize) -> String {
        let at = self.to_utc();
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let date = self.date();
        match digits {
            0 => format!("{date}T{hour:02}:{minute:02}:{second:02}Z"),
            3 => format!("{date}T{hour:02}:{minute:02}:{second:02}.{:03}Z", at.millisecond()),
            _ => format!("{date}T{hour:02}:{minute:02}:{second:02}.{:06}Z", at.microsecond()),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339(6))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(later.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(earlier.as_micros()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_in_the_three_precisions() {
        let at = Timestamp::from_micros(1_767_225_600_123_456);
        assert_eq!(at.rfc3339(0), "2026-01-01T00:00:00Z");
        assert_eq!(at.rfc3339(3), "2026-01-01T00:00:00.123Z");
        assert_eq!(at.to_string(), "2026-01-01T00:00:00.123456Z");
        assert_eq!(Timestamp::from_utc(at.to_utc()), at);
    }

    #[test]
    fn since_never_goes_negative() {
        let a = Timestamp::from_micros(5);
        assert_eq!(a.since(Timestamp::from_micros(9)), Duration::ZERO);
        assert_eq!((a + Duration::from_micros(7)).since(a), Duration::from_micros(7));
    }
}
