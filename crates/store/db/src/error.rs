//! What can go wrong with the database, by what the caller may do about it.

use sea_orm::{DbErr, RuntimeErr};

/// What the driver said; opaque, so that no driver type leaves this crate.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed database operation.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The server or file cannot be reached.
    #[error("cannot reach the database {place}: check that {check}")]
    Unreachable {
        /// The URL without its password.
        place: String,
        /// What to look at.
        check: &'static str,
        /// The driver's word.
        #[source]
        source: Source,
    },
    /// Another process keeps the database locked.
    #[error("the database is locked by another process: stop that process or wait for it")]
    Locked(#[source] Source),
    /// The file or server accepts no writes.
    #[error(
        "the database accepts no writes: check the file's owner and mode, the free disk space, and that the server is not read-only"
    )]
    ReadOnly(#[source] Source),
    /// A later version of the program has changed the schema.
    #[error(
        "the database was written by a newer version (migration `{migration}` is unknown here): upgrade this program or restore a backup"
    )]
    NewerSchema {
        /// The first migration we do not know.
        migration: String,
    },
    /// The work did not succeed this time; the same call may succeed later.
    #[error("the database could not do it now")]
    Transient(#[source] Source),
    /// A unique key is taken.
    #[error("such a row exists")]
    Duplicate(#[source] Source),
    /// The ingest lease passed to another holder.
    #[error("the ingest lease passed to another holder")]
    Fenced,
    /// Another process holds the ingest lease.
    #[error(
        "the ingest lease is held by `{holder}` for another {seconds} s: only one process may ingest"
    )]
    Held {
        /// The name it gave itself.
        holder: String,
        /// Until the lease ends unless renewed.
        seconds: u64,
    },
    /// A stored value cannot be read back.
    #[error("stored data does not decode: {0}")]
    Data(String),
    /// Anything else: our mistake, or damage.
    #[error("database operation failed")]
    Failed(#[source] Source),
}

impl DbError {
    /// Whether the same call may succeed later without anyone changing its input.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Locked(_) | Self::ReadOnly(_) | Self::Transient(_)
        )
    }
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        match code(&error) {
            Code::Locked => Self::Locked(Box::new(error)),
            Code::ReadOnly => Self::ReadOnly(Box::new(error)),
            Code::Transient => Self::Transient(Box::new(error)),
            Code::Duplicate => Self::Duplicate(Box::new(error)),
            Code::Other => match error {
                DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => {
                    Self::Data(error.to_string())
                }
                _ => Self::Failed(Box::new(error)),
            },
        }
    }
}

enum Code {
    Locked,
    ReadOnly,
    Transient,
    Duplicate,
    Other,
}

fn code(error: &DbErr) -> Code {
    let sqlx = match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(RuntimeErr::Internal(_)) => {
            return Code::Transient;
        }
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error,
        _ => return Code::Other,
    };
    use sea_orm::SqlxError;
    let SqlxError::Database(database) = &**sqlx else {
        let broken = matches!(
            **sqlx,
            SqlxError::Io(_)
                | SqlxError::Tls(_)
                | SqlxError::PoolTimedOut
                | SqlxError::PoolClosed
                | SqlxError::WorkerCrashed
                | SqlxError::Protocol(_)
        );
        return if broken { Code::Transient } else { Code::Other };
    };
    if database.is_unique_violation() {
        return Code::Duplicate;
    }
    if let Some(error) = database.try_downcast_ref::<sea_orm::SqlxMySqlError>() {
        return mysql(error.number());
    }
    let number = database.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
    sqlite(number & 0xff)
}

/// Primary result codes of SQLite (<https://www.sqlite.org/rescode.html>).
const fn sqlite(code: u32) -> Code {
    match code {
        5 | 6 => Code::Locked,
        8 => Code::ReadOnly,
        // No memory, I/O, full disk, cannot open, schema changed meanwhile.
        7 | 10 | 13 | 14 | 17 => Code::Transient,
        _ => Code::Other,
    }
}

/// Error numbers of the MySQL protocol.
const fn mysql(number: u16) -> Code {
    match number {
        // Lock wait timeout, deadlock.
        1205 | 1213 => Code::Locked,
        // Read-only server, or no right to write.
        1290 | 1792 | 1836 => Code::ReadOnly,
        // Too many connections, out of memory, disk full, shutdown, aborted, gone.
        1021
        | 1037
        | 1038
        | 1040
        | 1041
        | 1053
        | 1114
        | 1152
        | 1154..=1161
        | 1180
        | 1203
        | 1317
        | 2006
        | 2013
        | 3024 => Code::Transient,
        _ => Code::Other,
    }
}
