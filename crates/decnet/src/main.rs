//! The `decnet` command.

mod cli;
mod commands;
mod decoy;
mod refusal;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::commands::Listing;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Up(options) => up::run(&options),
        Command::Init(options) => commands::init(&options),
        Command::Deploy(options) => commands::deploy(&options),
        Command::Teardown(options) => commands::teardown(&options),
        Command::Status(options) => commands::status(&options),
        Command::Redeploy(options) => commands::redeploy(&options),
        Command::Services(options) => commands::list(Listing::Services, options.json),
        Command::Archetypes(options) => commands::list(Listing::Archetypes, options.json),
        Command::Distros(options) => commands::list(Listing::Distros, options.json),
        Command::Simulate(options) => commands::simulate(&options),
        Command::Decoy(options) => decoy::run(&options),
    }
}
