//! The decisions: existing rows and new events in, changed rows out. No I/O, no clock.
//!
//! The result does not depend on how events are cut into batches, and hardly on their order: minima,
//! maxima, sums and sets commute.

mod attacker;
mod credential;
mod derive;
mod session;

use std::collections::BTreeMap;

use base_model::Timestamp;
use store_db::ingest::{
    BountyState, BountyTally, Changes, CredentialState, CredentialTally, RollupAdd, Totals,
};
use store_db::{ArtifactRow, AttackerState, CommandRow, SessionRow};

pub(crate) use derive::{Derived, Source, derive};

use crate::finds::Find;
use crate::signals::{Captured, Observed, Signals};

/// What the database holds of the rows that a batch touches.
#[derive(Debug, Default)]
pub(crate) struct Existing {
    /// Number of the newest row of `logs`.
    pub(crate) last_seq: u64,
    /// By address.
    pub(crate) attackers: BTreeMap<String, AttackerState>,
    /// By id.
    pub(crate) sessions: BTreeMap<String, SessionRow>,
    /// By key.
    pub(crate) credentials: BTreeMap<String, CredentialTally>,
    /// By payload hash, type and address.
    pub(crate) bounties: BTreeMap<BountyKey, BountyTally>,
}

/// Payload hash, type, address.
pub(crate) type BountyKey = (String, String, String);

pub(crate) fn bounty_key(tally: &BountyTally) -> BountyKey {
    (tally.payload_hash.clone(), tally.bounty_type.clone(), tally.attacker_ip.clone())
}

/// The keys of the rows that a batch touches, sorted and distinct.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) ips: Vec<String>,
    pub(crate) sids: Vec<String>,
    pub(crate) credentials: Vec<String>,
    pub(crate) payloads: Vec<String>,
    pub(crate) bounty_ips: Vec<String>,
}

/// Which rows `events` touch.
pub(crate) fn keys(events: &[Derived]) -> Keys {
    let mut keys = Keys::default();
    for event in events {
        if event.is_attacker {
            keys.ips.push(event.row.attacker_ip.clone());
        }
        if event.session.is_some() {
            keys.sids.extend(event.row.session_id.clone());
        }
        keys.credentials.extend(event.attempt.iter().map(|attempt| attempt.dedup_key.clone()));
        if !event.finds.is_empty() {
            keys.bounty_ips.push(event.row.attacker_ip.clone());
        }
        keys.payloads.extend(event.finds.iter().map(|find| find.hash.clone()));
    }
    for list in [
        &mut keys.ips,
        &mut keys.sids,
        &mut keys.credentials,
        &mut keys.payloads,
        &mut keys.bounty_ips,
    ] {
        list.sort_unstable();
        list.dedup();
    }
    keys
}

/// What follows from `events`, which are new and in order, received at `now`.
pub(crate) fn fold(existing: Existing, events: Vec<Derived>, now: Timestamp) -> (Changes, Signals) {
    let mut fold = Fold {
        seq: existing.last_seq,
        now,
        attackers: existing.attackers,
        sessions: existing.sessions,
        credentials: BTreeMap::new(),
        known_credentials: existing.credentials,
        bounties: BTreeMap::new(),
        known_bounties: existing.bounties,
        rollup: BTreeMap::new(),
        changes: Changes::default(),
        signals: Signals::default(),
    };
    fold.changes.logs.reserve(events.len());
    for event in events {
        fold.event(event);
    }
    fold.finish()
}

struct Fold {
    seq: u64,
    now: Timestamp,
    attackers: BTreeMap<String, AttackerState>,
    sessions: BTreeMap<String, SessionRow>,
    credentials: BTreeMap<String, CredentialState>,
    known_credentials: BTreeMap<String, CredentialTally>,
    bounties: BTreeMap<BountyKey, BountyState>,
    known_bounties: BTreeMap<BountyKey, BountyTally>,
    /// Few combinations per minute, so the names are shared per batch.
    rollup: BTreeMap<(i64, String, String, String), u64>,
    changes: Changes,
    signals: Signals,
}

impl Fold {
    fn event(&mut self, mut event: Derived) {
        self.seq += 1;
        event.row.seq = self.seq;
        event.row.received_at = self.now;
        self.count(&event);
        let uuid = event.is_attacker.then(|| self.attacker(&event));
        self.session(&event, uuid.as_deref());
        self.command(&mut event, uuid.as_deref());
        self.artifact(&mut event, uuid.as_deref());
        self.credential(&mut event, uuid.as_deref());
        if let (Some(mail), Some(uuid)) = (event.mail.take(), uuid) {
            self.signals.mails.push(mail.sent_by(&uuid, &event.row));
        }
        for find in std::mem::take(&mut event.finds) {
            self.bounty(&event, find);
        }
        self.changes.logs.push(event.row);
    }

    fn count(&mut self, event: &Derived) {
        let row = &event.row;
        let minute = row.timestamp.seconds().div_euclid(60);
        let key = (minute, row.decky.clone(), row.service.clone(), row.event_type.clone());
        *self.rollup.entry(key).or_default() += 1;
    }

    fn attacker(&mut self, event: &Derived) -> String {
        let row = &event.row;
        if let Some(state) = self.attackers.get_mut(&row.attacker_ip) {
            attacker::meet(state, row, event.class, self.now);
            return state.uuid.clone();
        }
        let mut state = attacker::new(row);
        attacker::meet(&mut state, row, event.class, self.now);
        let uuid = state.uuid.clone();
        self.signals.observed.push(Observed::of(&uuid, row));
        self.changes.totals.attackers += 1;
        self.attackers.insert(row.attacker_ip.clone(), state);
        uuid
    }

    fn session(&mut self, event: &Derived, uuid: Option<&str>) {
        let (Some(fact), Some(sid)) = (&event.session, &event.row.session_id) else { return };
        let row = match self.sessions.get_mut(sid) {
            Some(row) => row,
            None => {
                let row = session::new(sid, &event.row, uuid);
                self.signals.started.push(sid.clone());
                self.sessions.entry(sid.clone()).or_insert(row)
            }
        };
        if session::fold(row, &event.row, fact) {
            self.signals.ended.push(sid.clone());
        }
    }

    fn command(&mut self, event: &mut Derived, uuid: Option<&str>) {
        let (Some(command), Some(uuid)) = (event.command.take(), uuid) else { return };
        let row = &event.row;
        self.changes.commands.push(CommandRow {
            event_uid: row.event_uid.clone(),
            attacker_uuid: uuid.to_owned(),
            session_id: row.session_id.clone(),
            decky: row.decky.clone(),
            service: row.service.clone(),
            command,
            ts: row.timestamp,
        });
    }

    fn artifact(&mut self, event: &mut Derived, uuid: Option<&str>) {
        let Some((sha256, size, stored_as)) = event.artifact.take() else { return };
        let row = &event.row;
        self.changes.artifacts.push(ArtifactRow {
            seq: row.seq,
            sha256,
            size,
            stored_as,
            decky: row.decky.clone(),
            service: row.service.clone(),
            attacker_uuid: uuid.map(str::to_owned),
            at: row.timestamp,
        });
    }

    fn credential(&mut self, event: &mut Derived, uuid: Option<&str>) {
        let Some(attempt) = event.attempt.take() else { return };
        let at = event.row.timestamp;
        if let Some(state) = self.credentials.get_mut(&attempt.dedup_key) {
            credential::again(&mut state.tally, attempt.outcome, at);
            return;
        }
        let known = self.known_credentials.remove(&attempt.dedup_key);
        let is_new = known.is_none();
        let state = credential::state(attempt, known, &event.row, uuid);
        if is_new {
            self.changes.totals.credentials += 1;
            if let Some(attacker) = self.attackers.get_mut(&event.row.attacker_ip)
                && uuid.is_some()
            {
                attacker.credential_count += 1;
            }
        }
        self.signals.captured.push(Captured { key: state.dedup_key.clone(), is_new });
        self.credentials.insert(state.dedup_key.clone(), state);
    }

    fn bounty(&mut self, event: &Derived, find: Find) {
        let row = &event.row;
        let key = (find.hash, find.bounty_type.to_owned(), row.attacker_ip.clone());
        if let Some(state) = self.bounties.get_mut(&key) {
            see(&mut state.tally, row.timestamp, find.context);
            return;
        }
        let tally = match self.known_bounties.remove(&key) {
            Some(mut tally) => {
                see(&mut tally, row.timestamp, find.context);
                tally
            }
            None => {
                self.changes.totals.bounties += 1;
                if event.is_attacker
                    && let Some(attacker) = self.attackers.get_mut(&row.attacker_ip)
                {
                    attacker.bounty_count += 1;
                }
                BountyTally {
                    payload_hash: key.0.clone(),
                    bounty_type: key.1.clone(),
                    attacker_ip: key.2.clone(),
                    timestamp: row.timestamp,
                    context: find.context,
                    last_seen: row.timestamp,
                    seen_count: 1,
                }
            }
        };
        let state = BountyState {
            decky: row.decky.clone(),
            service: row.service.clone(),
            payload: find.payload,
            tally,
        };
        self.bounties.insert(key, state);
    }

    fn finish(mut self) -> (Changes, Signals) {
        self.changes.totals =
            Totals { logs: self.changes.logs.len() as u64, ..self.changes.totals };
        self.changes.attackers = self.attackers.into_values().collect();
        self.changes.sessions = self.sessions.into_values().collect();
        self.changes.credentials = self.credentials.into_values().collect();
        self.changes.bounties = self.bounties.into_values().collect();
        let add = |((minute, decky, service, event_type), events)| RollupAdd {
            minute,
            decky,
            service,
            event_type,
            events,
        };
        self.changes.rollup = self.rollup.into_iter().map(add).collect();
        (self.changes, self.signals)
    }
}

/// One more sighting of a bounty.
fn see(tally: &mut BountyTally, at: Timestamp, context: String) {
    tally.seen_count += 1;
    tally.timestamp = tally.timestamp.min(at);
    if at >= tally.last_seen {
        tally.last_seen = at;
        tally.context = context;
    }
}

#[cfg(test)]
mod tests;
