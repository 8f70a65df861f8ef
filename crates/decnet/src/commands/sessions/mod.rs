//! `decnet sessions`: what was typed and shown, as it was.

mod export;
mod plain;
mod play;
mod safe;
mod vt;

use std::path::PathBuf;
use std::process::ExitCode;

use api::local::{Client, ClientError};
use base_runtime::Clock;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::daemon::{list, refused, text};
use super::query::{Query, moment, segment, span};
use super::rows::{Column, page};
use crate::cli::Local;
use crate::refusal::{Exit, Refusal};

/// Sessions that are looked through for the beginning of an id.
const LOOKED_THROUGH: &str = "1000";

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet sessions list --recorded --since 1d\n  \
                        decnet sessions play 8c5f01ce --speed 4 --idle-limit 1s\n  \
                        decnet sessions export 8c5f01ce --format text\n  \
                        decnet sessions export 8c5f01ce -o attack.cast")]
pub(crate) struct Sessions {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List sessions, newest first.
    List(Filter),
    /// Replay a recorded session in this terminal. What would do more than draw is left out.
    Play(Play),
    /// Write a recorded session to a file, or to standard output.
    Export(Export),
}

#[derive(Debug, Args)]
struct Filter {
    /// Only of this attacker: address or id.
    #[arg(long, value_name = "ADDR")]
    attacker: Option<String>,
    /// Only on this decky.
    #[arg(long, value_name = "NAME", add = super::completions::deckies())]
    decky: Option<String>,
    /// Only over this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only with a recording.
    #[arg(long)]
    recorded: bool,
    /// Only begun since: 30m, 1h, 2d, 1w or a time in ISO 8601.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
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
struct Play {
    /// The session: its id, or the beginning of it.
    #[arg(value_name = "SID")]
    session: String,
    /// How many times faster than it was.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = crate::cli::speed)]
    speed: f64,
    /// Longest pause, before the speed counts: 500ms, 2s, 1m.
    #[arg(long, value_name = "SPAN", value_parser = pause)]
    idle_limit: Option<std::time::Duration>,
    #[command(flatten)]
    local: Local,
}

#[derive(Debug, Args)]
struct Export {
    /// The session: its id, or the beginning of it.
    #[arg(value_name = "SID")]
    session: String,
    /// As what.
    #[arg(long, value_enum, default_value = "asciicast")]
    format: Format,
    /// Where to; standard output when not given.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    local: Local,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// asciicast v2, for players; holds what the attacker sent, as escapes.
    Asciicast,
    /// What was shown, as plain text.
    Text,
}

fn pause(text: &str) -> Result<std::time::Duration, String> {
    let millis = text.strip_suffix("ms").and_then(|number| number.parse().ok());
    let found = millis.map(std::time::Duration::from_millis).or_else(|| span(text));
    found.ok_or_else(|| "a span as 500ms, 2s or 1m is wanted".to_owned())
}

/// Columns of a list of sessions.
pub(super) const COLUMNS: &[Column] = &[
    ("Session", "sid"),
    ("Started", "started_at"),
    ("Attacker", "attacker_ip"),
    ("Decky", "decky"),
    ("Service", "service"),
    ("Login", "principal"),
    ("Seconds", "duration_s"),
    ("Commands", "command_count"),
    ("Recorded", "recorded"),
];

/// Runs the command.
pub(crate) fn run(options: &Sessions) -> ExitCode {
    match &options.command {
        Command::List(filter) => page(&filter.local, "Sessions", COLUMNS, "data", || {
            let now = Clock::start().now();
            let since = filter.since.as_deref().map(|text| moment(text, now)).transpose()?;
            let query = Query::new()
                .maybe("attacker", filter.attacker.as_deref())
                .maybe("decky", filter.decky.as_deref())
                .maybe("service", filter.service.as_deref())
                .maybe("recorded", filter.recorded.then_some("true"))
                .maybe("start_time", since.as_deref())
                .with("limit", &filter.limit.to_string())
                .with("offset", &filter.offset.to_string());
            Ok(query.on("/sessions"))
        }),
        Command::Play(options) => play::run(options),
        Command::Export(options) => export::run(options),
    }
}

/// The session of this id, or whose id begins so.
async fn named(client: &Client, name: &str) -> anyhow::Result<Value> {
    match client.get(&format!("/sessions/{}", segment(name))).await {
        Err(ClientError::Problem { status: 404, .. }) => {}
        other => return Ok(other.map_err(refused)?),
    }
    let path = Query::new().with("recorded", "true").with("limit", LOOKED_THROUGH).on("/sessions");
    let all = client.get(&path).await.map_err(refused)?;
    let begins = |one: &&Value| text(one, "sid").starts_with(name);
    let mut found = list(&all, "data").iter().filter(begins);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(_), Some(_)) => {
            let what = format!("several sessions begin with {name}");
            Err(Refusal::new(Exit::Usage, what, "give more of the id").into())
        }
        (None, _) => {
            let what = format!("there is no session {name}");
            let hint = "`decnet sessions list --recorded` lists those there are";
            Err(Refusal::new(Exit::NotFound, what, hint).into())
        }
    }
}

/// Where the recording of a session is.
fn recording(session: &Value) -> String {
    let (decky, sid) = (segment(text(session, "decky")), segment(text(session, "sid")));
    format!("/transcripts/{decky}/{sid}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_pause_may_be_short() {
        assert_eq!(pause("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(pause("2s"), Ok(Duration::from_secs(2)));
        assert!(pause("2").is_err() && pause("ms").is_err());
    }
}
