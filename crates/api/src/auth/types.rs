//! Shapes of the authentication routes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// The account's name.
    pub(crate) username: String,
    /// At most 72 characters.
    #[schema(max_length = 72, format = Password)]
    pub(crate) password: String,
}

/// A new session.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginAnswer {
    /// To be sent as `Authorization: Bearer …`.
    pub(crate) access_token: String,
    /// `bearer`.
    pub(crate) token_type: &'static str,
    /// Whether only a change of password is allowed.
    pub(crate) must_change_password: bool,
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePasswordRequest {
    /// The password so far.
    #[schema(max_length = 72, format = Password)]
    pub(crate) old_password: String,
    /// At most 72 bytes of UTF-8.
    #[schema(min_length = 12, max_length = 72, format = Password)]
    pub(crate) new_password: String,
}

/// Something was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// What.
    pub(crate) message: &'static str,
}

/// A ticket for one live stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct TicketAnswer {
    /// To be sent as `?ticket=…`, once.
    pub(crate) ticket: String,
    /// Seconds until it ends.
    pub(crate) expires_in: u64,
}
