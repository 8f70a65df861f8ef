//! Shape of the figures.

use serde::Serialize;
use store_db::Stats;
use utoipa::ToSchema;

/// The figures at the top of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Stats)]
pub(crate) struct StatsBody {
    /// Events.
    total_logs: u64,
    /// Attackers.
    unique_attackers: u64,
    /// Deckies that run.
    active_deckies: u64,
    /// Deckies there are.
    deployed_deckies: u64,
}

impl From<Stats> for StatsBody {
    fn from(stats: Stats) -> Self {
        Self {
            total_logs: stats.total_logs,
            unique_attackers: stats.unique_attackers,
            active_deckies: stats.active_deckies,
            deployed_deckies: stats.deployed_deckies,
        }
    }
}
