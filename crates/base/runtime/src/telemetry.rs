//! Diagnostics: our own log, apart from events. Nothing an attacker typed appears above DEBUG.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::environment;

/// Sends diagnostics to standard error, at the level `DECNET_LOG` names (default `info`, with
/// chatty libraries at `warn`). A second call changes nothing.
pub fn start(process: &'static str) {
    const DEFAULT: &str = "info,sqlx=warn,sea_orm_migration=warn";
    let wanted = environment::variable("DECNET_LOG");
    let filter = wanted.and_then(|wanted| EnvFilter::try_new(wanted).ok());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(DEFAULT)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    if subscriber.is_ok() {
        tracing::debug!(process, "diagnostics started");
    }
}
