//! Attackers: one row per source address.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base_model::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bounty::BountyRow;
use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError, counters};

row! {
    /// A row of `attackers` as lists show it.
    pub struct AttackerRow {
        /// Stable id.
        pub uuid: String,
        /// Canonical address.
        pub ip: String,
        /// First event.
        pub first_seen: Timestamp,
        /// Last event.
        pub last_seen: Timestamp,
        /// Events.
        pub event_count: u64,
        /// Distinct services.
        pub service_count: u64,
        /// Distinct deckies.
        pub decky_count: u64,
        /// Distinct services, sorted.
        pub services: Vec<String>,
        /// The weightiest class of event per service: `noise`, `scan`, `auth` or `interaction`.
        pub activity: BTreeMap<String, String>,
        /// Distinct deckies in order of first contact.
        pub deckies: Vec<String>,
        /// `a → b → c` when there are at least two.
        pub traversal_path: Option<String>,
        /// Whether at least two deckies were touched.
        pub is_traversal: bool,
        /// Rows of `bounty`.
        pub bounty_count: u64,
        /// Rows of `credentials`.
        pub credential_count: u64,
        /// When this row last changed.
        pub updated_at: Timestamp,
    }
}

row! {
    /// A row of `attackers` as ingest folds events into it.
    pub struct AttackerState {
        /// Stable id.
        pub uuid: String,
        /// Canonical address.
        pub ip: String,
        /// First event.
        pub first_seen: Timestamp,
        /// Last event.
        pub last_seen: Timestamp,
        /// Events.
        pub event_count: u64,
        /// The weightiest class of event per service.
        pub activity: BTreeMap<String, String>,
        /// First contact per decky.
        pub contacts: Vec<Contact>,
        /// Rows of `bounty`.
        pub bounty_count: u64,
        /// Rows of `credentials`.
        pub credential_count: u64,
        /// When this row last changed.
        pub updated_at: Timestamp,
    }
}

/// A decky's name and the first contact with it, in microseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Contact(pub String, pub i64);

/// How services were met: disjoint, each sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceActivity {
    /// Something was done with them.
    pub interacted: Vec<String>,
    /// They were looked at or logged in to.
    pub scanned: Vec<String>,
}

impl AttackerRow {
    /// How services were met; those that only made noise are left out.
    #[must_use]
    pub fn service_activity(&self) -> ServiceActivity {
        let mut activity = ServiceActivity::default();
        for (service, class) in &self.activity {
            match class.as_str() {
                "interaction" => activity.interacted.push(service.clone()),
                "scan" | "auth" => activity.scanned.push(service.clone()),
                _ => {}
            }
        }
        activity
    }
}

/// Order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttackerOrder {
    /// Last seen first.
    #[default]
    Recent,
    /// Most events first.
    Active,
    /// Those that went from decky to decky first.
    Traversals,
}

/// Which attackers.
#[derive(Clone, Debug, Default)]
pub struct AttackerQuery {
    /// Substring of the address.
    pub search: Option<String>,
    /// A service they met.
    pub service: Option<String>,
    /// First seen at or after.
    pub first_seen_after: Option<Timestamp>,
    /// Last seen at or after.
    pub last_seen_after: Option<Timestamp>,
    /// Order.
    pub order: AttackerOrder,
}

/// The attackers.
#[derive(Clone, Copy, Debug)]
pub struct Attackers<'a>(&'a Db);

impl Db {
    /// The attackers.
    #[must_use]
    pub const fn attackers(&self) -> Attackers<'_> {
        Attackers(self)
    }
}

const COLUMNS: &str = <AttackerRow as sql::Row>::COLUMNS;

impl Attackers<'_> {
    /// A page.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        query: &AttackerQuery,
        paging: Paging,
    ) -> Result<Page<AttackerRow>, DbError> {
        let mut condition = "1=1".to_owned();
        let mut args = Vec::new();
        if let Some(search) = &query.search {
            condition.push_str(" AND INSTR(`ip`,?)>0");
            args.extend(args![search.to_ascii_lowercase()]);
        }
        if let Some(service) = &query.service {
            condition.push_str(" AND INSTR(`services`,?)>0");
            args.extend(args![serde_json::Value::from(service.as_str()).to_string()]);
        }
        for (column, after) in
            [("first_seen", query.first_seen_after), ("last_seen", query.last_seen_after)]
        {
            if let Some(after) = after {
                condition.push_str(&format!(" AND `{column}`>=?"));
                args.extend(args![after]);
            }
        }
        let order = match query.order {
            AttackerOrder::Recent => "`last_seen` DESC, `ip`",
            AttackerOrder::Active => "`event_count` DESC, `ip`",
            AttackerOrder::Traversals => "`is_traversal` DESC, `last_seen` DESC, `ip`",
        };
        let total = if args.is_empty() {
            counters::read(self.0, counters::ATTACKERS).await?
        } else {
            let sql = format!("SELECT COUNT(*) FROM attackers WHERE {condition}");
            let count = sql::scalar::<i64>(self.0.reader(), &sql, args.clone()).await?;
            count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM attackers WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
        );
        args.extend(args![paging.limit, paging.offset]);
        let data = sql::all(self.0.reader(), &sql, args).await?;
        Ok(Page { data, total, total_estimated: false })
    }

    /// The attacker with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_uuid(&self, uuid: Uuid) -> Result<Option<AttackerRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM attackers WHERE `uuid`=?");
        sql::one(self.0.reader(), &sql, args![uuid.hyphenated().to_string()]).await
    }

    /// The attacker at this address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ip(&self, ip: IpAddr) -> Result<Option<AttackerRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM attackers WHERE `ip`=?");
        sql::one(self.0.reader(), &sql, args![ip.to_canonical().to_string()]).await
    }

    /// The id of the attacker at this address; `None` for `Unknown` and for what is no address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_attacker_uuid_by_ip(&self, ip: &str) -> Result<Option<Uuid>, DbError> {
        let Ok(ip) = ip.parse::<IpAddr>() else { return Ok(None) };
        let sql = "SELECT `uuid` FROM attackers WHERE `ip`=?";
        let args = args![ip.to_canonical().to_string()];
        let uuid = sql::scalar::<String>(self.0.reader(), sql, args).await?;
        Ok(uuid.and_then(|uuid| Uuid::try_parse(&uuid).ok()))
    }

    /// Their newest `limit` fingerprints.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fingerprints(&self, ip: &str, limit: u64) -> Result<Vec<BountyRow>, DbError> {
        self.0.bounties().of_attacker(ip, "fingerprint", limit).await
    }
}
