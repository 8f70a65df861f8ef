//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
                        decnet up --state-dir /srv/decnet --db mysql://decnet:PASSWORD@db/decnet")]
pub(crate) struct Up {
    /// How many deckies there are to be; the fleet in the state folder is kept and grown.
    #[arg(long, value_name = "N")]
    pub(crate) deckies: Option<usize>,
    /// Services of new deckies, separated by commas; all when not given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) services: Option<Vec<String>>,
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
    /// password, as JSON. Removed at the end.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Run even where the kernel cannot isolate the decoy process fully. Not recommended.
    #[arg(long)]
    pub(crate) allow_weak_sandbox: bool,
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
}
