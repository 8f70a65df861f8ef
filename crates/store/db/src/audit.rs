//! Who did what to the platform.

use base_model::Timestamp;
use serde_json::Value;

use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError};

row! {
    /// A row of `audit_log`.
    pub struct AuditRow {
        /// Row number.
        pub id: i64,
        /// When.
        pub at: Timestamp,
        /// Who, when known.
        pub user_uuid: Option<String>,
        /// The name they had or claimed.
        pub username: Option<String>,
        /// From where.
        pub ip: Option<String>,
        /// What, for example `login` or `POST /config/users`.
        pub action: String,
        /// To what.
        pub target: Option<String>,
        /// Whether it succeeded.
        pub ok: bool,
        /// Anything more, as JSON.
        pub detail: Value,
    }
}

/// A new row of the audit log.
#[derive(Clone, Debug, Default)]
pub struct AuditEntry {
    /// Who, when known.
    pub user_uuid: Option<String>,
    /// The name they had or claimed; cut at 64 characters.
    pub username: Option<String>,
    /// From where.
    pub ip: Option<String>,
    /// What.
    pub action: String,
    /// To what; cut at 255 characters.
    pub target: Option<String>,
    /// Whether it succeeded.
    pub ok: bool,
    /// Anything more.
    pub detail: Value,
}

/// The audit log.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a>(&'a Db);

impl Db {
    /// The audit log.
    #[must_use]
    pub const fn audit(&self) -> Audit<'_> {
        Audit(self)
    }
}

impl Audit<'_> {
    /// Adds a row.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&self, at: Timestamp, entry: AuditEntry) -> Result<(), DbError> {
        let cut = |text: String, limit| text.chars().take(limit).collect::<String>();
        let sql = "INSERT INTO audit_log (`at`,`user_uuid`,`username`,`ip`,`action`,`target`,`ok`,\
                   `detail`) VALUES (?,?,?,?,?,?,?,?)";
        let args = args![
            at,
            entry.user_uuid,
            entry.username.map(|name| cut(name, 64)),
            entry.ip.map(|ip| cut(ip, 45)),
            cut(entry.action, 64),
            entry.target.map(|target| cut(target, 255)),
            entry.ok,
            entry.detail.to_string(),
        ];
        sql::execute(self.0.writer(), sql, args).await?;
        Ok(())
    }

    /// Rows, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, paging: Paging) -> Result<Page<AuditRow>, DbError> {
        let columns = <AuditRow as sql::Row>::COLUMNS;
        let sql = format!("SELECT {columns} FROM audit_log ORDER BY `id` DESC LIMIT ? OFFSET ?");
        let data = sql::all(self.0.reader(), &sql, args![paging.limit, paging.offset]).await?;
        let total = sql::scalar::<i64>(self.0.reader(), "SELECT COUNT(*) FROM audit_log", vec![]);
        let total = total.await?.and_then(|total| u64::try_from(total).ok()).unwrap_or(0);
        Ok(Page { data, total, total_estimated: false })
    }
}
