//! The live stream: what was ingested, as it is ingested (`spec/api.md` §16).
//!
//! One [`tail`] reads the log for everyone and keeps the newest rows. Each [`viewer`] has a place in
//! the log and takes rows from there when its client is ready for more, so a slow client costs no
//! memory. One that falls too far behind leaves rows out, and is told how many.

mod bars;
mod frame;
pub(crate) mod routes;
pub(crate) mod slots;
pub(crate) mod tail;
#[cfg(test)]
mod tests;
mod viewer;

use std::time::Duration;

/// How often things happen on a stream by themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Figures and histogram are sent, and the session is looked at.
    pub(crate) tick: Duration,
    /// A comment is sent.
    pub(crate) keepalive: Duration,
    /// The log is read without being woken.
    pub(crate) patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Self { tick: ten, keepalive: Duration::from_secs(15), patience: ten }
    }
}
