//! Commands beside the daemon: installing it, what this build can be, asking the DECNET that runs, and
//! attackers for those who want to see it at work.

mod catalogue;
mod daemon;
mod deploy;
mod init;
mod lifecycle;
mod simulate;
mod status;
mod table;
mod teardown;
pub(crate) mod wanted;

pub(crate) use catalogue::{Listing, list};
pub(crate) use deploy::run as deploy;
pub(crate) use init::{Init, run as init};
pub(crate) use simulate::run as simulate;
pub(crate) use status::run as status;
pub(crate) use teardown::{redeploy, teardown};

use std::process::ExitCode;

use serde_json::Value;

use crate::refusal::{self, Exit};

/// The exit code of a command that answers with a text.
fn answer(outcome: anyhow::Result<String>) -> ExitCode {
    answer_with(outcome.map(|text| (text, None)))
}

/// The exit code of a command that answers with a text, which may say that something is not well.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn answer_with(outcome: anyhow::Result<(String, Option<Exit>)>) -> ExitCode {
    match outcome {
        Ok((text, exit)) => {
            print!("{text}");
            exit.map_or(ExitCode::SUCCESS, |exit| ExitCode::from(exit as u8))
        }
        Err(error) => refusal::report(&error),
    }
}

/// A value as JSON for people and programs.
fn print(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
