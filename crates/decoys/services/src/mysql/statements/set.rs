//! `SET`.

use super::{Answer, Done, Run, ok, sight};
use crate::mysql::errors::{Refusal, refusal};
use crate::mysql::schema;
use crate::sql::{Budget, Dialect, Query, Scope, Statement, Value, parse, select};

pub(super) fn set(run: &mut Run<'_>, text: &str, words: &[String]) -> Result<Done, Refusal> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    match word(1) {
        "names" | "character" | "charset" => {
            let charset = if word(1) == "character" { word(3) } else { word(2) };
            let charset = charset.to_ascii_lowercase();
            let charset = if charset == "utf8" { "utf8mb3".to_owned() } else { charset };
            if !schema::CHARSETS.iter().any(|(name, ..)| *name == charset) && charset != "default" {
                return Err(refusal(1115, format!("Unknown character set: '{charset}'")));
            }
            for name in
                ["character_set_client", "character_set_connection", "character_set_results"]
            {
                run.me.variables.insert(name.to_owned(), charset.clone());
            }
            return Ok(Done::of(Answer::Ok {
                rows: 0,
                id: 0,
                schema: None,
                charset: Some(charset),
            }));
        }
        "password" => {
            run.server.changed();
            return Ok(Done::of(ok()));
        }
        "transaction" | "role" | "default" | "statement" => return Ok(Done::of(ok())),
        _ => {}
    }
    // Assignments are read as a query of their values; they may stand in a conditional comment.
    let bare =
        text.trim().trim_start_matches("/*M!").trim_start_matches("/*!").trim_end_matches("*/");
    let rest = bare.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let rest = rest.get(3..).unwrap_or_default();
    for piece in top_level(rest) {
        let Some((name, value)) = piece.split_once('=') else { continue };
        let name = name.trim().trim_end_matches(':').trim().trim_matches('`').to_ascii_lowercase();
        let global = name.starts_with("global ") || name.starts_with("@@global.");
        let bare = name
            .trim_start_matches("global ")
            .trim_start_matches("session ")
            .trim_start_matches("local ");
        let own = bare.starts_with('@') && !bare.starts_with("@@");
        let bare = bare
            .trim_start_matches("@@")
            .trim_start_matches("global.")
            .trim_start_matches("session.")
            .trim()
            .to_owned();
        let known = own || sight(run).system(bare.trim_start_matches('@')).is_some();
        if !known {
            return Err(refusal(1193, format!("Unknown system variable '{bare}'")));
        }
        let read_only = [
            "version",
            "hostname",
            "datadir",
            "secure_file_priv",
            "port",
            "socket",
            "basedir",
            "plugin_dir",
            "version_comment",
        ];
        if read_only.contains(&bare.as_str()) {
            return Err(refusal(1238, format!("Variable '{bare}' is a read only variable")));
        }
        if global && !run.me.admin {
            return Err(refusal(
                1227,
                "Access denied; you need (at least one of) the SUPER privilege(s) for this operation",
            ));
        }
        let value = value.trim();
        let shown = match parse(&format!("select {value}"), Dialect::MySql) {
            Ok(Statement::Query(query)) => value_of(run, &query),
            _ => None,
        };
        let shown = shown.unwrap_or_else(|| Value::text(value.trim_matches(['\'', '"'])));
        if own {
            if run.me.own.len() < 64 && shown.weight() < 65_536 {
                run.me.own.insert(bare.trim_start_matches('@').to_owned(), shown);
            }
        } else {
            let text = shown.shown().unwrap_or_default();
            let text = match text.to_ascii_lowercase().as_str() {
                "on" | "off" => text.to_ascii_uppercase(),
                _ => text,
            };
            if text.len() < 4096 {
                if global {
                    if run.server.has_room() || run.server.left.variables.contains_key(&bare) {
                        run.server.left.variables.insert(bare, text);
                        run.server.changed();
                    }
                } else if run.me.variables.len() < 256 {
                    run.me.variables.insert(bare, text);
                }
            }
        }
    }
    Ok(Done::of(ok()))
}

/// The one value of a query; a bare word is its own name.
fn value_of(run: &mut Run<'_>, query: &Query) -> Option<Value> {
    let seen = sight(run);
    let budget = Budget::new(10_000);
    let found = select(query, &Scope::new(&seen, &budget, &[])).ok()?;
    found.rows.into_iter().next()?.into_iter().next()
}

/// Parts of a list at commas outside of quotes and parentheses.
fn top_level(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut quote, mut from) = (0_i32, None, 0);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (Some(open), byte) if byte == open => quote = None,
            (None, b'(') => depth += 1,
            (None, b')') => depth -= 1,
            (None, b',') if depth == 0 => {
                out.push(text.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    out.push(text.get(from..).unwrap_or_default());
    out
}
