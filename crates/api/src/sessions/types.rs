//! Shapes of the session routes.

use serde::Serialize;
use store_db::SessionRow;
use utoipa::ToSchema;

use crate::moment::Moment;

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) sid: String,
    /// Whose; null for DECNET's own traffic.
    pub(crate) attacker_uuid: Option<String>,
    /// Address, or `Unknown`.
    pub(crate) attacker_ip: String,
    /// On which decky.
    pub(crate) decky: String,
    /// Over which service.
    pub(crate) service: String,
    /// Who they logged in as.
    pub(crate) principal: Option<String>,
    /// First sign of it.
    pub(crate) started_at: Moment,
    /// Its end, once known.
    pub(crate) ended_at: Option<Moment>,
    /// Seconds it took, once it ended.
    pub(crate) duration_s: Option<f64>,
    /// Whether there was a terminal, once known.
    pub(crate) interactive: Option<bool>,
    /// Commands in it.
    pub(crate) command_count: u64,
    /// Whether there is a whole recording.
    pub(crate) recorded: bool,
    /// Whether its recording stopped at the limit.
    pub(crate) truncated: bool,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            sid: row.sid,
            attacker_uuid: row.attacker_uuid,
            attacker_ip: row.attacker_ip,
            decky: row.decky,
            service: row.service,
            principal: row.principal,
            started_at: row.started_at.into(),
            ended_at: row.ended_at.map(Moment::from),
            duration_s: row.duration_s,
            interactive: row.interactive,
            command_count: row.command_count,
            recorded: row.recorded_seq.is_some(),
            truncated: row.truncated,
        }
    }
}
