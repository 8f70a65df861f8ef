//! Saving what a batch changed, many rows per statement.

use base_model::Timestamp;
use sea_orm::DatabaseTransaction;

use super::{Changes, IngestTx, Totals};
use crate::dialect::Dialect;
use crate::rows::Rows;
use crate::sql::{self, Row, address_key, args};
use crate::{
    ArtifactRow, AttackerState, CommandRow, DbError, LogRow, QuarantineRow, RecordingRow,
    SessionRow, counters,
};

/// Writes the rows of one table.
struct Table<'a> {
    transaction: &'a DatabaseTransaction,
    dialect: Dialect,
    rows: Rows,
}

impl Table<'_> {
    async fn add(self, table: &str, columns: &str) -> Result<(), DbError> {
        let head = self.dialect.insert_new(table, columns);
        self.rows.insert(self.transaction, self.dialect, &head, "").await
    }

    async fn set(self, table: &str, columns: &str, key: &str, set: &[&str]) -> Result<(), DbError> {
        let head = format!("INSERT INTO {table} ({columns})");
        let tail = self.dialect.on_conflict_set(key, set);
        self.rows.insert(self.transaction, self.dialect, &head, &tail).await
    }
}

impl IngestTx {
    /// Writes everything.
    ///
    /// # Errors
    /// When the database fails; the transaction is then good for nothing but a rollback.
    pub async fn save(&self, changes: Changes) -> Result<(), DbError> {
        self.logs(changes.logs).await?;
        self.save_attackers(changes.attackers).await?;
        self.commands(changes.commands).await?;
        self.save_sessions(changes.sessions).await?;
        self.save_credentials(changes.credentials).await?;
        self.save_bounties(changes.bounties).await?;
        self.artifacts(changes.artifacts).await?;
        self.rollup(changes.rollup).await?;
        self.save_recordings(changes.recordings).await?;
        self.save_extents(changes.extents).await?;
        self.save_shards(changes.shards).await?;
        self.totals(changes.totals).await
    }

    fn table(&self, width: usize, capacity: usize) -> Table<'_> {
        Table {
            transaction: &self.transaction,
            dialect: self.dialect,
            rows: Rows::new(width, capacity),
        }
    }

    async fn logs(&self, rows: Vec<LogRow>) -> Result<(), DbError> {
        let mut table = self.table(22, rows.len());
        for row in rows {
            let key = row.attacker_ip.parse().ok().map(address_key);
            table.rows.push(args![
                row.seq,
                row.event_uid,
                row.timestamp,
                row.received_at,
                row.sensor,
                row.boot,
                row.boot_seq,
                row.v,
                row.decky,
                row.decky_id,
                row.service,
                row.event_type,
                row.attacker_ip,
                row.src_port,
                row.dst_port,
                row.transport,
                row.session_id,
                row.conn_id,
                row.origin_id,
                row.synthetic,
                row.fields,
                key
            ]);
        }
        let columns = concat_columns(LogRow::COLUMNS, "attacker_key");
        table.add("logs", &columns).await
    }

    async fn save_attackers(&self, rows: Vec<AttackerState>) -> Result<(), DbError> {
        let columns = "`uuid`,`ip`,`ip_key`,`first_seen`,`last_seen`,`event_count`,\
            `service_count`,`decky_count`,`services`,`activity`,`deckies`,`contacts`,\
            `traversal_path`,`is_traversal`,`bounty_count`,`credential_count`,`updated_at`";
        let mut table = self.table(17, rows.len());
        for row in rows {
            let deckies: Vec<&str> = row.contacts.iter().map(|c| c.0.as_str()).collect();
            let services: Vec<&String> = row.activity.keys().collect();
            let is_traversal = deckies.len() > 1;
            let key = row.ip.parse().ok().map(address_key).unwrap_or_default();
            table.rows.push(args![
                row.uuid,
                row.ip,
                key,
                row.first_seen,
                row.last_seen,
                row.event_count,
                services.len() as u64,
                deckies.len() as u64,
                sql::json(&services),
                sql::json(&row.activity),
                sql::json(&deckies),
                sql::json(&row.contacts),
                is_traversal.then(|| deckies.join(" → ")),
                is_traversal,
                row.bounty_count,
                row.credential_count,
                row.updated_at
            ]);
        }
        let set = [
            "first_seen",
            "last_seen",
            "event_count",
            "service_count",
            "decky_count",
            "services",
            "activity",
            "deckies",
            "contacts",
            "traversal_path",
            "is_traversal",
            "bounty_count",
            "credential_count",
            "updated_at",
        ];
        table.set("attackers", columns, "`uuid`", &set).await
    }

    async fn commands(&self, rows: Vec<CommandRow>) -> Result<(), DbError> {
        let mut table = self.table(7, rows.len());
        for row in rows {
            table.rows.push(args![
                row.event_uid,
                row.attacker_uuid,
                row.session_id,
                row.decky,
                row.service,
                row.command,
                row.ts
            ]);
        }
        table.add("attacker_commands", CommandRow::COLUMNS).await
    }

    async fn save_sessions(&self, rows: Vec<SessionRow>) -> Result<(), DbError> {
        let mut table = self.table(14, rows.len());
        for row in rows {
            table.rows.push(args![
                row.sid,
                row.attacker_uuid,
                row.attacker_ip,
                row.decky,
                row.decky_id,
                row.service,
                row.principal,
                row.started_at,
                row.ended_at,
                sea_orm::Value::from(row.duration_s),
                row.interactive,
                row.command_count,
                row.truncated,
                row.recorded_seq
            ]);
        }
        let set = [
            "principal",
            "started_at",
            "ended_at",
            "duration_s",
            "interactive",
            "command_count",
            "truncated",
            "recorded_seq",
        ];
        table.set("sessions", SessionRow::COLUMNS, "`sid`", &set).await
    }

    async fn save_credentials(&self, rows: Vec<super::CredentialState>) -> Result<(), DbError> {
        let columns = "`dedup_key`,`attacker_ip`,`attacker_uuid`,`decky_name`,`service`,\
            `principal`,`secret_kind`,`secret_sha256`,`secret_b64`,`secret_printable`,`fields`,\
            `outcome`,`first_seen`,`last_seen`,`attempt_count`";
        let mut table = self.table(15, rows.len());
        for row in rows {
            table.rows.push(args![
                row.dedup_key,
                row.attacker_ip,
                row.attacker_uuid,
                row.decky_name,
                row.service,
                row.principal,
                row.secret_kind,
                row.secret_sha256,
                row.secret_b64,
                row.secret_printable,
                row.fields,
                row.tally.outcome,
                row.tally.first_seen,
                row.tally.last_seen,
                row.tally.attempt_count
            ]);
        }
        let set = ["outcome", "first_seen", "last_seen", "attempt_count"];
        table.set("credentials", columns, "`dedup_key`", &set).await
    }

    async fn save_bounties(&self, rows: Vec<super::BountyState>) -> Result<(), DbError> {
        let columns = "`decky`,`service`,`payload`,`payload_hash`,`bounty_type`,`attacker_ip`,\
            `timestamp`,`context`,`last_seen`,`seen_count`";
        let mut table = self.table(10, rows.len());
        for row in rows {
            table.rows.push(args![
                row.decky,
                row.service,
                row.payload,
                row.tally.payload_hash,
                row.tally.bounty_type,
                row.tally.attacker_ip,
                row.tally.timestamp,
                row.tally.context,
                row.tally.last_seen,
                row.tally.seen_count
            ]);
        }
        let key = "`payload_hash`,`bounty_type`,`attacker_ip`";
        let set = ["timestamp", "context", "last_seen", "seen_count"];
        table.set("bounty", columns, key, &set).await
    }

    async fn artifacts(&self, rows: Vec<ArtifactRow>) -> Result<(), DbError> {
        let mut table = self.table(8, rows.len());
        for row in rows {
            table.rows.push(args![
                row.seq,
                row.sha256,
                row.size,
                row.stored_as,
                row.decky,
                row.service,
                row.attacker_uuid,
                row.at
            ]);
        }
        table.add("artifacts", ArtifactRow::COLUMNS).await
    }

    async fn rollup(&self, rows: Vec<super::RollupAdd>) -> Result<(), DbError> {
        let mut table = self.table(5, rows.len());
        for row in rows {
            table.rows.push(args![row.minute, row.decky, row.service, row.event_type, row.events]);
        }
        let head = "INSERT INTO event_rollup (`minute`,`decky`,`service`,`event_type`,`events`)";
        let key = "`minute`,`decky`,`service`,`event_type`";
        let tail = self.dialect.on_conflict_add(key, &["events"]);
        table.rows.insert(&self.transaction, self.dialect, head, &tail).await
    }

    async fn save_recordings(&self, rows: Vec<RecordingRow>) -> Result<(), DbError> {
        let mut table = self.table(7, rows.len());
        for row in rows {
            table.rows.push(args![
                row.sid,
                row.decky,
                row.service,
                row.shard,
                row.started_at,
                row.next_offset,
                row.bytes
            ]);
        }
        table.set("recordings", RecordingRow::COLUMNS, "`sid`", &["next_offset", "bytes"]).await
    }

    async fn save_extents(&self, rows: Vec<(String, crate::ExtentRow)>) -> Result<(), DbError> {
        let mut table = self.table(4, rows.len());
        for (sid, row) in rows {
            table.rows.push(args![sid, row.session_offset, row.shard_offset, row.length]);
        }
        let columns = "`sid`,`session_offset`,`shard_offset`,`length`";
        table.add("recording_extents", columns).await
    }

    async fn save_shards(&self, rows: Vec<super::ShardRow>) -> Result<(), DbError> {
        let mut table = self.table(4, rows.len());
        for row in rows {
            table.rows.push(args![row.decky, row.service, row.shard, row.committed]);
        }
        let key = "`decky`,`service`,`shard`";
        table.set("transcript_shards", super::ShardRow::COLUMNS, key, &["committed"]).await
    }

    async fn totals(&self, totals: Totals) -> Result<(), DbError> {
        let all = [
            (counters::LOGS, totals.logs),
            (counters::ATTACKERS, totals.attackers),
            (counters::CREDENTIALS, totals.credentials),
            (counters::BOUNTIES, totals.bounties),
        ];
        let mut rows = Rows::new(2, all.len());
        for (name, added) in all {
            rows.push(args![name, added]);
        }
        let tail = self.dialect.on_conflict_add("`name`", &["value"]);
        let head = "INSERT INTO counters (`name`,`value`)";
        rows.insert(&self.transaction, self.dialect, head, &tail).await
    }

    /// Moves the cursor of a sensor's run to `seq`; its caller never moves it back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_cursor(
        &self,
        sensor: &str,
        boot: &str,
        seq: u64,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let tail = self.dialect.on_conflict_set("`sensor`,`boot`", &["seq", "updated_at"]);
        let sql = format!(
            "INSERT INTO ingest_cursors (`sensor`,`boot`,`seq`,`updated_at`) VALUES (?,?,?,?){tail}"
        );
        sql::execute(&self.transaction, &sql, args![sensor, boot, seq, now]).await?;
        Ok(())
    }

    /// Sets a value of `state` in this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_state(&self, key: &str, value: &serde_json::Value) -> Result<(), DbError> {
        let tail = self.dialect.on_conflict_set("`key`", &["value"]);
        let sql = format!("INSERT INTO state (`key`,`value`) VALUES (?,?){tail}");
        sql::execute(&self.transaction, &sql, args![key, value.to_string()]).await?;
        Ok(())
    }

    /// Keeps a record that could not be stored, once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quarantine(&self, row: QuarantineRow) -> Result<(), DbError> {
        let nothing = self.dialect.on_conflict_nothing("`sensor`,`boot`,`boot_seq`", "boot_seq");
        let sql = format!(
            "INSERT INTO quarantine (`sensor`,`boot`,`boot_seq`,`at`,`error`,`record`) \
             VALUES (?,?,?,?,?,?){nothing}"
        );
        let args = args![row.sensor, row.boot, row.boot_seq, row.at, row.error, row.record];
        sql::execute(&self.transaction, &sql, args).await?;
        Ok(())
    }
}

fn concat_columns(columns: &str, more: &str) -> String {
    format!("{columns},`{more}`")
}
