//! The one writer of events: lease, batches, and what comes after a commit.

mod batch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base_model::{BootId, Record, SensorId, SessionId};
use base_runtime::Clock;
use events_bus::Bus;
use store_db::{Db, DbError, Lease, QuarantineRow};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::counts::{Counts, Tally, add};
use crate::fold::{Derived, Source};
use crate::forensic::{Forensic, Lines};
use crate::{Indexer, IngestError, Unreadable, signals};
#[cfg(test)]
pub(crate) use batch::Step;
use batch::{Batch, Outcome};

/// How to ingest.
#[derive(Clone, Debug)]
pub struct IngestOptions {
    /// Root of recordings and blobs.
    pub artifacts_root: PathBuf,
    /// Forensic file; its JSON sibling has `.json` added. None are written without.
    pub log_file: Option<PathBuf>,
    /// Size at which a forensic file is set aside.
    pub rotate_bytes: u64,
    /// How many of them are kept.
    pub rotate_keep: u32,
    /// What the lease is held as; shown to whoever wants it too.
    pub holder: String,
    /// How long the lease outlives its holder.
    pub lease_ttl: Duration,
    /// Size at which a day's transcript shard is continued under another name.
    pub shard_bytes: u64,
}

impl IngestOptions {
    /// The defaults, with artifacts below `artifacts_root`.
    #[must_use]
    pub fn new(artifacts_root: PathBuf, holder: String) -> Self {
        Self {
            artifacts_root,
            log_file: None,
            rotate_bytes: 256 * 1024 * 1024,
            rotate_keep: 8,
            holder,
            lease_ttl: Duration::from_secs(10),
            shard_bytes: 256 * 1024 * 1024,
        }
    }
}

/// What became of a call of [`Ingest::apply`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Every record of the run up to this one is stored, and the sensor may forget it.
    pub through: u64,
    /// Records stored now.
    pub stored: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Records set aside because they could not be stored.
    pub quarantined: u64,
}

/// The one writer of events of a deployment.
pub struct Ingest {
    shared: Arc<Shared>,
    /// Held while a batch is digested and waits for its turn, so that batches keep their order and
    /// one is digested while the one before is stored.
    digesting: Mutex<()>,
    /// One batch at a time; also holds what follows commits.
    turn: Mutex<Option<Forensic>>,
    renewal: Option<JoinHandle<()>>,
}

pub(crate) struct Shared {
    db: Db,
    lease: Lease,
    options: IngestOptions,
    clock: Clock,
    bus: Bus,
    tally: Tally,
    #[cfg(test)]
    pub(crate) fault: std::sync::Mutex<Option<crate::tests::Fault>>,
}

impl Ingest {
    /// Takes the lease and finds where the forensic files end.
    ///
    /// # Errors
    /// [`DbError::Held`] when another process ingests.
    pub async fn open(
        db: Db,
        options: IngestOptions,
        clock: Clock,
        bus: Bus,
    ) -> Result<Self, IngestError> {
        crate::blobs::make_folder(&options.artifacts_root)
            .map_err(|source| IngestError::File { path: options.artifacts_root.clone(), source })?;
        let ttl = options.lease_ttl;
        let lease = db.ingest_lease().acquire(&options.holder, clock.now(), ttl).await?;
        let forensic = match &options.log_file {
            Some(path) => {
                Some(Forensic::open(&db, path, options.rotate_bytes, options.rotate_keep).await?)
            }
            None => None,
        };
        let shared = Arc::new(Shared {
            db,
            lease,
            options,
            clock,
            bus,
            tally: Tally::default(),
            #[cfg(test)]
            fault: std::sync::Mutex::default(),
        });
        let renewal = (!ttl.is_zero()).then(|| tokio::spawn(renew(shared.clone())));
        let turn = Mutex::new(forensic);
        let ingest = Self { shared, digesting: Mutex::new(()), turn, renewal };
        ingest.follow_up(&mut *ingest.turn.lock().await, None).await;
        Ok(ingest)
    }

    /// Stores what a sensor's journal says: each record with all that follows from it, exactly once
    /// however often and in whatever pieces it is sent. `sensor` and `boot` are what the link
    /// authenticated. A record that cannot be stored is set aside.
    ///
    /// The records should follow one another; a hole stays unacknowledged until it is filled. Calls
    /// are served in the order they were made, and a second call may be made before the first
    /// returns: it is then prepared meanwhile.
    ///
    /// # Errors
    /// When the database or the disk fails for reasons of their own; nothing is lost by a retry. When
    /// fenced, another process took over.
    pub async fn apply(
        &self,
        sensor: SensorId,
        boot: BootId,
        records: &[Record],
    ) -> Result<Applied, IngestError> {
        let digesting = self.digesting.lock().await;
        let mut ordered: Vec<&Record> = records.iter().collect();
        ordered.sort_by_key(|record| record.seq);
        let limit = contiguous_end(&ordered);
        let source = Source { sensor: sensor.to_string(), boot: boot.to_string() };
        let whole = Batch { source: &source, records: &ordered, limit };
        let mut digested = Some(whole.digest());
        let mut forensic = self.turn.lock().await;
        drop(digesting);
        let mut applied = Applied::default();
        // Halves of what failed, the earlier on top.
        let mut pending = vec![ordered.as_slice()];
        while let Some(records) = pending.pop() {
            let batch = Batch { records, ..whole };
            let events = digested.take().unwrap_or_else(|| batch.digest());
            let failed = match self.attempt(&batch, events, &mut forensic, &mut applied).await {
                Ok(()) => continue,
                Err(error) => error,
            };
            if failed.is_retryable() || failed.is_fenced() {
                return Err(failed);
            }
            if records.len() > 1 {
                let (earlier, later) = records.split_at(records.len() / 2);
                pending.extend([later, earlier]);
            } else if let Some(record) = records.first() {
                tracing::warn!(error = &failed as &dyn std::error::Error, "a record failed alone");
                match self.attempt(&batch, batch.digest(), &mut forensic, &mut applied).await {
                    Err(again) if !again.is_retryable() && !again.is_fenced() => {
                        self.quarantine(&batch, record, &again, &mut applied).await?;
                    }
                    done => done?,
                }
            }
        }
        Ok(applied)
    }

    /// Keeps a record that this version cannot read outside the log, once, and moves past it.
    ///
    /// # Errors
    /// As [`Ingest::apply`].
    pub async fn set_aside(
        &self,
        sensor: SensorId,
        boot: BootId,
        unreadable: &Unreadable,
    ) -> Result<Applied, IngestError> {
        let _turn = self.turn.lock().await;
        let source = Source { sensor: sensor.to_string(), boot: boot.to_string() };
        let now = self.shared.clock.now();
        let row = unreadable.row(source, now);
        let through = self.shared.set_aside(row, unreadable.seq, now).await?;
        Ok(Applied { through, quarantined: 1, ..Applied::default() })
    }

    #[cfg(test)]
    pub(crate) fn fault(&self) -> &std::sync::Mutex<Option<crate::tests::Fault>> {
        &self.shared.fault
    }

    /// Who keeps the index of the log behind what this writes; to be ended before this is closed.
    #[must_use]
    pub fn indexer(&self) -> Indexer {
        let shared = &self.shared;
        let wake = shared.bus.subscribe(signals::LOG);
        let ttl = shared.options.lease_ttl;
        Indexer::new(shared.db.clone(), shared.lease.clone(), ttl, shared.clock, wake)
    }

    /// Totals since start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.tally.read()
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// When the database fails; the lease then ends by itself.
    pub async fn close(mut self) -> Result<(), IngestError> {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        let forensic = self.turn.lock().await;
        let shared = &self.shared;
        if let Some(forensic) = &*forensic {
            let ttl = shared.options.lease_ttl;
            let now = shared.clock.now();
            let transaction = shared.db.begin_ingest(&shared.lease, now, ttl).await?;
            transaction.set_state(crate::forensic::STATE_KEY, &forensic.place()).await?;
            transaction.commit().await?;
        }
        Ok(shared.db.ingest_lease().release(&shared.lease).await?)
    }

    async fn attempt(
        &self,
        batch: &Batch<'_>,
        digested: Vec<Derived>,
        forensic: &mut Option<Forensic>,
        applied: &mut Applied,
    ) -> Result<(), IngestError> {
        let outcome = self.shared.transact(batch, digested, forensic.as_ref()).await?;
        applied.through = applied.through.max(outcome.through);
        applied.stored += outcome.stored;
        applied.duplicates += outcome.duplicates;
        applied.quarantined += outcome.quarantined;
        self.committed(outcome, forensic).await;
        Ok(())
    }

    /// Counts, tells and writes down what was committed. Nothing here can undo it.
    async fn committed(&self, outcome: Outcome, forensic: &mut Option<Forensic>) {
        let tally = &self.shared.tally;
        add(&tally.stored, outcome.stored);
        add(&tally.duplicates, outcome.duplicates);
        add(&tally.quarantined, outcome.quarantined);
        add(&tally.gaps, outcome.gaps);
        add(&tally.recording_gaps, outcome.recording_gaps);
        add(&tally.cut, outcome.cut);
        outcome.outbox.publish(&self.shared.bus);
        for session in outcome.ended {
            self.tell_end(&session).await;
        }
        self.follow_up(forensic, outcome.lines).await;
    }

    async fn tell_end(&self, session: &store_db::SessionRow) {
        let Ok(sid) = session.sid.parse::<SessionId>() else { return };
        let db = &self.shared.db;
        let told = async {
            let commands = db.commands().of_session(sid, signals::COMMANDS).await?;
            let recording = db.sessions().recording(sid).await?;
            let shard = recording.as_ref().map(|recording| recording.shard.as_str());
            Ok::<_, DbError>(signals::ended_json(session, &commands, shard))
        };
        match told.await {
            Ok(payload) => self.shared.bus.publish(signals::ENDED, payload),
            // A worker that polls finds it all the same.
            Err(error) => tracing::warn!(%error, "the end of a session was not announced"),
        }
    }

    /// Brings the forensic files up to the committed rows; `lines` are those of the last batch.
    async fn follow_up(&self, slot: &mut Option<Forensic>, lines: Option<Lines>) {
        let Some(mut forensic) = slot.take() else { return };
        let mut next = lines.filter(|lines| forensic.follows(lines));
        loop {
            let lines = match next.take() {
                Some(lines) => lines,
                None => match forensic.missed(&self.shared.db).await {
                    Ok(Some(lines)) => lines,
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "the forensic files wait for the database");
                        break;
                    }
                },
            };
            let written = tokio::task::spawn_blocking(move || {
                let written = forensic.append(&lines);
                (forensic, written)
            });
            match written.await {
                Ok((back, Ok(()))) => forensic = back,
                Ok((back, Err(error))) => {
                    // What is missing is written with the next batch.
                    add(&self.shared.tally.forensic_late, 1);
                    tracing::warn!(%error, "failed to write the forensic files");
                    forensic = back;
                    break;
                }
                Err(error) => {
                    tracing::error!(%error, "the writer of the forensic files died");
                    return;
                }
            }
        }
        *slot = Some(forensic);
    }

    async fn quarantine(
        &self,
        batch: &Batch<'_>,
        record: &Record,
        error: &IngestError,
        applied: &mut Applied,
    ) -> Result<(), IngestError> {
        let shared = &self.shared;
        let now = shared.clock.now();
        let row = batch.quarantined(record, now, &chain(error));
        let through = shared.set_aside(row, record.seq.min(batch.limit), now).await?;
        applied.through = applied.through.max(through);
        applied.quarantined += 1;
        Ok(())
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
    }
}

impl Shared {
    /// Keeps a record outside the log and moves to `through`.
    async fn set_aside(
        &self,
        row: QuarantineRow,
        through: u64,
        now: base_model::Timestamp,
    ) -> Result<u64, IngestError> {
        let ttl = self.options.lease_ttl;
        let transaction = self.db.begin_ingest(&self.lease, now, ttl).await?;
        let (sensor, boot) = (row.sensor.clone(), row.boot.clone());
        tracing::error!(seq = row.boot_seq, error = row.error, "a record was set aside");
        let through = through.max(transaction.cursor(&sensor, &boot).await?);
        transaction.quarantine(row).await?;
        transaction.set_cursor(&sensor, &boot, through, now).await?;
        transaction.commit().await?;
        add(&self.tally.quarantined, 1);
        Ok(through)
    }
}

/// Renews the lease until it is lost.
async fn renew(shared: Arc<Shared>) {
    let ttl = shared.options.lease_ttl;
    loop {
        tokio::time::sleep(ttl / 3).await;
        match shared.db.ingest_lease().renew(&shared.lease, shared.clock.now(), ttl).await {
            Ok(()) => {}
            Err(DbError::Fenced) => {
                tracing::error!("the ingest lease passed to another process");
                return;
            }
            Err(error) => tracing::warn!(%error, "failed to renew the ingest lease"),
        }
    }
}

/// The last number of the run without a hole that begins at the first record.
fn contiguous_end(ordered: &[&Record]) -> u64 {
    let mut end = ordered.first().map_or(0, |record| record.seq);
    for record in ordered {
        if record.seq > end.saturating_add(1) {
            break;
        }
        end = record.seq;
    }
    end
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
