//! The inventory of deckies.

use base_model::Timestamp;

use crate::rows::Rows;
use crate::sql::{self, args, row};
use crate::{Db, DbError};

/// The host of deckies that run on this machine.
pub const LOCAL_HOST: &str = "local";

row! {
    /// A row of `fleet_deckies`.
    pub struct FleetDeckyRow {
        /// Where it runs; [`LOCAL_HOST`] here.
        pub host_uuid: String,
        /// The decky's name.
        pub name: String,
        /// Its services.
        pub services: Vec<String>,
        /// Its whole configuration with the persona secret sealed; opaque here.
        pub decky_config: Option<String>,
        /// Its address.
        pub decky_ip: Option<String>,
        /// `pending`, `running`, `failed`, `torn_down`, `degraded`, …
        pub state: String,
        /// What went wrong last.
        pub last_error: Option<String>,
        /// Last sign of life.
        pub last_seen: Option<Timestamp>,
        /// When this row last changed.
        pub updated_at: Timestamp,
    }
}

/// The inventory of deckies.
#[derive(Clone, Copy, Debug)]
pub struct Fleet<'a>(&'a Db);

impl Db {
    /// The inventory of deckies.
    #[must_use]
    pub const fn fleet(&self) -> Fleet<'_> {
        Fleet(self)
    }
}

const COLUMNS: &str = <FleetDeckyRow as sql::Row>::COLUMNS;
const MUTABLE: [&str; 7] =
    ["services", "decky_config", "decky_ip", "state", "last_error", "last_seen", "updated_at"];

impl Fleet<'_> {
    /// All deckies by host and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<FleetDeckyRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM fleet_deckies ORDER BY `host_uuid`, `name`");
        sql::all(self.0.reader(), &sql, Vec::new()).await
    }

    /// The decky of this name on this host.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, host: &str, name: &str) -> Result<Option<FleetDeckyRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM fleet_deckies WHERE `host_uuid`=? AND `name`=?");
        sql::one(self.0.reader(), &sql, args![host, name]).await
    }

    /// Stores deckies, replacing those of the same host and name: all or none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upsert(&self, deckies: &[FleetDeckyRow]) -> Result<(), DbError> {
        let transaction = self.0.begin().await?;
        self.write(&transaction, deckies).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes `deckies` the whole inventory of `host`: all or nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace(&self, host: &str, deckies: &[FleetDeckyRow]) -> Result<(), DbError> {
        let transaction = self.0.begin().await?;
        let delete = "DELETE FROM fleet_deckies WHERE `host_uuid`=?";
        sql::execute(&transaction, delete, args![host]).await?;
        self.write(&transaction, deckies).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn write(
        &self,
        transaction: &sea_orm::DatabaseTransaction,
        deckies: &[FleetDeckyRow],
    ) -> Result<(), DbError> {
        let mut rows = Rows::new(9, deckies.len());
        for decky in deckies.iter().cloned() {
            rows.push(args![
                decky.host_uuid,
                decky.name,
                sql::json(&decky.services),
                decky.decky_config,
                decky.decky_ip,
                decky.state,
                decky.last_error,
                decky.last_seen,
                decky.updated_at
            ]);
        }
        let dialect = self.0.dialect();
        let tail = dialect.on_conflict_set("`host_uuid`,`name`", &MUTABLE);
        let head = format!("INSERT INTO fleet_deckies ({COLUMNS})");
        rows.insert(transaction, dialect, &head, &tail).await
    }

    /// Sets what a decky is doing. Returns whether there is such a decky.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_state(
        &self,
        host: &str,
        name: &str,
        state: &str,
        last_error: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, DbError> {
        let sql = "UPDATE fleet_deckies SET `state`=?, `last_error`=?, `last_seen`=?, \
                   `updated_at`=? WHERE `host_uuid`=? AND `name`=?";
        let args = args![state, last_error, now, now, host, name];
        Ok(sql::execute(self.0.writer(), sql, args).await? > 0)
    }

    /// Removes a decky. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, host: &str, name: &str) -> Result<bool, DbError> {
        let sql = "DELETE FROM fleet_deckies WHERE `host_uuid`=? AND `name`=?";
        Ok(sql::execute(self.0.writer(), sql, args![host, name]).await? > 0)
    }
}
