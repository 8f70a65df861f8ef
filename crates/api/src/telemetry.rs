//! The lines this crate writes to the diagnostics, and what it counts.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request failed through no fault of its client.
pub(crate) fn request_failed(error_id: &str, what: &'static str, error: &(dyn Error + 'static)) {
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(error_id, what, error = causes, "a request failed");
}

/// A stored password hash cannot be read.
pub(crate) fn hash_unreadable() {
    tracing::error!("the password hash of an account is damaged; it cannot log in");
}

/// Accepting a connection failed.
pub(crate) fn accept_failed(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
}

/// Another user of this machine came to the local socket.
pub(crate) fn stranger_refused(uid: u32) {
    tracing::warn!(uid, "a user who may not was refused on the local socket");
}

/// A connection ended with an error: mostly a client that went away.
pub(crate) fn connection_ended(error: &(dyn Error + 'static)) {
    tracing::debug!(error, "a connection ended early");
}

/// The shared tail could not read the log.
pub(crate) fn tail_failed(error: &(dyn Error + 'static)) {
    tracing::warn!(error, "the live stream could not read the log");
}
