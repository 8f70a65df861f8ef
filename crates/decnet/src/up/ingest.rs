//! The one writer of events: takes records from links, in whatever order they come, and tells each
//! link how far it may forget.

use std::time::Duration;

use anyhow::Context as _;
use api::{ComponentStatus, HealthBoard};
use base_model::{BootId, Record, SensorId};
use base_runtime::Clock;
use events_bus::Bus;
use store_db::{Db, DbError};
use store_ingest::{IngestError, IngestOptions};
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

/// Consecutive records of one run.
pub(crate) struct Job {
    pub(crate) sensor: SensorId,
    pub(crate) boot: BootId,
    pub(crate) records: Vec<Record>,
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
    let mut held = None;
    while let Some(first) = match held.take() {
        Some(job) => Some(job),
        None => jobs.recv().await,
    } {
        let (sensor, boot) = (first.sensor, first.boot);
        let mut records = first.records;
        let mut waiting = vec![first.stored];
        // Everything of the same run that waits shares one transaction.
        while records.len() < BATCH {
            match jobs.try_recv() {
                Ok(job) if (job.sensor, job.boot) == (sensor, boot) => {
                    records.extend(job.records);
                    waiting.push(job.stored);
                }
                Ok(job) => {
                    held = Some(job);
                    break;
                }
                Err(_) => break,
            }
        }
        let Some(through) = apply(&ingest, sensor, boot, &records, &health).await else { break };
        for stored in waiting {
            // A link that is gone sends the same records again.
            let _ = stored.send(through);
        }
    }
    if let Err(error) = ingest.close().await {
        tracing::warn!(error = chain(&error), "failed to give the ingest lease back");
    }
}

/// Applies a batch, again and again while the database is away. `None` when it never will be.
async fn apply(
    ingest: &store_ingest::Ingest,
    sensor: SensorId,
    boot: BootId,
    records: &[Record],
    health: &HealthBoard,
) -> Option<u64> {
    let mut pause = RETRY.0;
    let mut failed = false;
    loop {
        match ingest.apply(sensor, boot, records).await {
            Ok(applied) => {
                if failed {
                    tracing::info!("ingest goes on");
                    health.set(COMPONENT, ComponentStatus::Ok);
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
