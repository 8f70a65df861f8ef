//! The deckies there are to be, and the network they are on.

use base_model::Timestamp;
use sea_orm::DatabaseTransaction;

use crate::lifecycle::{self, LifecycleRow, LifecycleStep};
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

row! {
    /// The network of the fleet: the one row of `fleet_settings`.
    pub struct FleetSettingsRow {
        /// The network, as `address/prefix`.
        pub subnet: String,
        /// Its router.
        pub gateway: Option<String>,
        /// From where on addresses are given out.
        pub ip_start: String,
        /// The domain of deckies that are not given another.
        pub domain: Option<String>,
        /// When this row last changed.
        pub updated_at: Timestamp,
    }
}

/// A change of what there is to be.
#[derive(Clone, Debug, Default)]
pub struct FleetChange {
    /// The network from here on; as before when absent.
    pub settings: Option<FleetSettingsRow>,
    /// Deckies that are new or other than before.
    pub put: Vec<FleetDeckyRow>,
    /// Names of deckies that are to go: they are `tearing_down` until they are gone.
    pub leaving: Vec<String>,
    /// What is told about it.
    pub lifecycle: Vec<LifecycleRow>,
}

/// What became of a decky.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeckyObserved {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: String,
    /// What went wrong.
    pub last_error: Option<String>,
}

/// What was found out about the deckies of this machine.
#[derive(Clone, Debug, Default)]
pub struct FleetReport {
    /// Deckies whose state is another.
    pub observed: Vec<DeckyObserved>,
    /// Names of deckies that are gone.
    pub gone: Vec<String>,
    /// Changes that went on or ended.
    pub lifecycle: Vec<LifecycleStep>,
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

const MUTABLE_SETTINGS: [&str; 5] = ["subnet", "gateway", "ip_start", "domain", "updated_at"];

impl Fleet<'_> {
    /// All deckies by host and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<FleetDeckyRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM fleet_deckies ORDER BY `host_uuid`, `name`");
        sql::all(self.0.reader(), &sql, Vec::new()).await
    }

    /// The network they are on, once there was a deployment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings(&self) -> Result<Option<FleetSettingsRow>, DbError> {
        let columns = <FleetSettingsRow as sql::Row>::COLUMNS;
        let sql = format!("SELECT {columns} FROM fleet_settings WHERE `id`=1");
        sql::one(self.0.reader(), &sql, Vec::new()).await
    }

    /// Changes what there is to be on this machine: all or nothing, and the same again changes
    /// nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change(&self, change: &FleetChange, now: Timestamp) -> Result<(), DbError> {
        let transaction = self.0.begin().await?;
        let dialect = self.0.dialect();
        if let Some(settings) = change.settings.clone() {
            let tail = dialect.on_conflict_set("`id`", &MUTABLE_SETTINGS);
            let columns = <FleetSettingsRow as sql::Row>::COLUMNS;
            let sql =
                format!("INSERT INTO fleet_settings (`id`,{columns}) VALUES (?,?,?,?,?,?){tail}");
            let FleetSettingsRow { subnet, gateway, ip_start, domain, updated_at } = settings;
            let args = args![1, subnet, gateway, ip_start, domain, updated_at];
            sql::execute(&transaction, &sql, args).await?;
        }
        self.put(&transaction, &change.put).await?;
        for names in sql::key_chunks(&change.leaving) {
            let places = sql::places(names.len());
            let sql = format!(
                "UPDATE fleet_deckies SET `state`='tearing_down', `updated_at`=? WHERE \
                 `host_uuid`=? AND `name` IN ({places})"
            );
            let mut args = args![now, LOCAL_HOST];
            args.extend(names.iter().map(|name| sql::Bind::bind(name.as_str())));
            sql::execute(&transaction, &sql, args).await?;
        }
        lifecycle::insert(&transaction, dialect, &change.lifecycle).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn put(
        &self,
        transaction: &DatabaseTransaction,
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

    /// Notes other configurations of deckies of this machine, by name; what they are doing stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_configs(
        &self,
        configs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), DbError> {
        let transaction = self.0.begin().await?;
        let sql = "UPDATE fleet_deckies SET `decky_config`=? WHERE `host_uuid`=? AND `name`=?";
        for (name, config) in configs {
            sql::execute(&transaction, sql, args![config, LOCAL_HOST, name]).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes down what was found out about the deckies of this machine: all or nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report(&self, report: &FleetReport, now: Timestamp) -> Result<(), DbError> {
        let transaction = self.0.begin().await?;
        // A decky that was told to go meanwhile goes on going.
        let sql = "UPDATE fleet_deckies SET `state`=?, `last_error`=?, `updated_at`=? WHERE \
                   `host_uuid`=? AND `name`=? AND `state`<>'tearing_down'";
        for one in &report.observed {
            let args = args![&*one.state, one.last_error.clone(), now, LOCAL_HOST, &*one.name];
            sql::execute(&transaction, sql, args).await?;
        }
        for names in sql::key_chunks(&report.gone) {
            let places = sql::places(names.len());
            let sql = format!(
                "DELETE FROM fleet_deckies WHERE `host_uuid`=? AND `state`='tearing_down' AND \
                 `name` IN ({places})"
            );
            let mut args = args![LOCAL_HOST];
            args.extend(names.iter().map(|name| sql::Bind::bind(name.as_str())));
            sql::execute(&transaction, &sql, args).await?;
        }
        for step in &report.lifecycle {
            lifecycle::step(&transaction, step, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Notes that the deckies of this machine that run were seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen(&self, now: Timestamp) -> Result<(), DbError> {
        let sql = "UPDATE fleet_deckies SET `last_seen`=? WHERE `host_uuid`=? AND `state` IN \
                   ('running','degraded')";
        sql::execute(self.0.writer(), sql, args![now, LOCAL_HOST]).await?;
        Ok(())
    }
}
