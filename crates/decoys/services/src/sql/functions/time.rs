//! Functions of time.

use super::{Found, arg, int};
use crate::sql::evaluate::Scope;
use crate::sql::value::Value;

/// Days since the epoch as year, month and day (the proleptic Gregorian calendar).
pub(crate) fn day_of(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let yoe = year.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Microseconds since the epoch as both products print an instant.
pub(super) fn stamp(micros: i64, fraction: bool, zone: bool) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (year, month, day) = day_of(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    let mut out = format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    );
    if fraction {
        let text = format!(".{:06}", micros.rem_euclid(1_000_000));
        out.push_str(text.trim_end_matches('0').trim_end_matches('.'));
    }
    if zone {
        out.push_str("+00");
    }
    out
}

/// Microseconds since the epoch of an instant as printed.
pub(super) fn instant(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once([' ', 'T']).unwrap_or((text.trim(), ""));
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let time = time.trim_end_matches('Z').split('+').next().unwrap_or_default();
    let mut parts = time.split(':');
    let whole = |part: Option<&str>| part.and_then(|part| part.parse::<i64>().ok()).unwrap_or(0);
    let (hour, minute) = (whole(parts.next()), whole(parts.next()));
    let second: f64 = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0.0);
    if !(0..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days_of(year, month, day) * 86_400
        + hour.clamp(0, 1000) * 3600
        + minute.clamp(0, 1000) * 60;
    #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
    let micros = (second.clamp(0.0, 60.0) * 1e6).round() as i64;
    Some(seconds * 1_000_000 + micros)
}

pub(super) fn time_function(name: &str, args: &[Value], scope: &Scope<'_>) -> Found {
    let now = scope.world.micros();
    let mysql = scope.mysql();
    let given = |at: usize| instant(&arg(args, at));
    Some(Ok(match (name, args.len()) {
        (
            "now" | "current_timestamp" | "localtimestamp" | "localtime" | "sysdate"
            | "utc_timestamp",
            0 | 1,
        ) if mysql => Value::Text(stamp(now, int(args, 0) > 0, false)),
        ("localtimestamp" | "localtime", 0 | 1) => Value::Text(stamp(now, true, false)),
        (
            "now"
            | "current_timestamp"
            | "clock_timestamp"
            | "statement_timestamp"
            | "transaction_timestamp",
            0 | 1,
        ) => Value::Text(stamp(now, true, true)),
        ("timeofday", 0) => Value::Text(stamp(now, true, true)),
        ("current_date" | "curdate" | "utc_date", 0) => {
            Value::Text(stamp(now, false, false).get(..10).unwrap_or_default().to_owned())
        }
        ("current_time" | "curtime" | "utc_time", 0 | 1) => {
            Value::Text(stamp(now, false, false).get(11..).unwrap_or_default().to_owned())
        }
        ("unix_timestamp", 0) => Value::Int(now.div_euclid(1_000_000)),
        ("unix_timestamp", 1) => {
            given(0).map_or(Value::Int(0), |at| Value::Int(at.div_euclid(1_000_000)))
        }
        ("from_unixtime", 1 | 2) => Value::Text(stamp(
            int(args, 0).saturating_mul(1_000_000).clamp(0, 253_402_300_799_000_000),
            false,
            false,
        )),
        ("to_timestamp", 1) => Value::Text(stamp(
            int(args, 0).saturating_mul(1_000_000).clamp(0, 253_402_300_799_000_000),
            true,
            true,
        )),
        ("date", 1) => given(0).map_or(Value::Null, |at| {
            Value::Text(stamp(at, false, false).get(..10).unwrap_or_default().to_owned())
        }),
        ("year" | "month" | "day" | "dayofmonth" | "hour" | "minute" | "second", 1) if mysql => {
            given(0).map_or(Value::Null, |at| Value::Int(part_of(name, at)))
        }
        ("extract" | "date_part", 2) => match given(1) {
            Some(at) => Value::Int(part_of(&arg(args, 0), at)),
            None => Value::Null,
        },
        ("date_trunc", 2) => match given(1) {
            Some(at) => {
                let text = stamp(at, false, true);
                let keep = match arg(args, 0).as_str() {
                    "year" => 4,
                    "month" => 7,
                    "day" => 10,
                    "hour" => 13,
                    "minute" => 16,
                    _ => 19,
                };
                let blank = "0000-01-01 00:00:00+00";
                Value::Text(format!(
                    "{}{}",
                    text.get(..keep).unwrap_or_default(),
                    blank.get(keep..).unwrap_or_default()
                ))
            }
            None => Value::Null,
        },
        ("interval", 2) => Value::Text(interval(&arg(args, 0), &arg(args, 1))),
        ("date_add" | "adddate", 2) => {
            shift(&Value::Text(arg(args, 0)), args.get(1).unwrap_or(&Value::Null), 1)
        }
        ("date_sub" | "subdate", 2) => {
            shift(&Value::Text(arg(args, 0)), args.get(1).unwrap_or(&Value::Null), -1)
        }
        ("datediff", 2) => match (given(0), given(1)) {
            (Some(a), Some(b)) => {
                Value::Int(a.div_euclid(86_400_000_000) - b.div_euclid(86_400_000_000))
            }
            _ => Value::Null,
        },
        ("date_format" | "to_char", 2) => match given(0) {
            Some(at) => Value::Text(formatted(at, &arg(args, 1), mysql)),
            None => Value::Text(arg(args, 0)),
        },
        ("age", 1 | 2) => Value::text("00:00:00"),
        _ => return None,
    }))
}

fn part_of(part: &str, micros: i64) -> i64 {
    let seconds = micros.div_euclid(1_000_000);
    let (year, month, day) = day_of(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    match part {
        "year" => year,
        "month" => month,
        "day" | "dayofmonth" => day,
        "hour" => rest / 3600,
        "minute" => rest / 60 % 60,
        "second" => rest % 60,
        "dow" => (seconds.div_euclid(86_400) + 4).rem_euclid(7),
        _ => seconds,
    }
}

fn formatted(micros: i64, format: &str, mysql: bool) -> String {
    let parts: &[(&str, &str, usize)] = if mysql {
        &[
            ("%Y", "year", 4),
            ("%m", "month", 2),
            ("%d", "day", 2),
            ("%H", "hour", 2),
            ("%i", "minute", 2),
            ("%s", "second", 2),
            ("%S", "second", 2),
        ]
    } else {
        &[
            ("YYYY", "year", 4),
            ("MM", "month", 2),
            ("DD", "day", 2),
            ("HH24", "hour", 2),
            ("MI", "minute", 2),
            ("SS", "second", 2),
        ]
    };
    let mut out = format.get(..1024).unwrap_or(format).to_owned();
    for (sign, part, width) in parts {
        out = out.replace(sign, &format!("{:0width$}", part_of(part, micros), width = *width));
    }
    out
}

/// The sign that a text is an interval.
const INTERVAL: &str = "\u{1}interval ";

/// An interval as a text that is told apart from others: its microseconds.
pub(super) fn interval(amount: &str, unit: &str) -> String {
    let mut words = amount.split_whitespace();
    let number: f64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
    let unit = if unit.is_empty() { words.next().unwrap_or("second") } else { unit };
    let seconds = match unit.to_ascii_lowercase().trim_end_matches('s') {
        "microsecond" => 0.000_001,
        "minute" | "min" => 60.0,
        "hour" => 3600.0,
        "day" => 86_400.0,
        "week" => 604_800.0,
        "month" | "mon" => 2_592_000.0,
        "year" => 31_536_000.0,
        _ => 1.0,
    };
    format!("{INTERVAL}{}", (number * seconds * 1e6).clamp(-1e17, 1e17))
}

pub(in crate::sql) fn is_interval(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.starts_with(INTERVAL))
}

/// An instant moved by an interval.
pub(in crate::sql) fn shift(at: &Value, by: &Value, sign: i64) -> Value {
    let Some(text) = at.shown() else { return Value::Null };
    let by = by.shown().unwrap_or_default();
    let by: f64 = by.strip_prefix(INTERVAL).and_then(|by| by.parse().ok()).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "clamped when it was made")]
    let moved = instant(&text).map(|at| at.saturating_add(sign.saturating_mul(by as i64)));
    match moved {
        Some(micros) => {
            let micros = micros.clamp(0, 253_402_300_799_000_000);
            Value::Text(stamp(micros, text.contains('.'), text.contains("+00")))
        }
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_round_trip() {
        for text in ["2026-01-01 00:00:00", "1999-12-31 23:59:59", "2024-02-29 12:30:00"] {
            assert_eq!(stamp(instant(text).unwrap(), false, false), text);
        }
        assert_eq!(instant("2024-13-01"), None);
    }
}
