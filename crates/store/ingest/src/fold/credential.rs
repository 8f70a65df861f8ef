//! Tried credentials (`spec/ingest.md` §5).

use base_model::{Event, Sha256Digest, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use store_db::LogRow;
use store_db::ingest::{CredentialState, CredentialTally};

use super::derive::cut;

/// Longest principal, kind, printable secret and outcome of their columns, in characters.
const PRINCIPAL: usize = 256;
const KIND: usize = 32;
const PRINTABLE: usize = 512;
const OUTCOME: usize = 16;

/// A credential as one event shows it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) dedup_key: String,
    principal: Option<String>,
    kind: String,
    sha256: String,
    b64: String,
    printable: String,
    pub(crate) outcome: Option<String>,
    fields: String,
}

/// The credential in `event`, if there is a valid one.
pub(super) fn attempt(event: &Event, row: &LogRow) -> Option<Attempt> {
    let fields = &event.fields;
    let b64 = fields.text("secret_b64")?;
    let secret = STANDARD.decode(b64).ok()?;
    let name = if fields.get("principal").is_some() { "principal" } else { "username" };
    let principal = fields.text(name);
    let exact = fields.exact(name);
    let kind = fields.text("secret_kind").unwrap_or("plaintext");
    let sha256 = Sha256Digest::of(&secret).to_string();
    let mut key = Sha256::new();
    for part in [
        row.attacker_ip.as_bytes(),
        row.decky.as_bytes(),
        row.service.as_bytes(),
        kind.as_bytes(),
        sha256.as_bytes(),
        exact.as_deref().unwrap_or_default(),
    ] {
        key.update((part.len() as u64).to_be_bytes());
        key.update(part);
    }
    key.update([u8::from(principal.is_some())]);
    let printable = match fields.text("secret_printable") {
        Some(text) => cut(text, PRINTABLE).to_owned(),
        None => cut(&base_model::printable(&secret), PRINTABLE).to_owned(),
    };
    let is_whole = principal.is_none_or(|principal| cut(principal, PRINCIPAL) == principal);
    let dropped = |key: &str| {
        key.starts_with("secret_") || key == "outcome" || (is_whole && key == "principal")
    };
    let rest: serde_json::Map<_, _> = fields
        .iter()
        .filter(|(key, _)| !dropped(key))
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect();
    Some(Attempt {
        dedup_key: clustered(&row.attacker_ip, key.finalize().into()),
        principal: principal.map(|text| cut(text, PRINCIPAL).to_owned()),
        kind: cut(kind, KIND).to_owned(),
        sha256,
        b64: b64.to_owned(),
        printable,
        outcome: fields.text("outcome").map(|text| cut(text, OUTCOME).to_owned()),
        fields: serde_json::Value::Object(rest).to_string(),
    })
}

/// A key whose first digits are the attacker's, so that a batch touches the index in few places.
fn clustered(attacker: &str, digest: [u8; 32]) -> String {
    let cluster = Sha256Digest::of(attacker.as_bytes()).to_string();
    let digest = Sha256Digest::from_bytes(digest).to_string();
    [cluster.get(..8).unwrap_or_default(), digest.get(8..).unwrap_or_default()].concat()
}

/// The row of a credential met first in this batch.
pub(super) fn state(
    attempt: Attempt,
    known: Option<CredentialTally>,
    row: &LogRow,
    uuid: Option<&str>,
) -> CredentialState {
    let tally = match known {
        Some(mut tally) => {
            again(&mut tally, attempt.outcome, row.timestamp);
            tally
        }
        None => CredentialTally {
            dedup_key: attempt.dedup_key.clone(),
            outcome: attempt.outcome,
            first_seen: row.timestamp,
            last_seen: row.timestamp,
            attempt_count: 1,
        },
    };
    CredentialState {
        dedup_key: attempt.dedup_key,
        attacker_ip: row.attacker_ip.clone(),
        attacker_uuid: uuid.map(str::to_owned),
        decky_name: row.decky.clone(),
        service: row.service.clone(),
        principal: attempt.principal,
        secret_kind: attempt.kind,
        secret_sha256: attempt.sha256,
        secret_b64: attempt.b64,
        secret_printable: attempt.printable,
        fields: attempt.fields,
        tally,
    }
}

/// One more try.
pub(super) fn again(tally: &mut CredentialTally, outcome: Option<String>, at: Timestamp) {
    tally.attempt_count += 1;
    tally.first_seen = tally.first_seen.min(at);
    if at >= tally.last_seen || tally.outcome.is_none() {
        tally.outcome = outcome.or_else(|| tally.outcome.take());
    }
    tally.last_seen = tally.last_seen.max(at);
}
