//! Query strings, and spans of time before now.

use std::time::Duration;

use base_model::Timestamp;

use crate::refusal::{Exit, Refusal};

/// Parameters of a request.
pub(super) struct Query(form_urlencoded::Serializer<'static, String>);

impl Query {
    pub(super) fn new() -> Self {
        Self(form_urlencoded::Serializer::new(String::new()))
    }

    /// With `name=value`.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.append_pair(name, value);
        self
    }

    /// With `name=value` if there is one.
    pub(super) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The path with its parameters.
    pub(super) fn on(mut self, path: &str) -> String {
        let query = self.0.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// One part of a path, whatever is in it.
pub(super) fn segment(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'~');
    let escape = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(escape).collect()
}

/// An instant as the API takes it: `1h`, `30m`, `2d`, `45s` and `1w` are so long before `now`, and
/// anything else is left for the API to understand.
///
/// # Errors
/// When it can be neither a span nor a date.
pub(super) fn moment(text: &str, now: Timestamp) -> Result<String, Refusal> {
    if let Some(span) = span(text) {
        return Ok((now - span).rfc3339(3));
    }
    if text.len() >= 10 && text.as_bytes().get(4) == Some(&b'-') {
        return Ok(text.to_owned());
    }
    let what = format!("`{text}` is no span and no time");
    Err(Refusal::new(Exit::Usage, what, "give 45s, 30m, 1h, 2d, 1w or 2026-01-31T12:00:00Z"))
}

/// `30m` and its like.
pub(super) fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return None,
    };
    Some(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_parts_of_paths_hold_anything() {
        let path = Query::new().with("search", "a b&c=\u{1b}é").maybe("x", None).on("/logs");
        assert_eq!(path, "/logs?search=a+b%26c%3D%1B%C3%A9");
        assert_eq!(Query::new().on("/logs"), "/logs");
        assert_eq!(segment("2001:db8::1"), "2001:db8::1");
        assert_eq!(segment("../a b?#"), "..%2Fa%20b%3F%23");
    }

    #[test]
    fn a_span_is_before_now_and_a_time_is_itself() {
        let now = Timestamp::from_micros(1_767_225_600_000_000);
        assert_eq!(moment("1h", now).unwrap(), "2025-12-31T23:00:00.000Z");
        assert_eq!(moment("2d", now).unwrap(), "2025-12-30T00:00:00.000Z");
        assert_eq!(moment("2026-01-01", now).unwrap(), "2026-01-01");
        for bad in ["", "h", "1x", "-1h", "é", "yesterday", "99999999999s"] {
            assert!(moment(bad, now).is_err(), "{bad}");
        }
    }
}
