//! Messages of the server.

use super::errors::Refusal;
use crate::sql::{Column, Rows, Type, Value};

/// Appends a message of `kind`.
pub(super) fn message(out: &mut Vec<u8>, kind: u8, content: &[u8]) {
    out.push(kind);
    out.extend(u32::try_from(content.len() + 4).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(content);
}

/// `AuthenticationOk` and its kin.
pub(super) fn authentication(out: &mut Vec<u8>, number: u32, more: &[u8]) {
    message(out, b'R', &[&number.to_be_bytes(), more].concat());
}

pub(super) fn parameter(out: &mut Vec<u8>, name: &str, value: &str) {
    message(out, b'S', format!("{name}\0{value}\0").as_bytes());
}

pub(super) fn ready(out: &mut Vec<u8>, state: u8) {
    message(out, b'Z', &[state]);
}

pub(super) fn complete(out: &mut Vec<u8>, tag: &str) {
    message(out, b'C', format!("{tag}\0").as_bytes());
}

/// An error or notice with its fields.
pub(super) fn refuse(out: &mut Vec<u8>, refusal: &Refusal) {
    let mut content = Vec::new();
    let mut field = |kind: u8, text: &str| {
        content.push(kind);
        content.extend(text.as_bytes());
        content.push(0);
    };
    field(b'S', refusal.severity);
    field(b'V', refusal.severity);
    field(b'C', refusal.state);
    field(b'M', &refusal.text);
    if let Some(detail) = &refusal.detail {
        field(b'D', detail);
    }
    if let Some(hint) = &refusal.hint {
        field(b'H', hint);
    }
    if let Some(at) = refusal.position {
        field(b'P', &at.to_string());
    }
    if let Some(place) = &refusal.place {
        field(b'W', place);
    }
    let (file, line, routine) = refusal.source;
    field(b'F', file);
    field(b'L', &line.to_string());
    field(b'R', routine);
    content.push(0);
    let notice = matches!(refusal.severity, "NOTICE" | "WARNING");
    message(out, if notice { b'N' } else { b'E' }, &content);
}

/// Number, length and modifier of a type.
pub(super) fn type_of(kind: Type) -> (u32, i16, i32) {
    match kind {
        Type::Bool => (16, 1, -1),
        Type::Bytes => (17, -1, -1),
        Type::Byte => (18, 1, -1),
        Type::Name => (19, 64, -1),
        Type::Big => (20, 8, -1),
        Type::Small => (21, 2, -1),
        Type::Int => (23, 4, -1),
        Type::Oid => (26, 4, -1),
        Type::OidList => (30, -1, -1),
        Type::Json => (114, -1, -1),
        Type::Float => (701, 8, -1),
        Type::TextList => (1009, -1, -1),
        Type::Char(size) => (1042, -1, modifier(size)),
        Type::Varchar(0) => (1043, -1, -1),
        Type::Varchar(size) => (1043, -1, modifier(size)),
        Type::Date => (1082, 4, -1),
        Type::Time => (1083, 8, -1),
        Type::Timestamp => (1114, 8, -1),
        Type::TimestampZone => (1184, 8, -1),
        Type::Decimal(38, 16) => (1700, -1, -1),
        Type::Decimal(digits, places) => {
            (1700, -1, (i32::from(digits) << 16 | i32::from(places)) + 4)
        }
        Type::Uuid => (2950, 16, -1),
        Type::Text | Type::Unknown => (25, -1, -1),
    }
}

fn modifier(size: u32) -> i32 {
    i32::try_from(size).unwrap_or(0) + 4
}

/// Columns of a result. `places` names table and column number of those that are of a table.
pub(super) fn columns(
    out: &mut Vec<u8>,
    columns: &[Column],
    places: &[(u32, u16)],
    formats: &[u16],
) {
    let mut content = u16::try_from(columns.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    for (at, column) in columns.iter().enumerate() {
        let (table, number) = places.get(at).copied().unwrap_or((0, 0));
        let (kind, length, modifier) = type_of(column.kind);
        content.extend(column.name.as_bytes());
        content.push(0);
        content.extend(table.to_be_bytes());
        content.extend(number.to_be_bytes());
        content.extend(kind.to_be_bytes());
        content.extend(length.to_be_bytes());
        content.extend(modifier.to_be_bytes());
        content.extend(format_of(formats, at).to_be_bytes());
    }
    message(out, b'T', &content);
}

/// The format of column `at`: one for each, one for all, or text.
fn format_of(formats: &[u16], at: usize) -> u16 {
    match formats {
        [] => 0,
        [all] => *all,
        each => each.get(at).copied().unwrap_or(0),
    }
}

/// One row.
pub(super) fn row(out: &mut Vec<u8>, rows: &Rows, row: &[Value], formats: &[u16]) {
    let mut content = u16::try_from(row.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    for (at, value) in row.iter().enumerate() {
        let kind = rows.columns.get(at).map_or(Type::Text, |column| column.kind);
        let bytes =
            if format_of(formats, at) == 1 { binary(value, kind) } else { shown(value, kind) };
        match bytes {
            None => content.extend((-1_i32).to_be_bytes()),
            Some(bytes) => {
                content.extend(u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
                content.extend(bytes);
            }
        }
    }
    message(out, b'D', &content);
}

/// A value as text.
pub(super) fn shown(value: &Value, kind: Type) -> Option<Vec<u8>> {
    match (value, kind) {
        (Value::Null, _) => None,
        (Value::Bytes(bytes), _) => Some(format!("\\x{}", super::auth::hex(bytes)).into_bytes()),
        (Value::Int(number), Type::Bool) => Some(if *number == 0 { b"f" } else { b"t" }.to_vec()),
        (Value::List(items), Type::OidList) => {
            let items: Vec<String> = items.iter().filter_map(Value::shown).collect();
            Some(items.join(" ").into_bytes())
        }
        (value, _) => value.shown().map(String::into_bytes),
    }
}

/// A value in the form of the server's memory.
fn binary(value: &Value, kind: Type) -> Option<Vec<u8>> {
    if value.is_null() {
        return None;
    }
    let number = value.int().to_be_bytes();
    let tail = |length: usize| number.get(8 - length..).unwrap_or_default().to_vec();
    Some(match kind {
        Type::Bool => vec![u8::from(value.truth() == Some(true))],
        Type::Small => tail(2),
        Type::Int | Type::Oid => tail(4),
        Type::Big => tail(8),
        Type::Float => value.number().to_be_bytes().to_vec(),
        Type::Bytes => match value {
            Value::Bytes(bytes) => bytes.clone(),
            other => other.shown().unwrap_or_default().into_bytes(),
        },
        _ => return shown(value, kind),
    })
}
