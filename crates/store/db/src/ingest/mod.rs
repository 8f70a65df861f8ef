//! What the ingest loads and saves, in one transaction under its lease.
//!
//! The ingest decides; this module only moves rows, many per statement. [`IngestTx`] opens with the
//! fencing token, so nothing of a former holder is ever committed.

mod index;
mod load;
mod save;

use std::time::Duration;

use base_model::Timestamp;
use sea_orm::DatabaseTransaction;

use crate::dialect::Dialect;
use crate::sql::row;
use crate::{
    ArtifactRow, AttackerState, CommandRow, Db, DbError, ExtentRow, Lease, LogRow, RecordingRow,
    SessionRow, lease,
};

/// An ingest transaction.
pub struct IngestTx {
    transaction: DatabaseTransaction,
    dialect: Dialect,
}

impl Db {
    /// Begins a transaction as the holder of `lease`, which is renewed for `ttl`.
    ///
    /// # Errors
    /// [`DbError::Fenced`] when the lease passed to another holder.
    pub async fn begin_ingest(
        &self,
        lease: &Lease,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<IngestTx, DbError> {
        let transaction = self.begin().await?;
        lease::renew(&transaction, lease, now, ttl).await?;
        Ok(IngestTx { transaction, dialect: self.dialect() })
    }
}

impl IngestTx {
    /// Makes everything durable.
    ///
    /// # Errors
    /// When the database fails; then it is unknown whether the transaction happened, and doing it
    /// again is right either way.
    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.transaction.commit().await?)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rollback(self) -> Result<(), DbError> {
        Ok(self.transaction.rollback().await?)
    }
}

/// Everything that follows from a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Rows to add to `logs`.
    pub logs: Vec<LogRow>,
    /// Attackers as they now are.
    pub attackers: Vec<AttackerState>,
    /// Rows to add.
    pub commands: Vec<CommandRow>,
    /// Sessions as they now are.
    pub sessions: Vec<SessionRow>,
    /// Credentials as they now are.
    pub credentials: Vec<CredentialState>,
    /// Bounties as they now are.
    pub bounties: Vec<BountyState>,
    /// Rows to add.
    pub artifacts: Vec<ArtifactRow>,
    /// Events to add to roll-ups.
    pub rollup: Vec<RollupAdd>,
    /// Recordings as they now are.
    pub recordings: Vec<RecordingRow>,
    /// Rows to add, with their session.
    pub extents: Vec<(String, ExtentRow)>,
    /// Shards as they now are.
    pub shards: Vec<ShardRow>,
    /// How many rows of each kind are new.
    pub totals: Totals,
}

/// How many rows are new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// In `logs`.
    pub logs: u64,
    /// In `attackers`.
    pub attackers: u64,
    /// In `credentials`.
    pub credentials: u64,
    /// In `bounty`.
    pub bounties: u64,
}

/// A credential as ingest keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialState {
    /// SHA-256 over attacker, decky, service, kind, secret and principal.
    pub dedup_key: String,
    /// Address, or `Unknown`.
    pub attacker_ip: String,
    /// Whose, when known.
    pub attacker_uuid: Option<String>,
    /// On which decky.
    pub decky_name: String,
    /// Over which service.
    pub service: String,
    /// At most 256 characters.
    pub principal: Option<String>,
    /// How the secret travelled.
    pub secret_kind: String,
    /// Digest of the secret's bytes.
    pub secret_sha256: String,
    /// The exact bytes in base64.
    pub secret_b64: String,
    /// At most 512 characters.
    pub secret_printable: String,
    /// Service-specific fields, as JSON text; of the first sighting.
    pub fields: String,
    /// What changes with each try.
    pub tally: CredentialTally,
}

row! {
    /// What changes of a credential with each try.
    pub struct CredentialTally {
        /// Its key.
        pub dedup_key: String,
        /// Outcome of the last try that had one.
        pub outcome: Option<String>,
        /// First try.
        pub first_seen: Timestamp,
        /// Last try.
        pub last_seen: Timestamp,
        /// Tries.
        pub attempt_count: u64,
    }
}

/// A bounty as ingest keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct BountyState {
    /// Decky of the first sighting.
    pub decky: String,
    /// Service of the first sighting.
    pub service: String,
    /// The identity of the find, as JSON text.
    pub payload: String,
    /// What changes with each sighting.
    pub tally: BountyTally,
}

row! {
    /// What changes of a bounty with each sighting, with its key.
    pub struct BountyTally {
        /// SHA-256 of the canonical payload.
        pub payload_hash: String,
        /// `fingerprint`, `artifact`, …
        pub bounty_type: String,
        /// Address, or `Unknown`.
        pub attacker_ip: String,
        /// First sighting.
        pub timestamp: Timestamp,
        /// What surrounded the last sighting, as JSON text.
        pub context: String,
        /// Last sighting.
        pub last_seen: Timestamp,
        /// Sightings.
        pub seen_count: u64,
    }
}

/// Events to add to one roll-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupAdd {
    /// Minutes since the epoch.
    pub minute: i64,
    /// On which decky.
    pub decky: String,
    /// Over which service.
    pub service: String,
    /// Of which kind.
    pub event_type: String,
    /// How many.
    pub events: u64,
}

row! {
    /// A row of `transcript_shards`: how much of a shard file counts.
    pub struct ShardRow {
        /// Folder.
        pub decky: String,
        /// Folder below.
        pub service: String,
        /// File name.
        pub shard: String,
        /// Bytes of the file that are committed; what follows is the rest of a crash.
        pub committed: u64,
    }
}
