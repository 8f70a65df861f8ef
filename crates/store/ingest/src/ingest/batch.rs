//! One transaction: load, decide, write, commit.

use std::collections::{BTreeMap, BTreeSet};

use base_model::{Body, Event, Record, RecordingChunk, Timestamp};
use serde_json::{Map, Value};
use store_db::ingest::IngestTx;
use store_db::{QuarantineRow, SessionRow};

use super::Shared;
use crate::IngestError;
use crate::fold::{self, Derived, Existing, Source};
use crate::forensic::{self, Forensic, Lines};
use crate::recording::{self, Known, Plan};
use crate::signals::{self, Outbox};

/// Most bytes of an event's fields. No honest sensor comes near (longer content is a blob), and a
/// server would drop the connection over it.
const MAX_FIELDS: usize = 8 * 1024 * 1024;
/// Characters kept of a record that is set aside for its size.
const OVERSIZE_KEPT: usize = 64 * 1024;

/// Records to store in one transaction, in order.
pub(super) struct Batch<'a> {
    pub(super) source: &'a Source,
    pub(super) records: &'a [&'a Record],
    /// Acknowledge no further than this.
    pub(super) limit: u64,
}

/// What was committed, and what is to follow.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) through: u64,
    pub(super) stored: u64,
    pub(super) duplicates: u64,
    pub(super) quarantined: u64,
    pub(super) gaps: u64,
    pub(super) recording_gaps: u64,
    pub(super) cut: u64,
    pub(super) outbox: Outbox,
    /// Sessions that ended, when somebody wants to know.
    pub(super) ended: Vec<SessionRow>,
    pub(super) lines: Option<Lines>,
}

/// Places where a test may make a transaction fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The lease is checked.
    Begun,
    /// Recordings are in their files.
    Filed,
    /// Rows are written.
    Saved,
    /// The transaction is committed, and the caller does not know.
    Committed,
}

impl Batch<'_> {
    /// Digests every event; the costly part that needs no database.
    pub(super) fn digest(&self) -> Vec<Derived> {
        let derive =
            |(record, event): (&Record, &Event)| fold::derive(event, self.source, record.seq);
        self.events().map(derive).collect()
    }

    /// Where the cursor is to be after this batch.
    pub(super) fn through(&self, cursor: u64) -> u64 {
        let last = self.records.last().map_or(0, |record| record.seq);
        cursor.max(last.min(self.limit))
    }

    pub(super) fn quarantined(&self, record: &Record, at: Timestamp, error: &str) -> QuarantineRow {
        let Source { sensor, boot } = self.source.clone();
        QuarantineRow {
            sensor,
            boot,
            boot_seq: record.seq,
            at,
            error: error.to_owned(),
            record: serde_json::to_string(record).unwrap_or_default(),
        }
    }

    fn events(&self) -> impl Iterator<Item = (&Record, &Event)> {
        self.records.iter().filter_map(|record| match &record.body {
            Body::Event(event) => Some((*record, &**event)),
            Body::Recording(_) => None,
        })
    }

    fn chunks(&self) -> Vec<(&Record, &RecordingChunk)> {
        self.records
            .iter()
            .filter_map(|record| match &record.body {
                Body::Recording(chunk) => Some((*record, chunk)),
                Body::Event(_) => None,
            })
            .collect()
    }
}

impl Shared {
    /// Stores a batch, or nothing of it.
    pub(super) async fn transact(
        &self,
        batch: &Batch<'_>,
        digested: Vec<Derived>,
        forensic: Option<&Forensic>,
    ) -> Result<Outcome, IngestError> {
        let now = self.clock.now();
        let ttl = self.options.lease_ttl;
        let transaction = self.db.begin_ingest(&self.lease, now, ttl).await?;
        match self.fill(&transaction, batch, digested, now, forensic).await {
            Ok(outcome) => {
                transaction.commit().await?;
                self.fault(Step::Committed, batch)?;
                Ok(outcome)
            }
            Err(error) => {
                // The first error is the one that tells.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        transaction: &IngestTx,
        batch: &Batch<'_>,
        digested: Vec<Derived>,
        now: Timestamp,
        forensic: Option<&Forensic>,
    ) -> Result<Outcome, IngestError> {
        self.fault(Step::Begun, batch)?;
        let mut outcome = Outcome::default();
        let Source { sensor, boot } = batch.source;
        let cursor = transaction.cursor(sensor, boot).await?;
        outcome.through = batch.through(cursor);
        let first = batch.records.first().map_or(0, |record| record.seq);
        outcome.gaps = u64::from(first > cursor.saturating_add(1));

        let plan = self.recordings(transaction, batch, now, &mut outcome).await?;
        self.fault(Step::Filed, batch)?;
        let digested = fit(transaction, batch, digested, now, &mut outcome).await?;
        let events = fresh(transaction, batch, digested, &plan, &mut outcome).await?;
        let existing = load(transaction, &events).await?;
        let (mut changes, signals) = fold::fold(existing, events, now);
        if forensic.is_some() {
            outcome.lines = Some(Lines::of(&changes.logs));
        }
        outcome.outbox = Outbox::of(&self.bus, &signals, &changes);
        if self.bus.wants(signals::ENDED) {
            let ended: BTreeSet<&String> = signals.ended.iter().collect();
            let rows = changes.sessions.iter().filter(|row| ended.contains(&row.sid));
            outcome.ended = rows.cloned().collect();
        }
        changes.recordings = plan.recordings;
        changes.extents = plan.extents;
        changes.shards = plan.shards;
        transaction.save(changes).await?;
        if outcome.through > cursor {
            transaction.set_cursor(sensor, boot, outcome.through, now).await?;
        }
        if let Some(forensic) = forensic {
            transaction.set_state(forensic::STATE_KEY, &forensic.place()).await?;
        }
        self.fault(Step::Saved, batch)?;
        Ok(outcome)
    }

    /// Plans the recordings of a batch and writes them to their files.
    async fn recordings(
        &self,
        transaction: &IngestTx,
        batch: &Batch<'_>,
        now: Timestamp,
        outcome: &mut Outcome,
    ) -> Result<Plan, IngestError> {
        let chunks = batch.chunks();
        if chunks.is_empty() {
            return Ok(Plan::default());
        }
        let plain: Vec<&RecordingChunk> = chunks.iter().map(|(_, chunk)| *chunk).collect();
        let known = load_recordings(transaction, &plain).await?;
        let mut plan = recording::plan(known, &plain, self.options.shard_bytes);
        for position in &plan.refused {
            if let Some((record, _)) = chunks.get(*position) {
                let why = "the decky or service of a recording makes no harmless path";
                transaction.quarantine(batch.quarantined(record, now, why)).await?;
            }
        }
        outcome.quarantined = plan.refused.len() as u64;
        outcome.recording_gaps = plan.gaps;
        outcome.duplicates = plan.duplicates;
        outcome.stored = chunks.len() as u64 - plan.duplicates - outcome.quarantined;
        let writes = std::mem::take(&mut plan.writes);
        let root = self.options.artifacts_root.clone();
        let written = tokio::task::spawn_blocking(move || recording::write(&root, &writes));
        written.await.map_err(|error| IngestError::File {
            path: self.options.artifacts_root.clone(),
            source: std::io::Error::other(error),
        })??;
        Ok(plan)
    }

    #[cfg(test)]
    fn fault(&self, step: Step, batch: &Batch<'_>) -> Result<(), IngestError> {
        let mut fault = self.fault.lock().unwrap();
        match fault.as_mut() {
            Some(fault) => fault(step, batch.records),
            None => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "only tests inject faults")]
    const fn fault(&self, _: Step, _: &Batch<'_>) -> Result<(), IngestError> {
        Ok(())
    }
}

/// Sets aside what no database would take.
async fn fit(
    transaction: &IngestTx,
    batch: &Batch<'_>,
    mut digested: Vec<Derived>,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<Vec<Derived>, IngestError> {
    let fits = |event: &Derived| event.row.fields.len() <= MAX_FIELDS;
    for event in digested.iter().filter(|event| !fits(event)) {
        let Source { sensor, boot } = batch.source.clone();
        let kept = event.row.fields.chars().take(OVERSIZE_KEPT).collect();
        let error = format!("{} bytes of fields, at most {MAX_FIELDS}", event.row.fields.len());
        let boot_seq = event.row.boot_seq;
        let row = QuarantineRow { sensor, boot, boot_seq, at: now, error, record: kept };
        transaction.quarantine(row).await?;
        outcome.quarantined += 1;
    }
    digested.retain(fits);
    Ok(digested)
}

/// The events of a batch that are not stored, in order.
async fn fresh(
    transaction: &IngestTx,
    batch: &Batch<'_>,
    digested: Vec<Derived>,
    plan: &Plan,
    outcome: &mut Outcome,
) -> Result<Vec<Derived>, IngestError> {
    let mut uids: Vec<String> = digested.iter().map(|event| event.row.event_uid.clone()).collect();
    uids.sort_unstable();
    let mut seen = transaction.known_events(&uids).await?;
    let recorded = load_recorded(transaction, batch, plan).await?;
    let mut fresh = Vec::with_capacity(digested.len());
    for mut event in digested {
        if !seen.insert(event.row.event_uid.clone()) {
            outcome.duplicates += 1;
            continue;
        }
        if let Some(added) = added(&event, &recorded) {
            event.add(added);
        }
        outcome.cut += event.cut;
        fresh.push(event);
    }
    outcome.stored += fresh.len() as u64;
    Ok(fresh)
}

/// The rows that `events` touch.
async fn load(transaction: &IngestTx, events: &[Derived]) -> Result<Existing, IngestError> {
    let keys = fold::keys(events);
    let mut existing = Existing { last_seq: transaction.last_seq().await?, ..Existing::default() };
    for row in transaction.attackers(&keys.ips).await? {
        existing.attackers.insert(row.ip.clone(), row);
    }
    for row in transaction.sessions(&keys.sids).await? {
        existing.sessions.insert(row.sid.clone(), row);
    }
    for row in transaction.credentials(&keys.credentials).await? {
        existing.credentials.insert(row.dedup_key.clone(), row);
    }
    for row in transaction.bounties(&keys.payloads, &keys.bounty_ips).await? {
        existing.bounties.insert(fold::bounty_key(&row), row);
    }
    Ok(existing)
}

async fn load_recordings(
    transaction: &IngestTx,
    chunks: &[&RecordingChunk],
) -> Result<Known, IngestError> {
    let mut known = Known::default();
    let harmless = || chunks.iter().filter(|chunk| recording::is_harmless(chunk));
    let sids: BTreeSet<String> = harmless().map(|chunk| chunk.session.to_string()).collect();
    let sids: Vec<String> = sids.into_iter().collect();
    for row in transaction.recordings(&sids).await? {
        known.recordings.insert(row.sid.clone(), row);
    }
    let mut places = BTreeSet::new();
    for chunk in harmless() {
        let sid = chunk.session.to_string();
        match known.recordings.get(&sid) {
            // Its shard, and its extents if something may be there already.
            Some(row) => {
                places.insert((row.decky.clone(), row.service.clone(), stem(&row.shard)));
                if chunk.offset < row.next_offset && !known.extents.contains_key(&sid) {
                    known.extents.insert(sid.clone(), transaction.extents(&sid).await?);
                }
            }
            None => {
                let prefix = recording::day_prefix(chunk.started);
                places.insert((chunk.decky_name.clone(), chunk.service.clone(), prefix));
            }
        }
    }
    for (decky, service, prefix) in places {
        known.shards.extend(transaction.shards(&decky, &service, &prefix).await?);
    }
    Ok(known)
}

/// The day part of a shard's name.
fn stem(shard: &str) -> String {
    shard.split('.').next().unwrap_or_default().to_owned()
}

/// Where the recordings are that `session_recorded` events of the batch tell of.
async fn load_recorded(
    transaction: &IngestTx,
    batch: &Batch<'_>,
    plan: &Plan,
) -> Result<BTreeMap<String, (String, u64)>, IngestError> {
    let told = batch.events().filter(|(_, event)| event.kind == "session_recorded");
    let sids: BTreeSet<String> =
        told.filter_map(|(_, event)| event.session.map(|sid| sid.to_string())).collect();
    let sids: Vec<String> = sids.into_iter().collect();
    let stored = transaction.recordings(&sids).await?;
    let rows = stored.iter().chain(&plan.recordings);
    Ok(rows.map(|row| (row.sid.clone(), (row.shard.clone(), row.bytes))).collect())
}

/// What ingest knows of an event that its sensor does not.
fn added(
    event: &Derived,
    recorded: &BTreeMap<String, (String, u64)>,
) -> Option<Map<String, Value>> {
    let sid =
        event.row.session_id.as_ref().filter(|_| event.row.event_type == "session_recorded")?;
    let mut added = Map::new();
    if let Some((shard, bytes)) = recorded.get(sid) {
        added.insert("shard_path".into(), shard.as_str().into());
        added.insert("shard_bytes".into(), (*bytes).into());
    }
    added.insert("sid".into(), sid.as_str().into());
    Some(added)
}
