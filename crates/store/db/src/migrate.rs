//! Bringing the schema up to date at start.
//!
//! Forward only. The library's table `seaql_migrations` records what was applied; a name in it that
//! this build does not know means that a newer version was here, and nothing is touched.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseTransaction, DbBackend, TransactionTrait as _};

use crate::dialect::Dialect;
use crate::{Db, DbError, schema, sql};

/// Seconds to wait for another process that migrates the same server.
const LOCK_WAIT: i64 = 30;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Initial), Box::new(LogIndex), Box::new(Fleet), Box::new(ApiTokens)]
    }
}

/// The tables of the first release.
struct Initial;

impl MigrationName for Initial {
    fn name(&self) -> &'static str {
        "m0001_initial"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Initial {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's expansion has no place for it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, schema::TABLES).await?;
        index(manager, schema::INDICES).await
    }
}

/// The index of texts in the log. What is in the log already is indexed by whoever indexes the rest.
struct LogIndex;

impl MigrationName for LogIndex {
    fn name(&self) -> &'static str {
        "m0002_log_index"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for LogIndex {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's expansion has no place for it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, schema::LOG_INDEX).await
    }
}

/// The fleet's network and the changes of it.
struct Fleet;

impl MigrationName for Fleet {
    fn name(&self) -> &'static str {
        "m0003_fleet"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Fleet {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's expansion has no place for it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, schema::FLEET).await?;
        index(manager, schema::FLEET_INDICES).await
    }
}

/// Keys for programs.
struct ApiTokens;

impl MigrationName for ApiTokens {
    fn name(&self) -> &'static str {
        "m0004_api_tokens"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ApiTokens {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's expansion has no place for it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, schema::API_TOKENS).await?;
        index(manager, schema::API_TOKENS_INDICES).await
    }
}

async fn create(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let dialect = match connection.get_database_backend() {
        DbBackend::MySql => Dialect::MySql,
        _ => Dialect::Sqlite,
    };
    for template in tables {
        connection.execute_unprepared(&dialect.create_table(template)).await?;
    }
    Ok(())
}

async fn index(manager: &SchemaManager<'_>, indices: &[&str]) -> Result<(), DbErr> {
    for index in indices {
        manager.get_connection().execute_unprepared(index).await?;
    }
    Ok(())
}

/// How far a schema is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// What was applied, in order; empty for a database that was never used.
    pub applied: Vec<String>,
    /// What the next start applies.
    pub pending: Vec<String>,
    /// What was applied by a newer version, which this one refuses to touch.
    pub unknown: Vec<String>,
}

/// How far the schema of `db` is; changes nothing.
pub(crate) async fn state(db: &Db) -> Result<SchemaState, DbError> {
    let table = match db.dialect() {
        Dialect::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE `name`='seaql_migrations'",
        Dialect::MySql => {
            "SELECT COUNT(*) FROM information_schema.tables \
             WHERE `table_schema`=DATABASE() AND `table_name`='seaql_migrations'"
        }
    };
    let mut applied = Vec::new();
    if sql::scalar::<i64>(db.reader(), table, Vec::new()).await? == Some(1) {
        let names = "SELECT `version` FROM `seaql_migrations` ORDER BY `version`";
        for row in sql::raw(db.reader(), names, Vec::new()).await? {
            applied.push(row.try_get_by_index::<String>(0)?);
        }
    }
    let known: Vec<String> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let missing = |from: &[String], other: &[String]| -> Vec<String> {
        from.iter().filter(|name| !other.contains(name)).cloned().collect()
    };
    let (pending, unknown) = (missing(&known, &applied), missing(&applied, &known));
    Ok(SchemaState { applied, pending, unknown })
}

/// Applies what is missing.
pub(crate) async fn run(db: &Db) -> Result<(), DbError> {
    match db.dialect() {
        Dialect::Sqlite => {
            // Schema changes are transactional here: all or nothing, and no two at once.
            let transaction = db.begin().await?;
            apply(&transaction).await?;
            transaction.commit().await?;
        }
        Dialect::MySql => {
            // A transaction pins one connection, which the advisory lock belongs to. Schema
            // statements commit by themselves and leave the lock alone.
            let transaction = db.writer().begin().await?;
            let lock = format!("SELECT GET_LOCK('decnet_schema_init', {LOCK_WAIT})");
            let locked = sql::scalar::<i64>(&transaction, &lock, Vec::new()).await?;
            if locked != Some(1) {
                return Err(DbError::Locked("another process holds the schema lock".into()));
            }
            let applied = apply(&transaction).await;
            sql::raw(&transaction, "SELECT RELEASE_LOCK('decnet_schema_init')", Vec::new()).await?;
            applied?;
            transaction.commit().await?;
        }
    }
    Ok(())
}

async fn apply(transaction: &DatabaseTransaction) -> Result<(), DbError> {
    Migrator::install(transaction).await?;
    let known = Migrator::migrations();
    let applied = "SELECT `version` FROM `seaql_migrations` ORDER BY `version`";
    for row in sql::raw(transaction, applied, Vec::new()).await? {
        let name: String = row.try_get_by_index(0)?;
        if !known.iter().any(|migration| migration.name() == name) {
            return Err(DbError::NewerSchema { migration: name });
        }
    }
    Migrator::up(transaction, None).await?;
    Ok(())
}
