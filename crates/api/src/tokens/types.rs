//! Shapes of the routes for API tokens.

use serde::{Deserialize, Serialize};
use store_db::ApiTokenRow;
use utoipa::ToSchema;

use crate::moment::Moment;

/// An API token, without what would let one use it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiToken {
    /// Stable id.
    pub(crate) uuid: String,
    /// What it is for.
    pub(crate) name: String,
    /// `admin` or `viewer`.
    pub(crate) role: String,
    /// Who made it.
    pub(crate) created_by: String,
    /// When.
    pub(crate) created_at: Moment,
    /// When it ends by itself.
    pub(crate) expires_at: Option<Moment>,
    /// When it was last seen, to the minute.
    pub(crate) last_used_at: Option<Moment>,
}

impl From<ApiTokenRow> for ApiToken {
    fn from(row: ApiTokenRow) -> Self {
        Self {
            uuid: row.uuid,
            name: row.name,
            role: row.role,
            created_by: row.created_by,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Moment::from),
            last_used_at: row.last_used_at.map(Moment::from),
        }
    }
}

/// The API tokens there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiTokenList {
    /// By name.
    pub(crate) tokens: Vec<ApiToken>,
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) name: String,
    /// `admin` or `viewer` (default).
    pub(crate) role: Option<String>,
    /// Days until it ends; never when not given.
    #[schema(minimum = 1, maximum = 3650)]
    pub(crate) expires_in_days: Option<u64>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    /// What is kept of it.
    #[serde(flatten)]
    pub(crate) kept: ApiToken,
    /// To be sent as `Authorization: Bearer …`; shown this once.
    pub(crate) token: String,
}
