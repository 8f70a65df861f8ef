//! Shapes of the bounty route.

use serde::Serialize;
use serde_json::Value;
use store_db::BountyRow;
use utoipa::ToSchema;

use crate::moment::Moment;

/// One distinct find.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BountyEntry {
    /// Row number.
    id: i64,
    /// First sighting.
    timestamp: Moment,
    /// Last sighting.
    last_seen: Moment,
    /// Sightings.
    seen_count: u64,
    /// Decky of the first sighting.
    decky: String,
    /// Service of the first sighting.
    service: String,
    /// Who: an address, or `Unknown`.
    attacker_ip: String,
    /// `fingerprint`, `artifact`, `ip_leak`, …
    bounty_type: String,
    /// The find.
    #[schema(value_type = Object)]
    payload: Value,
    /// What surrounded the last sighting.
    #[schema(value_type = Object)]
    context: Value,
}

impl From<BountyRow> for BountyEntry {
    fn from(row: BountyRow) -> Self {
        Self {
            id: row.id,
            timestamp: row.timestamp.into(),
            last_seen: row.last_seen.into(),
            seen_count: row.seen_count,
            decky: row.decky,
            service: row.service,
            attacker_ip: row.attacker_ip,
            bounty_type: row.bounty_type,
            payload: row.payload,
            context: row.context,
        }
    }
}
