//! Dates as people write them, for `date -d` and `touch -d`.

use base_model::Timestamp;
use time::{Date, Duration, Month, OffsetDateTime, Time};

/// The time that `text` means at `now`.
pub(in crate::shell::commands) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if text.len() > 256 {
        return None;
    }
    if let Some(seconds) = text.trim().strip_prefix('@') {
        let seconds = seconds.split('.').next()?.parse::<i64>().ok()?;
        return Some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?));
    }
    let mut at = now.to_utc();
    let text = split_at_t(&text.to_ascii_lowercase().replace(',', " "));
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if let Some(date) = date(word) {
            at = at.replace_date(date).replace_time(Time::MIDNIGHT);
        } else if let Some(time) = clock(word) {
            at = at.replace_time(time);
        } else {
            match word {
                "now" | "today" | "utc" | "z" | "gmt" => {}
                "yesterday" => at = at.checked_sub(Duration::DAY)?,
                "tomorrow" => at = at.checked_add(Duration::DAY)?,
                "midnight" => at = at.replace_time(Time::MIDNIGHT),
                _ => at = relative(word, &mut words, at)?,
            }
        }
    }
    Some(Timestamp::from_utc(at))
}

/// `2025-01-02T03:04` with a blank for the letter.
fn split_at_t(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let between = |at: usize| digit(at.checked_sub(1)) && digit(Some(at + 1));
    text.char_indices().map(|(at, c)| if c == 't' && between(at) { ' ' } else { c }).collect()
}

type Words<'t> = std::iter::Peekable<std::vec::IntoIter<&'t str>>;

/// `3 days ago`, `+2 hours`, `next week`.
fn relative(word: &str, words: &mut Words<'_>, at: OffsetDateTime) -> Option<OffsetDateTime> {
    let (mut count, unit) = match word {
        "next" => (1, words.next()?.to_owned()),
        "last" => (-1, words.next()?.to_owned()),
        _ => {
            let digits = word.len()
                - word
                    .trim_start_matches(|c: char| c.is_ascii_digit() || c == '+' || c == '-')
                    .len();
            let (number, unit) = word.split_at_checked(digits)?;
            let number = number.trim_start_matches('+').parse::<i64>().ok()?;
            let unit = if unit.is_empty() { words.next()?.to_owned() } else { unit.to_owned() };
            (number, unit)
        }
    };
    if words.peek() == Some(&"ago") {
        words.next();
        count = -count;
    }
    let span = match unit.trim_end_matches('s') {
        "sec" | "second" => Duration::seconds(count),
        "min" | "minute" => Duration::minutes(count),
        "hour" => Duration::hours(count),
        "day" => Duration::days(count),
        "week" => Duration::weeks(count),
        "fortnight" => Duration::weeks(count.checked_mul(2)?),
        "month" => return months(at, count),
        "year" => return months(at, count.checked_mul(12)?),
        _ => return None,
    };
    at.checked_add(span)
}

fn months(at: OffsetDateTime, count: i64) -> Option<OffsetDateTime> {
    let index = i64::from(at.year()) * 12 + i64::from(u8::from(at.month())) - 1 + count;
    let year = i32::try_from(index.div_euclid(12)).ok()?;
    let month = Month::try_from(u8::try_from(index.rem_euclid(12) + 1).ok()?).ok()?;
    // Past the month's end the date runs on into the next one.
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    let date = first.checked_add(Duration::days(i64::from(at.day()) - 1))?;
    Some(at.replace_date(date))
}

fn date(word: &str) -> Option<Date> {
    let parts: Vec<&str> = word.split(['-', '/']).collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if word.contains('-') => (year.parse().ok()?, *month, *day),
        [month, day, year] => (year.parse().ok()?, *month, *day),
        [all] if all.len() == 8 && all.bytes().all(|b| b.is_ascii_digit()) => {
            (all.get(..4)?.parse().ok()?, all.get(4..6)?, all.get(6..)?)
        }
        _ => return None,
    };
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year, month, day.parse().ok()?).ok()
}

fn clock(word: &str) -> Option<Time> {
    let word = word.trim_end_matches('z');
    let mut parts = word.split('.').next()?.split(':');
    let (hour, minute) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let second = match parts.next() {
        Some(second) => second.parse().ok()?,
        None => 0,
    };
    Time::from_hms(hour, minute, second).ok()
}
