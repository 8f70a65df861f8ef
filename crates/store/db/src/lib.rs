//! Schema, migrations and every SQL statement of DECNET, for SQLite and MariaDB/MySQL.
//!
//! Promises: no SQL and no driver type leaves this crate; every write is idempotent on a natural key
//! or says otherwise; a reader of a SQLite file never waits for the writer. It decides nothing about
//! events: what they mean is the ingest's business.
//!
//! [`Db::open`] takes a [`DbUrl`] and migrates. The repositories hang on [`Db`], one file each:
//!
//! | method | repository | reads | writes |
//! |---|---|---|---|
//! | [`Db::logs`] | [`Logs`] | `list`, `list_before`, `after`, `newest_seq`, `by_seq`, `by_seqs`, `histogram`, `count` | by ingest |
//! | [`Db::log_index`] | [`LogIndex`] | `position`, `next` | by the indexer |
//! | [`Db::attackers`] | [`Attackers`] | `list`, `by_uuid`, `by_ip`, `get_attacker_uuid_by_ip`, `fingerprints` | by ingest |
//! | [`Db::commands`] | [`Commands`] | `of_attacker`, `of_session` | by ingest |
//! | [`Db::sessions`] | [`Sessions`] | `by_sid`, `list`, `transcripts`, `recording`, `extents` | by ingest |
//! | [`Db::artifacts`] | [`Artifacts`] | `find`, `of_attacker` | by ingest |
//! | [`Db::credentials`] | [`Credentials`] | `list` | by ingest |
//! | [`Db::bounties`] | [`Bounties`] | `list`, `of_attacker`, `count_of_attacker` | by ingest |
//! | [`Db::observations`] | [`Observations`] | `latest_observation_per_primitive`, `observations_time_series`, `has_observations_for_evidence` | `upsert_observation` |
//! | [`Db::users`] | [`Users`] | `by_uuid`, `by_username`, `list`, `count_admins` | `create`, `set_password`, `set_role`, `delete` |
//! | [`Db::api_tokens`] | [`ApiTokens`] | `list`, `by_hash` | `create`, `used`, `revoke` |
//! | [`Db::revoked_tokens`] | [`RevokedTokens`] | `contains` | `revoke` |
//! | [`Db::audit`] | [`Audit`] | `list` | `insert` |
//! | [`Db::fleet`] | [`Fleet`] | `list`, `settings` | `change`, `note_configs`, `report`, `seen` |
//! | [`Db::lifecycle`] | [`Lifecycle`] | `by_ids`, `open` | with `fleet` |
//! | [`Db::quarantine`] | [`Quarantine`] | `list` | by ingest |
//! | [`Db::state`] | [`State`] | `get` | `set` |
//! | [`Db::stats`], [`Db::ping`] | | figures; liveness | |
//! | [`Db::ingest_lease`], [`ingest::IngestTx`] | | | the one writer of events |

pub mod api_tokens;
pub mod artifacts;
pub mod attackers;
pub mod audit;
pub mod bounty;
pub mod commands;
mod counters;
pub mod credentials;
mod db;
mod dialect;
mod error;
pub mod fleet;
pub mod index;
pub mod ingest;
pub mod lease;
pub mod lifecycle;
pub mod logs;
mod migrate;
pub mod observations;
pub mod page;
pub mod quarantine;
mod rows;
mod schema;
pub mod search;
pub mod sessions;
mod sql;
pub mod state;
pub mod stats;
pub mod syslog;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod tokens;
mod url;
pub mod users;

pub use api_tokens::{ApiTokenRow, ApiTokens};
pub use artifacts::{ArtifactRow, Artifacts};
pub use attackers::{
    AttackerOrder, AttackerQuery, AttackerRow, AttackerState, Attackers, Contact, ServiceActivity,
};
pub use audit::{Audit, AuditEntry, AuditRow};
pub use bounty::{Bounties, BountyQuery, BountyRow};
pub use commands::{CommandRow, Commands};
pub use credentials::{CredentialQuery, CredentialRow, Credentials};
pub use db::Db;
pub use error::{DbError, Source};
pub use fleet::{DeckyObserved, Fleet, FleetChange, FleetDeckyRow, FleetReport, FleetSettingsRow};
pub use index::{IndexBlock, LogIndex};
pub use lease::Lease;
pub use lifecycle::{Lifecycle, LifecycleRow, LifecycleStep};
pub use logs::{Bucket, LogCursor, LogQuery, LogRow, Logs};
pub use migrate::SchemaState;
pub use observations::{ObservationPoint, ObservationRow, Observations};
pub use page::{Page, Paging};
pub use quarantine::{Quarantine, QuarantineRow};
pub use search::Search;
pub use sessions::{ExtentRow, RecordingRow, SessionQuery, SessionRow, Sessions};
pub use sql::storable_time;
pub use state::State;
pub use stats::Stats;
pub use tokens::RevokedTokens;
pub use url::{DbUrl, MySqlUrl, UrlError};
pub use users::{Kept, UserRow, Users};

/// What stands in `attacker_ip` when nobody is known to have done it.
pub const UNKNOWN_ATTACKER: &str = "Unknown";
