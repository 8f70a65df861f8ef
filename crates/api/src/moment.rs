//! Instants on the wire: out as UTC with milliseconds and `Z`, in as any ISO 8601 form.

use base_model::Timestamp;
use serde::{Serialize, Serializer};
use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};
use utoipa::ToSchema;

/// An instant as `2026-01-01T00:00:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339(3))
    }
}

/// Reads a date with an optional time and offset; without an offset it is UTC. A blank stands for
/// `T`, and for the `+` that a form decoder took away.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let date = parse_date(date)?;
    if rest.is_empty() {
        return Some(instant(date, Time::MIDNIGHT, UtcOffset::UTC));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    Some(instant(date, parse_clock(clock)?, parse_zone(zone)?))
}

fn instant(date: Date, clock: Time, zone: UtcOffset) -> Timestamp {
    Timestamp::from_utc(PrimitiveDateTime::new(date, clock).assume_offset(zone))
}

fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = year.len() == 4 && month.len() == 2 && day.len() == 2 && parts.next().is_none();
    let month = Month::try_from(digits::<u8>(month)?).ok()?;
    Date::from_calendar_date(digits(year)?, month, digits(day)?).ok().filter(|_| whole)
}

fn parse_clock(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let (second, micros) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once(['.', ',']) {
            None => (two(seconds)?, 0),
            Some((seconds, fraction)) => (two(seconds)?, micros(fraction)?),
        },
    };
    Time::from_hms_micro(hour, minute, second, micros).ok().filter(|_| parts.next().is_none())
}

fn micros(fraction: &str) -> Option<u32> {
    let kept: String = fraction.chars().chain("000000".chars()).take(6).collect();
    digits::<u128>(fraction)?;
    digits(&kept)
}

fn parse_zone(text: &str) -> Option<UtcOffset> {
    let mut chars = text.chars();
    let sign = match chars.next() {
        None => return Some(UtcOffset::UTC),
        Some('Z' | 'z') => return chars.next().is_none().then_some(UtcOffset::UTC),
        Some('-') => -1,
        Some(_) => 1,
    };
    let rest = chars.as_str();
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 2 => (rest, "00"),
        None => rest.split_at_checked(2)?,
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let (hours, minutes) = (i8::try_from(hours).ok()?, i8::try_from(minutes).ok()?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

fn two(text: &str) -> Option<u8> {
    digits(text).filter(|_| text.len() == 2)
}

fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_of_an_instant_is_read() {
        let cases = [
            ("2026-01-02", "2026-01-02T00:00:00.000000Z"),
            ("2026-01-02T03:04", "2026-01-02T03:04:00.000000Z"),
            ("2026-01-02 03:04:05", "2026-01-02T03:04:05.000000Z"),
            ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678000Z"),
            ("2026-01-02t03:04:05,6789012z", "2026-01-02T03:04:05.678901Z"),
            ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000Z"),
            ("2026-01-02T03:04:05 02:00", "2026-01-02T01:04:05.000000Z"),
            ("2026-01-02T03:04:05-0130", "2026-01-02T04:34:05.000000Z"),
            ("2026-01-02T03:04:05-01", "2026-01-02T04:04:05.000000Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(|at| at.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "2026-1-1",
            "2026-01-01T",
            "2026-01-01T25:00",
            "2026-01-01T00:00:00+25:00",
            "2026-01-01T00:00:00Zx",
            "2026-01-01T00:00:60Z",
            "+026-01-01",
            "2026-01-01T00:00:00.",
            "２０２６-01-01",
            "2026-01-01T+1:00",
            "2026-01-01T00:00:00é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn instants_leave_with_milliseconds() {
        let at = parse("2026-01-02T03:04:05.6789Z").unwrap();
        assert_eq!(serde_json::to_string(&Moment(at)).unwrap(), r#""2026-01-02T03:04:05.678Z""#);
    }
}
