//! The tables, as templates that [`crate::dialect`] makes concrete.
//!
//! Names follow `spec/storage.md` §3. A column is here once something fills it. Uniqueness over
//! attacker text goes through SHA-256, because text columns on MariaDB have a longest key and ignore
//! trailing blanks.

/// Tables of the first release, parents first.
pub(crate) const TABLES: &[&str] = &[
    "CREATE TABLE users (
        `uuid` @ascii(36) NOT NULL PRIMARY KEY,
        `username` @str(64) NOT NULL,
        `password_hash` @str(255) NOT NULL,
        `role` @ascii(16) NOT NULL,
        `must_change_password` BOOLEAN NOT NULL,
        `tokens_valid_from` @time NULL
    )",
    "CREATE TABLE revoked_tokens (
        `jti` @ascii(64) NOT NULL PRIMARY KEY,
        `user_uuid` @ascii(36) NOT NULL,
        `expires_at` @time NOT NULL,
        `revoked_at` @time NOT NULL
    ) @clustered",
    "CREATE TABLE audit_log (
        `id` @auto,
        `at` @time NOT NULL,
        `user_uuid` @ascii(36) NULL,
        `username` @str(64) NULL,
        `ip` @str(45) NULL,
        `action` @str(64) NOT NULL,
        `target` @str(255) NULL,
        `ok` BOOLEAN NOT NULL,
        `detail` @text NOT NULL
    )",
    // `id` is the spec's name of the row number that ingest assigns.
    "CREATE TABLE logs (
        `seq` @rowid NOT NULL PRIMARY KEY,
        `id` BIGINT GENERATED ALWAYS AS (`seq`) VIRTUAL,
        `event_uid` @ascii(32) NOT NULL,
        `timestamp` @time NOT NULL,
        `received_at` @time NOT NULL,
        `sensor` @ascii(36) NOT NULL,
        `boot` @ascii(36) NOT NULL,
        `boot_seq` BIGINT NOT NULL,
        `v` INT NOT NULL,
        `decky` @str(64) NOT NULL,
        `decky_id` @ascii(36) NOT NULL,
        `service` @str(64) NOT NULL,
        `event_type` @str(64) NOT NULL,
        `attacker_ip` @str(45) NOT NULL,
        `attacker_key` @bytes16 NULL,
        `src_port` INT NULL,
        `dst_port` INT NULL,
        `transport` @ascii(3) NOT NULL,
        `session_id` @ascii(36) NULL,
        `conn_id` @ascii(36) NULL,
        `origin_id` @ascii(36) NULL,
        `synthetic` BOOLEAN NOT NULL,
        `fields` @text NOT NULL
    )",
    "CREATE TABLE bounty (
        `id` @auto,
        `timestamp` @time NOT NULL,
        `decky` @str(64) NOT NULL,
        `service` @str(64) NOT NULL,
        `attacker_ip` @str(45) NOT NULL,
        `bounty_type` @str(32) NOT NULL,
        `payload` @text NOT NULL,
        `payload_hash` @ascii(64) NOT NULL,
        `context` @text NOT NULL,
        `last_seen` @time NOT NULL,
        `seen_count` BIGINT NOT NULL
    )",
    "CREATE TABLE attackers (
        `uuid` @ascii(36) NOT NULL PRIMARY KEY,
        `ip` @ascii(45) NOT NULL,
        `ip_key` @bytes16 NOT NULL,
        `first_seen` @time NOT NULL,
        `last_seen` @time NOT NULL,
        `event_count` BIGINT NOT NULL,
        `service_count` BIGINT NOT NULL,
        `decky_count` BIGINT NOT NULL,
        `services` @text NOT NULL,
        `activity` @text NOT NULL,
        `deckies` @text NOT NULL,
        `contacts` @text NOT NULL,
        `traversal_path` @text NULL,
        `is_traversal` BOOLEAN NOT NULL,
        `bounty_count` BIGINT NOT NULL,
        `credential_count` BIGINT NOT NULL,
        `updated_at` @time NOT NULL
    )",
    "CREATE TABLE attacker_commands (
        `event_uid` @ascii(32) NOT NULL PRIMARY KEY,
        `attacker_uuid` @ascii(36) NOT NULL,
        `session_id` @ascii(36) NULL,
        `decky` @str(64) NOT NULL,
        `service` @str(64) NOT NULL,
        `command` @text NOT NULL,
        `ts` @time NOT NULL
    ) @clustered",
    "CREATE TABLE credentials (
        `id` @auto,
        `dedup_key` @ascii(64) NOT NULL,
        `attacker_ip` @str(45) NOT NULL,
        `attacker_uuid` @ascii(36) NULL,
        `decky_name` @str(64) NOT NULL,
        `service` @str(64) NOT NULL,
        `principal` @str(256) NULL,
        `secret_kind` @str(32) NOT NULL,
        `secret_sha256` @ascii(64) NOT NULL,
        `secret_b64` @text NOT NULL,
        `secret_printable` @str(512) NOT NULL,
        `outcome` @str(16) NULL,
        `fields` @text NOT NULL,
        `first_seen` @time NOT NULL,
        `last_seen` @time NOT NULL,
        `attempt_count` BIGINT NOT NULL
    )",
    "CREATE TABLE sessions (
        `sid` @ascii(36) NOT NULL PRIMARY KEY,
        `attacker_uuid` @ascii(36) NULL,
        `attacker_ip` @str(45) NOT NULL,
        `decky` @str(64) NOT NULL,
        `decky_id` @ascii(36) NOT NULL,
        `service` @str(64) NOT NULL,
        `principal` @text NULL,
        `started_at` @time NOT NULL,
        `ended_at` @time NULL,
        `duration_s` DOUBLE NULL,
        `interactive` BOOLEAN NULL,
        `command_count` BIGINT NOT NULL,
        `truncated` BOOLEAN NOT NULL,
        `recorded_seq` BIGINT NULL
    ) @clustered",
    "CREATE TABLE recordings (
        `sid` @ascii(36) NOT NULL PRIMARY KEY,
        `decky` @str(64) NOT NULL,
        `service` @str(64) NOT NULL,
        `shard` @ascii(48) NOT NULL,
        `started_at` @time NOT NULL,
        `next_offset` BIGINT NOT NULL,
        `bytes` BIGINT NOT NULL
    ) @clustered",
    "CREATE TABLE recording_extents (
        `sid` @ascii(36) NOT NULL,
        `session_offset` BIGINT NOT NULL,
        `shard_offset` BIGINT NOT NULL,
        `length` BIGINT NOT NULL,
        PRIMARY KEY (`sid`, `session_offset`)
    ) @clustered",
    "CREATE TABLE transcript_shards (
        `decky` @str(64) NOT NULL,
        `service` @str(64) NOT NULL,
        `shard` @ascii(48) NOT NULL,
        `committed` BIGINT NOT NULL,
        PRIMARY KEY (`decky`, `service`, `shard`)
    ) @clustered",
    "CREATE TABLE artifacts (
        `seq` @rowid NOT NULL PRIMARY KEY,
        `sha256` @ascii(64) NOT NULL,
        `size` BIGINT NOT NULL,
        `stored_as` @str(320) NOT NULL,
        `decky` @str(64) NOT NULL,
        `service` @str(64) NOT NULL,
        `attacker_uuid` @ascii(36) NULL,
        `at` @time NOT NULL
    )",
    "CREATE TABLE observations (
        `id` @ascii(32) NOT NULL PRIMARY KEY,
        `identity_ref` @ascii(36) NULL,
        `primitive` @str(128) NOT NULL,
        `value` @text NOT NULL,
        `confidence` DOUBLE NOT NULL,
        `window_start_ts` DOUBLE NOT NULL,
        `window_end_ts` DOUBLE NOT NULL,
        `source` @str(255) NOT NULL,
        `evidence_ref` @str(255) NOT NULL,
        `envelope_v` INT NOT NULL,
        `ts` DOUBLE NOT NULL,
        `attacker_uuid` @ascii(36) NOT NULL,
        CONSTRAINT fk_observations_attacker FOREIGN KEY (`attacker_uuid`) REFERENCES attackers(`uuid`)
    )",
    "CREATE TABLE event_rollup (
        `minute` BIGINT NOT NULL,
        `decky` @str(64) NOT NULL,
        `service` @str(64) NOT NULL,
        `event_type` @str(64) NOT NULL,
        `events` BIGINT NOT NULL,
        PRIMARY KEY (`minute`, `decky`, `service`, `event_type`)
    ) @clustered",
    "CREATE TABLE fleet_deckies (
        `host_uuid` @ascii(36) NOT NULL,
        `name` @str(64) NOT NULL,
        `services` @text NOT NULL,
        `decky_config` @text NULL,
        `decky_ip` @ascii(45) NULL,
        `state` @str(24) NOT NULL,
        `last_error` @text NULL,
        `last_seen` @time NULL,
        `updated_at` @time NOT NULL,
        PRIMARY KEY (`host_uuid`, `name`)
    )",
    "CREATE TABLE state (
        `key` @ascii(128) NOT NULL PRIMARY KEY,
        `value` @text NOT NULL
    ) @clustered",
    // Running numbers and totals, moved in the transaction of the rows they count.
    "CREATE TABLE counters (
        `name` @ascii(64) NOT NULL PRIMARY KEY,
        `value` BIGINT NOT NULL
    ) @clustered",
    "CREATE TABLE ingest_lease (
        `id` INT NOT NULL PRIMARY KEY,
        `holder` @str(255) NOT NULL,
        `token` BIGINT NOT NULL,
        `expires_at` BIGINT NOT NULL
    )",
    "CREATE TABLE ingest_cursors (
        `sensor` @ascii(36) NOT NULL,
        `boot` @ascii(36) NOT NULL,
        `seq` BIGINT NOT NULL,
        `updated_at` @time NOT NULL,
        PRIMARY KEY (`sensor`, `boot`)
    ) @clustered",
    "CREATE TABLE quarantine (
        `sensor` @ascii(36) NOT NULL,
        `boot` @ascii(36) NOT NULL,
        `boot_seq` BIGINT NOT NULL,
        `at` @time NOT NULL,
        `error` @text NOT NULL,
        `record` @text NOT NULL,
        PRIMARY KEY (`sensor`, `boot`, `boot_seq`)
    )",
];

/// Indices, each for a query that an operator waits for.
pub(crate) const INDICES: &[&str] = &[
    "CREATE UNIQUE INDEX uq_users_username ON users (`username`)",
    "CREATE INDEX ix_revoked_tokens_expires ON revoked_tokens (`expires_at`)",
    "CREATE INDEX ix_audit_log_at ON audit_log (`at`)",
    "CREATE UNIQUE INDEX uq_logs_event_uid ON logs (`event_uid`)",
    "CREATE INDEX ix_logs_timestamp ON logs (`timestamp`)",
    "CREATE INDEX ix_logs_attacker ON logs (`attacker_key`, `seq`)",
    "CREATE INDEX ix_logs_decky ON logs (`decky`, `timestamp`)",
    "CREATE INDEX ix_logs_kind ON logs (`service`, `event_type`, `timestamp`)",
    "CREATE INDEX ix_logs_session ON logs (`session_id`)",
    "CREATE UNIQUE INDEX uq_bounty_dedup ON bounty (`payload_hash`, `bounty_type`, `attacker_ip`)",
    "CREATE INDEX ix_bounty_attacker ON bounty (`attacker_ip`, `bounty_type`, `timestamp`)",
    "CREATE INDEX ix_bounty_timestamp ON bounty (`timestamp`)",
    "CREATE UNIQUE INDEX uq_attackers_ip ON attackers (`ip`)",
    "CREATE INDEX ix_attackers_last_seen ON attackers (`last_seen`)",
    "CREATE INDEX ix_attackers_event_count ON attackers (`event_count`)",
    "CREATE INDEX ix_attackers_traversal ON attackers (`is_traversal`, `last_seen`)",
    "CREATE INDEX ix_attacker_commands_attacker ON attacker_commands (`attacker_uuid`, `ts`)",
    "CREATE INDEX ix_attacker_commands_session ON attacker_commands (`session_id`, `ts`)",
    "CREATE UNIQUE INDEX uq_credentials_dedup ON credentials (`dedup_key`)",
    "CREATE INDEX ix_credentials_last_seen ON credentials (`last_seen`)",
    "CREATE INDEX ix_credentials_attacker ON credentials (`attacker_ip`, `last_seen`)",
    "CREATE INDEX ix_sessions_attacker ON sessions (`attacker_uuid`, `started_at`)",
    "CREATE INDEX ix_sessions_started ON sessions (`started_at`)",
    "CREATE INDEX ix_artifacts_attacker ON artifacts (`attacker_uuid`, `seq`)",
    "CREATE INDEX ix_artifacts_stored ON artifacts (`decky`, `service`, `stored_as`)",
    "CREATE UNIQUE INDEX uq_observations_evidence_primitive ON observations (`evidence_ref`, `primitive`)",
    "CREATE INDEX ix_observations_attacker_primitive_ts ON observations (`attacker_uuid`, `primitive`, `ts`)",
    "CREATE INDEX ix_observations_primitive_ts ON observations (`primitive`, `ts`)",
    "CREATE INDEX ix_recordings_place ON recordings (`decky`, `service`, `shard`)",
];

/// Changes of the fleet under way and done, and the network it is on.
pub(crate) const FLEET: &[&str] = &[
    "CREATE TABLE decky_lifecycle (
        `id` @ascii(36) NOT NULL PRIMARY KEY,
        `decky_name` @str(64) NOT NULL,
        `operation` @ascii(16) NOT NULL,
        `status` @ascii(16) NOT NULL,
        `error` @text NULL,
        `started_at` @time NOT NULL,
        `updated_at` @time NOT NULL,
        `completed_at` @time NULL
    )",
    "CREATE TABLE fleet_settings (
        `id` INT NOT NULL PRIMARY KEY,
        `subnet` @ascii(18) NOT NULL,
        `gateway` @ascii(15) NULL,
        `ip_start` @ascii(15) NOT NULL,
        `domain` @str(253) NULL,
        `updated_at` @time NOT NULL
    )",
];

/// Which columns of them are looked up by.
pub(crate) const FLEET_INDICES: &[&str] =
    &["CREATE INDEX ix_lifecycle_status ON decky_lifecycle (`status`)"];

/// Keys for programs, by hash.
pub(crate) const API_TOKENS: &[&str] = &["CREATE TABLE api_tokens (
        `uuid` @ascii(36) NOT NULL PRIMARY KEY,
        `name` @str(64) NOT NULL,
        `token_hash` @ascii(64) NOT NULL,
        `role` @ascii(16) NOT NULL,
        `user_uuid` @ascii(36) NULL,
        `created_by` @str(64) NOT NULL,
        `created_at` @time NOT NULL,
        `expires_at` @time NULL,
        `last_used_at` @time NULL
    )"];

/// Which columns of them are unique.
pub(crate) const API_TOKENS_INDICES: &[&str] = &[
    "CREATE UNIQUE INDEX uq_api_tokens_name ON api_tokens (`name`)",
    "CREATE UNIQUE INDEX uq_api_tokens_hash ON api_tokens (`token_hash`)",
];

/// The index of texts in the log; see [`crate::index`].
pub(crate) const LOG_INDEX: &[&str] = &[
    "CREATE TABLE log_index (
        `id` @rowid NOT NULL PRIMARY KEY,
        `slots` @bytes NOT NULL
    )",
    "CREATE TABLE log_index_blocks (
        `block` @rowid NOT NULL PRIMARY KEY,
        `oldest` @time NOT NULL,
        `newest` @time NOT NULL
    )",
];
