//! What the journal holds and the link carries.

use serde::{Deserialize, Serialize};

use crate::{Event, RecordingChunk, Sha256Digest};

/// One entry of a decoy process's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position within the run of the decoy process; contiguous from 1.
    pub seq: u64,
    /// Blobs that must be stored before this record may be acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Sha256Digest>,
    /// What it says.
    pub body: Body,
}

/// The content of a [`Record`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// Something happened; its `seq` is the record's.
    Event(Box<Event>),
    /// More lines of a recording.
    Recording(RecordingChunk),
}
