//! `decnet doctor`: what stands in the way, and how to mend it.

mod machine;
mod service;

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::daemon::{block_on, client};
use super::inert::inert;
use super::{answer_with, print};
use crate::cli::Local;
use crate::refusal::Exit;
use crate::settings;

#[derive(Debug, Args)]
#[command(after_help = "Nothing is changed. Exit code 8 when something is wrong.\n\n\
                        Examples:\n  decnet doctor\n  decnet doctor --json\n  \
                        decnet doctor --db mysql://decnet@db/decnet")]
pub(crate) struct Doctor {
    /// Database: a SQLite file, or mysql://user:password@host:port/name.
    #[arg(long, value_name = "URL", env = "DECNET_DB_URL", hide_env_values = true)]
    db: Option<String>,
    /// Address and port of the API.
    #[arg(
        long,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8000",
        env = "DECNET_API_ADDR"
    )]
    api_addr: std::net::SocketAddr,
    #[command(flatten)]
    local: Local,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// As it should be.
    Fine,
    /// It works, but could be better.
    Weak,
    /// Something does not work.
    Wrong,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Weak => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// What was found about one thing.
#[derive(Debug)]
struct Finding {
    about: &'static str,
    level: Level,
    what: String,
    /// How to mend it.
    fix: Option<String>,
}

impl Finding {
    fn fine(about: &'static str, what: impl Into<String>) -> Self {
        Self { about, level: Level::Fine, what: what.into(), fix: None }
    }

    fn weak(about: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about, level: Level::Weak, what: what.into(), fix: Some(fix.into()) }
    }

    fn wrong(about: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { about, level: Level::Wrong, what: what.into(), fix: Some(fix.into()) }
    }
}

/// Runs the command.
pub(crate) fn run(options: &Doctor) -> ExitCode {
    answer_with(options.local.json, block_on(examine(options)))
}

async fn examine(options: &Doctor) -> anyhow::Result<(String, Option<Exit>)> {
    let state = super::daemon::state_dir(&options.local);
    let running = service::Running::look(&client(&options.local), &state).await;
    let mut findings = vec![
        machine::folder(&state),
        machine::room(&state),
        machine::descriptors(running.sockets),
        machine::low_ports(),
        machine::sandbox().await,
        machine::clock(&state),
        configuration(),
    ];
    findings.push(service::database(options.db.as_deref(), &state).await);
    findings.push(running.port(options.api_addr));
    findings.push(running.health);
    let exit = findings.iter().any(|one| one.level == Level::Wrong).then_some(Exit::Partial);
    let text = if options.local.json {
        let all: Vec<Value> = findings.iter().map(as_json).collect();
        print(&json!({ "ok": exit.is_none(), "findings": all }))?
    } else {
        findings.iter().map(shown).collect()
    };
    Ok((text, exit))
}

fn as_json(finding: &Finding) -> Value {
    let Finding { about, level, what, fix } = finding;
    json!({ "about": about, "status": level.name(), "what": what, "fix": fix })
}

fn shown(finding: &Finding) -> String {
    let mark = match finding.level {
        Level::Fine => "✓",
        Level::Weak => "!",
        Level::Wrong => "✗",
    };
    let mut text = format!("{mark} {:<14} {}\n", finding.about, inert(&finding.what));
    if let Some(fix) = &finding.fix {
        text.push_str(&format!("                 → {}\n", inert(fix)));
    }
    text
}

/// The configuration file and the environment.
fn configuration() -> Finding {
    const ABOUT: &str = "configuration";
    let faults = settings::faults();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let fix = "see `decnet config validate`";
    match (faults.is_empty(), faults.iter().any(|fault| fault.is_error)) {
        (true, _) => Finding::fine(ABOUT, "file and variables are understood"),
        (false, true) => Finding::wrong(ABOUT, told.join("; "), fix),
        (false, false) => Finding::weak(ABOUT, told.join("; "), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_shown_with_its_mending() {
        let text = shown(&Finding::wrong("clock", "it is 1970\u{1b}", "set it"));
        assert_eq!(text, "✗ clock          it is 1970\\x1b\n                 → set it\n");
        assert_eq!(as_json(&Finding::fine("x", "y"))["status"], "ok");
    }
}
