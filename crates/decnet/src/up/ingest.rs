//! The one writer of events: takes records from links, in whatever order they come, and tells each
//! link how far it may forget.

use std::time::Duration;

use anyhow::Context as _;
use api::{ComponentStatus, HealthBoard};
use base_model::{BootId, Record, SensorId};
use base_runtime::{Clock, Shutdown};
use events_bus::Bus;
use store_db::{Db, DbError};
use store_ingest::{Applied, IngestError, IngestOptions, Unreadable};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::state::Folder;
use crate::refusal::{Exit, Refusal, chain};

/// Batches that wait for the writer.
const QUEUE: usize = 16;
/// Most records of one transaction.
const BATCH: usize = 5000;
/// Pauses between tries of a batch that the database did not take.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How long to wait for a former holder's lease to end.
const LEASE_PATIENCE: Duration = Duration::from_secs(20);
/// Name of the component in health.
const COMPONENT: &str = "ingestion_worker";
/// Name of what tells of records that were set aside.
const QUARANTINE: &str = "quarantine";

/// Consecutive records of one run.
pub(crate) struct Job {
    pub(crate) sensor: SensorId,
    pub(crate) boot: BootId,
    pub(crate) records: Vec<Record>,
    /// Those among them that cannot be read, in order.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Told the last record that is stored.
    pub(crate) stored: oneshot::Sender<u64>,
}

/// The running writer.
pub(crate) struct Ingest {
    sender: mpsc::Sender<Job>,
    task: JoinHandle<()>,
}

impl Ingest {
    /// Takes the lease and starts writing.
    pub(crate) async fn start(
        db: &Db,
        state: &Folder,
        clock: Clock,
        bus: &Bus,
        health: &HealthBoard,
    ) -> anyhow::Result<Self> {
        let holder = format!("sensor {}", state.sensor_id()?);
        let mut options = IngestOptions::new(state.path("artifacts"), holder);
        options.log_file = Some(state.path("decnet.log"));
        let mut waited = Duration::ZERO;
        let ingest = loop {
            let opened =
                store_ingest::Ingest::open(db.clone(), options.clone(), clock, bus.clone()).await;
            match opened {
                Ok(ingest) => break ingest,
                Err(IngestError::Db(DbError::Held { holder, seconds }))
                    if waited < LEASE_PATIENCE =>
                {
                    tracing::info!(holder, seconds, "waiting for the ingest lease");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    waited += Duration::from_secs(1);
                }
                Err(error @ IngestError::Db(DbError::Held { .. })) => {
                    let hint = "stop that process, or give this one its own database with --db";
                    return Err(Refusal::new(Exit::Conflict, chain(&error), hint).into());
                }
                Err(error) => return Err(error).context("failed to start the ingest"),
            }
        };
        health.set(COMPONENT, ComponentStatus::Ok);
        let (sender, jobs) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write(ingest, jobs, health.clone()));
        Ok(Self { sender, task })
    }

    /// Where jobs go.
    pub(crate) fn handle(&self) -> mpsc::Sender<Job> {
        self.sender.clone()
    }

    /// Writes what is queued and gives the lease back.
    pub(crate) async fn close(self) {
        drop(self.sender);
        if self.task.await.is_err() {
            tracing::error!("the ingest panicked");
        }
    }
}

async fn write(ingest: store_ingest::Ingest, mut jobs: mpsc::Receiver<Job>, health: HealthBoard) {
    let stop = Shutdown::default();
    let indexing = tokio::spawn(ingest.indexer().run(stop.clone()));
    let mut held = None;
    while let Some(mut batch) = match held.take() {
        Some(job) => Some(Batch::from(job)),
        None => jobs.recv().await.map(Batch::from),
    } {
        // Everything of the same run that waits shares one transaction.
        while batch.records.len() < BATCH {
            match jobs.try_recv() {
                Ok(job) if (job.sensor, job.boot) == (batch.sensor, batch.boot) => batch.add(job),
                Ok(job) => {
                    held = Some(job);
                    break;
                }
                Err(_) => break,
            }
        }
        batch.sort();
        let Some(through) = store(&ingest, &batch, &health).await else { break };
        for stored in batch.waiting {
            // A link that is gone sends the same records again.
            let _ = stored.send(through);
        }
    }
    // It works under the same lease.
    stop.ask();
    if indexing.await.is_err() {
        tracing::error!("the indexer panicked");
    }
    if let Err(error) = ingest.close().await {
        tracing::warn!(error = chain(&error), "failed to give the ingest lease back");
    }
}

/// Jobs of one run that are stored together.
struct Batch {
    sensor: SensorId,
    boot: BootId,
    records: Vec<Record>,
    unreadable: Vec<Unreadable>,
    waiting: Vec<oneshot::Sender<u64>>,
}

impl From<Job> for Batch {
    fn from(job: Job) -> Self {
        let Job { sensor, boot, records, unreadable, stored } = job;
        Self { sensor, boot, records, unreadable, waiting: vec![stored] }
    }
}

impl Batch {
    fn add(&mut self, job: Job) {
        self.records.extend(job.records);
        self.unreadable.extend(job.unreadable);
        self.waiting.push(job.stored);
    }

    /// Brings what cannot be read into order with the rest, which a new link may send again.
    fn sort(&mut self) {
        if !self.unreadable.is_empty() {
            self.records.sort_by_key(|record| record.seq);
            self.unreadable.sort_by_key(|unreadable| unreadable.seq);
        }
    }
}

/// Stores a batch, again and again while the database is away. `None` when it never will be.
async fn store(ingest: &store_ingest::Ingest, batch: &Batch, health: &HealthBoard) -> Option<u64> {
    let mut pause = RETRY.0;
    let mut failed = false;
    loop {
        match apply(ingest, batch).await {
            Ok(applied) => {
                if failed {
                    tracing::info!("ingest goes on");
                    health.set(COMPONENT, ComponentStatus::Ok);
                }
                if applied.quarantined > 0 {
                    let kept = ingest.counts().quarantined;
                    let told = format!("{kept} records could not be stored; see table quarantine");
                    health.set(QUARANTINE, ComponentStatus::Failing(told));
                }
                return Some(applied.through);
            }
            Err(error) if error.is_fenced() => {
                let told = chain(&error);
                tracing::error!(error = told, "ingest stops; another process took over");
                health.set(COMPONENT, ComponentStatus::Failing(told));
                return None;
            }
            Err(error) => {
                let told = chain(&error);
                if !failed {
                    tracing::error!(error = told, "ingest cannot write; it tries again");
                }
                failed = true;
                health.set(COMPONENT, ComponentStatus::Failing(told));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
        }
    }
}

/// Applies the records of a batch, setting aside in their place those that cannot be read.
async fn apply(ingest: &store_ingest::Ingest, batch: &Batch) -> Result<Applied, IngestError> {
    let Batch { sensor, boot, .. } = *batch;
    let mut rest = batch.records.as_slice();
    let mut quarantined = 0;
    for unreadable in &batch.unreadable {
        let (before, after) =
            rest.split_at(rest.partition_point(|record| record.seq < unreadable.seq));
        if !before.is_empty() {
            quarantined += ingest.apply(sensor, boot, before).await?.quarantined;
        }
        quarantined += ingest.set_aside(sensor, boot, unreadable).await?.quarantined;
        rest = after;
    }
    let mut applied = ingest.apply(sensor, boot, rest).await?;
    applied.quarantined += quarantined;
    Ok(applied)
}
