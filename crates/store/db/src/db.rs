//! Opening a database and keeping its connections.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode,
    SqlxMySqlConnector, SqlxSqliteConnector, TransactionOptions, TransactionTrait as _,
};

use crate::dialect::Dialect;
use crate::url::MySqlUrl;
use crate::{DbError, DbUrl, SchemaState, migrate, sql};

/// How long a connection waits for a lock.
const BUSY: Duration = Duration::from_secs(30);
/// Readers of a SQLite file.
const READERS: u32 = 8;
/// Connections to a server (`DECNET_DB_POOL_SIZE` of `spec/storage.md` §1).
const POOL: u32 = 20;
/// Age at which a server connection is replaced.
const RECYCLE: Duration = Duration::from_secs(3600);
/// How long to wait for a free connection.
const ACQUIRE: Duration = Duration::from_secs(30);

/// An open database. Clones share its connections.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    dialect: Dialect,
    place: String,
    writer: DatabaseConnection,
    readers: DatabaseConnection,
}

impl Db {
    /// Connects to `url`, creating a SQLite file when it is missing, and brings the schema up to
    /// date.
    ///
    /// # Errors
    /// When the database cannot be reached, is locked, accepts no writes or is of a newer version.
    pub async fn open(url: &DbUrl) -> Result<Self, DbError> {
        let db = Self::connect(url).await?;
        migrate::run(&db).await?;
        Ok(db)
    }

    /// How far the schema at `url` is; changes nothing there. `None` for a SQLite file that is not
    /// there yet.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn schema_at(url: &DbUrl) -> Result<Option<SchemaState>, DbError> {
        if let DbUrl::Sqlite(path) = url
            && !path.exists()
        {
            return Ok(None);
        }
        let db = Self::connect(url).await?;
        let state = migrate::state(&db).await;
        db.close().await;
        state.map(Some)
    }

    async fn connect(url: &DbUrl) -> Result<Self, DbError> {
        match url {
            DbUrl::Sqlite(path) => Self::open_sqlite(url, path).await,
            DbUrl::MySql(server) => Self::open_mysql(url, server).await,
        }
    }

    async fn open_sqlite(url: &DbUrl, path: &std::path::Path) -> Result<Self, DbError> {
        let place = url.to_string();
        let unreachable = |error: sea_orm::SqlxError| {
            let error = DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)));
            match DbError::from(error.clone()) {
                known @ (DbError::Locked(_) | DbError::ReadOnly(_)) => known,
                _ => DbError::Unreachable {
                    place: place.clone(),
                    check: "its folder exists and may be written, and that it is a SQLite file",
                    source: Box::new(error),
                },
            }
        };
        make_private(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("temp_store", "MEMORY")
            .pragma("mmap_size", "268435456")
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let writing = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // Of a new file. Rows are long and keys are scattered: larger pages are fewer writes.
            .page_size(8192)
            .pragma("wal_autocheckpoint", "4000")
            .pragma("cache_size", "-65536");
        // One writer: transactions queue in the pool instead of meeting as "database is locked".
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            // SQLite may end a transaction by itself, as on a full disk. The driver goes on counting
            // it, and from then on would commit by releasing savepoints of one that never ends: what
            // was reported as committed would be lost. Such a connection is replaced.
            .after_release(|connection, _| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        // A rollback may be on its way; this waits for it.
                        connection.ping().await?;
                    }
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(writing)
            .await
            .map_err(unreachable)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "ON").row_buffer_size(200));
        Ok(Self(Arc::new(Inner {
            dialect: Dialect::Sqlite,
            writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
            readers: SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
            place,
        })))
    }

    async fn open_mysql(url: &DbUrl, server: &MySqlUrl) -> Result<Self, DbError> {
        let options = MySqlConnectOptions::new()
            .host(&server.host)
            .port(server.port)
            .username(&server.user)
            .password(&server.password)
            .database(&server.database)
            .charset("utf8mb4")
            .collation("utf8mb4_bin")
            .pipes_as_concat(false)
            .timezone(Some("+00:00".to_owned()))
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let unreachable = |error: sea_orm::SqlxError| DbError::Unreachable {
            place: url.to_string(),
            check: "the server runs, and that host, port, database, user and password are right",
            source: Box::new(error),
        };
        // A pool tries again until its time is over; one connection says at once what is wrong.
        options.connect().await.map_err(unreachable)?.close().await.map_err(unreachable)?;
        let pool = MySqlPoolOptions::new()
            .max_connections(POOL)
            .acquire_timeout(ACQUIRE)
            .max_lifetime(RECYCLE)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // Strict: what does not fit is an error, never a silent change.
                    connection
                        .execute(
                            "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,\
                             ERROR_FOR_DIVISION_BY_ZERO,ONLY_FULL_GROUP_BY', \
                             SESSION innodb_lock_wait_timeout=30",
                        )
                        .await?;
                    // Spelled alike by both servers, unlike the variable.
                    connection
                        .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
                        .await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(unreachable)?;
        let connection = SqlxMySqlConnector::from_sqlx_mysql_pool(pool);
        Ok(Self(Arc::new(Inner {
            dialect: Dialect::MySql,
            place: url.to_string(),
            writer: connection.clone(),
            readers: connection,
        })))
    }

    /// Answers whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DbError> {
        sql::scalar::<i64>(self.reader(), "SELECT 1", Vec::new()).await?;
        Ok(())
    }

    /// The URL it was opened with, without password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// Closes every connection; later calls fail.
    pub async fn close(self) {
        for connection in [&self.0.readers, &self.0.writer] {
            if let Err(error) = connection.clone().close().await {
                tracing::warn!(%error, "a database connection did not close");
            }
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.0.readers
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.0.writer
    }

    /// A transaction that may write; it takes the write lock at once, so that it cannot fail half
    /// way for want of it.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer().begin_with_options(options).await?)
    }
}

/// Creates a missing database file so that only its owner and group may read it; the files beside it
/// inherit that. What goes wrong here shows when the file is opened.
fn make_private(path: &std::path::Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    if let Err(error) = options.write(true).create_new(true).mode(0o640).open(path)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        tracing::debug!(%error, "the database file was not created");
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({})", self.0.place)
    }
}
