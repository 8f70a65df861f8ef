//! The way from an edge into the decoy process.

use std::future::Future;
use std::pin::Pin;

use base_model::{Fact, SessionId, Timestamp};
use decoys_kit::context::RecordingPiece;
use decoys_kit::{Blob, Effect};

/// What a session does that its client does not see.
#[derive(Debug)]
pub enum Outward {
    /// Tells what happened.
    Emit(Option<SessionId>, Fact),
    /// Keeps content.
    Keep(Blob),
    /// Appends recording lines.
    Record(RecordingPiece),
    /// Waits until all before is durable.
    Commit,
}

impl Outward {
    /// Splits an effect into what goes out and what the client gets.
    ///
    /// # Errors
    /// The reply, when it is one.
    pub fn from_effect<R>(effect: Effect<R>) -> Result<Self, R> {
        match effect {
            Effect::Emit(session, fact) => Ok(Self::Emit(session, fact)),
            Effect::Keep(blob) => Ok(Self::Keep(blob)),
            Effect::Record(piece) => Ok(Self::Record(piece)),
            Effect::Commit => Ok(Self::Commit),
            Effect::Reply(reply) => Err(reply),
        }
    }
}

/// What happened could not be made durable in time; the session ends.
#[derive(Debug, thiserror::Error)]
#[error("what happened could not be made durable in time")]
pub struct Stalled;

/// The decoy process as one connection sees it.
pub trait World: Send + Sync + 'static {
    /// The time; never goes backwards.
    fn now(&self) -> Timestamp;
    /// Performs `outward`; calls come one after the other.
    fn perform(
        &self,
        outward: Outward,
    ) -> Pin<Box<dyn Future<Output = Result<(), Stalled>> + Send + '_>>;
    /// A step of the session panicked.
    fn panicked(&self);
}
