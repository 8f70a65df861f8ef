//! Loading what a batch touches, a few hundred keys per query.

use std::collections::BTreeSet;

use sea_orm::Value;

use super::{BountyTally, CredentialTally, IngestTx, ShardRow};
use crate::sql::{self, Bind, Column, Row, args};
use crate::{AttackerState, DbError, ExtentRow, RecordingRow, SessionRow, counters};

impl IngestTx {
    /// The last record of a sensor's run that is stored; 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cursor(&self, sensor: &str, boot: &str) -> Result<u64, DbError> {
        let sql = "SELECT `seq` FROM ingest_cursors WHERE `sensor`=? AND `boot`=?";
        let seq = sql::scalar::<i64>(&self.transaction, sql, args![sensor, boot]).await?;
        Ok(seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
    }

    /// Number of the newest row of `logs`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_seq(&self) -> Result<u64, DbError> {
        let sql = "SELECT `value` FROM counters WHERE `name`=?";
        let value = sql::scalar::<i64>(&self.transaction, sql, args![counters::LOGS]).await?;
        Ok(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
    }

    /// Which of these events are stored. `uids` are sorted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_events(&self, uids: &[String]) -> Result<BTreeSet<String>, DbError> {
        // Ids begin with their time, so a batch is usually newer than all that is stored: one look
        // at the end of the index instead of one per event.
        let newest = "SELECT MAX(`event_uid`) FROM logs";
        let newest = sql::scalar::<String>(&self.transaction, newest, Vec::new()).await?;
        let Some(newest) = newest else { return Ok(BTreeSet::new()) };
        let candidates = uids.partition_point(|uid| *uid <= newest);
        let candidates = uids.get(..candidates).unwrap_or(uids);
        let mut known = BTreeSet::new();
        for chunk in sql::key_chunks(candidates) {
            let places = places(chunk.len());
            let sql = format!("SELECT `event_uid` FROM logs WHERE `event_uid` IN ({places})");
            for row in sql::raw(&self.transaction, &sql, padded(chunk)).await? {
                known.insert(String::read(&row, 0)?);
            }
        }
        Ok(known)
    }

    /// Attackers by address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attackers(&self, ips: &[String]) -> Result<Vec<AttackerState>, DbError> {
        self.by_key("attackers", "ip", ips).await
    }

    /// Sessions by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&self, sids: &[String]) -> Result<Vec<SessionRow>, DbError> {
        self.by_key("sessions", "sid", sids).await
    }

    /// Credentials by key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn credentials(&self, keys: &[String]) -> Result<Vec<CredentialTally>, DbError> {
        self.by_key("credentials", "dedup_key", keys).await
    }

    /// Bounties by hash of the payload, of whatever type and attacker.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bounties(
        &self,
        hashes: &[String],
        ips: &[String],
    ) -> Result<Vec<BountyTally>, DbError> {
        // One payload (a popular client's banner) may belong to very many addresses.
        let columns = BountyTally::COLUMNS;
        let mut found = Vec::new();
        for hashes in sql::key_chunks(hashes) {
            for ips in sql::key_chunks(ips) {
                let (some_hashes, some_ips) = (places(hashes.len()), places(ips.len()));
                let sql = format!(
                    "SELECT {columns} FROM bounty WHERE `payload_hash` IN ({some_hashes}) \
                     AND `attacker_ip` IN ({some_ips})"
                );
                let mut args = padded(hashes);
                args.extend(padded(ips));
                found.extend(sql::all::<BountyTally>(&self.transaction, &sql, args).await?);
            }
        }
        Ok(found)
    }

    /// Recordings by session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recordings(&self, sids: &[String]) -> Result<Vec<RecordingRow>, DbError> {
        self.by_key("recordings", "sid", sids).await
    }

    /// The pieces of one recording.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn extents(&self, sid: &str) -> Result<Vec<ExtentRow>, DbError> {
        let columns = ExtentRow::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM recording_extents WHERE `sid`=? ORDER BY `session_offset`"
        );
        sql::all(&self.transaction, &sql, args![sid]).await
    }

    /// The shards of one decky and service whose name begins with `prefix`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shards(
        &self,
        decky: &str,
        service: &str,
        prefix: &str,
    ) -> Result<Vec<ShardRow>, DbError> {
        let columns = ShardRow::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM transcript_shards WHERE `decky`=? AND `service`=? \
             AND `shard`>=? AND `shard`<?"
        );
        let end = format!("{prefix}~");
        sql::all(&self.transaction, &sql, args![decky, service, prefix, end]).await
    }

    async fn by_key<R: Row>(
        &self,
        table: &str,
        column: &str,
        keys: &[String],
    ) -> Result<Vec<R>, DbError> {
        let columns = R::COLUMNS;
        let mut found = Vec::with_capacity(keys.len());
        for chunk in sql::key_chunks(keys) {
            let places = places(chunk.len());
            let sql = format!("SELECT {columns} FROM {table} WHERE `{column}` IN ({places})");
            found.extend(sql::all::<R>(&self.transaction, &sql, padded(chunk)).await?);
        }
        Ok(found)
    }
}

/// Lists are padded to a power of two by repeating their last key, so that few distinct statements
/// are prepared.
fn padded_length(count: usize) -> usize {
    count.next_power_of_two()
}

fn places(count: usize) -> String {
    sql::places(padded_length(count))
}

fn padded(keys: &[String]) -> Vec<Value> {
    let last = keys.last().into_iter().cycle();
    keys.iter().chain(last).take(padded_length(keys.len())).map(|key| key.as_str().bind()).collect()
}
