//! The figures at the top of the dashboard.

use crate::sql;
use crate::{Db, DbError, counters};

/// The figures at the top of the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rows of `logs`.
    pub total_logs: u64,
    /// Rows of `attackers`.
    pub unique_attackers: u64,
    /// Deckies that run.
    pub active_deckies: u64,
    /// Deckies there are.
    pub deployed_deckies: u64,
}

impl Db {
    /// The figures at the top of the dashboard; reads counters, never the log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stats(&self) -> Result<Stats, DbError> {
        let sql = format!(
            "SELECT COUNT(*), {} FROM fleet_deckies",
            self.dialect()
                .integer("COALESCE(SUM(CASE WHEN `state`='running' THEN 1 ELSE 0 END),0)")
        );
        let mut stats = Stats {
            total_logs: counters::read(self, counters::LOGS).await?,
            unique_attackers: counters::read(self, counters::ATTACKERS).await?,
            ..Stats::default()
        };
        for row in sql::raw(self.reader(), &sql, Vec::new()).await? {
            stats.deployed_deckies = sql::Column::read(&row, 0)?;
            stats.active_deckies = sql::Column::read(&row, 1)?;
        }
        Ok(stats)
    }
}
