//! Records of a journal that this version cannot read: a newer decoy process may have written them.

use base_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store_db::QuarantineRow;

use crate::fold::Source;

/// A record that passed its checksum and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its position within the run.
    pub seq: u64,
    /// Why it cannot be read.
    pub error: String,
    /// The journal's bytes, which are kept as they are.
    pub payload: Vec<u8>,
}

impl Unreadable {
    pub(crate) fn row(&self, source: Source, at: Timestamp) -> QuarantineRow {
        QuarantineRow {
            sensor: source.sensor,
            boot: source.boot,
            boot_seq: self.seq,
            at,
            error: self.error.clone(),
            record: serde_json::json!({ "payload_b64": STANDARD.encode(&self.payload) })
                .to_string(),
        }
    }
}
