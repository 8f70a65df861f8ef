//! The extended protocol: parse, bind, describe, execute.

use decoys_kit::StreamContext;

use super::query::is_show;
use super::{MAX_PREPARED, Portal, PostgresSession, Prepared, State};
use crate::postgres::errors::{Refusal, error};
use crate::postgres::parser::Reader;
use crate::postgres::replies;
use crate::postgres::statements::{self, Answer, Done};
use crate::sql::{Rows, Value};

impl PostgresSession {
    /// An error within the extended protocol: everything up to `Sync` is passed over.
    fn skip(&mut self, cx: &mut StreamContext<'_>, refused: &Refusal) {
        self.skipping = true;
        if self.me.state == b'T' {
            self.me.state = b'E';
        }
        let mut out = Vec::new();
        replies::refuse(&mut out, refused);
        cx.send(out);
    }

    pub(super) fn parse(&mut self, cx: &mut StreamContext<'_>, content: &[u8]) {
        let mut reader = Reader(content);
        let name = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
        let text = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
        let mut types = Vec::new();
        for _ in 0..reader.short().unwrap_or(0).min(1024) {
            types.push(reader.int().unwrap_or(0));
        }
        let highest =
            (1..=256_usize).rev().find(|number| text.contains(&format!("${number}"))).unwrap_or(0);
        types.resize(types.len().max(highest), 0);
        let shaped = self.run(cx, |run| statements::shape(run, &text, types.len()));
        if let Err(refused) = shaped {
            let done = Done::of(Answer::Refused((*refused).clone()));
            self.tell_query(cx, text.as_bytes(), &done);
            cx.commit();
            return self.skip(cx, &refused);
        }
        if !name.is_empty() && self.prepared.contains_key(&name) {
            let refused = error(
                "42P05",
                format!("prepared statement \"{name}\" already exists"),
                ("prepare.c", 399, "StorePreparedStatement"),
            );
            return self.skip(cx, &refused);
        }
        if self.prepared.len() < MAX_PREPARED || name.is_empty() {
            self.prepared.insert(name, Prepared { text, parameters: types });
        }
        let mut out = Vec::new();
        replies::message(&mut out, b'1', &[]);
        cx.send(out);
    }

    pub(super) fn bind(&mut self, cx: &mut StreamContext<'_>, content: &[u8]) {
        let mut reader = Reader(content);
        let portal = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
        let name = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
        let Some(prepared) = self.prepared.get(&name).cloned() else {
            let refused = if name.is_empty() {
                error(
                    "26000",
                    "unnamed prepared statement does not exist",
                    ("postgres.c", 1628, "exec_bind_message"),
                )
            } else {
                error(
                    "26000",
                    format!("prepared statement \"{name}\" does not exist"),
                    ("prepare.c", 451, "FetchPreparedStatement"),
                )
            };
            return self.skip(cx, &refused);
        };
        let Some((values, formats)) = bound(&prepared, &mut reader) else {
            let refused = error(
                "08P01",
                format!(
                    "bind message supplies the wrong number of parameters, but prepared statement \"{name}\" requires {}",
                    prepared.parameters.len()
                ),
                ("postgres.c", 1700, "exec_bind_message"),
            );
            return self.skip(cx, &refused);
        };
        if self.portals.len() < MAX_PREPARED || portal.is_empty() {
            self.portals
                .insert(portal, Portal { text: prepared.text, values, formats, rest: None });
        }
        let mut out = Vec::new();
        replies::message(&mut out, b'2', &[]);
        cx.send(out);
    }

    pub(super) fn describe(&mut self, cx: &mut StreamContext<'_>, content: &[u8]) {
        let mut reader = Reader(content);
        let what = reader.byte();
        let name = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
        let mut out = Vec::new();
        let (text, formats, count) = if what == Some(b'S') {
            let Some(prepared) = self.prepared.get(&name) else {
                let refused = error(
                    "26000",
                    format!("prepared statement \"{name}\" does not exist"),
                    ("prepare.c", 451, "FetchPreparedStatement"),
                );
                return self.skip(cx, &refused);
            };
            let mut content =
                u16::try_from(prepared.parameters.len()).unwrap_or(0).to_be_bytes().to_vec();
            for kind in &prepared.parameters {
                // What was left open is text, as far as it goes.
                content.extend(if *kind == 0 { 25 } else { *kind }.to_be_bytes());
            }
            replies::message(&mut out, b't', &content);
            (prepared.text.clone(), Vec::new(), prepared.parameters.len())
        } else {
            let Some(portal) = self.portals.get(&name) else {
                let refused = error(
                    "34000",
                    format!("portal \"{name}\" does not exist"),
                    ("postgres.c", 2755, "exec_describe_portal_message"),
                );
                return self.skip(cx, &refused);
            };
            (portal.text.clone(), portal.formats.clone(), portal.values.len())
        };
        let shaped = self.run(cx, |run| {
            let shaped = statements::shape(run, &text, count);
            shaped.map(|rows| rows.map(|rows| (statements::places(run, &rows), rows)))
        });
        match shaped {
            Ok(Some((places, rows))) => {
                replies::columns(&mut out, &rows.columns, &places, &formats)
            }
            Ok(None) if is_show(&text) => {
                let done = self.run(cx, |run| statements::run(run, text.trim(), 0, &[]));
                match &done.answer {
                    Answer::Rows(rows, _) => {
                        replies::columns(&mut out, &rows.columns, &[], &formats)
                    }
                    _ => replies::message(&mut out, b'n', &[]),
                }
            }
            Ok(None) => replies::message(&mut out, b'n', &[]),
            Err(refused) => {
                cx.send(out);
                return self.skip(cx, &refused);
            }
        }
        cx.send(out);
    }

    pub(super) fn execute(&mut self, cx: &mut StreamContext<'_>, content: &[u8]) {
        let mut reader = Reader(content);
        let name = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
        let most = usize::try_from(reader.int().unwrap_or(0)).unwrap_or(0);
        let Some(portal) = self.portals.get_mut(&name) else {
            let refused = error(
                "34000",
                format!("portal \"{name}\" does not exist"),
                ("postgres.c", 2063, "exec_execute_message"),
            );
            return self.skip(cx, &refused);
        };
        let (text, values, formats) =
            (portal.text.trim().to_owned(), portal.values.clone(), portal.formats.clone());
        let rest = portal.rest.take();
        let mut done = match rest {
            Some((rows, tag)) => Done::of(Answer::Rows(rows, tag)),
            None => {
                let done = self.perform(cx, text.trim_end_matches(';'), 0, &values);
                let shown: Vec<String> = values
                    .iter()
                    .map(|value| value.shown().unwrap_or_else(|| "NULL".to_owned()))
                    .collect();
                let told = if shown.is_empty() {
                    text
                } else {
                    format!("{text} /* {} */", shown.join(", "))
                };
                self.tell_query(cx, told.as_bytes(), &done);
                done
            }
        };
        let mut out = Vec::new();
        if let Answer::CopyIn { table, columns } = &done.answer {
            let mut head = vec![0];
            head.extend(u16::try_from(*columns).unwrap_or(0).to_be_bytes());
            head.extend(vec![0; columns * 2]);
            replies::message(&mut out, b'G', &head);
            self.state =
                State::Copying { table: table.clone(), content: Vec::new(), too_much: false };
            cx.commit();
            return cx.send(out);
        }
        if let Answer::Refused(refused) = &done.answer {
            cx.commit();
            let refused = refused.clone();
            return self.skip(cx, &refused);
        }
        if let Answer::Rows(rows, tag) = &mut done.answer
            && most > 0
            && rows.rows.len() > most
        {
            let rest = rows.rows.split_off(most);
            let kept =
                Rows { columns: rows.columns.clone(), tables: rows.tables.clone(), rows: rest };
            let tag = tag.clone();
            for row in &rows.rows {
                replies::row(&mut out, rows, row, &formats);
            }
            replies::message(&mut out, b's', &[]);
            if let Some(portal) = self.portals.get_mut(&name) {
                portal.rest = Some((kept, tag));
            }
            return self.finish(cx, out, done.sleeps);
        }
        self.answer(cx, &mut out, &done, Some(&formats));
        self.finish(cx, out, done.sleeps);
    }
}

/// Values of parameters and formats of results of a `Bind`.
fn bound(prepared: &Prepared, reader: &mut Reader<'_>) -> Option<(Vec<Value>, Vec<u16>)> {
    let mut formats = Vec::new();
    for _ in 0..reader.short()? {
        formats.push(reader.short()?);
    }
    let count = usize::from(reader.short()?);
    if count != prepared.parameters.len() {
        return None;
    }
    let mut values = Vec::new();
    for at in 0..count {
        let length = reader.int()?;
        if length == u32::MAX {
            values.push(Value::Null);
            continue;
        }
        let bytes = reader.take(usize::try_from(length).ok()?)?;
        let format = match formats.as_slice() {
            [] => 0,
            [all] => *all,
            each => each.get(at).copied().unwrap_or(0),
        };
        let kind = prepared.parameters.get(at).copied().unwrap_or(0);
        values.push(if format == 1 { binary(bytes, kind) } else { text(bytes, kind) });
    }
    let mut results = Vec::new();
    for _ in 0..reader.short()? {
        results.push(reader.short()?);
    }
    Some((values, results))
}

pub(super) fn text(bytes: &[u8], kind: u32) -> Value {
    let text = String::from_utf8_lossy(bytes).into_owned();
    match kind {
        16 => Value::Bool(matches!(text.as_str(), "t" | "true" | "1")),
        20 | 21 | 23 | 26 => text.parse().map_or(Value::Text(text), Value::Int),
        700 | 701 => text.parse().map_or(Value::Text(text), Value::Float),
        _ => Value::Text(text),
    }
}

fn binary(bytes: &[u8], kind: u32) -> Value {
    match (kind, bytes) {
        (16, [byte]) => Value::Bool(*byte != 0),
        (21, [a, b]) => Value::Int(i16::from_be_bytes([*a, *b]).into()),
        (23 | 26, [a, b, c, d]) => Value::Int(i32::from_be_bytes([*a, *b, *c, *d]).into()),
        (700, [a, b, c, d]) => Value::Float(f32::from_be_bytes([*a, *b, *c, *d]).into()),
        (20, bytes) if bytes.len() == 8 => {
            Value::Int(bytes.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte)))
        }
        (701, bytes) => match bytes.first_chunk::<8>() {
            Some(bytes) => Value::Float(f64::from_be_bytes(*bytes)),
            None => Value::Null,
        },
        (17, bytes) => Value::Bytes(bytes.to_vec()),
        (_, bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::text(text),
            Err(_) => Value::Bytes(bytes.to_vec()),
        },
    }
}
