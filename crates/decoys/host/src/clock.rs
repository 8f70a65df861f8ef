//! Dates as Unix tools print them. The machines keep UTC.

use base_model::Timestamp;

pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// `ls` shows the year of files older than half a mean Gregorian year.
const HALF_YEAR: i64 = 31_556_952 / 2;

/// `at` in the format of `date(1)`. Unknown directives stay as they are.
pub(crate) fn format(at: Timestamp, format: &str) -> String {
    let utc = at.to_utc();
    let month = usize::from(u8::from(utc.month())) - 1;
    let day = usize::from(utc.weekday().number_days_from_monday());
    let hour12 = match utc.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let meridiem = if utc.hour() < 12 { "AM" } else { "PM" };
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let name = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or_default();
        match chars.next() {
            Some('Y') => out.push_str(&format!("{:04}", utc.year())),
            Some('y') => out.push_str(&format!("{:02}", utc.year() % 100)),
            Some('m') => out.push_str(&format!("{:02}", month + 1)),
            Some('d') => out.push_str(&format!("{:02}", utc.day())),
            Some('e') => out.push_str(&format!("{:>2}", utc.day())),
            Some('H') => out.push_str(&format!("{:02}", utc.hour())),
            Some('I') => out.push_str(&format!("{hour12:02}")),
            Some('M') => out.push_str(&format!("{:02}", utc.minute())),
            Some('S') => out.push_str(&format!("{:02}", utc.second())),
            Some('N') => out.push_str(&format!("{:09}", at.micros().rem_euclid(1_000_000) * 1000)),
            Some('p') => out.push_str(meridiem),
            Some('a') => out.push_str(name(&DAYS, day)),
            Some('A') => out.push_str(name(&LONG_DAYS, day)),
            Some('b' | 'h') => out.push_str(name(&MONTHS, month)),
            Some('B') => out.push_str(name(&LONG_MONTHS, month)),
            Some('j') => out.push_str(&format!("{:03}", utc.ordinal())),
            Some('u') => out.push_str(&(day + 1).to_string()),
            Some('w') => out.push_str(&((day + 1) % 7).to_string()),
            Some('s') => out.push_str(&at.seconds().to_string()),
            Some('Z') => out.push_str("UTC"),
            Some('z') => out.push_str("+0000"),
            Some('T') => out.push_str(&self::format(at, "%H:%M:%S")),
            Some('R') => out.push_str(&self::format(at, "%H:%M")),
            Some('F') => out.push_str(&self::format(at, "%Y-%m-%d")),
            Some('D' | 'x') => out.push_str(&self::format(at, "%m/%d/%y")),
            Some('X') => out.push_str(&self::format(at, "%H:%M:%S")),
            Some('c') => out.push_str(&self::format(at, "%a %b %e %H:%M:%S %Y")),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('%') => out.push('%'),
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push('%'),
        }
    }
    out
}

/// The date column of `ls -l`.
pub(crate) fn listing(at: Timestamp, now: Timestamp) -> String {
    let age = now.seconds() - at.seconds();
    if (0..HALF_YEAR).contains(&age) { format(at, "%b %e %H:%M") } else { format(at, "%b %e  %Y") }
}
