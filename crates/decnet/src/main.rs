//! The `decnet` command.

mod cli;
mod commands;
mod decoy;
mod refusal;
mod settings;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, Command};
use crate::commands::Listing;

fn main() -> ExitCode {
    // The process that speaks to attackers knows no settings.
    if std::env::args_os().nth(1).is_none_or(|first| first != "decoy") {
        settings::load();
    }
    commands::completions::answer_shell();
    let mut command = settings::fill(Cli::command());
    let matches = command.get_matches_mut();
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => run(cli.command),
        Err(error) => error.format(&mut command).exit(),
    }
}

fn run(command: Command) -> ExitCode {
    match command {
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
        Command::Logs(options) => commands::logs(&options),
        Command::Attackers(options) => commands::attackers(&options),
        Command::Sessions(options) => commands::sessions(&options),
        Command::User(options) => commands::user(&options),
        Command::Token(options) => commands::token(&options),
        Command::Config(options) => commands::config(&options),
        Command::Doctor(options) => commands::doctor(&options),
        Command::Completions(options) => commands::completions(&options),
        Command::Man(options) => commands::man(&options),
        Command::Decoy(options) => decoy::run(&options),
    }
}
