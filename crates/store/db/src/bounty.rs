//! Bounties: fingerprints, leaks and captured files, one row per distinct find.

use base_model::Timestamp;
use serde_json::Value;

use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError, counters};

row! {
    /// A row of `bounty`.
    pub struct BountyRow {
        /// Row number.
        pub id: i64,
        /// First sighting.
        pub timestamp: Timestamp,
        /// Decky of the first sighting.
        pub decky: String,
        /// Service of the first sighting.
        pub service: String,
        /// Address, or `Unknown`.
        pub attacker_ip: String,
        /// `fingerprint`, `artifact`, `ip_leak`, …
        pub bounty_type: String,
        /// The identity of the find.
        pub payload: Value,
        /// What surrounded the last sighting: not part of the identity.
        pub context: Value,
        /// Last sighting.
        pub last_seen: Timestamp,
        /// Sightings.
        pub seen_count: u64,
    }
}

/// Which bounties.
#[derive(Clone, Debug, Default)]
pub struct BountyQuery {
    /// Type, exactly.
    pub bounty_type: Option<String>,
    /// Address, exactly.
    pub attacker_ip: Option<String>,
    /// Substring of decky, service, address or payload.
    pub search: Option<String>,
}

/// Bounties.
#[derive(Clone, Copy, Debug)]
pub struct Bounties<'a>(&'a Db);

impl Db {
    /// Bounties.
    #[must_use]
    pub const fn bounties(&self) -> Bounties<'_> {
        Bounties(self)
    }
}

const COLUMNS: &str = <BountyRow as sql::Row>::COLUMNS;

impl Bounties<'_> {
    /// A page, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        query: &BountyQuery,
        paging: Paging,
    ) -> Result<Page<BountyRow>, DbError> {
        let mut condition = "1=1".to_owned();
        let mut args = Vec::new();
        for (column, value) in
            [("bounty_type", &query.bounty_type), ("attacker_ip", &query.attacker_ip)]
        {
            if let Some(value) = value {
                condition.push_str(&format!(" AND `{column}`=?"));
                args.extend(args![value.clone()]);
            }
        }
        if let Some(search) = &query.search {
            let columns = ["decky", "service", "attacker_ip", "payload"];
            sql::any_contains(&columns, search, &mut condition, &mut args);
        }
        let total = if args.is_empty() {
            counters::read(self.0, counters::BOUNTIES).await?
        } else {
            self.count(&condition, args.clone()).await?
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM bounty WHERE {condition} \
             ORDER BY `timestamp` DESC, `id` DESC LIMIT ? OFFSET ?"
        );
        args.extend(args![paging.limit, paging.offset]);
        let data = sql::all(self.0.reader(), &sql, args).await?;
        Ok(Page { data, total, total_estimated: false })
    }

    /// The newest `limit` of one type and attacker.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_attacker(
        &self,
        ip: &str,
        bounty_type: &str,
        limit: u64,
    ) -> Result<Vec<BountyRow>, DbError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM bounty WHERE `attacker_ip`=? AND `bounty_type`=? \
             ORDER BY `timestamp` DESC, `id` DESC LIMIT ?"
        );
        sql::all(self.0.reader(), &sql, args![ip, bounty_type, limit]).await
    }

    /// How many of one type and attacker.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_of_attacker(&self, ip: &str, bounty_type: &str) -> Result<u64, DbError> {
        self.count("`attacker_ip`=? AND `bounty_type`=?", args![ip, bounty_type]).await
    }

    async fn count(&self, condition: &str, args: Vec<sea_orm::Value>) -> Result<u64, DbError> {
        let sql = format!("SELECT COUNT(*) FROM bounty WHERE {condition}");
        let count = sql::scalar::<i64>(self.0.reader(), &sql, args).await?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }
}
