//! Shapes of the account routes.

use serde::{Deserialize, Serialize};
use store_db::UserRow;
use utoipa::ToSchema;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    /// Stable id.
    pub(crate) uuid: String,
    /// Login name.
    pub(crate) username: String,
    /// `admin` or `viewer`.
    pub(crate) role: String,
    /// Whether only a change of password is allowed.
    pub(crate) must_change_password: bool,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let UserRow { uuid, username, role, must_change_password, .. } = row;
        Self { uuid, username, role, must_change_password }
    }
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Login name.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) username: String,
    /// To be changed at the first login; at most 72 bytes of UTF-8.
    #[schema(min_length = 12, max_length = 72, format = Password)]
    pub(crate) password: String,
    /// `admin` or `viewer` (default).
    pub(crate) role: Option<String>,
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// `admin` or `viewer`.
    pub(crate) role: String,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// To be changed at the next login; at most 72 bytes of UTF-8.
    #[schema(min_length = 12, max_length = 72, format = Password)]
    pub(crate) new_password: String,
}
