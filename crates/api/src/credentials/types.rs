//! Shapes of the credential route.

use serde::Serialize;
use serde_json::Value;
use store_db::CredentialRow;
use utoipa::ToSchema;

use crate::moment::Moment;

/// One secret of one attacker on one service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CredentialEntry {
    /// Row number.
    id: i64,
    /// Who: an address, or `Unknown`.
    attacker_ip: String,
    /// Whose, when known.
    attacker_uuid: Option<String>,
    /// On which decky.
    decky_name: String,
    /// Over which service.
    service: String,
    /// User, distinguished name, domain.
    principal: Option<String>,
    /// How the secret travelled.
    secret_kind: String,
    /// Digest of the secret.
    secret_sha256: String,
    /// The exact bytes in base64.
    secret_b64: String,
    /// What of them can be printed.
    secret_printable: String,
    /// `success`, `failure` or `observed`.
    outcome: Option<String>,
    /// What the first sighting said.
    #[schema(value_type = Object)]
    fields: Value,
    /// First try.
    first_seen: Moment,
    /// Last try.
    last_seen: Moment,
    /// Tries.
    attempt_count: u64,
}

impl From<CredentialRow> for CredentialEntry {
    fn from(row: CredentialRow) -> Self {
        Self {
            id: row.id,
            attacker_ip: row.attacker_ip,
            attacker_uuid: row.attacker_uuid,
            decky_name: row.decky_name,
            service: row.service,
            principal: row.principal,
            secret_kind: row.secret_kind,
            secret_sha256: row.secret_sha256,
            secret_b64: row.secret_b64,
            secret_printable: row.secret_printable,
            outcome: row.outcome,
            fields: row.fields,
            first_seen: row.first_seen.into(),
            last_seen: row.last_seen.into(),
            attempt_count: row.attempt_count,
        }
    }
}
