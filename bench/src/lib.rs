//! Load on the real binary, and what it costs.
//!
//! Each scenario starts `decnet up` on its own state folder, attacks it from this process over the
//! loopback uplink, waits until everything is stored, and returns [`Figure`]s. Start with [`run`].
//!
//! The load generator shares the cores with what it measures, so throughput is what both together
//! reach; processor time of the server's processes is read apart and does not depend on that.

mod figure;
mod fleet;
mod http;
mod https;
mod ingest;
mod memory;
mod process;
mod report;
mod source;
mod ssh;
mod subject;

use std::path::Path;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

pub use figure::{Figure, Target};
pub use report::Report;

/// Deckies of the scenario `fleet`.
const FLEET: usize = 500;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Scenario {
    /// Login and one command per session.
    Ssh,
    /// Requests on connections that stay open.
    Http,
    /// A TLS handshake and a request per connection.
    Https,
    /// Records to committed rows, without deckies.
    Ingest,
    /// Resident memory, idle and with sessions open.
    Memory,
    /// A fleet of 500: until it is there, and commands on it.
    Fleet,
}

impl Scenario {
    const ALL: [Self; 6] =
        [Self::Ssh, Self::Http, Self::Https, Self::Ingest, Self::Memory, Self::Fleet];

    /// Its word on the command line and in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Http => "http",
            Self::Https => "https",
            Self::Ingest => "ingest",
            Self::Memory => "memory",
            Self::Fleet => "fleet",
        }
    }

    fn measure(self, options: &Options) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Ssh => ssh::measure(options.sessions, options.clients),
            Self::Http => http::measure(options.requests, options.clients),
            Self::Https => https::measure(options.sessions, options.clients),
            Self::Ingest => ingest::measure(options.records),
            Self::Memory => memory::measure(&options.deckies, options.settle),
            Self::Fleet => fleet::measure(FLEET, options.settle),
        }
    }
}

/// What to measure, and how much of it.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench", about = "Measures decnet; all scenarios when none is named")]
pub struct Options {
    /// Which scenarios.
    pub scenarios: Vec<Scenario>,
    /// How often each is repeated; the median counts.
    #[arg(long, default_value_t = 3)]
    pub runs: usize,
    /// SSH and HTTPS sessions of a run.
    #[arg(long, default_value_t = 2000)]
    pub sessions: usize,
    /// HTTP requests of a run.
    #[arg(long, default_value_t = 20_000)]
    pub requests: usize,
    /// Clients at once.
    #[arg(long, default_value_t = 8)]
    pub clients: usize,
    /// Records that the ingest is given.
    #[arg(long, default_value_t = 200_000)]
    pub records: usize,
    /// Fleet sizes whose memory is measured.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    pub deckies: Vec<usize>,
    /// Seconds from ready until memory is read.
    #[arg(long, default_value_t = 60)]
    pub settle: u64,
    /// Do not write the results file.
    #[arg(long)]
    pub dry: bool,
    /// Given by `cargo bench`; means nothing here.
    #[arg(long, hide = true)]
    pub bench: bool,
}

/// Measures, prints each scenario's table as it is done, and puts it into `results`.
///
/// # Errors
/// When a scenario cannot run, or an event was lost or doubled.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
pub fn run(options: &Options, results: &Path) -> anyhow::Result<()> {
    let all = options.scenarios.is_empty();
    for scenario in Scenario::ALL {
        if !all && !options.scenarios.contains(&scenario) {
            continue;
        }
        let report = Report::begin(scenario.name(), options.runs.max(1));
        let mut figures: Vec<Figure> = Vec::new();
        for run in 1..=options.runs.max(1) {
            println!("── {}, run {run} of {}", scenario.name(), options.runs.max(1));
            let measured = scenario
                .measure(options)
                .with_context(|| format!("scenario `{}`", scenario.name()))?;
            figure::merge(&mut figures, measured);
        }
        let section = report.section(&figures);
        println!("{section}");
        if !options.dry {
            report::put(results, scenario.name(), &section)?;
        }
    }
    Ok(())
}
