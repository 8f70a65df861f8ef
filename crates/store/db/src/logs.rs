//! The event log: lists, histograms, tails.

mod found;

use base_model::Timestamp;
use sea_orm::Value;
use serde_json::Map;

use crate::page::{Page, Paging};
use crate::search::Search;
use crate::sql::{self, args, row};
use crate::syslog::{self, Line};
use crate::{Db, DbError, counters};

/// Past this many rows a filtered list stops counting.
const COUNT_LIMIT: u64 = 10_000;

row! {
    /// A row of `logs`: one event as it was stored.
    pub struct LogRow {
        /// Row number, assigned in the order of ingestion without gaps.
        pub seq: u64,
        /// The event's id, 32 hex digits.
        pub event_uid: String,
        /// When it happened, by the sensor's clock.
        pub timestamp: Timestamp,
        /// When it was ingested.
        pub received_at: Timestamp,
        /// Which sensor, as control authenticated it.
        pub sensor: String,
        /// The run of the sensor's decoy process.
        pub boot: String,
        /// Position within that run.
        pub boot_seq: u64,
        /// Format version of the event.
        pub v: i64,
        /// The decky's name.
        pub decky: String,
        /// The decky's id.
        pub decky_id: String,
        /// The service.
        pub service: String,
        /// The kind.
        pub event_type: String,
        /// Address, or `Unknown`.
        pub attacker_ip: String,
        /// Port of the attacker.
        pub src_port: Option<u16>,
        /// Port of the decky.
        pub dst_port: Option<u16>,
        /// `tcp` or `udp`.
        pub transport: String,
        /// The session.
        pub session_id: Option<String>,
        /// The connection.
        pub conn_id: Option<String>,
        /// The first hop's session when an intruder pivots.
        pub origin_id: Option<String>,
        /// Done by DECNET itself.
        pub synthetic: bool,
        /// The fields as a JSON object's text.
        pub fields: String,
    }
}

impl LogRow {
    /// The fields, decoded; empty when the stored text is damaged.
    #[must_use]
    pub fn fields(&self) -> Map<String, serde_json::Value> {
        serde_json::from_str(&self.fields).unwrap_or_default()
    }

    /// As an RFC 5424 line, taken apart.
    #[must_use]
    pub fn line(&self) -> Line {
        let fields = self.fields();
        let known = self.attacker_ip != crate::UNKNOWN_ATTACKER;
        let envelope = [
            ("src_ip", known.then(|| self.attacker_ip.clone())),
            ("src_port", self.src_port.map(|port| port.to_string())),
            ("dst_port", self.dst_port.map(|port| port.to_string())),
            ("session_id", self.session_id.clone()),
            ("seq", Some(self.boot_seq.to_string())),
        ];
        let mut params: Vec<(String, String)> = envelope
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
            .collect();
        // What an attacker says never takes the place of who they are.
        let own = params.len();
        for (name, value) in &fields {
            if !params.iter().take(own).any(|(taken, _)| taken == name) {
                params.push((name.clone(), syslog::value_text(value)));
            }
        }
        Line {
            severity: syslog::severity_of(&self.event_type),
            at: self.timestamp,
            hostname: self.decky.clone(),
            app: self.service.clone(),
            msgid: self.event_type.clone(),
            params,
            msg: None,
        }
    }

    /// The RFC 5424 line (`logs.raw_line` of `spec/storage.md`), rendered when asked for.
    #[must_use]
    pub fn raw_line(&self) -> String {
        self.line().render()
    }
}

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Terms that must hold.
    pub search: Search,
    /// Not before.
    pub start: Option<Timestamp>,
    /// Not after.
    pub end: Option<Timestamp>,
}

/// A place in the list, newest first: rows that come after it are older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCursor {
    /// Time of the last row seen.
    pub timestamp: Timestamp,
    /// Number of the last row seen.
    pub seq: u64,
}

/// One bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its start.
    pub time: Timestamp,
    /// Events in it; never zero.
    pub count: u64,
}

/// The event log.
#[derive(Clone, Copy, Debug)]
pub struct Logs<'a>(&'a Db);

impl Db {
    /// The event log.
    #[must_use]
    pub const fn logs(&self) -> Logs<'_> {
        Logs(self)
    }
}

const COLUMNS: &str = <LogRow as sql::Row>::COLUMNS;
const NEWEST_FIRST: &str = "ORDER BY `timestamp` DESC, `seq` DESC";

impl Logs<'_> {
    /// A page, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, query: &LogQuery, paging: Paging) -> Result<Page<LogRow>, DbError> {
        self.page(query, None, paging).await
    }

    /// A page of the rows older than `cursor`, newest first; of the whole list without one, which is
    /// what its total counts either way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_before(
        &self,
        query: &LogQuery,
        cursor: Option<LogCursor>,
        limit: u64,
    ) -> Result<Page<LogRow>, DbError> {
        self.page(query, cursor, Paging { limit, offset: 0 }).await
    }

    async fn page(
        &self,
        query: &LogQuery,
        cursor: Option<LogCursor>,
        paging: Paging,
    ) -> Result<Page<LogRow>, DbError> {
        if let Some(page) = self.found_page(query, cursor, paging).await? {
            return Ok(page);
        }
        let (mut condition, mut args) = self.condition(query);
        if let Some(cursor) = cursor {
            condition.push_str(" AND (`timestamp`<? OR (`timestamp`=? AND `seq`<?))");
            args.extend(args![cursor.timestamp, cursor.timestamp, cursor.seq]);
        }
        let sql =
            format!("SELECT {COLUMNS} FROM logs WHERE {condition} {NEWEST_FIRST} LIMIT ? OFFSET ?");
        args.extend(args![paging.limit, paging.offset]);
        let data = sql::all(self.0.reader(), &sql, args).await?;
        let (total, total_estimated) = self.count(query).await?;
        Ok(Page { data, total, total_estimated })
    }

    /// Rows numbered above `seq`, ascending: the tail for live streams and workers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(
        &self,
        seq: u64,
        query: &LogQuery,
        limit: u64,
    ) -> Result<Vec<LogRow>, DbError> {
        let (condition, mut args) = self.condition(query);
        let sql = format!(
            "SELECT {COLUMNS} FROM logs WHERE {condition} AND `seq`>? ORDER BY `seq` LIMIT ?"
        );
        args.extend(args![seq, limit]);
        sql::all(self.0.reader(), &sql, args).await
    }

    /// Number of the newest row; 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest_seq(&self) -> Result<u64, DbError> {
        let newest = "SELECT MAX(`seq`) FROM logs";
        let newest = sql::scalar::<i64>(self.0.reader(), newest, Vec::new()).await?;
        Ok(newest.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
    }

    /// The row with this number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_seq(&self, seq: u64) -> Result<Option<LogRow>, DbError> {
        let sql = format!("SELECT {COLUMNS} FROM logs WHERE `seq`=?");
        sql::one(self.0.reader(), &sql, args![seq]).await
    }

    /// The rows with these numbers, in their order; missing ones are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_seqs(&self, seqs: &[u64]) -> Result<Vec<LogRow>, DbError> {
        let mut found: Vec<LogRow> = Vec::with_capacity(seqs.len());
        for chunk in sql::key_chunks(seqs) {
            let places = sql::places(chunk.len());
            let sql = format!("SELECT {COLUMNS} FROM logs WHERE `seq` IN ({places})");
            let args = chunk.iter().map(|&seq| sql::Bind::bind(seq)).collect();
            found.extend(sql::all::<LogRow>(self.0.reader(), &sql, args).await?);
        }
        let place = |row: &LogRow| seqs.iter().position(|&seq| seq == row.seq);
        found.sort_by_cached_key(place);
        Ok(found)
    }

    /// Events per bucket of `minutes` (at least 1), ascending, empty ones left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn histogram(&self, query: &LogQuery, minutes: u32) -> Result<Vec<Bucket>, DbError> {
        let minutes = i64::from(minutes.max(1));
        if fits_rollup(query) {
            let (condition, args) = self.rollup_condition(query);
            let bucket = format!("(`minute`-`minute`%{minutes})*60");
            let count = self.0.dialect().integer("SUM(`events`)");
            let sql = format!(
                "SELECT {bucket},{count} FROM event_rollup WHERE {condition} GROUP BY 1 ORDER BY 1"
            );
            return self.buckets(&sql, args).await;
        }
        match self.finder(query).await? {
            Some(finder) => self.found_histogram(query, minutes, finder).await,
            None => self.bars(query, minutes, "", Vec::new()).await,
        }
    }

    /// A histogram of the rows that meet `part` too, which is empty or begins with ` AND `.
    async fn bars(
        &self,
        query: &LogQuery,
        minutes: i64,
        part: &str,
        part_args: Vec<Value>,
    ) -> Result<Vec<Bucket>, DbError> {
        let (condition, mut args) = self.condition(query);
        args.extend(part_args);
        let bucket = self.0.dialect().bucket("`timestamp`", minutes * 60);
        let sql = format!(
            "SELECT {bucket},COUNT(*) FROM logs WHERE {condition}{part} GROUP BY 1 ORDER BY 1"
        );
        self.buckets(&sql, args).await
    }

    async fn buckets(&self, sql: &str, args: Vec<Value>) -> Result<Vec<Bucket>, DbError> {
        let mut buckets = Vec::new();
        for row in sql::raw(self.0.reader(), sql, args).await? {
            let seconds: i64 = row.try_get_by_index(0)?;
            let count: i64 = row.try_get_by_index(1)?;
            buckets.push(Bucket {
                time: Timestamp::from_micros(seconds.saturating_mul(1_000_000)),
                count: u64::try_from(count).unwrap_or(0),
            });
        }
        Ok(buckets)
    }

    /// How many rows match, and whether counting stopped early.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, query: &LogQuery) -> Result<(u64, bool), DbError> {
        if query.search.is_empty() && query.start.is_none() && query.end.is_none() {
            return Ok((counters::read(self.0, counters::LOGS).await?, false));
        }
        if fits_rollup(query) {
            let (condition, args) = self.rollup_condition(query);
            let count = self.0.dialect().integer("COALESCE(SUM(`events`),0)");
            let sql = format!("SELECT {count} FROM event_rollup WHERE {condition}");
            let count = sql::scalar::<i64>(self.0.reader(), &sql, args).await?.unwrap_or(0);
            return Ok((u64::try_from(count).unwrap_or(0), false));
        }
        if let Some(finder) = self.finder(query).await? {
            return Ok(counted(self.found_count(query, finder).await?));
        }
        let (condition, mut args) = self.condition(query);
        args.extend(args![COUNT_LIMIT + 1]);
        let sql =
            format!("SELECT COUNT(*) FROM (SELECT 1 FROM logs WHERE {condition} LIMIT ?) AS some");
        let count = sql::scalar::<i64>(self.0.reader(), &sql, args).await?.unwrap_or(0);
        Ok(counted(u64::try_from(count).unwrap_or(0)))
    }

    fn condition(&self, query: &LogQuery) -> (String, Vec<Value>) {
        let mut sql = "1=1".to_owned();
        let mut args = Vec::new();
        if let Some(start) = query.start {
            sql.push_str(" AND `timestamp`>=?");
            args.extend(args![start]);
        }
        if let Some(end) = query.end {
            sql.push_str(" AND `timestamp`<=?");
            args.extend(args![end]);
        }
        query.search.conditions(self.0.dialect(), &mut sql, &mut args);
        (sql, args)
    }

    fn rollup_condition(&self, query: &LogQuery) -> (String, Vec<Value>) {
        let mut sql = "1=1".to_owned();
        let mut args = Vec::new();
        if let Some(start) = query.start {
            sql.push_str(" AND `minute`>=?");
            args.extend(args![minute(start)]);
        }
        if let Some(end) = query.end {
            sql.push_str(" AND `minute`<=?");
            args.extend(args![minute(end)]);
        }
        query.search.conditions(self.0.dialect(), &mut sql, &mut args);
        (sql, args)
    }
}

/// A number of rows as it is told, and whether it is only a lower bound.
fn counted(count: u64) -> (u64, bool) {
    (count.min(COUNT_LIMIT), count > COUNT_LIMIT)
}

/// Minutes since the epoch.
pub(crate) fn minute(at: Timestamp) -> i64 {
    at.seconds().div_euclid(60)
}

/// Whether whole minutes of roll-ups answer the query exactly.
fn fits_rollup(query: &LogQuery) -> bool {
    const MINUTE: i64 = 60_000_000;
    let starts = query.start.is_none_or(|at| at.micros().rem_euclid(MINUTE) == 0);
    let ends = query.end.is_none_or(|at| at.micros().rem_euclid(MINUTE) == MINUTE - 1);
    starts && ends && query.search.fits_rollup()
}
