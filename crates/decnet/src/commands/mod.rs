//! Commands beside the daemon: what this build can be, what a deployment would do, and attackers
//! for those who want to see it at work.

mod catalogue;
mod deploy;
mod simulate;
mod table;
pub(crate) mod wanted;

pub(crate) use catalogue::{Listing, list};
pub(crate) use deploy::run as deploy;
pub(crate) use simulate::run as simulate;

use std::process::ExitCode;

use crate::refusal;

/// The exit code of a command that answers with a text.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn answer(outcome: anyhow::Result<String>) -> ExitCode {
    match outcome {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => refusal::report(&error),
    }
}
