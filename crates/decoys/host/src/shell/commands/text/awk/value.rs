//! Values: numbers, strings, and strings that look like numbers.

use std::cmp::Ordering;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(super) enum Value {
    Nothing,
    Number(f64),
    Text(Arc<[u8]>),
    /// Input that looks like a number.
    Numeric(Arc<[u8]>, f64),
}

impl Value {
    pub(super) fn text(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Text(bytes.into())
    }

    pub(super) fn truth(answer: bool) -> Self {
        Self::Number(f64::from(u8::from(answer)))
    }

    /// What was read: a number if it looks like one.
    pub(super) fn input(bytes: &[u8]) -> Self {
        let trimmed = bytes.trim_ascii();
        let length = number_length(trimmed);
        if length > 0 && length == trimmed.len() {
            Self::Numeric(bytes.into(), to_number(trimmed))
        } else {
            Self::Text(bytes.into())
        }
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::Number(number) | Self::Numeric(_, number) => *number,
            Self::Text(text) => to_number(text),
        }
    }

    /// As a string; numbers that are none of whole go through `format`.
    pub(super) fn bytes(&self, format: &[u8]) -> Arc<[u8]> {
        match self {
            Self::Nothing => Arc::from(&b""[..]),
            Self::Number(number) => spelled(*number, format).into(),
            Self::Text(text) | Self::Numeric(text, _) => text.clone(),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Number(number) | Self::Numeric(_, number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    pub(super) fn compare(&self, other: &Self, format: &[u8]) -> Ordering {
        if matches!(self, Self::Text(_)) || matches!(other, Self::Text(_)) {
            return self.bytes(format).cmp(&other.bytes(format));
        }
        self.number().partial_cmp(&other.number()).unwrap_or(Ordering::Less)
    }
}

/// A number as `print` and concatenation spell it.
pub(super) fn spelled(number: f64, format: &[u8]) -> Vec<u8> {
    if number.fract() == 0.0 && number.abs() <= 2_147_483_647.0 {
        return format!("{number:.0}")
            .replace("-0", if number == 0.0 { "0" } else { "-0" })
            .into_bytes();
    }
    super::format::format(format, &[Value::Number(number)], b"%.6g")
}

/// Length of the number that `text` begins with.
pub(super) fn number_length(text: &[u8]) -> usize {
    let digits = |from: usize| {
        text.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let mut at = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let whole = digits(at);
    at += whole;
    let mut fraction = 0;
    if text.get(at) == Some(&b'.') {
        fraction = digits(at + 1);
        if whole + fraction == 0 {
            return 0;
        }
        at += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}

/// The number that `text` begins with, or 0.
pub(super) fn to_number(text: &[u8]) -> f64 {
    let text = text.trim_ascii_start();
    let length = number_length(text);
    let digits = String::from_utf8_lossy(text.get(..length).unwrap_or_default());
    digits.trim_start_matches('+').parse().unwrap_or(0.0)
}

/// The byte that a backslash and `letter` stand for.
pub(super) const fn escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'\\' => b'\\',
        b'"' => b'"',
        b'/' => b'/',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        _ => return None,
    })
}
