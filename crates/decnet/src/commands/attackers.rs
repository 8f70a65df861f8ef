//! `decnet attackers`: who came, and what they did.

use std::fmt::Write as _;
use std::process::ExitCode;

use base_runtime::Clock;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::daemon::{ask, at, list, refused, text};
use super::inert::inert_within;
use super::query::{Query, moment, segment};
use super::rows::{Column, page, rows};
use super::{print, sessions};
use crate::cli::Local;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet attackers list --sort active\n  \
                        decnet attackers list --service ssh --since 1d --json\n  \
                        decnet attackers show 203.0.113.9\n  \
                        decnet attackers commands 203.0.113.9 --limit 200")]
pub(crate) struct Attackers {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List attackers.
    List(Filter),
    /// Show all that is known of one.
    Show(One),
    /// List what one typed, newest first.
    Commands(Of),
    /// List the sessions of one, newest first.
    Sessions(Of),
    /// List the files that one left, newest first.
    Artifacts(Of),
}

#[derive(Debug, Args)]
struct Filter {
    /// Part of the address.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only who met this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only who was last seen since: 30m, 1h, 2d, 1w or a time in ISO 8601.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only who was first seen since.
    #[arg(long, value_name = "WHEN")]
    first_since: Option<String>,
    /// Newest, busiest, or who touched several deckies first.
    #[arg(long, default_value = "recent", value_parser = ["recent", "active", "traversals"])]
    sort: String,
    /// Rows.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Rows to skip.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u32,
    #[command(flatten)]
    local: Local,
}

#[derive(Debug, Args)]
struct One {
    /// Address or id.
    #[arg(value_name = "ADDR")]
    attacker: String,
    #[command(flatten)]
    local: Local,
}

#[derive(Debug, Args)]
struct Of {
    /// Address or id.
    #[arg(value_name = "ADDR")]
    attacker: String,
    /// Rows.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
    /// Rows to skip.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u32,
    #[command(flatten)]
    local: Local,
}

const LIST: &[Column] = &[
    ("Address", "ip"),
    ("Last seen", "last_seen"),
    ("Events", "event_count"),
    ("Services", "services"),
    ("Deckies", "deckies"),
    ("Credentials", "credential_count"),
    ("Path", "traversal_path"),
];
const COMMANDS: &[Column] =
    &[("Time", "timestamp"), ("Decky", "decky"), ("Service", "service"), ("Command", "command")];
const FILES: &[Column] =
    &[("Time", "timestamp"), ("Decky", "decky"), ("Service", "service"), ("File", "fields")];

/// Runs the command.
pub(crate) fn run(options: &Attackers) -> ExitCode {
    match &options.command {
        Command::List(filter) => page(&filter.local, "Attackers", LIST, "data", || {
            let now = Clock::start().now();
            let when =
                |text: &Option<String>| text.as_deref().map(|at| moment(at, now)).transpose();
            let query = Query::new()
                .maybe("search", filter.search.as_deref())
                .maybe("service", filter.service.as_deref())
                .maybe("last_seen_after", when(&filter.since)?.as_deref())
                .maybe("first_seen_after", when(&filter.first_since)?.as_deref())
                .with("sort_by", &filter.sort)
                .with("limit", &filter.limit.to_string())
                .with("offset", &filter.offset.to_string());
            Ok(query.on("/attackers"))
        }),
        Command::Show(one) => show(one),
        Command::Commands(of) => of.page("Commands", COMMANDS, "commands", "data"),
        Command::Artifacts(of) => of.page("Files", FILES, "artifacts", "data"),
        Command::Sessions(of) => page(&of.local, "Sessions", sessions::COLUMNS, "data", || {
            let query = Query::new().with("attacker", &of.attacker);
            Ok(of.part(query).on("/sessions"))
        }),
    }
}

impl Of {
    fn page(&self, title: &str, columns: &[Column], route: &str, key: &'static str) -> ExitCode {
        page(&self.local, title, columns, key, || {
            let path = format!("/attackers/{}/{route}", segment(&self.attacker));
            Ok(self.part(Query::new()).on(&path))
        })
    }

    fn part(&self, query: Query) -> Query {
        query.with("limit", &self.limit.to_string()).with("offset", &self.offset.to_string())
    }
}

fn show(one: &One) -> ExitCode {
    ask(&one.local, async |client| {
        let path = format!("/attackers/{}", segment(&one.attacker));
        let attacker = client.get(&path).await.map_err(refused)?;
        if one.local.json { print(&attacker) } else { Ok(shown(&attacker)) }
    })
}

fn shown(attacker: &Value) -> String {
    let mut out = String::new();
    for (name, key) in [
        ("Address", "ip"),
        ("Id", "uuid"),
        ("First seen", "first_seen"),
        ("Last seen", "last_seen"),
        ("Events", "event_count"),
        ("Services", "services"),
        ("Deckies", "deckies"),
        ("Path", "traversal_path"),
        ("Credentials", "credential_count"),
        ("Bounties", "bounty_count"),
    ] {
        let value = super::rows::cell(at(attacker, key), 500);
        if !value.is_empty() {
            let _ = writeln!(out, "{name:<12} {value}");
        }
    }
    for (title, key, columns) in [
        (
            "Fingerprints",
            "fingerprints",
            &[("Time", "timestamp"), ("Kind", "bounty_type"), ("What", "payload")][..],
        ),
        ("Leaked addresses", "ip_leaks", &[("Time", "timestamp"), ("What", "payload")]),
        (
            "Behaviour",
            "observations",
            &[("Primitive", "primitive"), ("Value", "value"), ("Confidence", "confidence")],
        ),
        ("Commands, newest first", "commands", COMMANDS),
    ] {
        let all = list(attacker, key);
        if !all.is_empty() {
            let _ = write!(out, "\n{}", rows(title, columns, all));
        }
    }
    let interacted = at(attacker, "service_activity").get("interacted").unwrap_or(&Value::Null);
    if !super::rows::cell(interacted, 500).is_empty() {
        let _ = write!(out, "\nUsed, not only looked at: {}\n", super::rows::cell(interacted, 500));
    }
    let name = inert_within(text(attacker, "ip"), 64);
    let _ = write!(out, "\nRecorded sessions: decnet attackers sessions {name}\n");
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_that_is_known_is_shown_and_nothing_of_it_acts() {
        let attacker = json!({
            "ip": "203.0.113.9", "uuid": "u", "event_count": 7, "services": ["ssh", "http"],
            "traversal_path": null, "ip_leaks": [],
            "commands": [{"timestamp": "t", "decky": "d", "service": "ssh", "command": "\u{1b}[2J"}],
            "service_activity": {"interacted": ["ssh"], "scanned": []},
        });
        let text = shown(&attacker);
        assert!(text.contains("Services     ssh, http\n") && text.contains("\\x1b[2J"), "{text}");
        assert!(!text.contains("Path") && !text.contains("Leaked"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
