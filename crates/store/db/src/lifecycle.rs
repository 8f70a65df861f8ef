//! Changes of deckies, from asked for to done (`spec/fleet.md` §3).
//!
//! A row is `pending`, then `running`, then `succeeded` or `failed`; what ended never changes again.

use base_model::Timestamp;
use sea_orm::ConnectionTrait;

use crate::dialect::Dialect;
use crate::rows::Rows;
use crate::sql::{self, args, row};
use crate::{Db, DbError};

/// Characters kept of what went wrong.
const MOST_ERROR: usize = 2000;

row! {
    /// A row of `decky_lifecycle`.
    pub struct LifecycleRow {
        /// Which change.
        pub id: String,
        /// Of which decky.
        pub decky_name: String,
        /// `deploy` or `teardown`.
        pub operation: String,
        /// `pending`, `running`, `succeeded` or `failed`.
        pub status: String,
        /// Why it failed.
        pub error: Option<String>,
        /// When it was asked for.
        pub started_at: Timestamp,
        /// When it last went on.
        pub updated_at: Timestamp,
        /// When it ended.
        pub completed_at: Option<Timestamp>,
    }
}

/// A change that goes on or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleStep {
    /// Which change.
    pub id: String,
    /// What it is now.
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
}

impl LifecycleStep {
    fn ends(&self) -> bool {
        self.status == "succeeded" || self.status == "failed"
    }
}

/// Changes of deckies.
#[derive(Clone, Copy, Debug)]
pub struct Lifecycle<'a>(&'a Db);

impl Db {
    /// Changes of deckies.
    #[must_use]
    pub const fn lifecycle(&self) -> Lifecycle<'_> {
        Lifecycle(self)
    }
}

const COLUMNS: &str = <LifecycleRow as sql::Row>::COLUMNS;

impl Lifecycle<'_> {
    /// The changes of these ids, oldest first; ids that are none are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_ids(&self, ids: &[String]) -> Result<Vec<LifecycleRow>, DbError> {
        let mut rows: Vec<LifecycleRow> = Vec::new();
        for ids in sql::key_chunks(ids) {
            let places = sql::places(ids.len());
            let sql = format!("SELECT {COLUMNS} FROM decky_lifecycle WHERE `id` IN ({places})");
            let args = ids.iter().map(|id| sql::Bind::bind(id.as_str())).collect();
            rows.extend(sql::all::<LifecycleRow>(self.0.reader(), &sql, args).await?);
        }
        rows.sort_by(|one, other| (one.started_at, &one.id).cmp(&(other.started_at, &other.id)));
        Ok(rows)
    }

    /// Changes that did not end, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self) -> Result<Vec<LifecycleRow>, DbError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM decky_lifecycle WHERE `status` IN ('pending','running') ORDER BY \
             `started_at`, `id`"
        );
        sql::all(self.0.reader(), &sql, Vec::new()).await
    }
}

/// Adds changes.
pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    changes: &[LifecycleRow],
) -> Result<(), DbError> {
    let mut rows = Rows::new(8, changes.len());
    for row in changes.iter().cloned() {
        rows.push(args![
            row.id,
            row.decky_name,
            row.operation,
            row.status,
            row.error,
            row.started_at,
            row.updated_at,
            row.completed_at
        ]);
    }
    rows.insert(connection, dialect, &format!("INSERT INTO decky_lifecycle ({COLUMNS})"), "").await
}

/// Moves a change on, unless it ended.
pub(crate) async fn step(
    connection: &impl ConnectionTrait,
    step: &LifecycleStep,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = "UPDATE decky_lifecycle SET `status`=?, `error`=?, `updated_at`=?, `completed_at`=? \
               WHERE `id`=? AND `status` IN ('pending','running')";
    let error = step.error.as_ref().map(|error| error.chars().take(MOST_ERROR).collect::<String>());
    let ended = step.ends().then_some(now);
    let args = args![&*step.status, error, now, ended, &*step.id];
    sql::execute(connection, sql, args).await?;
    Ok(())
}
