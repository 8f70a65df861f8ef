//! What all connections of the process share.

use std::sync::atomic::{AtomicU64, Ordering};

use base_model::BootId;
use base_runtime::{Clock, Shutdown};
use events_journal::{Journal, Shelf, Spool, State};
use events_link::SensorStatus;

use crate::admission::Admission;
use crate::bare::Bare;

/// The process's journal, clock and counters.
pub(crate) struct Sensor {
    pub(crate) clock: Clock,
    pub(crate) boot: BootId,
    pub(crate) journal: Journal,
    pub(crate) shelf: Shelf,
    pub(crate) spool: Spool,
    pub(crate) admission: Admission,
    pub(crate) bare: Bare,
    pub(crate) shutdown: Shutdown,
    pub(crate) panics: AtomicU64,
    pub(crate) sandbox: Vec<String>,
}

impl Sensor {
    /// How the process is.
    pub(crate) fn status(&self) -> SensorStatus {
        let (connections, refused) = self.admission.figures();
        let journal_stalled = match &*self.journal.state().borrow() {
            State::Writing => None,
            State::Stalled(why) => Some(why.clone()),
        };
        SensorStatus {
            connections,
            refused,
            panics: self.panics.load(Ordering::Relaxed),
            journal_stalled,
            journal_bytes: self.shelf.bytes(),
            sandbox: self.sandbox.clone(),
        }
    }
}
