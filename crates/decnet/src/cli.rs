//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use operate_fleet::Subnet;

use crate::commands;

/// A deception network: fake machines that look real and capture what is done to them.
#[derive(Debug, Parser)]
#[command(name = "decnet", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start deckies on this machine, with store and API.
    Up(Up),
    /// Install DECNET on this machine as a service, or undo that; root only.
    Init(commands::Init),
    /// Add deckies to the DECNET that runs, or replace them.
    Deploy(Deploy),
    /// Remove deckies from the DECNET that runs.
    Teardown(Teardown),
    /// Show how deckies and daemon are; exit code 8 when something is not as it should be.
    Status(Local),
    /// Try everything that does not run again, at once.
    Redeploy(Local),
    /// List the services there are.
    Services(Catalogue),
    /// List the kinds of machine there are.
    Archetypes(Catalogue),
    /// List the distributions there are.
    Distros(Catalogue),
    /// Let harmless scripted attackers loose on the deckies of a running `decnet up`.
    Simulate(Simulate),
    /// Show what happened, and follow what happens.
    Logs(commands::Logs),
    /// Show who came, and what they did.
    Attackers(commands::Attackers),
    /// List, replay and export what was typed and shown.
    Sessions(commands::Sessions),
    /// Manage the accounts of operators.
    User(commands::User),
    /// Manage keys for programs that use the API.
    Token(commands::Token),
    /// Show and change settings.
    Config(commands::Config),
    /// Look for what stands in the way, and say how to mend it.
    Doctor(commands::Doctor),
    /// Print a script that completes commands in a shell.
    Completions(commands::Completions),
    /// Write manual pages.
    Man(commands::Man),
    /// The sandboxed process that speaks to attackers; started by `up`.
    #[command(hide = true)]
    Decoy(Decoy),
}

/// Where decky traffic comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Uplink {
    /// Sockets on 127.x addresses of this machine; needs nothing.
    Loopback,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet up\n  decnet up --deckies 10 --services ssh,http\n  \
                        decnet up --config fleet.ini\n  \
                        decnet up --state-dir /srv/decnet --db mysql://decnet:PASSWORD@db/decnet")]
pub(crate) struct Up {
    /// How many deckies there are to be; the fleet in the state folder is kept and grown.
    #[arg(long, value_name = "N")]
    pub(crate) deckies: Option<usize>,
    /// Services of new deckies, separated by commas; servers of several kinds when not given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) services: Option<Vec<String>>,
    /// Fleet file (INI): the fleet of a first start; later, deckies of it that are missing are added.
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["deckies", "services"])]
    pub(crate) config: Option<PathBuf>,
    /// Where decky traffic comes in.
    #[arg(long, alias = "lan", value_enum, default_value = "loopback")]
    pub(crate) uplink: Uplink,
    /// Address of the first new decky; the next ones follow it. 127.1.0.1 when not given.
    #[arg(long, value_name = "ADDR")]
    pub(crate) ip_start: Option<Ipv4Addr>,
    /// Folder for everything that is kept; /var/lib/decnet for root, else ~/.local/state/decnet.
    #[arg(long, value_name = "DIR", env = "DECNET_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Address and port of the API; port 0 takes any free one.
    #[arg(
        long,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8000",
        env = "DECNET_API_ADDR"
    )]
    pub(crate) api_addr: SocketAddr,
    /// Database: a SQLite file, or mysql://user:password@host:port/name; a file in the state folder
    /// when not given.
    #[arg(long, value_name = "URL", env = "DECNET_DB_URL", hide_env_values = true)]
    pub(crate) db: Option<String>,
    /// File to write, mode 0600, once everything answers: addresses, logins and the API's first
    /// password, as JSON; `ready.json` in the state folder when not given. Removed at the end.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Run even where the kernel cannot isolate the decoy process fully. Not recommended.
    #[arg(long)]
    pub(crate) allow_weak_sandbox: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet deploy --deckies 5 --archetype web-server\n  \
                        decnet deploy --config fleet.ini --dry-run\n  \
                        decnet deploy --config fleet.ini --replace")]
pub(crate) struct Deploy {
    /// Fleet file (INI).
    #[arg(long, short, value_name = "FILE", conflicts_with_all = [
        "deckies", "services", "archetype", "randomize_services", "distro", "randomize_distros",
    ])]
    pub(crate) config: Option<PathBuf>,
    /// How many deckies.
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) deckies: Option<usize>,
    /// Their services, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) services: Option<Vec<String>>,
    /// What kind of machine they are; see `decnet archetypes`.
    #[arg(long, short, value_name = "SLUG")]
    pub(crate) archetype: Option<String>,
    /// One to three services for each, drawn.
    #[arg(long)]
    pub(crate) randomize_services: bool,
    /// Their distributions, separated by commas and taken in turn; see `decnet distros`.
    #[arg(long, value_name = "SLUGS", value_delimiter = ',')]
    pub(crate) distro: Option<Vec<String>>,
    /// A distribution for each, drawn.
    #[arg(long, conflicts_with = "distro")]
    pub(crate) randomize_distros: bool,
    /// Network of the deckies; that of the file, or the loopback uplink's, when not given.
    #[arg(long, value_name = "CIDR")]
    pub(crate) subnet: Option<Subnet>,
    /// Address of the first decky.
    #[arg(long, value_name = "ADDR")]
    pub(crate) ip_start: Option<Ipv4Addr>,
    /// unihost or swarm.
    #[arg(long, short, default_value = "unihost")]
    pub(crate) mode: String,
    /// Replace the fleet: deckies that are not named go.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Show the plan and change nothing; needs no running DECNET.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait until the deckies run.
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) local: Local,
}

/// Which DECNET is meant, and how it is to answer.
#[derive(Clone, Debug, Args)]
pub(crate) struct Local {
    /// State folder of the DECNET; /var/lib/decnet for root, else ~/.local/state/decnet.
    #[arg(long, value_name = "DIR", env = "DECNET_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet teardown --id web-01\n  \
                        decnet teardown --id 'web-*' --yes\n  decnet teardown --all")]
pub(crate) struct Teardown {
    /// All deckies.
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    /// These deckies; `*` and `?` stand for anything and any one character.
    #[arg(long, value_name = "NAME", add = commands::completions::deckies())]
    pub(crate) id: Vec<String>,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) local: Local,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet up --ready-file ready.json\n  \
                        decnet simulate --target ready.json\n  \
                        decnet simulate --target ready.json --scenario careful-human --speed 3\n  \
                        decnet simulate --target ready.json --seed 7 --dry-run\n  \
                        decnet simulate --list")]
pub(crate) struct Simulate {
    /// Ready file of `decnet up`; `ready.json` in the state folder when not given. May be given
    /// several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Vec<PathBuf>,
    /// State folder to look for `ready.json` in.
    #[arg(long, value_name = "DIR", env = "DECNET_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Kind of attacker, several separated by commas; all when not given. See --list.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = scenario)]
    pub(crate) scenario: Vec<&'static operate_simulate::Scenario>,
    /// Attackers that start in a minute.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = value_parser!(u32).range(1..=60_000))]
    pub(crate) rate: u32,
    /// Attackers at work at a time.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u16).range(1..=512))]
    pub(crate) at_once: u16,
    /// Decides who does what; the same seed does the same again.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How often every scenario is played, each time by other attackers.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// How many times faster than life attackers type, read and pause.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// List the scenarios and end.
    #[arg(long)]
    pub(crate) list: bool,
    /// Show who would do what and connect to nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Say nothing on the way.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn scenario(name: &str) -> Result<&'static operate_simulate::Scenario, String> {
    operate_simulate::find(name).ok_or_else(|| {
        let names: Vec<_> = operate_simulate::ALL.iter().map(|scenario| scenario.name).collect();
        format!("there are {}", names.join(", "))
    })
}

pub(crate) fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 1000 is wanted".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Catalogue {
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Decoy {
    /// The decoy process's own state folder.
    #[arg(long)]
    pub(crate) state_dir: PathBuf,
    /// Descriptors it must be able to hold.
    #[arg(long)]
    pub(crate) open_files: u64,
    #[arg(long)]
    pub(crate) allow_weak_sandbox: bool,
    /// Try the sandbox out and end.
    #[arg(long)]
    pub(crate) check: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_make_sense_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_in_the_readme_and_has_examples_or_no_arguments_of_its_own() {
        let readme = include_str!("../../../README.md");
        let table = readme.split("## Command line").nth(1).unwrap();
        let table = table.split("\n## ").next().unwrap();
        for command in Cli::command().get_subcommands().filter(|one| !one.is_hide_set()) {
            let name = command.get_name();
            assert!(
                table.contains(&format!("decnet {name}")) || table.contains(&format!("`{name}`")),
                "{name}"
            );
            let own = command
                .get_arguments()
                .any(|arg| !["json", "state_dir"].contains(&arg.get_id().as_str()));
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!own || help.contains("Examples:"), "{name}");
        }
    }
}
