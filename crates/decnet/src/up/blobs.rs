//! Captured content on its way from a decoy process into the blob store.
//!
//! A disk that fails or is full is waited for: the content is asked for again until it is kept, and
//! the records that name it wait in the sensor's journal. Only the store's own quota makes content
//! be given up, with a word in health: its events would otherwise wait for ever.

use std::collections::BTreeMap;

use api::{ComponentStatus, HealthBoard};
use base_model::Sha256Digest;
use events_link::BlobPart;
use store_ingest::{BlobError, BlobStore, BlobWriter};

use crate::refusal::chain;

/// Largest blob taken.
const MAX_BLOB: u64 = 64 * 1024 * 1024;
/// Blobs on their way at once.
const MAX_INCOMING: usize = 4;
/// Name of the component in health.
const COMPONENT: &str = "blob_store";

/// What the decoy process is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// More is to come.
    Nothing,
    /// Send it.
    Wanted,
    /// Send it again, but not at once.
    WantedLater,
    /// It is safe, or given up.
    Kept,
}

/// The decoy process does not keep to the rules.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("a blob of {0} bytes is beyond the limits")]
    Limits(u64),
    #[error("a piece of a blob that was not offered")]
    NotOffered,
    #[error(transparent)]
    Content(BlobError),
}

/// Blobs on their way.
pub(crate) struct Incoming<'k> {
    store: &'k BlobStore,
    health: &'k HealthBoard,
    blobs: BTreeMap<Sha256Digest, Blob>,
}

struct Blob {
    size: u64,
    state: State,
}

enum State {
    Writing(BlobWriter),
    /// The disk failed; what still comes of this try is dropped.
    Failed,
    GivenUp,
}

impl<'k> Incoming<'k> {
    pub(crate) const fn new(store: &'k BlobStore, health: &'k HealthBoard) -> Self {
        Self { store, health, blobs: BTreeMap::new() }
    }

    /// A blob is offered.
    pub(crate) fn offered(&mut self, sha256: Sha256Digest, size: u64) -> Result<Reply, Broken> {
        if self.store.has(sha256) {
            return Ok(Reply::Kept);
        }
        if size > MAX_BLOB || self.blobs.len() >= MAX_INCOMING {
            return Err(Broken::Limits(size));
        }
        self.blobs.insert(sha256, Blob { size, state: State::Failed });
        if size == 0 {
            // No piece will come of it.
            return self.piece(sha256, 0, &[]);
        }
        Ok(Reply::Wanted)
    }

    /// A piece came. Does disk work of at most a piece.
    pub(crate) fn part(&mut self, part: &BlobPart) -> Result<Reply, Broken> {
        self.piece(part.sha256, part.offset, &part.bytes)
    }

    fn piece(&mut self, sha256: Sha256Digest, offset: u64, bytes: &[u8]) -> Result<Reply, Broken> {
        let mut blob = self.blobs.remove(&sha256).ok_or(Broken::NotOffered)?;
        if offset == 0 {
            blob.state = self.state_of(self.store.writer(sha256, blob.size).map(State::Writing))?;
        }
        if let State::Writing(mut writer) = blob.state {
            blob.state = self.state_of(writer.write(bytes).map(|()| State::Writing(writer)))?;
        }
        if offset + (bytes.len() as u64) < blob.size {
            self.blobs.insert(sha256, blob);
            return Ok(Reply::Nothing);
        }
        let kept = match blob.state {
            State::GivenUp => return Ok(Reply::Kept),
            State::Failed => false,
            State::Writing(writer) => {
                !matches!(self.state_of(writer.finish().map(|()| State::GivenUp))?, State::Failed)
            }
        };
        if kept {
            self.health.set(COMPONENT, ComponentStatus::Ok);
            return Ok(Reply::Kept);
        }
        self.blobs.insert(sha256, Blob { size: blob.size, state: State::Failed });
        Ok(Reply::WantedLater)
    }

    /// The state after a step of writing.
    fn state_of(&self, step: Result<State, BlobError>) -> Result<State, Broken> {
        let (error, state) = match step {
            Ok(state) => return Ok(state),
            Err(error @ (BlobError::Size { .. } | BlobError::Digest { .. })) => {
                return Err(Broken::Content(error));
            }
            Err(error @ BlobError::Quota { .. }) => (error, State::GivenUp),
            Err(error @ BlobError::Io(_)) => (error, State::Failed),
        };
        let told = chain(&error);
        tracing::error!(error = told, "captured content cannot be kept");
        self.health.set(COMPONENT, ComponentStatus::Failing(told));
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(incoming: &mut Incoming<'_>, content: &[u8]) -> Reply {
        let sha256 = Sha256Digest::of(content);
        let (first, second) = content.split_at(content.len() / 2);
        assert_eq!(incoming.piece(sha256, 0, first).unwrap(), Reply::Nothing);
        incoming.piece(sha256, first.len() as u64, second).unwrap()
    }

    #[test]
    fn content_is_kept_and_not_asked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path(), 100).unwrap();
        let health = HealthBoard::default();
        let mut incoming = Incoming::new(&store, &health);
        let sha256 = Sha256Digest::of(b"content");
        assert_eq!(incoming.offered(sha256, 7).unwrap(), Reply::Wanted);
        assert_eq!(send(&mut incoming, b"content"), Reply::Kept);
        assert_eq!(incoming.offered(sha256, 7).unwrap(), Reply::Kept);
        let empty = Sha256Digest::of(b"");
        assert_eq!(incoming.offered(empty, 0).unwrap(), Reply::Kept);
        assert!(store.has(sha256) && store.has(empty));
    }

    #[test]
    fn a_disk_that_fails_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path(), 100).unwrap();
        let health = HealthBoard::default();
        let mut incoming = Incoming::new(&store, &health);
        let sha256 = Sha256Digest::of(b"content");
        incoming.offered(sha256, 7).unwrap();
        let away = folder.path().join("away");
        std::fs::rename(folder.path().join("blobs"), &away).unwrap();
        assert_eq!(send(&mut incoming, b"content"), Reply::WantedLater);
        std::fs::rename(&away, folder.path().join("blobs")).unwrap();
        assert_eq!(send(&mut incoming, b"content"), Reply::Kept);
        assert!(store.has(sha256));
    }

    #[test]
    fn content_beyond_the_quota_is_given_up_and_what_fits_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path(), 10).unwrap();
        let health = HealthBoard::default();
        let mut incoming = Incoming::new(&store, &health);
        let large = b"more than ten bytes";
        incoming.offered(Sha256Digest::of(large), large.len() as u64).unwrap();
        assert_eq!(send(&mut incoming, large), Reply::Kept);
        assert!(!store.has(Sha256Digest::of(large)));
        incoming.offered(Sha256Digest::of(b"small"), 5).unwrap();
        assert_eq!(send(&mut incoming, b"small"), Reply::Kept);
        assert!(store.has(Sha256Digest::of(b"small")));
    }

    #[test]
    fn false_content_and_unasked_pieces_end_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path(), 100).unwrap();
        let health = HealthBoard::default();
        let mut incoming = Incoming::new(&store, &health);
        let sha256 = Sha256Digest::of(b"content");
        assert!(matches!(incoming.piece(sha256, 0, b"x"), Err(Broken::NotOffered)));
        assert!(matches!(incoming.offered(sha256, MAX_BLOB + 1), Err(Broken::Limits(_))));
        incoming.offered(sha256, 7).unwrap();
        assert!(matches!(incoming.piece(sha256, 0, b"CONTENT"), Err(Broken::Content(_))));
    }
}
