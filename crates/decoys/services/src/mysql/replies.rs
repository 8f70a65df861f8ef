//! Packets of the server.

use super::parser::{CACHE_METADATA, DEPRECATE_EOF, EXTENDED_METADATA, SESSION_TRACK};
use crate::sql::{Rows, Type, Value};

/// Status flags.
pub(super) const IN_TRANSACTION: u16 = 1;
pub(super) const AUTOCOMMIT: u16 = 2;
pub(super) const MORE_RESULTS: u16 = 8;
const NO_INDEX: u16 = 0x20;
const STATE_CHANGED: u16 = 0x4000;

/// Longest packet that is sent in one.
const MAX_PIECE: usize = 0xff_ffff;

/// Packets of one answer, numbered.
pub(super) struct Packets {
    number: u8,
    pub(super) out: Vec<u8>,
}

/// What changed in the session, to be told with an `OK`.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracked {
    pub(super) schema: Option<String>,
    pub(super) variables: Vec<(&'static str, String)>,
}

impl Packets {
    /// An answer whose first packet is number `number`.
    pub(super) const fn from(number: u8) -> Self {
        Self { number, out: Vec::new() }
    }

    pub(super) fn push(&mut self, content: &[u8]) {
        let mut rest = content;
        loop {
            let piece = rest.get(..MAX_PIECE).unwrap_or(rest);
            let [a, b, c, ..] = u32::try_from(piece.len()).unwrap_or(0).to_le_bytes();
            self.out.extend([a, b, c, self.number]);
            self.number = self.number.wrapping_add(1);
            self.out.extend(piece);
            rest = rest.get(piece.len()..).unwrap_or_default();
            if piece.len() < MAX_PIECE {
                return;
            }
        }
    }

    pub(super) fn error(&mut self, code: u16, state: &str, text: &str) {
        let mut content = vec![0xff];
        content.extend(code.to_le_bytes());
        content.push(b'#');
        content.extend(state.as_bytes());
        content.extend(text.as_bytes());
        self.push(&content);
    }

    pub(super) fn ok(
        &mut self,
        rows: u64,
        id: u64,
        status: u16,
        warnings: u16,
        tracked: &Tracked,
        capabilities: u32,
    ) {
        let mut content = vec![0];
        count(&mut content, rows);
        count(&mut content, id);
        let mut state = Vec::new();
        if capabilities & SESSION_TRACK != 0 {
            if let Some(schema) = &tracked.schema {
                let mut inner = Vec::new();
                text(&mut inner, schema.as_bytes());
                state.push(1);
                text(&mut state, &inner);
            }
            for (name, value) in &tracked.variables {
                let mut inner = Vec::new();
                text(&mut inner, name.as_bytes());
                text(&mut inner, value.as_bytes());
                state.push(0);
                text(&mut state, &inner);
            }
        }
        let status = if state.is_empty() { status } else { status | STATE_CHANGED };
        content.extend(status.to_le_bytes());
        content.extend(warnings.to_le_bytes());
        if !state.is_empty() {
            text(&mut content, b"");
            text(&mut content, &state);
        }
        self.push(&content);
    }

    pub(super) fn eof(&mut self, status: u16, warnings: u16) {
        let mut content = vec![0xfe];
        content.extend(warnings.to_le_bytes());
        content.extend(status.to_le_bytes());
        self.push(&content);
    }

    /// The end of rows, in the form the client understands.
    fn end(&mut self, status: u16, warnings: u16, capabilities: u32) {
        if capabilities & DEPRECATE_EOF != 0 {
            let mut content = vec![0xfe, 0, 0];
            content.extend(status.to_le_bytes());
            content.extend(warnings.to_le_bytes());
            self.push(&content);
        } else {
            self.eof(status, warnings);
        }
    }

    /// A result: columns and rows, as text or in the binary form of prepared statements.
    pub(super) fn rows(&mut self, rows: &Rows, place: &Place<'_>, binary: bool) {
        let mut head = Vec::new();
        count(&mut head, rows.columns.len() as u64);
        if place.extended & CACHE_METADATA != 0 {
            // The columns follow.
            head.push(1);
        }
        self.push(&head);
        self.columns(rows, place, place.capabilities & DEPRECATE_EOF == 0);
        // Rows of a table were found by reading all of it.
        let scanned = rows.tables.iter().any(Option::is_some);
        let status = place.status | if scanned { NO_INDEX } else { 0 };
        for row in &rows.rows {
            let content = if binary { binary_row(rows, row) } else { text_row(row) };
            self.push(&content);
        }
        self.end(status, place.warnings, place.capabilities);
    }

    /// Definitions of the columns of `rows`.
    pub(super) fn columns(&mut self, rows: &Rows, place: &Place<'_>, eof: bool) {
        for (at, column) in rows.columns.iter().enumerate() {
            let table = rows.tables.get(at).cloned().flatten();
            let content = definition(&column.name, column.kind, table.as_deref(), column, place);
            self.push(&content);
        }
        if eof {
            self.eof(place.status, 0);
        }
    }
}

/// Where a result is made.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) database: &'p str,
    pub(super) charset: u8,
    pub(super) status: u16,
    pub(super) warnings: u16,
    pub(super) capabilities: u32,
    /// MariaDB's own.
    pub(super) extended: u32,
}

/// A length-encoded number.
pub(super) fn count(out: &mut Vec<u8>, number: u64) {
    let bytes = number.to_le_bytes();
    let (prefix, length) = match number {
        0..=0xfa => (None, 1),
        0xfb..=0xffff => (Some(0xfc), 2),
        0x1_0000..=0xff_ffff => (Some(0xfd), 3),
        _ => (Some(0xfe), 8),
    };
    out.extend(prefix);
    out.extend(bytes.get(..length).unwrap_or_default());
}

/// Bytes after their length.
pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    count(out, bytes.len() as u64);
    out.extend(bytes);
}

/// Type number, length, flags and decimals of a column.
fn shape(kind: Type, width: u32) -> (u8, u32, u16, u8) {
    const BINARY: u16 = 0x80;
    match kind {
        Type::Bool | Type::Small => (1, 4, BINARY, 0),
        Type::Int | Type::Oid => (3, 11, BINARY, 0),
        Type::Big => (8, 21, BINARY, 0),
        Type::Float => (5, 23, BINARY, 31),
        Type::Decimal(digits, places) => (246, u32::from(digits) + 2, BINARY, places),
        Type::Date => (10, 10, BINARY, 0),
        Type::Timestamp | Type::TimestampZone => (12, 19, BINARY, 0),
        Type::Time => (11, 10, BINARY, 0),
        Type::Bytes => (252, 65_535, BINARY, 0),
        Type::Varchar(size) => (253, size.max(1) * width, 0, 0),
        Type::Char(size) => (254, size.max(1) * width, 0, 0),
        Type::Unknown => (6, 0, BINARY, 0),
        _ => (252, 65_535 * width, 0x10, 0),
    }
}

fn definition(
    name: &str,
    kind: Type,
    table: Option<&str>,
    column: &crate::sql::Column,
    place: &Place<'_>,
) -> Vec<u8> {
    // Bytes of the widest character of the character set.
    let width = match place.charset {
        45 | 46 | 224..=247 | 255 => 4,
        33 | 83 | 192..=215 => 3,
        _ => 1,
    };
    let (number, length, mut flags, places) = match (kind, table) {
        // Texts that are no column are as long as they are.
        (Type::Text, None) => (253, 255 * width, 0, 39),
        (kind, _) => shape(kind, width),
    };
    if column.not_null {
        flags |= 1;
    }
    if column.primary {
        flags |= 2 | 0x4000;
    }
    if column.automatic {
        flags |= 0x200;
    }
    let numeric = matches!(number, 0..=16 | 246);
    let charset: u16 = if numeric || kind == Type::Bytes { 63 } else { place.charset.into() };
    let mut out = Vec::new();
    text(&mut out, b"def");
    let table = table.unwrap_or_default();
    text(&mut out, if table.is_empty() { b"" } else { place.database.as_bytes() });
    text(&mut out, table.as_bytes());
    text(&mut out, table.as_bytes());
    text(&mut out, name.as_bytes());
    text(&mut out, if table.is_empty() { b"" } else { name.as_bytes() });
    if place.extended & EXTENDED_METADATA != 0 {
        out.push(0);
    }
    out.push(0x0c);
    out.extend(charset.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.push(number);
    out.extend(flags.to_le_bytes());
    out.extend([places, 0, 0]);
    out
}

fn text_row(row: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in row {
        match value {
            Value::Null => out.push(0xfb),
            Value::Bytes(bytes) => text(&mut out, bytes),
            Value::Bool(truth) => text(&mut out, if *truth { b"1" } else { b"0" }),
            other => text(&mut out, other.shown().unwrap_or_default().as_bytes()),
        }
    }
    out
}

fn binary_row(rows: &Rows, row: &[Value]) -> Vec<u8> {
    let mut nulls = vec![0_u8; (row.len() + 9) / 8];
    let mut body = Vec::new();
    for (at, value) in row.iter().enumerate() {
        if value.is_null() {
            if let Some(byte) = nulls.get_mut((at + 2) / 8) {
                *byte |= 1 << ((at + 2) % 8);
            }
            continue;
        }
        let kind = rows.columns.get(at).map_or(Type::Text, |column| column.kind);
        let number = value.int().to_le_bytes();
        match shape(kind, 1).0 {
            1 => body.extend(number.first()),
            3 => body.extend(number.get(..4).unwrap_or_default()),
            8 => body.extend(number),
            5 => body.extend(value.number().to_le_bytes()),
            10 | 12 => body.extend(moment(&value.shown().unwrap_or_default())),
            6 => {}
            _ => match value {
                Value::Bytes(bytes) => text(&mut body, bytes),
                other => text(&mut body, other.shown().unwrap_or_default().as_bytes()),
            },
        }
    }
    [vec![0], nulls, body].concat()
}

/// A date and time in binary form.
fn moment(shown: &str) -> Vec<u8> {
    let parts: Vec<u16> =
        shown.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0)).collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or(0);
    let small = |at: usize| u8::try_from(part(at)).unwrap_or(0);
    let mut out = part(0).to_le_bytes().to_vec();
    out.extend([small(1), small(2)]);
    if parts.len() > 3 {
        out.extend([small(3), small(4), small(5)]);
    }
    out.insert(0, u8::try_from(out.len()).unwrap_or(0));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Column;

    #[test]
    fn a_result_is_written_as_by_the_real_server() {
        let mut packets = Packets::from(1);
        let rows = Rows {
            columns: vec![Column { not_null: true, ..Column::new("1", Type::Int) }],
            tables: vec![None],
            rows: vec![vec![Value::Int(1)]],
        };
        let place = Place {
            database: "",
            charset: 45,
            status: 2,
            warnings: 0,
            capabilities: 0,
            extended: 0,
        };
        packets.rows(&rows, &place, false);
        // Recorded from MariaDB 10.11 for `select 1`, but for the length of the number.
        let expected: &[&[u8]] = &[
            b"\x01\0\0\x01\x01",
            b"\x17\0\0\x02\x03def\0\0\0\x011\0\x0c?\0\x0b\0\0\0\x03\x81\0\0\0\0",
            b"\x05\0\0\x03\xfe\0\0\x02\0",
            b"\x02\0\0\x04\x011",
            b"\x05\0\0\x05\xfe\0\0\x02\0",
        ];
        assert_eq!(
            packets.out.escape_ascii().to_string(),
            expected.concat().escape_ascii().to_string()
        );
    }

    #[test]
    fn numbers_are_as_long_as_they_need() {
        for (number, length) in [(250, 1), (251, 3), (65_535, 3), (65_536, 4), (16_777_216, 9)] {
            let mut out = Vec::new();
            count(&mut out, number);
            assert_eq!(out.len(), length);
        }
    }

    #[test]
    fn binary_rows_mark_nulls_and_pack_dates() {
        let rows = Rows {
            columns: vec![
                Column::new("a", Type::Int),
                Column::new("b", Type::Timestamp),
                Column::new("c", Type::Varchar(9)),
            ],
            tables: vec![None; 3],
            rows: Vec::new(),
        };
        let row = [Value::Int(-2), Value::text("2026-01-02 03:04:05"), Value::Null];
        assert_eq!(
            binary_row(&rows, &row),
            [0, 0b1_0000, 0xfe, 0xff, 0xff, 0xff, 7, 0xea, 7, 1, 2, 3, 4, 5]
        );
    }
}
