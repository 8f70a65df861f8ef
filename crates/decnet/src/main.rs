//! The `decnet` command.

mod cli;
mod decoy;
mod refusal;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Up(options) => up::run(&options),
        Command::Decoy(options) => decoy::run(&options),
    }
}
