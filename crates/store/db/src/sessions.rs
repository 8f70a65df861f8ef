//! Sessions and their recordings.

use base_model::{SessionId, Timestamp};
use uuid::Uuid;

use crate::page::{Page, Paging};
use crate::sql::{self, args, row};
use crate::{Db, DbError, LogRow};

row! {
    /// A row of `sessions`.
    pub struct SessionRow {
        /// Its id.
        pub sid: String,
        /// Whose; absent for our own traffic.
        pub attacker_uuid: Option<String>,
        /// Address, or `Unknown`.
        pub attacker_ip: String,
        /// On which decky.
        pub decky: String,
        /// That decky's id.
        pub decky_id: String,
        /// Over which service.
        pub service: String,
        /// Who they logged in as.
        pub principal: Option<String>,
        /// First sign of it.
        pub started_at: Timestamp,
        /// Its end, once known.
        pub ended_at: Option<Timestamp>,
        /// How long it took, once it ended.
        pub duration_s: Option<f64>,
        /// Whether there was a terminal, once known.
        pub interactive: Option<bool>,
        /// Commands in it.
        pub command_count: u64,
        /// Whether its recording stopped at the limit.
        pub truncated: bool,
        /// `logs.seq` of its `session_recorded` event: there is a transcript.
        pub recorded_seq: Option<u64>,
    }
}

row! {
    /// A row of `recordings`: where a session's lines are.
    pub struct RecordingRow {
        /// The session.
        pub sid: String,
        /// Folder of the shard.
        pub decky: String,
        /// Folder below.
        pub service: String,
        /// File name of the shard.
        pub shard: String,
        /// Start of the session; its day named the shard.
        pub started_at: Timestamp,
        /// The place in the session's stream of lines that the next chunk should start at.
        pub next_offset: u64,
        /// Bytes kept.
        pub bytes: u64,
    }
}

row! {
    /// A row of `recording_extents`: a run of a session's lines within its shard.
    pub struct ExtentRow {
        /// Place in the session's stream of lines.
        pub session_offset: u64,
        /// Place in the shard.
        pub shard_offset: u64,
        /// Bytes.
        pub length: u64,
    }
}

/// Which sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionQuery {
    /// Of this attacker.
    pub attacker: Option<Uuid>,
    /// On the decky of this name.
    pub decky: Option<String>,
    /// Over this service.
    pub service: Option<String>,
    /// With a recording.
    pub recorded: bool,
    /// Not begun before.
    pub start: Option<Timestamp>,
    /// Not begun after.
    pub end: Option<Timestamp>,
}

impl SessionQuery {
    fn condition(&self) -> (String, Vec<sea_orm::Value>) {
        let (mut parts, mut args) = (vec!["1=1"], Vec::new());
        let mut add = |part, value: Option<sea_orm::Value>| {
            if let Some(value) = value {
                parts.push(part);
                args.push(value);
            }
        };
        let attacker = self.attacker.map(|uuid| uuid.hyphenated().to_string());
        add("`attacker_uuid`=?", attacker.map(sql::Bind::bind));
        add("`decky`=?", self.decky.clone().map(sql::Bind::bind));
        add("`service`=?", self.service.clone().map(sql::Bind::bind));
        add("`started_at`>=?", self.start.map(sql::Bind::bind));
        add("`started_at`<=?", self.end.map(sql::Bind::bind));
        if self.recorded {
            parts.push("`recorded_seq` IS NOT NULL");
        }
        (parts.join(" AND "), args)
    }
}

/// Sessions.
#[derive(Clone, Copy, Debug)]
pub struct Sessions<'a>(&'a Db);

impl Db {
    /// Sessions and their recordings.
    #[must_use]
    pub const fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }
}

const COLUMNS: &str = <SessionRow as sql::Row>::COLUMNS;

impl Sessions<'_> {
    /// The session with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_sid(&self, sid: SessionId) -> Result<Option<SessionRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE `sid`=?");
        sql::one(self.0.reader(), &sql, args![sid.to_string()]).await
    }

    /// Sessions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        query: &SessionQuery,
        paging: Paging,
    ) -> Result<Page<SessionRow>, DbError> {
        let (condition, mut args) = query.condition();
        let count = format!("SELECT COUNT(*) FROM sessions WHERE {condition}");
        let total = sql::scalar::<i64>(self.0.reader(), &count, args.clone()).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE {condition} \
             ORDER BY `started_at` DESC, `sid` LIMIT ? OFFSET ?"
        );
        args.extend(args![paging.limit, paging.offset]);
        let data = sql::all(self.0.reader(), &sql, args).await?;
        let total = total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0);
        Ok(Page { data, total, total_estimated: false })
    }

    /// `session_recorded` events of an attacker, newest session first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transcripts(
        &self,
        attacker: Uuid,
        paging: Paging,
    ) -> Result<Page<LogRow>, DbError> {
        let condition = "`attacker_uuid`=? AND `recorded_seq` IS NOT NULL";
        let mut args = args![attacker.hyphenated().to_string()];
        let count = format!("SELECT COUNT(*) FROM sessions WHERE {condition}");
        let total = sql::scalar::<i64>(self.0.reader(), &count, args.clone()).await?;
        let sql = format!(
            "SELECT `recorded_seq` FROM sessions WHERE {condition} \
             ORDER BY `started_at` DESC, `sid` LIMIT ? OFFSET ?"
        );
        args.extend(args![paging.limit, paging.offset]);
        let mut seqs = Vec::new();
        for row in sql::raw(self.0.reader(), &sql, args).await? {
            seqs.push(<u64 as sql::Column>::read(&row, 0)?);
        }
        let data = self.0.logs().by_seqs(&seqs).await?;
        let total = total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0);
        Ok(Page { data, total, total_estimated: false })
    }

    /// Where the recording of a session is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recording(&self, sid: SessionId) -> Result<Option<RecordingRow>, DbError> {
        let columns = <RecordingRow as sql::Row>::COLUMNS;
        let sql = format!("SELECT {columns} FROM recordings WHERE `sid`=?");
        sql::one(self.0.reader(), &sql, args![sid.to_string()]).await
    }

    /// The pieces of a recording in the order of the session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn extents(&self, sid: SessionId) -> Result<Vec<ExtentRow>, DbError> {
        let columns = <ExtentRow as sql::Row>::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM recording_extents WHERE `sid`=? ORDER BY `session_offset`"
        );
        sql::all(self.0.reader(), &sql, args![sid.to_string()]).await
    }
}
