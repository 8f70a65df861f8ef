//! Keeping the index of the log close behind the log.

use std::time::{Duration, Instant};

use base_runtime::{Clock, Shutdown};
use events_bus::{Message, Subscription};
use store_db::index::BLOCK_ROWS;
use store_db::{Db, Lease};

use crate::IngestError;

/// How often to look without having been told.
const POLL: Duration = Duration::from_secs(60);
/// More rows per second than this are a burst, for which the ingest needs the machine.
const BURST: u64 = 4096;
/// How often to look whether a burst has passed.
const LOOK: Duration = Duration::from_secs(1);
/// So many rows may wait for that. Who searches reads them all, in about a tenth of a second.
const BEHIND: u64 = 16 * BLOCK_ROWS;
/// Pauses between tries while the database does not take a block.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Adds committed rows to the index of the log, a block at a time.
///
/// It works as the holder of the ingest lease and must end before the lease is given back. A block
/// is made from a reader's view of the log; only writing it, some milliseconds, takes the writer. It
/// may be stopped anywhere: a block is written whole or made again.
pub struct Indexer {
    db: Db,
    lease: Lease,
    lease_ttl: Duration,
    clock: Clock,
    /// Tells of batches that are committed.
    wake: Subscription,
    /// The newest row heard of.
    newest: u64,
    /// When its speed was last looked at, and what it was then.
    looked: (Instant, u64),
}

impl Indexer {
    pub(crate) fn new(
        db: Db,
        lease: Lease,
        lease_ttl: Duration,
        clock: Clock,
        wake: Subscription,
    ) -> Self {
        Self { db, lease, lease_ttl, clock, wake, newest: 0, looked: (Instant::now(), 0) }
    }

    /// Works until `shutdown` is asked for or another process takes over. What the database does not
    /// take is tried again; who searches reads what is not indexed as it is.
    pub async fn run(mut self, shutdown: Shutdown) {
        let mut retry = RETRY.0;
        while !shutdown.is_asked() {
            let began = Instant::now();
            let step = self.step().await;
            if step.as_ref().is_err_and(IngestError::is_fenced) {
                return;
            }
            tokio::select! {
                () = shutdown.asked() => {}
                () = self.rest(step, began.elapsed(), &mut retry) => {}
            }
        }
    }

    /// Indexes the next block if its rows are there; whether it did.
    ///
    /// # Errors
    /// When the database fails, or another process took over.
    pub async fn step(&self) -> Result<bool, IngestError> {
        let Some(block) = self.db.log_index().next().await? else { return Ok(false) };
        let now = self.clock.now();
        let transaction = self.db.begin_ingest(&self.lease, now, self.lease_ttl).await?;
        transaction.save_block(block).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Waits until another step makes sense.
    async fn rest(
        &mut self,
        step: Result<bool, IngestError>,
        took: Duration,
        retry: &mut Duration,
    ) {
        match step {
            // Those who search need the machine too.
            Ok(true) => tokio::time::sleep(took).await,
            Ok(false) => self.grown().await,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the index of the log falls behind"
                );
                tokio::time::sleep(*retry).await;
                *retry = (*retry * 2).min(RETRY.1);
                return;
            }
        }
        *retry = RETRY.0;
        self.burst_passed().await;
    }

    /// Waits until there may be another block.
    async fn grown(&mut self) {
        // Errors show in the next step.
        let next = self.db.log_index().position().await.unwrap_or(0) + BLOCK_ROWS;
        let told = async {
            while self.newest < next {
                match self.wake.recv().await {
                    Some(message) => self.newest = self.newest.max(last_row(&message)),
                    None => std::future::pending().await,
                }
            }
        };
        // Time passing is not an error: a message may have been lost.
        let _ = tokio::time::timeout(POLL, told).await;
    }

    /// Waits while rows come fast and not too many wait.
    async fn burst_passed(&mut self) {
        loop {
            while let Some(message) = self.wake.try_recv() {
                self.newest = self.newest.max(last_row(&message));
            }
            let (since, before) =
                std::mem::replace(&mut self.looked, (Instant::now(), self.newest));
            let indexed = self.db.log_index().position().await.unwrap_or(0);
            let rows = self.newest.saturating_sub(before.max(indexed));
            let is_burst = Duration::from_millis(rows * 1000 / BURST) > since.elapsed();
            if !is_burst || self.newest >= indexed + BEHIND {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The last row of a batch that was committed.
fn last_row(message: &Message) -> u64 {
    message.payload.get("last_log_id").and_then(serde_json::Value::as_u64).unwrap_or(0)
}
