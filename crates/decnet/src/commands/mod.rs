//! Commands beside the daemon: installing it, what this build can be, asking the DECNET that runs, and
//! attackers for those who want to see it at work.

mod attackers;
mod catalogue;
pub(crate) mod completions;
mod config;
mod daemon;
mod deploy;
mod doctor;
mod inert;
mod init;
mod lifecycle;
mod logs;
mod man;
mod passwords;
mod query;
mod rows;
mod sessions;
mod simulate;
mod status;
mod table;
mod teardown;
mod token;
mod user;
pub(crate) mod wanted;

pub(crate) use attackers::{Attackers, run as attackers};
pub(crate) use catalogue::{Listing, list};
pub(crate) use completions::{Completions, run as completions};
pub(crate) use config::{Config, run as config};
pub(crate) use deploy::run as deploy;
pub(crate) use doctor::{Doctor, run as doctor};
pub(crate) use init::{Init, run as init};
pub(crate) use logs::{Logs, run as logs};
pub(crate) use man::{Man, run as man};
pub(crate) use sessions::{Sessions, run as sessions};
pub(crate) use simulate::run as simulate;
pub(crate) use status::run as status;
pub(crate) use teardown::{redeploy, teardown};
pub(crate) use token::{Token, run as token};
pub(crate) use user::{User, run as user};

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use crate::refusal::{self, Exit, Refusal};

/// The exit code of a command that answers with a text.
fn answer(outcome: anyhow::Result<String>) -> ExitCode {
    answer_as(false, outcome)
}

/// The same for a command that may have been asked to answer in JSON.
fn answer_as(as_json: bool, outcome: anyhow::Result<String>) -> ExitCode {
    answer_with(as_json, outcome.map(|text| (text, None)))
}

/// The exit code of a command that answers with a text, which may say that something is not well.
fn answer_with(as_json: bool, outcome: anyhow::Result<(String, Option<Exit>)>) -> ExitCode {
    let told = outcome.and_then(|(text, exit)| out(&text).map(|()| exit));
    match told {
        Ok(exit) => exit.map_or(ExitCode::SUCCESS, |exit| ExitCode::from(exit as u8)),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if as_json => refusal::report_json(&error),
        Err(error) => refusal::report(&error),
    }
}

/// Writes to standard output, at once.
fn out(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Tells the user something beside the answer.
#[expect(clippy::print_stderr, reason = "this is what the user is told")]
fn note(text: &str) {
    eprintln!("-- {text}");
}

/// Whether the user says yes; `flag` says so beforehand.
#[expect(clippy::print_stderr, reason = "this is a question to the user")]
fn confirmed(question: &str, flag: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        let what = format!("there is no terminal to ask on: {question}");
        return Err(Refusal::new(Exit::Conflict, what, format!("say so with {flag}")).into());
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// A value as JSON for people and programs; what attackers wrote does nothing on a terminal.
fn print(value: &Value) -> anyhow::Result<String> {
    Ok(inert::inert_json(&serde_json::to_string_pretty(value)?) + "\n")
}
