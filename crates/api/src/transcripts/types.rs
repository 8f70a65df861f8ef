//! Shapes of the transcript route.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Seconds since the start, `i`, `o` or `r`, text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Spoken(pub(crate) f64, pub(crate) &'static str, pub(crate) String);

/// Part of a recording.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Transcript {
    /// The session.
    pub(crate) sid: String,
    /// Its service.
    pub(crate) service: String,
    /// How the terminal was.
    #[schema(value_type = Object)]
    pub(crate) header: Map<String, Value>,
    /// What was typed (`i`), shown (`o`) and resized (`r`), in order.
    #[schema(value_type = Vec<Vec<Value>>)]
    pub(crate) events: Vec<Spoken>,
    /// Events skipped.
    pub(crate) offset: u64,
    /// Events asked for.
    pub(crate) limit: u64,
    /// Events there are.
    pub(crate) total: u64,
    /// Whether there are more after these.
    pub(crate) has_more: bool,
    /// Whether the recording stopped at its limit.
    pub(crate) truncated: bool,
}
