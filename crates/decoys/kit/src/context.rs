//! What a session sees of the world, and what it does to it.

use base_model::{Fact, RecordingChunk, SessionId, Sha256Digest, Timestamp};
use chacha20::ChaCha12Rng;
use rand_core::Rng;

/// Content kept under its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The digest of `bytes`.
    pub sha256: Sha256Digest,
    /// The content.
    pub bytes: Vec<u8>,
}

/// One act of a session, performed by the runtime in order. `R` is what it can do to its client.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect<R> {
    /// Tells what happened, in the given session (the connection's first when `None`).
    Emit(Option<SessionId>, Fact),
    /// Keeps content; comes before the fact that names it.
    Keep(Blob),
    /// Appends recording lines.
    Record(RecordingPiece),
    /// Waits until every fact, blob and recording so far is durable. What follows is a reply that
    /// concerns them (design §11.1).
    Commit,
    /// Acts on the client.
    Reply(R),
}

/// Recording lines as a session produces them; the runtime adds the decky.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingPiece {
    /// The recorded session.
    pub session: SessionId,
    /// When it started.
    pub started: Timestamp,
    /// Bytes of its lines before these.
    pub offset: u64,
    /// Complete JSON lines.
    pub lines: String,
}

impl RecordingPiece {
    /// Bound to the decky and service it took place on.
    #[must_use]
    pub fn on(self, decky: base_model::DeckyId, decky_name: &str, service: &str) -> RecordingChunk {
        RecordingChunk {
            session: self.session,
            decky,
            decky_name: decky_name.to_owned(),
            service: service.to_owned(),
            started: self.started,
            offset: self.offset,
            lines: self.lines,
        }
    }
}

/// Time, entropy and the list of effects of one step.
pub struct Context<'a, R> {
    now: Timestamp,
    rng: &'a mut ChaCha12Rng,
    effects: &'a mut Vec<Effect<R>>,
}

impl<'a, R> Context<'a, R> {
    /// A context for one step at `now`; `rng` is the connection's own, `effects` collects.
    pub const fn new(
        now: Timestamp,
        rng: &'a mut ChaCha12Rng,
        effects: &'a mut Vec<Effect<R>>,
    ) -> Self {
        Self { now, rng, effects }
    }

    /// The time of this step. Never goes backwards within a connection.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The connection's entropy: for nonces and jitter, not for anything that must persist.
    pub const fn rng(&mut self) -> &mut ChaCha12Rng {
        self.rng
    }

    /// A fresh session id, for a further session on the same connection.
    pub fn new_session(&mut self) -> SessionId {
        let mut entropy = [0; 16];
        self.rng.fill_bytes(&mut entropy);
        SessionId::from_entropy(entropy)
    }

    /// Tells what happened, in the connection's first session.
    pub fn emit(&mut self, fact: Fact) {
        self.effects.push(Effect::Emit(None, fact));
    }

    /// Tells what happened in `session`.
    pub fn emit_in(&mut self, session: SessionId, fact: Fact) {
        self.effects.push(Effect::Emit(Some(session), fact));
    }

    /// Keeps `bytes` as a blob and returns its digest.
    pub fn keep(&mut self, bytes: Vec<u8>) -> Sha256Digest {
        let sha256 = Sha256Digest::of(&bytes);
        self.effects.push(Effect::Keep(Blob { sha256, bytes }));
        sha256
    }

    /// Appends to a recording.
    pub fn record(&mut self, piece: RecordingPiece) {
        self.effects.push(Effect::Record(piece));
    }

    /// Makes everything after wait until everything before is durable.
    pub fn commit(&mut self) {
        self.effects.push(Effect::Commit);
    }

    /// Acts on the client.
    pub fn reply(&mut self, reply: R) {
        self.effects.push(Effect::Reply(reply));
    }
}
