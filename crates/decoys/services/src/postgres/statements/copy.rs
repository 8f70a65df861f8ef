//! `COPY`.

use super::engine::{engine, write};
use super::{Answer, Done, Run, sight};
use crate::postgres::errors::{self, Refusal, error};
use crate::sql::{Fault, Rows, Type, Value};

/// `COPY` in all its directions.
pub(super) fn copy(run: &mut Run<'_>, text: &str, words: &[String], offset: usize) -> Done {
    let lower = text.to_ascii_lowercase();
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let query = word(1) == "(";
    // Where the direction stands: after the query in parentheses, or after table and columns.
    let mut depth = 0;
    let mut at = 1;
    while at < words.len() {
        match word(at) {
            "(" => depth += 1,
            ")" => depth -= 1,
            "from" | "to" if depth == 0 => break,
            _ => {}
        }
        at += 1;
    }
    let outward = word(at) == "to";
    let target = word(at + 1);
    let program = target == "program";
    let lure = Some(match (program, outward, target) {
        (true, ..) => "copy_program",
        (_, true, "stdout") => "copy_out",
        (_, false, "stdin") => "copy_in",
        (_, true, _) => "copy_to_file",
        _ => "copy_from_file",
    });
    if (program || !matches!(target, "stdin" | "stdout")) && !run.me.admin {
        let what =
            if program { "COPY to or from an external program" } else { "COPY to or from a file" };
        return Done { lure, ..Done::refused(error("42501", format!("must be superuser or have privileges of the pg_execute_server_program role to {what}"), ("copy.c", 91, "DoCopy")).hint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.")) };
    }
    if outward {
        let inner = if query {
            let from = text.find('(').map_or(0, |at| at + 1);
            let to = lower.rfind(") to").or_else(|| lower.rfind(')')).unwrap_or(text.len());
            text.get(from..to).unwrap_or_default().to_owned()
        } else {
            format!(
                "select * from {}",
                if word(2) == "." {
                    format!("{}.{}", word(1), word(3))
                } else {
                    word(1).to_owned()
                }
            )
        };
        let found = engine(run, &inner, offset, &[]);
        let Answer::Rows(rows, _) = found.answer else { return Done { lure, ..found } };
        let lines: Vec<Vec<u8>> = rows.rows.iter().map(|row| copy_line(row, &rows)).collect();
        let count = rows.rows.len() as u64;
        let read = found.read;
        if program {
            return Done {
                lure,
                read,
                ..Done::of(Answer::Program {
                    line: word(at + 2).to_owned(),
                    into: None,
                    input: lines.concat(),
                    rows: count,
                })
            };
        }
        if target == "stdout" {
            return Done { lure, read, ..Done::of(Answer::CopyOut(lines, rows.columns.len())) };
        }
        let mut done = Done { lure, read, ..Done::tag(&format!("COPY {count}")) };
        if !target.starts_with('/') {
            return Done {
                lure,
                ..Done::refused(error(
                    "42602",
                    "relative path not allowed for COPY to file",
                    ("copyto.c", 749, "BeginCopyTo"),
                ))
            };
        }
        if let Err(refused) = write(run, target, lines.concat(), "copy_to_file", &mut done) {
            done.answer = Answer::Refused(*refused);
        }
        return done;
    }
    let table = if word(2) == "." { word(3).to_owned() } else { word(1).to_owned() };
    let Some(found) = run.server.store.table(&run.me.database, &table) else {
        let fault =
            Fault::NoTable { schema: None, name: table, at: lower.find(word(1)).unwrap_or(5) };
        return Done {
            lure,
            ..Done::refused(Refusal { position: None, ..errors::say(&fault, text, offset) })
        };
    };
    let columns = found.columns.len();
    if program {
        return Done {
            lure,
            ..Done::of(Answer::Program {
                line: word(at + 2).to_owned(),
                into: Some(table),
                input: Vec::new(),
                rows: 0,
            })
        };
    }
    if target == "stdin" {
        return Done { lure, ..Done::of(Answer::CopyIn { table, columns }) };
    }
    let content = sight(run).file("copy", target);
    match content {
        Ok(content) => {
            let mut done = take_rows(run, &table, &content);
            done.lure = lure;
            done
        }
        Err(Fault::Product(state, message)) => Done { lure, ..Done::refused(error(state, message, ("copyfrom.c", 1713, "BeginCopyFrom")).hint("COPY FROM instructs the PostgreSQL server process to read a file. You may want a client-side facility such as psql's \\copy.")) },
        Err(fault) => Done { lure, ..Done::refused(errors::say(&fault, text, offset)) },
    }
}

/// A row in the text form of a copy.
fn copy_line(row: &[Value], rows: &Rows) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, value) in row.iter().enumerate() {
        if at > 0 {
            out.push(b'\t');
        }
        let kind = rows.columns.get(at).map_or(Type::Text, |column| column.kind);
        match crate::postgres::replies::shown(value, kind) {
            None => out.extend(b"\\N"),
            Some(bytes) => {
                for byte in bytes {
                    match byte {
                        b'\t' => out.extend(b"\\t"),
                        b'\n' => out.extend(b"\\n"),
                        b'\\' => out.extend(b"\\\\"),
                        byte => out.push(byte),
                    }
                }
            }
        }
    }
    out.push(b'\n');
    out
}

/// Puts lines of a copy into a table.
pub(in crate::postgres) fn take_rows(run: &mut Run<'_>, table: &str, content: &[u8]) -> Done {
    let database = run.me.database.clone();
    let Some(mut target) = run.server.store.table(&database, table).cloned() else {
        return Done::refused(error(
            "42P01",
            format!("relation \"{table}\" does not exist"),
            ("namespace.c", 433, "RangeVarGetRelidExtended"),
        ));
    };
    let text = String::from_utf8_lossy(content);
    let mut count = 0_u64;
    for (number, line) in text.lines().enumerate() {
        if line == "\\." {
            break;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let mut row = Vec::new();
        for (field, column) in fields.iter().zip(&target.columns) {
            let whole = matches!(column.kind, Type::Small | Type::Int | Type::Big);
            row.push(match (*field, whole) {
                ("\\N", _) => Value::Null,
                (field, true) => match field.parse() {
                    Ok(number) => Value::Int(number),
                    Err(_) => {
                        let mut refused = error(
                            "22P02",
                            format!("invalid input syntax for type integer: \"{field}\""),
                            ("numutils.c", 232, "pg_strtoint32"),
                        );
                        refused.place = Some(format!(
                            "COPY {table}, line {}, column {}: \"{field}\"",
                            number + 1,
                            column.name
                        ));
                        return Done::refused(refused);
                    }
                },
                (field, false) => Value::Text(
                    field.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\"),
                ),
            });
        }
        let odd = match (fields.len().cmp(&target.columns.len()), target.columns.get(fields.len()))
        {
            (std::cmp::Ordering::Greater, _) => {
                Some("extra data after last expected column".to_owned())
            }
            (_, Some(missing)) => Some(format!("missing data for column \"{}\"", missing.name)),
            _ => None,
        };
        if let Some(odd) = odd {
            let mut refused = error("22P04", odd, ("copyfromparse.c", 889, "NextCopyFrom"));
            refused.place = Some(format!("COPY {table}, line {}: \"{line}\"", number + 1));
            return Done::refused(refused);
        }
        target.rows.push(row);
        count += 1;
    }
    match run.server.store.put_table(&database, table, target) {
        Ok(()) => Done::tag(&format!("COPY {count}")),
        Err(fault) => Done::refused(errors::say(&fault, "", 0)),
    }
}
