//! Appending, with group commit.
//!
//! One thread owns the open segment. Appenders hand it encoded frames through a bounded queue; it
//! writes and syncs them in groups and publishes the highest durable sequence number. When the disk
//! fails, the same frames are written again into a fresh segment until it works; meanwhile nobody
//! is told that anything is durable, so sessions stall instead of losing what they did.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base_model::{BootId, Record};
use tokio::sync::{Semaphore, watch};

use crate::disk::{Disk, DiskFile};
use crate::segment::{self, Unfit};
use crate::shelf::Shelf;

/// Frames waiting for the writer; past it appenders wait.
const QUEUE: usize = 4096;
/// Longest time a frame waits for company before it is synced.
const GROUP_WINDOW: Duration = Duration::from_millis(2);
/// Most bytes of one group.
const GROUP_BYTES: usize = 1024 * 1024;
/// Pause between tries while the disk fails.
const RETRY: Duration = Duration::from_millis(500);

/// How much the journal may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A segment is closed past this size.
    pub segment_bytes: u64,
    /// Unacknowledged bytes past which new records are refused.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { segment_bytes: 8 * 1024 * 1024, total_bytes: 1024 * 1024 * 1024 }
    }
}

/// Whether records get to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// They do.
    Writing,
    /// They do not; the reason is the file system's. Tried again until it works.
    Stalled(String),
}

/// A record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The journal holds as much as it may; control has to acknowledge first.
    #[error("journal holds {0} unacknowledged bytes, its limit")]
    Full(u64),
    /// The journal is closed.
    #[error("journal is closed")]
    Closed,
    /// The record does not fit the format.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// The appending side; clones share one journal.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
    durable: watch::Receiver<u64>,
    state: watch::Receiver<State>,
}

struct Inner {
    /// Places in the writer's queue; the writer gives them back.
    room: Arc<Semaphore>,
    /// Numbers records; held while a frame is queued so that the queue is in order.
    next: Mutex<Queue>,
    shelf: Shelf,
    total_bytes: u64,
}

struct Queue {
    seq: u64,
    sender: Option<SyncSender<Frame>>,
    writer: Option<JoinHandle<()>>,
}

struct Frame {
    seq: u64,
    bytes: Vec<u8>,
    /// Someone waits for it to be durable: sync at once.
    urgent: bool,
}

impl Journal {
    /// Starts the journal of `boot` on `disk`, which `shelf` already lists.
    ///
    /// # Errors
    /// When the writer thread cannot be started.
    pub fn start(
        disk: Arc<dyn Disk>,
        shelf: Shelf,
        boot: BootId,
        limits: Limits,
    ) -> io::Result<Self> {
        let room = Arc::new(Semaphore::new(QUEUE));
        let (sender, receiver) = sync_channel(QUEUE);
        let (durable_tx, durable) = watch::channel(0);
        let (state_tx, state) = watch::channel(State::Writing);
        let writer = Writer {
            disk,
            shelf: shelf.clone(),
            boot,
            segment_bytes: limits.segment_bytes,
            open: None,
            made: 0,
            room: Arc::clone(&room),
            durable: durable_tx,
            state: state_tx,
        };
        let writer = std::thread::Builder::new()
            .name("journal".into())
            .stack_size(256 * 1024)
            .spawn(move || writer.run(&receiver))?;
        let queue = Queue { seq: 0, sender: Some(sender), writer: Some(writer) };
        let inner = Inner { room, next: Mutex::new(queue), shelf, total_bytes: limits.total_bytes };
        Ok(Self { inner: Arc::new(inner), durable, state })
    }

    /// Appends the record that `build` makes of its sequence number. `urgent` when a reply waits
    /// for it. Waits while the queue is full.
    ///
    /// # Errors
    /// [`JournalError::Full`] when control is too far behind; then nothing was appended.
    pub async fn append(
        &self,
        urgent: bool,
        build: impl FnOnce(u64) -> Record,
    ) -> Result<u64, JournalError> {
        let held = self.inner.shelf.bytes();
        if held >= self.inner.total_bytes {
            return Err(JournalError::Full(held));
        }
        let room = self.inner.room.acquire().await.map_err(|_| JournalError::Closed)?;
        let mut queue = self.inner.next.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = queue.seq + 1;
        let mut bytes = Vec::with_capacity(512);
        segment::write_frame(&mut bytes, &build(seq))?;
        let sender = queue.sender.as_ref().ok_or(JournalError::Closed)?;
        // Never blocks: the queue has a place for every permit.
        sender.send(Frame { seq, bytes, urgent }).map_err(|_| JournalError::Closed)?;
        queue.seq = seq;
        room.forget();
        Ok(seq)
    }

    /// Waits until record `seq` is on the disk.
    ///
    /// # Errors
    /// [`JournalError::Closed`] when the journal ends first.
    pub async fn durable(&self, seq: u64) -> Result<(), JournalError> {
        let mut durable = self.durable.clone();
        durable.wait_for(|done| *done >= seq).await.map_err(|_| JournalError::Closed)?;
        Ok(())
    }

    /// The highest durable sequence number, as it grows.
    #[must_use]
    pub fn durable_seq(&self) -> watch::Receiver<u64> {
        self.durable.clone()
    }

    /// Whether records get to the disk, as it changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Writes what is queued and ends. Blocks until the writer is done; call it once, at the end.
    pub fn close(&self) {
        let writer = {
            let mut queue = self.inner.next.lock().unwrap_or_else(PoisonError::into_inner);
            queue.sender = None;
            queue.writer.take()
        };
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("journal writer panicked");
        }
    }
}

struct Writer {
    disk: Arc<dyn Disk>,
    shelf: Shelf,
    boot: BootId,
    segment_bytes: u64,
    open: Option<Open>,
    /// Segments made so far; keeps their names apart when one is begun anew.
    made: u64,
    room: Arc<Semaphore>,
    durable: watch::Sender<u64>,
    state: watch::Sender<State>,
}

struct Open {
    file: Box<dyn DiskFile>,
    bytes: u64,
}

impl Writer {
    fn run(mut self, frames: &Receiver<Frame>) {
        let mut group = Vec::new();
        while let Ok(first) = frames.recv() {
            let (last, taken) = gather(first, frames, &mut group);
            let mut failed = false;
            while let Err(error) = self.write(last, taken, &group) {
                // What a failed write or sync left behind is unknown: begin a new segment.
                self.open = None;
                if !failed {
                    tracing::error!(%error, "journal cannot write; sessions wait");
                    self.state.send_replace(State::Stalled(error.to_string()));
                }
                failed = true;
                std::thread::sleep(RETRY);
            }
            if failed {
                tracing::info!("journal writes again");
                self.state.send_replace(State::Writing);
            }
            self.durable.send_replace(last);
            self.room.add_permits(usize::try_from(taken).unwrap_or(0));
            group.clear();
        }
    }

    /// Writes and syncs a group of `count` frames ending with record `last`.
    fn write(&mut self, last: u64, count: u64, group: &[u8]) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|open| open.bytes >= self.segment_bytes) {
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(self.begin(last + 1 - count)?);
        }
        if let Some(open) = &mut self.open {
            open.file.append(group)?;
            open.file.sync()?;
            open.bytes += group.len() as u64;
            self.shelf.grew(group.len() as u64, last);
        }
        Ok(())
    }

    fn begin(&mut self, first_seq: u64) -> io::Result<Open> {
        self.made += 1;
        let name = format!("{}-{:08}.seg", self.boot, self.made);
        let mut file = self.disk.create(&name)?;
        let begun = file
            .append(&segment::header(self.boot, first_seq))
            .and_then(|()| file.sync())
            .and_then(|()| self.disk.sync());
        if let Err(error) = begun {
            // Tried again for as long as the disk is full, it must not leave a file each time. What
            // cannot be removed goes with the next start.
            drop(self.disk.remove(&name));
            return Err(error);
        }
        self.shelf.began(self.boot, first_seq, name);
        Ok(Open { file, bytes: segment::HEADER as u64 })
    }
}

/// Collects frames that may share a sync: all that wait, and for up to [`GROUP_WINDOW`] those to
/// come, unless a reply waits for one of them.
fn gather(first: Frame, frames: &Receiver<Frame>, group: &mut Vec<u8>) -> (u64, u64) {
    let deadline = Instant::now() + GROUP_WINDOW;
    let (mut last, mut count, mut urgent) = (first.seq, 1, first.urgent);
    group.extend_from_slice(&first.bytes);
    while group.len() < GROUP_BYTES {
        let wait = if urgent {
            Duration::ZERO
        } else {
            deadline.saturating_duration_since(Instant::now())
        };
        match frames.recv_timeout(wait) {
            Ok(frame) => {
                group.extend_from_slice(&frame.bytes);
                last = frame.seq;
                count += 1;
                urgent |= frame.urgent;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    (last, count)
}

#[cfg(test)]
mod tests;
