//! What the ingest counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// Totals since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events stored.
    pub stored: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Records set aside because they could not be stored.
    pub quarantined: u64,
    /// Batches that did not start where the last one of their run ended.
    pub gaps: u64,
    /// Recording chunks that left a hole before them.
    pub recording_gaps: u64,
    /// Names cut or cleaned for their column; whole in the fields.
    pub cut: u64,
    /// Times that the forensic files could not be written; they catch up later.
    pub forensic_late: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) stored: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) quarantined: AtomicU64,
    pub(crate) gaps: AtomicU64,
    pub(crate) recording_gaps: AtomicU64,
    pub(crate) cut: AtomicU64,
    pub(crate) forensic_late: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl Tally {
    pub(crate) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            stored: read(&self.stored),
            duplicates: read(&self.duplicates),
            quarantined: read(&self.quarantined),
            gaps: read(&self.gaps),
            recording_gaps: read(&self.recording_gaps),
            cut: read(&self.cut),
            forensic_late: read(&self.forensic_late),
        }
    }
}
