//! Values and their types.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Type {
    Bool,
    Small,
    Int,
    Big,
    Float,
    /// With digits and those after the point.
    Decimal(u8, u8),
    Text,
    /// With its length; 0 for none.
    Varchar(u32),
    Char(u32),
    /// PostgreSQL's `name`.
    Name,
    /// PostgreSQL's `"char"`.
    Byte,
    Oid,
    Date,
    Timestamp,
    TimestampZone,
    Time,
    Bytes,
    Json,
    Uuid,
    TextList,
    OidList,
    /// Decided by its values.
    Unknown,
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As text; none for null.
    pub(crate) fn shown(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(truth) => Some(if *truth { "t" } else { "f" }.to_owned()),
            Self::Int(number) => Some(number.to_string()),
            Self::Float(number) => Some(float(*number)),
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Self::List(items) => Some(list(items)),
        }
    }

    /// As a truth; none for null.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::Null => None,
            Self::Bool(truth) => Some(*truth),
            Self::Int(number) => Some(*number != 0),
            Self::Float(number) => Some(*number != 0.0),
            Self::Text(text) => Some(matches!(text.as_str(), "t" | "true") || number(text) != 0.0),
            Self::Bytes(_) | Self::List(_) => Some(false),
        }
    }

    /// As a number: the number a text starts with, as MySQL takes it.
    pub(crate) fn number(&self) -> f64 {
        match self {
            Self::Null | Self::List(_) => 0.0,
            Self::Bool(truth) => f64::from(u8::from(*truth)),
            #[expect(clippy::cast_precision_loss, reason = "as the products compare mixed types")]
            Self::Int(number) => *number as f64,
            Self::Float(number) => *number,
            Self::Text(text) => number(text),
            Self::Bytes(bytes) => number(&String::from_utf8_lossy(bytes)),
        }
    }

    /// As a whole number.
    pub(crate) fn int(&self) -> i64 {
        match self {
            Self::Int(number) => *number,
            Self::Text(text) if text.trim().parse::<i64>().is_ok() => {
                text.trim().parse().unwrap_or(0)
            }
            #[expect(clippy::cast_possible_truncation, reason = "saturates, as the products do")]
            other => other.number().round() as i64,
        }
    }

    /// The type it has of itself.
    pub(crate) const fn kind(&self) -> Type {
        match self {
            Self::Null => Type::Unknown,
            Self::Bool(_) => Type::Bool,
            Self::Int(number) => {
                if *number > i32::MAX as i64 || *number < i32::MIN as i64 {
                    Type::Big
                } else {
                    Type::Int
                }
            }
            Self::Float(_) => Type::Float,
            Self::Text(_) => Type::Text,
            Self::Bytes(_) => Type::Bytes,
            Self::List(_) => Type::TextList,
        }
    }

    /// Bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        16 + match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(items) => items.iter().map(Self::weight).sum(),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
        }
    }

    /// The order of two values, null last; `fold` when the case of letters does not count.
    pub(crate) fn order(&self, other: &Self, fold: bool) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Greater,
            (_, Self::Null) => Ordering::Less,
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) if fold => a.to_lowercase().cmp(&b.to_lowercase()),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Text(a), Self::Bytes(b)) => a.as_bytes().cmp(b),
            (Self::Bytes(a), Self::Text(b)) => a.as_slice().cmp(b.as_bytes()),
            (Self::List(a), Self::List(b)) => {
                let each = a.iter().zip(b).map(|(a, b)| a.order(b, fold));
                each.into_iter().find(|o| o.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Bool(a), Self::Text(b)) | (Self::Text(b), Self::Bool(a)) => {
                let b =
                    matches!(b.to_ascii_lowercase().as_str(), "t" | "true" | "1" | "yes" | "on");
                a.cmp(&b)
            }
            (a, b) => a.number().total_cmp(&b.number()),
        }
    }
}

/// The number that `text` starts with.
fn number(text: &str) -> f64 {
    let text = text.trim_start();
    let mut end = 0;
    let mut seen = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            '0'..='9' => {}
            '+' | '-' if at == 0 => {}
            '.' if !seen.0 && !seen.1 => seen.0 = true,
            'e' | 'E' if !seen.1 && at > 0 => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let digits = rest.trim_start_matches(['+', '-']);
                if !digits.starts_with(|c: char| c.is_ascii_digit()) {
                    break;
                }
                seen.1 = true;
            }
            '+' | '-' if seen.1 && text.get(..at).is_some_and(|t| t.ends_with(['e', 'E'])) => {}
            _ => break,
        }
        end = at + 1;
    }
    text.get(..end).and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// A floating-point number as both products print it.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number != 0.0 && !(1e-5..1e15).contains(&number.abs()) {
        let text = format!("{number:e}");
        return match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                format!("{mantissa}e+{exponent:0>2}")
            }
            Some((mantissa, exponent)) => {
                format!("{mantissa}e-{:0>2}", exponent.trim_start_matches('-'))
            }
            None => text,
        };
    }
    format!("{number}")
}

/// A list as PostgreSQL prints arrays.
fn list(items: &[Value]) -> String {
    let item = |value: &Value| match value.shown() {
        None => "NULL".to_owned(),
        Some(_) if matches!(value, Value::List(_)) => value.shown().unwrap_or_default(),
        Some(text) => {
            let special = |c: char| matches!(c, '{' | '}' | ',' | '"' | '\\') || c.is_whitespace();
            if text.is_empty() || text.contains(special) || text.eq_ignore_ascii_case("null") {
                format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            } else {
                text
            }
        }
    };
    format!("{{{}}}", items.iter().map(item).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_count_as_the_number_they_start_with() {
        assert_eq!(Value::text("12abc").number(), 12.0);
        assert_eq!(Value::text("-1.5e2x").number(), -150.0);
        assert_eq!(Value::text("e5").number(), 0.0);
        assert_eq!(Value::text("3e").number(), 3.0);
    }

    #[test]
    fn lists_print_as_arrays() {
        let list = Value::List(vec![Value::text("a b"), Value::Int(1), Value::Null]);
        assert_eq!(list.shown().unwrap(), "{\"a b\",1,NULL}");
    }
}
