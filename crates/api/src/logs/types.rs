//! Shapes of the log routes.

use serde::Serialize;
use store_db::{Bucket, LogRow};
use utoipa::ToSchema;

use crate::moment::Moment;

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogEntry {
    /// Its place in the order of ingestion.
    pub(crate) id: u64,
    /// Its id for ever, 32 hex digits.
    pub(crate) event_uid: String,
    /// When it happened.
    pub(crate) timestamp: Moment,
    /// On which decky.
    pub(crate) decky: String,
    /// Over which service.
    pub(crate) service: String,
    /// What happened.
    pub(crate) event_type: String,
    /// Who: an address, or `Unknown`.
    pub(crate) attacker_ip: String,
    /// The attacker's port.
    pub(crate) src_port: Option<u16>,
    /// The decky's port.
    pub(crate) dst_port: Option<u16>,
    /// `tcp` or `udp`.
    pub(crate) transport: String,
    /// The session.
    pub(crate) session_id: Option<String>,
    /// Done by DECNET itself.
    pub(crate) synthetic: bool,
    /// As an RFC 5424 line.
    pub(crate) raw_line: String,
    /// What the event says: a JSON object, as text.
    pub(crate) fields: String,
    /// Free text beside the fields.
    pub(crate) msg: Option<String>,
    /// The trace it belongs to.
    pub(crate) trace_id: Option<String>,
    /// The span it belongs to.
    pub(crate) span_id: Option<String>,
}

impl From<LogRow> for LogEntry {
    fn from(row: LogRow) -> Self {
        let line = row.line();
        // The line has taken the fields apart already.
        let text = |name: &str| {
            let found = line.params.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        let (trace_id, span_id) = (text("trace_id"), text("span_id"));
        Self {
            id: row.seq,
            event_uid: row.event_uid,
            timestamp: row.timestamp.into(),
            decky: row.decky,
            service: row.service,
            event_type: row.event_type,
            attacker_ip: row.attacker_ip,
            src_port: row.src_port,
            dst_port: row.dst_port,
            transport: row.transport,
            session_id: row.session_id,
            synthetic: row.synthetic,
            raw_line: line.render(),
            fields: row.fields,
            msg: line.msg,
            trace_id,
            span_id,
        }
    }
}

/// One bar of a histogram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct HistogramBucket {
    /// Its start in UTC, `YYYY-MM-DD HH:MM:SS`.
    pub(crate) time: String,
    /// Events in it.
    pub(crate) count: u64,
}

impl From<Bucket> for HistogramBucket {
    fn from(bucket: Bucket) -> Self {
        let time = bucket.time.rfc3339(0).replace('T', " ").replace('Z', "");
        Self { time, count: bucket.count }
    }
}
