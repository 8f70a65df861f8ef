//! `decnet logs`: what happened, and what happens.

use std::collections::BTreeSet;
use std::process::ExitCode;

use api::local::{Follower, Heard};
use base_runtime::Clock;
use clap::Args;
use serde_json::Value;

use super::daemon::{at, block_on, client, list, refused, text};
use super::inert::{inert, inert_json, inert_within};
use super::query::{Query, moment};
use super::{answer_as, note, out};
use crate::cli::Local;

/// Most rows of one answer of the API.
const PAGE: usize = 1000;
/// Most characters of one field that are shown.
const FIELD: usize = 160;

#[derive(Debug, Args)]
#[command(after_help = "A query is made of words, \"quoted phrases\", key:value, -key:value and \
                        key:*, all of which must hold. Keys are decky, service, event, attacker \
                        (also a network) and the fields of events.\n\n\
                        Examples:\n  decnet logs --since 1h\n  decnet logs -f service:ssh\n  \
                        decnet logs 'attacker:203.0.113.0/24 event:command' --limit 200\n  \
                        decnet logs --json --since 1d -- -event:connect")]
pub(crate) struct Logs {
    /// Which events; all when not given.
    query: Vec<String>,
    /// Go on with what happens.
    #[arg(long, short)]
    follow: bool,
    /// Not before: 45s, 30m, 1h, 2d or 1w ago, or a date or time in ISO 8601.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Not after, likewise.
    #[arg(long, value_name = "WHEN", conflicts_with = "follow")]
    until: Option<String>,
    /// Newest events that are shown; 50, or 10 before what follows.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    limit: Option<u32>,
    #[command(flatten)]
    local: Local,
}

/// Runs the command. With `--json` every event is one line.
pub(crate) fn run(options: &Logs) -> ExitCode {
    answer_as(options.local.json, block_on(logs(options)).map(|()| String::new()))
}

async fn logs(options: &Logs) -> anyhow::Result<()> {
    let client = client(&options.local);
    let now = Clock::start().now();
    let when = |text: &Option<String>| text.as_deref().map(|text| moment(text, now)).transpose();
    let query = options.query.join(" ");
    let filter = || {
        let search = (!query.is_empty()).then_some(query.as_str());
        Query::new().maybe("search", search)
    };
    let (since, until) = (when(&options.since)?, when(&options.until)?);
    let limit = options.limit.unwrap_or(if options.follow { 10 } else { 50 });
    let limit = usize::try_from(limit)?;
    // Opened before the list is read, so that nothing falls between the two.
    let follower = match options.follow {
        true => Some(Follower::open(client.clone(), &filter().on("")).await.map_err(refused)?),
        false => None,
    };
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    while rows.len() < limit {
        let wanted = (limit - rows.len()).min(PAGE).to_string();
        let query = filter().maybe("start_time", since.as_deref());
        let query = query.maybe("end_time", until.as_deref()).with("limit", &wanted);
        let path = query.maybe("cursor", cursor.as_deref()).on("/logs");
        let page = client.get(&path).await.map_err(refused)?;
        rows.extend(list(&page, "data").iter().cloned());
        cursor = at(&page, "next_cursor").as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    rows.reverse();
    show(&rows, options.local.json)?;
    match follower {
        Some(follower) => follow(follower, &rows, options.local.json).await,
        None => Ok(()),
    }
}

async fn follow(mut follower: Follower, shown: &[Value], as_json: bool) -> anyhow::Result<()> {
    let ids = shown.iter().filter_map(|row| at(row, "id").as_u64());
    let mut known: BTreeSet<u64> = ids.collect();
    follower.knows(known.last().copied().unwrap_or(0));
    loop {
        match follower.next().await.map_err(refused)? {
            Heard::Message { kind, data } if kind == "logs" => {
                let rows = data.as_array().map_or(&[][..], Vec::as_slice);
                let unknown =
                    |row: &&Value| at(row, "id").as_u64().is_none_or(|id| !known.remove(&id));
                let rows: Vec<Value> = rows.iter().filter(unknown).cloned().collect();
                show(&rows, as_json)?;
            }
            Heard::Message { kind, data } if kind == "skipped" => {
                note(&format!("{} events came too fast and are left out", at(&data, "count")));
            }
            Heard::Message { .. } => {}
            Heard::Broke(error) => note(&format!("{error}; waiting for it to go on")),
            Heard::Resumed => note("it goes on"),
        }
    }
}

fn show(rows: &[Value], as_json: bool) -> anyhow::Result<()> {
    let mut lines = String::new();
    for row in rows {
        lines.push_str(&if as_json { inert_json(&row.to_string()) } else { line(row) });
        lines.push('\n');
    }
    out(&lines)
}

/// An event on one line.
fn line(row: &Value) -> String {
    let cell = |key| inert(text(row, key));
    let mut line = format!(
        "{}  {:<12} {:<8} {:<20} {}",
        cell("timestamp"),
        cell("decky"),
        cell("service"),
        cell("event_type"),
        cell("attacker_ip"),
    );
    let fields = serde_json::from_str::<Value>(text(row, "fields")).unwrap_or_default();
    for (key, value) in fields.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let value = inert_within(&value, FIELD);
        let quote = if value.is_empty() || value.contains([' ', '"']) { "\"" } else { "" };
        line.push_str(&format!(" {}={quote}{value}{quote}", inert(key)));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line_that_does_nothing() {
        let fields = json!({"command": "cat\n\u{1b}]0;x\u{7} /etc", "n": 3, "e": ""}).to_string();
        let row = json!({
            "timestamp": "2026-01-01T00:00:00.000Z", "decky": "web-01", "service": "ssh",
            "event_type": "command", "attacker_ip": "203.0.113.9", "fields": fields,
        });
        let line = line(&row);
        assert!(line.starts_with("2026-01-01T00:00:00.000Z  web-01       ssh      command"));
        let told = "203.0.113.9 command=\"cat\\n\\x1b]0;x\\x07 /etc\" n=3 e=\"\"";
        assert!(line.ends_with(told), "{line}");
    }
}
