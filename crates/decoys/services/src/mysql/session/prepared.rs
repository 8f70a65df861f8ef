//! Prepared statements of the binary protocol.

use std::collections::BTreeMap;

use decoys_kit::StreamContext;

use super::{MAX_PREPARED, MysqlSession, Prepared};
use crate::mysql::errors::refusal;
use crate::mysql::parser::{DEPRECATE_EOF, Reader};
use crate::mysql::replies::Packets;
use crate::mysql::statements;
use crate::sql::{Column, Dialect, Rows, Type, Value};

impl MysqlSession {
    pub(super) fn prepare(&mut self, cx: &mut StreamContext<'_>, sql: &[u8]) {
        let text = String::from_utf8_lossy(sql).into_owned();
        let parameters = text.matches('?').count().min(256);
        let parsed = crate::sql::parse(&text, Dialect::MySql);
        let shape = self.run(cx, |run| statements::shape(run, &text));
        if let (Err(_), true) = (&parsed, shape.is_none()) {
            let done = self.run(cx, |run| statements::run(run, &text, &[]));
            self.tell_query(cx, sql, &done);
            cx.commit();
            let mut packets = Packets::from(1);
            self.write(&mut packets, &done, false, false);
            return cx.send(packets.out);
        }
        if self.prepared.len() >= MAX_PREPARED {
            return self.refuse(cx, 1, &refusal(1461, "Can't create more than max_prepared_stmt_count statements (current value: 16382)"), false);
        }
        self.next_prepared += 1;
        let id = self.next_prepared;
        let prepared = Prepared { text, parameters, types: Vec::new(), long: BTreeMap::new() };
        self.prepared.insert(id, prepared);
        let columns = shape.unwrap_or_default();
        let mut packets = Packets::from(1);
        let mut head = vec![0];
        head.extend(id.to_le_bytes());
        head.extend(u16::try_from(columns.columns.len()).unwrap_or(0).to_le_bytes());
        head.extend(u16::try_from(parameters).unwrap_or(0).to_le_bytes());
        head.extend([0, 0, 0]);
        packets.push(&head);
        let database = self.me.database.clone().unwrap_or_default();
        let place = self.place(&database, self.status());
        let eof = self.capabilities & DEPRECATE_EOF == 0;
        if parameters > 0 {
            let marks = Rows {
                columns: vec![Column::new("?", Type::Unknown); parameters],
                tables: vec![None; parameters],
                rows: Vec::new(),
            };
            packets.columns(&marks, &place, eof);
        }
        if !columns.columns.is_empty() {
            packets.columns(&columns, &place, eof);
        }
        cx.send(packets.out);
    }

    pub(super) fn execute(&mut self, cx: &mut StreamContext<'_>, rest: &[u8]) {
        let mut reader = Reader(rest);
        let id = reader.int(4).and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
        reader.int(5);
        let Some(prepared) = self.prepared.get_mut(&id) else {
            return self.refuse(
                cx,
                1,
                &refusal(
                    1243,
                    format!(
                        "Unknown prepared statement handler ({id}) given to mysqld_stmt_execute"
                    ),
                ),
                false,
            );
        };
        let Some(parameters) = bound(prepared, &mut reader) else {
            return self.refuse(
                cx,
                1,
                &refusal(1210, "Incorrect arguments to mysqld_stmt_execute"),
                false,
            );
        };
        let text = prepared.text.clone();
        self.begin(&text, cx.now());
        let done = self.run(cx, |run| {
            run.server.queries += 1;
            statements::run(run, &text, &parameters)
        });
        let shown: Vec<String> = parameters
            .iter()
            .map(|value| value.shown().unwrap_or_else(|| "NULL".to_owned()))
            .collect();
        let told =
            if shown.is_empty() { text } else { format!("{text} /* {} */", shown.join(", ")) };
        self.tell_query(cx, told.as_bytes(), &done);
        let mut packets = Packets::from(1);
        self.write(&mut packets, &done, false, true);
        self.finish(cx, packets.out, done.sleeps);
    }
}

/// Values of the parameters of an execution.
fn bound(prepared: &mut Prepared, reader: &mut Reader<'_>) -> Option<Vec<Value>> {
    let count = prepared.parameters;
    if count == 0 {
        return Some(Vec::new());
    }
    let nulls = reader.take(count.div_ceil(8))?.to_vec();
    if reader.byte()? == 1 {
        let mut types = Vec::new();
        for _ in 0..count {
            types.push((reader.byte()?, reader.byte()?));
        }
        prepared.types = types;
    }
    let mut out = Vec::new();
    for at in 0..count {
        if let Some(long) = prepared.long.remove(&at) {
            out.push(Value::Text(String::from_utf8_lossy(&long).into_owned()));
            continue;
        }
        if nulls.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1) {
            out.push(Value::Null);
            continue;
        }
        let (kind, _) = prepared.types.get(at).copied()?;
        out.push(match kind {
            1 => Value::Int(i64::from(i8::from_le_bytes([reader.byte()?]))),
            2 | 13 => Value::Int(i64::from(i16::from_le_bytes(*reader.take(2)?.first_chunk()?))),
            3 | 9 => Value::Int(i64::from(i32::from_le_bytes(*reader.take(4)?.first_chunk()?))),
            8 => Value::Int(i64::from_le_bytes(*reader.take(8)?.first_chunk()?)),
            4 => Value::Float(f32::from_le_bytes(*reader.take(4)?.first_chunk()?).into()),
            5 => Value::Float(f64::from_le_bytes(*reader.take(8)?.first_chunk()?)),
            6 => Value::Null,
            7 | 10 | 11 | 12 => {
                let packed = reader.counted()?;
                let mut inner = Reader(packed);
                let (year, month, day) = (
                    inner.int(2).unwrap_or(0),
                    inner.byte().unwrap_or(0),
                    inner.byte().unwrap_or(0),
                );
                let (hour, minute, second) = (
                    inner.byte().unwrap_or(0),
                    inner.byte().unwrap_or(0),
                    inner.byte().unwrap_or(0),
                );
                Value::Text(format!(
                    "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
                ))
            }
            _ => {
                let bytes = reader.counted()?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => Value::text(text),
                    Err(_) => Value::Bytes(bytes.to_vec()),
                }
            }
        });
    }
    Some(out)
}
