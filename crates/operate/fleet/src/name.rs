//! Names of deckies: `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`, everywhere.

/// `given` in lower case, `_` and `.` as `-`.
pub(crate) fn normalise(given: &str) -> String {
    given
        .chars()
        .map(|c| if matches!(c, '_' | '.') { '-' } else { c.to_ascii_lowercase() })
        .collect()
}

/// Whether artifacts, routes and topics of a decky called `name` work.
pub(crate) fn is_valid(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}
