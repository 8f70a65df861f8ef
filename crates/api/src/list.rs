//! Lists: paging in, an envelope out (`spec/api.md` §4).

use serde::Serialize;
use store_db::{Page, Paging};
use utoipa::ToSchema;

use crate::params::Params;

/// Largest offset.
const MAX_OFFSET: u64 = 2_147_483_647;

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// Rows in the whole list.
    pub(crate) total: u64,
    /// Rows asked for.
    pub(crate) limit: u64,
    /// Rows skipped.
    pub(crate) offset: u64,
    /// The rows.
    pub(crate) data: Vec<T>,
    /// Whether `total` is a lower bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) total_estimated: bool,
    /// What to pass as `cursor` for the rows after these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

impl<T> List<T> {
    /// The envelope of a page.
    pub(crate) fn of<R>(page: Page<R>, paging: Paging, row: impl FnMut(R) -> T) -> Self {
        Self {
            total: page.total,
            limit: paging.limit,
            offset: paging.offset,
            data: page.data.into_iter().map(row).collect(),
            total_estimated: page.total_estimated,
            next_cursor: None,
        }
    }
}

/// Reads `limit` (1 to `max`) and `offset`.
pub(crate) fn paging(params: &mut Params, default: u64, max: u64) -> Paging {
    Paging {
        limit: params.number("limit", 1..=max, default),
        offset: params.number("offset", 0..=MAX_OFFSET, 0),
    }
}
