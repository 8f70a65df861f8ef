//! The one reader of the log's end, for all viewers.
//!
//! It reads when the bus says that a batch was committed, and now and then without being told,
//! because the bus only wakes. It runs while somebody watches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use base_model::Timestamp;
use store_db::{DbError, LogQuery, LogRow};
use tokio::sync::watch;

use crate::api::Shared;
use crate::logs::types::LogEntry;
use crate::telemetry::{self, Counter};

/// What the ingest publishes after a commit.
const WAKES: &str = "system.log";
/// Rows read at a time.
const PAGE: u64 = 256;
/// Rows kept.
const ROWS: usize = 2048;
/// Bytes of the rows kept.
const BYTES: usize = 8 * 1024 * 1024;

/// Pause between two readings, so that a flood of small batches is read in larger ones.
const PAUSE: Duration = Duration::from_millis(50);

/// A row that viewers may send.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    bytes: usize,
    row: Mutex<Option<LogRow>>,
    json: OnceLock<String>,
}

impl Shown {
    /// The row as JSON, made when the first viewer sends it.
    pub(crate) fn json(&self) -> &str {
        self.json.get_or_init(|| {
            let row = self.row.lock().unwrap_or_else(PoisonError::into_inner).take();
            let entry = row.map(LogEntry::from);
            entry.and_then(|entry| serde_json::to_string(&entry).ok()).unwrap_or_default()
        })
    }
}

impl From<LogRow> for Shown {
    fn from(row: LogRow) -> Self {
        // The fields leave twice: as themselves and within the line.
        let bytes = 512 + 2 * row.fields.len();
        let (seq, at) = (row.seq, row.timestamp);
        Self { seq, at, bytes, row: Mutex::new(Some(row)), json: OnceLock::new() }
    }
}

/// The end of the log.
#[derive(Default)]
pub(crate) struct Tail {
    ring: Mutex<Ring>,
    tip: watch::Sender<u64>,
    /// Rows that viewers left out because they were too slow.
    pub(crate) skipped: Counter,
}

#[derive(Default)]
struct Ring {
    /// Every row of the log after this one and up to the tip is in `rows`.
    base: u64,
    rows: VecDeque<Arc<Shown>>,
    bytes: usize,
    viewers: usize,
    running: bool,
}

/// Keeps the tail running.
pub(crate) struct Member(Arc<Tail>);

impl Drop for Member {
    fn drop(&mut self) {
        self.0.locked().viewers -= 1;
    }
}

impl Tail {
    /// Joins the viewers; the first one starts the reader.
    pub(crate) fn join(api: &Shared) -> (Member, watch::Receiver<u64>) {
        let tail = api.tail.clone();
        let mut ring = tail.locked();
        ring.viewers += 1;
        let starts = !std::mem::replace(&mut ring.running, true);
        drop(ring);
        if starts {
            tokio::spawn(run(api.clone()));
        }
        let tip = tail.tip.subscribe();
        (Member(tail), tip)
    }

    /// Up to `limit` rows after `seq`, or `None` when those are no longer kept.
    pub(crate) fn after(&self, seq: u64, limit: usize) -> Option<Vec<Arc<Shown>>> {
        let ring = self.locked();
        if seq < ring.base {
            return None;
        }
        let start = ring.rows.partition_point(|row| row.seq <= seq);
        Some(ring.rows.iter().skip(start).take(limit).cloned().collect())
    }

    /// Reads what is new. Returns whether anything was.
    async fn advance(&self, api: &Shared) -> Result<bool, DbError> {
        let from = *self.tip.borrow();
        let newest = api.db.logs().newest_seq().await?;
        // After a burst only its end is worth keeping; who wants the rest reads it from the store.
        let mut tip = from.max(newest.saturating_sub(ROWS as u64));
        if tip != from {
            self.restart(tip);
        }
        loop {
            let rows = api.db.logs().after(tip, &LogQuery::default(), PAGE).await?;
            let full = rows.len() as u64 == PAGE;
            if let Some(last) = rows.last() {
                tip = last.seq;
            }
            self.keep(rows);
            if !full {
                break;
            }
        }
        if tip == from {
            return Ok(false);
        }
        let stats = api.db.stats().await?;
        api.stats.put(api.now(), stats.into()).await;
        self.tip.send_replace(tip);
        Ok(true)
    }

    fn restart(&self, base: u64) {
        let mut ring = self.locked();
        ring.base = base;
        ring.rows.clear();
        ring.bytes = 0;
    }

    fn keep(&self, rows: Vec<LogRow>) {
        let rows: Vec<Shown> = rows.into_iter().map(Shown::from).collect();
        let mut ring = self.locked();
        for row in rows {
            ring.bytes += row.bytes;
            ring.rows.push_back(Arc::new(row));
            while ring.rows.len() > ROWS || ring.bytes > BYTES {
                let Some(oldest) = ring.rows.pop_front() else { break };
                ring.bytes -= oldest.bytes;
                ring.base = oldest.seq;
            }
        }
    }

    /// Ends the reader if nobody watches.
    fn may_end(&self) -> bool {
        let mut ring = self.locked();
        if ring.viewers > 0 {
            return false;
        }
        ring.running = false;
        ring.rows.clear();
        ring.bytes = 0;
        ring.base = *self.tip.borrow();
        true
    }

    fn locked(&self) -> MutexGuard<'_, Ring> {
        // Nothing panics while it holds the lock.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run(api: Shared) {
    let tail = api.tail.clone();
    // First the ear, then the eye: what is committed between is not missed.
    let mut wakes = api.bus.subscribe(WAKES);
    let mut heard = true;
    loop {
        let rested = tokio::time::Instant::now() + PAUSE;
        if let Err(error) = tail.advance(&api).await {
            telemetry::tail_failed(&error);
        }
        if tail.may_end() {
            return;
        }
        let wake = async { if heard { wakes.recv().await } else { std::future::pending().await } };
        tokio::select! {
            () = api.closing.asked() => {}
            message = wake => heard = message.is_some(),
            () = tokio::time::sleep(api.pace.patience) => {}
        }
        tokio::time::sleep_until(rested).await;
        // One reading answers all that were waiting.
        while wakes.try_recv().is_some() {}
        if api.closing.is_asked() {
            tail.locked().running = false;
            return;
        }
    }
}
