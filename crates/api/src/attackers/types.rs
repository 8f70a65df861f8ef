//! Shapes of the attacker routes.

use serde::Serialize;
use serde_json::Value;
use store_db::{AttackerRow, CommandRow, ObservationRow, ServiceActivity};
use utoipa::ToSchema;

use crate::bounty::types::BountyEntry;
use crate::logs::types::LogEntry;
use crate::moment::Moment;

/// One source address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attacker {
    /// Stable id.
    pub(crate) uuid: String,
    /// Canonical address.
    pub(crate) ip: String,
    /// First event.
    pub(crate) first_seen: Moment,
    /// Last event.
    pub(crate) last_seen: Moment,
    /// Events.
    pub(crate) event_count: u64,
    /// Distinct services.
    pub(crate) service_count: u64,
    /// Distinct deckies.
    pub(crate) decky_count: u64,
    /// Distinct services, sorted.
    pub(crate) services: Vec<String>,
    /// Distinct deckies in order of first contact.
    pub(crate) deckies: Vec<String>,
    /// `a → b → c` when there are at least two.
    pub(crate) traversal_path: Option<String>,
    /// Whether at least two deckies were touched.
    pub(crate) is_traversal: bool,
    /// Bounties.
    pub(crate) bounty_count: u64,
    /// Credentials.
    pub(crate) credential_count: u64,
    /// When this last changed.
    pub(crate) updated_at: Moment,
    /// The newest fingerprints, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fingerprints: Option<Vec<BountyEntry>>,
    /// The newest commands, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commands: Option<Vec<Command>>,
    /// Behaviour over sessions; null while none is known.
    #[schema(value_type = Option<Object>)]
    pub(crate) behavior: Option<Value>,
}

impl From<AttackerRow> for Attacker {
    fn from(row: AttackerRow) -> Self {
        Self {
            uuid: row.uuid,
            ip: row.ip,
            first_seen: row.first_seen.into(),
            last_seen: row.last_seen.into(),
            event_count: row.event_count,
            service_count: row.service_count,
            decky_count: row.decky_count,
            services: row.services,
            deckies: row.deckies,
            traversal_path: row.traversal_path,
            is_traversal: row.is_traversal,
            bounty_count: row.bounty_count,
            credential_count: row.credential_count,
            updated_at: row.updated_at.into(),
            fingerprints: None,
            commands: None,
            behavior: None,
        }
    }
}

/// One attacker with all that is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttackerDetail {
    /// The row.
    #[serde(flatten)]
    pub(crate) attacker: Attacker,
    /// How services were met.
    pub(crate) service_activity: Activity,
    /// The newest ten addresses that leaked.
    pub(crate) ip_leaks: Vec<BountyEntry>,
    /// How many leaked.
    pub(crate) ip_leaks_total: u64,
    /// The latest of each behavioural primitive, by primitive.
    pub(crate) observations: Vec<Observation>,
}

/// How services were met; disjoint, each sorted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    /// Something was done with them.
    interacted: Vec<String>,
    /// They were looked at.
    scanned: Vec<String>,
}

impl From<ServiceActivity> for Activity {
    fn from(activity: ServiceActivity) -> Self {
        Self { interacted: activity.interacted, scanned: activity.scanned }
    }
}

/// One behavioural measurement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Observation {
    /// Dotted name.
    primitive: String,
    /// What was measured.
    value: Value,
    /// 0 to 1.
    confidence: f64,
    /// Seconds since the epoch.
    ts: f64,
    /// What produced it.
    source: String,
}

impl From<ObservationRow> for Observation {
    fn from(row: ObservationRow) -> Self {
        Self {
            primitive: row.primitive,
            value: row.value,
            confidence: row.confidence,
            ts: row.ts,
            source: row.source,
        }
    }
}

/// One thing an attacker typed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Command {
    /// Over which service.
    service: String,
    /// On which decky.
    decky: String,
    /// The text, whole.
    command: String,
    /// When.
    timestamp: Moment,
    /// In which session.
    session_id: Option<String>,
}

impl From<CommandRow> for Command {
    fn from(row: CommandRow) -> Self {
        Self {
            service: row.service,
            decky: row.decky,
            command: row.command,
            timestamp: row.ts.into(),
            session_id: row.session_id,
        }
    }
}

/// Events of an attacker.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Events {
    /// How many there are.
    pub(crate) total: u64,
    /// Rows asked for.
    pub(crate) limit: u64,
    /// Rows skipped.
    pub(crate) offset: u64,
    /// The rows, newest first.
    pub(crate) data: Vec<LogEntry>,
}
