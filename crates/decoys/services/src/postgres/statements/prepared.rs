//! Statements and cursors by name, plans, and the shape of an answer before it is known.

use super::engine::engine;
use super::{Answer, Done, Run, one, run, sight};
use crate::postgres::errors::{self, Refusal, error};
use crate::sql::{Dialect, Fault, Rows, Scope, Statement, Table, Value, parse, select, words};

pub(super) fn prepare(run: &mut Run<'_>, text: &str, words: &[String]) -> Done {
    let lower = text.to_ascii_lowercase();
    let inner = lower.find(" as ").and_then(|at| text.get(at + 4..)).unwrap_or_default().to_owned();
    let name = words.get(1).cloned().unwrap_or_default();
    if run.me.named.len() < 64 && inner.len() < 65_536 {
        run.me.named.insert(name, inner);
    }
    Done::tag("PREPARE")
}

pub(super) fn execute(run: &mut Run<'_>, text: &str, words: &[String], offset: usize) -> Done {
    let name = words.get(1).cloned().unwrap_or_default();
    let Some(inner) = run.me.named.get(&name).cloned() else {
        return Done::refused(error(
            "26000",
            format!("prepared statement \"{name}\" does not exist"),
            ("prepare.c", 451, "FetchPreparedStatement"),
        ));
    };
    let first = crate::sql::words(&inner, Dialect::Postgres);
    if matches!(first.first().map(String::as_str), Some("execute" | "prepare")) {
        return Done::refused(errors::say(
            &Fault::Syntax { at: 0, token: "execute".to_owned() },
            text,
            offset,
        ));
    }
    let values =
        words.iter().skip(2).filter(|word| !matches!(word.as_str(), "(" | ")" | "," | ";"));
    let values: Vec<Value> = values
        .map(|word| word.parse().map_or_else(|_| Value::Text(word.clone()), Value::Int))
        .collect();
    self::run(run, &inner, offset, &values)
}

/// A cursor: its query is run at once and fetched from.
pub(super) fn declare(run: &mut Run<'_>, text: &str, words: &[String], offset: usize) -> Done {
    let lower = text.to_ascii_lowercase();
    let inner =
        lower.find(" for ").and_then(|at| text.get(at + 5..)).unwrap_or_default().to_owned();
    let found = engine(run, &inner, offset, &[]);
    match found.answer {
        Answer::Rows(rows, _) => {
            let weight: usize = rows.rows.iter().flatten().map(Value::weight).sum();
            if run.me.cursors.len() < 16 && weight < 4 * 1024 * 1024 {
                run.me.cursors.insert(words.get(1).cloned().unwrap_or_default(), rows);
            }
            Done { read: found.read, ..Done::tag("DECLARE CURSOR") }
        }
        _ => found,
    }
}

pub(super) fn fetch(run: &mut Run<'_>, words: &[String]) -> Done {
    let name = words.last().cloned().unwrap_or_default();
    let count = words.iter().find_map(|word| word.parse::<usize>().ok());
    let count =
        count.unwrap_or(if words.iter().any(|word| word == "all") { usize::MAX } else { 1 });
    let Some(rows) = run.me.cursors.get_mut(&name) else {
        return Done::refused(error(
            "34000",
            format!("cursor \"{name}\" does not exist"),
            ("portalcmds.c", 192, "PerformPortalFetch"),
        ));
    };
    let rest = rows.rows.split_off(count.min(rows.rows.len()));
    let taken = std::mem::replace(&mut rows.rows, rest);
    let part = Rows { columns: rows.columns.clone(), tables: rows.tables.clone(), rows: taken };
    let tag = format!("FETCH {}", part.rows.len());
    Done::of(Answer::Rows(part, tag))
}

pub(super) fn explain(run: &mut Run<'_>, text: &str, offset: usize) -> Done {
    let rest = text.trim_start().get(7..).unwrap_or_default();
    let rest = rest.trim_start().trim_start_matches('(').trim_start();
    let bare = rest
        .split_once(')')
        .filter(|(options, _)| !options.to_ascii_lowercase().contains("select"))
        .map_or(rest, |(_, rest)| rest);
    let bare = bare.trim_start();
    let bare = ["analyze ", "verbose ", "ANALYZE ", "VERBOSE "]
        .iter()
        .fold(bare, |text, word| text.trim_start_matches(word));
    match parse(bare, Dialect::Postgres) {
        Ok(Statement::Query(query)) => {
            let line = match query.body.from.first() {
                None => "Result  (cost=0.00..0.01 rows=1 width=4)".to_owned(),
                Some(_) => {
                    let words = words(bare, Dialect::Postgres);
                    let table = words
                        .iter()
                        .position(|word| word == "from")
                        .and_then(|at| words.get(at + 1))
                        .cloned()
                        .unwrap_or_default();
                    let Some(found) = run.server.store.table(&run.me.database, &table) else {
                        return engine(run, bare, offset, &[]);
                    };
                    let rows = found.rows.len();
                    format!(
                        "Seq Scan on {table}  (cost=0.00..{}.{:02} rows={rows} width={})",
                        1 + rows / 100,
                        rows % 100,
                        found.columns.len() * 32
                    )
                }
            };
            Done::of(one("QUERY PLAN", line, "EXPLAIN"))
        }
        Ok(_) => Done::of(one("QUERY PLAN", "Result  (cost=0.00..0.01 rows=1 width=0)", "EXPLAIN")),
        Err(fault) => {
            Done::refused(errors::say(&fault, bare, offset + text.len().saturating_sub(bare.len())))
        }
    }
}

/// Columns that a statement will answer, as far as that is known before it runs.
pub(in crate::postgres) fn shape(
    run: &mut Run<'_>,
    text: &str,
    parameters: usize,
) -> Result<Option<Rows>, Box<Refusal>> {
    let statement = match parse(text, Dialect::Postgres) {
        Ok(statement) => statement,
        Err(Fault::Empty) => return Ok(None),
        Err(fault) => return Err(Box::new(errors::say(&fault, text, 0))),
    };
    let Statement::Query(query) = statement else { return Ok(None) };
    let nothing = vec![Value::Null; parameters];
    let budget = run.budget;
    let seen = sight(run);
    match select(&query, &Scope::new(&seen, budget, &nothing)) {
        Ok(rows) => Ok(Some(Rows { rows: Vec::new(), ..rows })),
        Err(
            fault @ (Fault::NoTable { .. } | Fault::NoColumn { .. } | Fault::NoFunction { .. }),
        ) => Err(Box::new(errors::say(&fault, text, 0))),
        Err(_) => Ok(None),
    }
}

/// Number of the table and of the column, of those columns of a result that are of one.
pub(in crate::postgres) fn places(run: &mut Run<'_>, rows: &Rows) -> Vec<(u32, u16)> {
    let database = run.me.database.clone();
    rows.columns
        .iter()
        .zip(&rows.tables)
        .map(|(column, table)| {
            let found: Option<&Table> =
                table.as_ref().and_then(|table| run.server.store.table(&database, table));
            let place = found.and_then(|table| Some((table.id, table.column(&column.name)?)));
            place.map_or((0, 0), |(id, at)| (id, u16::try_from(at + 1).unwrap_or(0)))
        })
        .collect()
}
