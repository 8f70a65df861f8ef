//! Speaks for one connection: binds what its session tells to who, where and when, and journals it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base_model::{
    Body, ConnId, Decky, EVENT_VERSION, Event, EventId, Fact, Peer, Record, RecordingChunk,
    SessionId, Timestamp, Transport, catalogue,
};
use chacha20::ChaCha12Rng;
use decoys_kit::Blob;
use decoys_kit::context::RecordingPiece;
use decoys_secure::{Outward, Stalled, World};
use rand_core::Rng as _;

use crate::sensor::Sensor;

/// Longest wait for the disk before a session is given up.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most recording bytes of one journal record.
const CHUNK: usize = 256 * 1024;

/// Who and where; fixed when the connection is made.
#[derive(Clone)]
pub(crate) struct Bound {
    pub(crate) decky: Arc<Decky>,
    pub(crate) service: &'static str,
    pub(crate) attacker: Option<Peer>,
    pub(crate) local: Option<Peer>,
    pub(crate) conn: Option<ConnId>,
    pub(crate) session: Option<SessionId>,
}

/// The voice of one connection.
pub(crate) struct Voice {
    sensor: Arc<Sensor>,
    bound: Bound,
    rng: Mutex<ChaCha12Rng>,
    /// The last record journaled here.
    last: AtomicU64,
    /// When the connection was opened, as long as that was not told.
    untold: Mutex<Option<Timestamp>>,
}

impl Voice {
    pub(crate) fn new(sensor: Arc<Sensor>, bound: Bound, rng: ChaCha12Rng) -> Self {
        let (rng, last) = (Mutex::new(rng), AtomicU64::new(0));
        Self { sensor, bound, rng, last, untold: Mutex::new(None) }
    }

    /// A voice whose first word, whenever it comes, is that the connection was opened at `at`.
    pub(crate) fn of_connection(
        sensor: Arc<Sensor>,
        bound: Bound,
        rng: ChaCha12Rng,
        at: Timestamp,
    ) -> Self {
        Self { untold: Mutex::new(Some(at)), ..Self::new(sensor, bound, rng) }
    }

    /// Tells that the connection was opened, unless that was told.
    pub(crate) async fn tell_opened(&self) -> Result<(), Stalled> {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner).take();
        match untold {
            Some(at) => self.emit_at(at, None, catalogue::connect()).await,
            None => Ok(()),
        }
    }

    /// Whether nothing was told yet.
    pub(crate) fn is_silent(&self) -> bool {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Who and where.
    pub(crate) const fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Tells `fact`, in the connection's first session unless another is named.
    pub(crate) async fn emit(&self, session: Option<SessionId>, fact: Fact) -> Result<(), Stalled> {
        self.tell_opened().await?;
        self.emit_at(self.now(), session, fact).await
    }

    async fn emit_at(
        &self,
        at: Timestamp,
        session: Option<SessionId>,
        fact: Fact,
    ) -> Result<(), Stalled> {
        let (kind, fields, blobs) = fact.into_parts();
        let mut entropy = [0; 10];
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut entropy);
        let mut event = Event {
            v: EVENT_VERSION,
            id: EventId::at(at, entropy),
            boot: self.sensor.boot,
            seq: 0,
            at,
            sensor: None,
            decky: self.bound.decky.id,
            decky_name: self.bound.decky.name.clone(),
            topology: None,
            service: self.bound.service.into(),
            kind: kind.name.into(),
            attacker: self.bound.attacker,
            local: self.bound.local,
            conn: self.bound.conn,
            session: session.or(self.bound.session),
            origin: None,
            synthetic: false,
            transport: Transport::Tcp,
            fields,
        };
        let named = blobs.clone();
        let seq = self
            .append(|seq| {
                event.seq = seq;
                Record { seq, blobs, body: Body::Event(Box::new(event)) }
            })
            .await;
        let spool = &self.sensor.spool;
        match seq {
            Ok(seq) => named.iter().for_each(|blob| spool.name(*blob, self.sensor.boot, seq)),
            Err(_) => named.iter().for_each(|blob| spool.release(*blob)),
        }
        seq.map(drop)
    }

    async fn keep(&self, blob: Blob) -> Result<(), Stalled> {
        let spool = self.sensor.spool.clone();
        let put = tokio::task::spawn_blocking(move || spool.put(blob.sha256, &blob.bytes)).await;
        match put {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::error!(%error, "captured content cannot be kept; the session ends");
                Err(Stalled)
            }
            Err(_) => Err(Stalled),
        }
    }

    async fn record(&self, piece: RecordingPiece) -> Result<(), Stalled> {
        let decky = &self.bound.decky;
        let mut chunk = piece.on(decky.id, &decky.name, self.bound.service);
        while !chunk.lines.is_empty() {
            let rest = split_lines(&mut chunk.lines);
            let offset = chunk.offset + chunk.lines.len() as u64;
            let next = RecordingChunk { offset, lines: rest, ..chunk.clone() };
            let body = Body::Recording(std::mem::replace(&mut chunk, next));
            self.append(|seq| Record { seq, blobs: Vec::new(), body }).await?;
        }
        Ok(())
    }

    async fn append(&self, build: impl FnOnce(u64) -> Record) -> Result<u64, Stalled> {
        match self.sensor.journal.append(false, build).await {
            Ok(seq) => {
                self.last.store(seq, Ordering::Relaxed);
                Ok(seq)
            }
            Err(error) => {
                tracing::error!(%error, "journal takes no more; the session ends");
                Err(Stalled)
            }
        }
    }

    /// Waits until everything told so far is on the disk.
    pub(crate) async fn commit(&self) -> Result<(), Stalled> {
        let last = self.last.load(Ordering::Relaxed);
        let durable = tokio::time::timeout(PATIENCE, self.sensor.journal.durable(last)).await;
        durable.map_err(|_| Stalled)?.map_err(|_| Stalled)
    }
}

impl World for Voice {
    fn now(&self) -> Timestamp {
        self.sensor.clock.now()
    }

    fn perform(
        &self,
        outward: Outward,
    ) -> Pin<Box<dyn Future<Output = Result<(), Stalled>> + Send + '_>> {
        Box::pin(async move {
            match outward {
                Outward::Emit(session, fact) => self.emit(session, fact).await,
                Outward::Keep(blob) => self.keep(blob).await,
                Outward::Record(piece) => self.record(piece).await,
                Outward::Commit => self.commit().await,
            }
        })
    }

    fn panicked(&self) {
        self.sensor.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!(service = self.bound.service, "a session panicked and was ended");
    }
}

impl Voice {
    /// Tells that our own code failed on this connection.
    pub(crate) async fn tell_failure(&self) {
        // If the journal takes no more there is nowhere to tell it.
        drop(self.emit(None, catalogue::error("session ended by an internal error")).await);
    }
}

/// Leaves whole lines of at most about [`CHUNK`] bytes and returns the rest.
fn split_lines(lines: &mut String) -> String {
    if lines.len() <= CHUNK {
        return String::new();
    }
    let end = lines.as_bytes().iter().take(CHUNK).rposition(|&byte| byte == b'\n');
    let end = end.or_else(|| lines.bytes().position(|byte| byte == b'\n'));
    end.map_or_else(String::new, |end| lines.split_off(end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_cut_between_lines_only() {
        let mut lines = format!("{}\n", "x".repeat(5000)).repeat(200);
        let all = lines.clone();
        let mut pieces = Vec::new();
        while !lines.is_empty() {
            let rest = split_lines(&mut lines);
            pieces.push(std::mem::replace(&mut lines, rest));
        }
        assert!(pieces.len() > 1);
        assert!(pieces.iter().all(|piece| piece.ends_with('\n') && piece.len() <= CHUNK));
        assert_eq!(pieces.concat(), all);
    }
}
