//! What the bus is told after a commit (`spec/bus.md` §5).

use std::collections::BTreeMap;

use base_model::Timestamp;
use events_bus::Bus;
use serde_json::{Value, json};
use store_db::ingest::CredentialState;
use store_db::{AttackerState, CommandRow, LogRow, SessionRow};

/// Most commands of a session that its end carries; the database has all.
pub(crate) const COMMANDS: u64 = 1000;

/// What happened in a batch, as keys into its changes.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) observed: Vec<Observed>,
    /// Ids of sessions heard of for the first time.
    pub(crate) started: Vec<String>,
    /// Ids of sessions that ended.
    pub(crate) ended: Vec<String>,
    pub(crate) captured: Vec<Captured>,
    /// Payloads of mail that came in.
    pub(crate) mails: Vec<Value>,
}

/// A source seen for the first time.
#[derive(Debug)]
pub(crate) struct Observed {
    uuid: String,
    ip: String,
    decky: String,
    service: String,
    event_type: String,
    first_seen: Timestamp,
}

impl Observed {
    pub(crate) fn of(uuid: &str, row: &LogRow) -> Self {
        Self {
            uuid: uuid.to_owned(),
            ip: row.attacker_ip.clone(),
            decky: row.decky.clone(),
            service: row.service.clone(),
            event_type: row.event_type.clone(),
            first_seen: row.timestamp,
        }
    }
}

/// A credential tried in the batch.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) key: String,
    pub(crate) is_new: bool,
}

/// Payloads, made before the rows are handed to the database and only when somebody listens.
#[derive(Debug, Default)]
pub(crate) struct Outbox(Vec<(&'static str, Value)>);

const OBSERVED: &str = "attacker.observed";
const SCORED: &str = "attacker.scored";
const STARTED: &str = "attacker.session.started";
/// Topic of the end of a session.
pub(crate) const ENDED: &str = "attacker.session.ended";
const CAPTURED: &str = "credential.captured";
const RECEIVED: &str = "email.received";
/// Topic of a batch that is committed.
pub(crate) const LOG: &str = "system.log";

impl Outbox {
    /// What to publish once `changes` are committed. Ends of sessions come separately, because
    /// their commands must be read back.
    pub(crate) fn of(bus: &Bus, signals: &Signals, changes: &store_db::ingest::Changes) -> Self {
        let mut outbox = Self::default();
        if let Some(last) = changes.logs.last() {
            outbox.0.push((
                LOG,
                json!({
                    "type": "batch_committed",
                    "component": "ingester",
                    "flushed": changes.logs.len(),
                    "last_log_id": last.seq,
                }),
            ));
        }
        outbox
            .0
            .extend(signals.observed.iter().map(|observed| (OBSERVED, observed_json(observed))));
        if !signals.started.is_empty() && bus.wants(STARTED) {
            let started = |sid: &String| changes.sessions.iter().find(|row| row.sid == *sid);
            let rows = signals.started.iter().filter_map(started);
            outbox.0.extend(rows.map(|row| (STARTED, started_json(row))));
        }
        if bus.wants(CAPTURED) {
            let is_new: BTreeMap<&str, bool> =
                signals.captured.iter().map(|c| (c.key.as_str(), c.is_new)).collect();
            for row in &changes.credentials {
                if let Some(is_new) = is_new.get(row.dedup_key.as_str()) {
                    outbox.0.push((CAPTURED, captured_json(row, *is_new)));
                }
            }
        }
        if bus.wants(RECEIVED) {
            outbox.0.extend(signals.mails.iter().map(|mail| (RECEIVED, mail.clone())));
        }
        if bus.wants(SCORED) {
            outbox.0.extend(changes.attackers.iter().map(|row| (SCORED, scored_json(row))));
        }
        outbox
    }

    pub(crate) fn publish(self, bus: &Bus) {
        for (topic, payload) in self.0 {
            bus.publish(topic, payload);
        }
    }
}

fn observed_json(observed: &Observed) -> Value {
    json!({
        "attacker_uuid": observed.uuid,
        "attacker_ip": observed.ip,
        "decky": observed.decky,
        "service": observed.service,
        "event_type": observed.event_type,
        "first_seen": observed.first_seen.rfc3339(3),
    })
}

fn scored_json(row: &AttackerState) -> Value {
    json!({
        "attacker_uuid": row.uuid,
        "attacker_ip": row.ip,
        "event_count": row.event_count,
        "service_count": row.activity.len(),
        "decky_count": row.contacts.len(),
        "bounty_count": row.bounty_count,
        "credential_count": row.credential_count,
        "is_traversal": row.contacts.len() > 1,
    })
}

fn started_json(row: &SessionRow) -> Value {
    json!({
        "session_id": row.sid,
        "attacker_uuid": row.attacker_uuid,
        "attacker_ip": row.attacker_ip,
        "decky_id": row.decky_id,
        "decky": row.decky,
        "service": row.service,
        "started_at": row.started_at.rfc3339(3),
        "principal": row.principal,
    })
}

/// The end of a session with what was done in it.
pub(crate) fn ended_json(row: &SessionRow, commands: &[CommandRow], shard: Option<&str>) -> Value {
    let commands: Vec<Value> = commands
        .iter()
        .enumerate()
        .map(|(n, command)| {
            json!({
                "id": format!("{}#{n}", row.sid),
                "command_text": command.command,
                "ts": command.ts.rfc3339(3),
                "decky": command.decky,
                "service": command.service,
                "src": row.attacker_ip,
            })
        })
        .collect();
    json!({
        "session_id": row.sid,
        "attacker_uuid": row.attacker_uuid,
        "attacker_ip": row.attacker_ip,
        "decky_id": row.decky_id,
        "decky": row.decky,
        "service": row.service,
        "ended_at": row.ended_at.map(|at| at.rfc3339(3)),
        "duration_s": row.duration_s,
        "interactive": row.interactive,
        "commands": commands,
        "shard_path": shard,
    })
}

fn captured_json(row: &CredentialState, is_new: bool) -> Value {
    json!({
        "secret_sha256": row.secret_sha256,
        "secret_kind": row.secret_kind,
        "attacker_ip": row.attacker_ip,
        "attacker_uuid": row.attacker_uuid,
        "decky": row.decky_name,
        "service": row.service,
        "principal": row.principal,
        "attempt_count": row.tally.attempt_count,
        "new": is_new,
    })
}
