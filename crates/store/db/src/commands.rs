//! What attackers typed.

use base_model::{SessionId, Timestamp};
use uuid::Uuid;

use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError};

row! {
    /// A row of `attacker_commands`.
    pub struct CommandRow {
        /// The event that told of it.
        pub event_uid: String,
        /// Who.
        pub attacker_uuid: String,
        /// In which session.
        pub session_id: Option<String>,
        /// On which decky.
        pub decky: String,
        /// Over which service.
        pub service: String,
        /// The text, whole.
        pub command: String,
        /// When.
        pub ts: Timestamp,
    }
}

/// Commands.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a>(&'a Db);

impl Db {
    /// What attackers typed.
    #[must_use]
    pub const fn commands(&self) -> Commands<'_> {
        Commands(self)
    }
}

const COLUMNS: &str = <CommandRow as sql::Row>::COLUMNS;

impl Commands<'_> {
    /// Commands of an attacker, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_attacker(
        &self,
        attacker: Uuid,
        service: Option<&str>,
        paging: Paging,
    ) -> Result<Page<CommandRow>, DbError> {
        let mut condition = "`attacker_uuid`=?".to_owned();
        let mut args = args![attacker.hyphenated().to_string()];
        if let Some(service) = service {
            condition.push_str(" AND `service`=?");
            args.extend(args![service]);
        }
        let count = format!("SELECT COUNT(*) FROM attacker_commands WHERE {condition}");
        let total = sql::scalar::<i64>(self.0.reader(), &count, args.clone()).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM attacker_commands WHERE {condition} \
             ORDER BY `ts` DESC, `event_uid` DESC LIMIT ? OFFSET ?"
        );
        args.extend(args![paging.limit, paging.offset]);
        let data = sql::all(self.0.reader(), &sql, args).await?;
        let total = total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0);
        Ok(Page { data, total, total_estimated: false })
    }

    /// The first `limit` commands of a session, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_session(
        &self,
        session: SessionId,
        limit: u64,
    ) -> Result<Vec<CommandRow>, DbError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM attacker_commands WHERE `session_id`=? \
             ORDER BY `ts`, `event_uid` LIMIT ?"
        );
        sql::all(self.0.reader(), &sql, args![session.to_string(), limit]).await
    }
}
