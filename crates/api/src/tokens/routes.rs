//! Making, listing and revoking API tokens.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use store_db::{ApiTokenRow, DbError};
use utoipa_axum::routes;
use uuid::Uuid;

use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::auth::api_token;
use crate::auth::routes::{entropy, entry};
use crate::auth::types::Done;
use crate::body;
use crate::guard::Client;
use crate::params::Named;
use crate::problem::Problem;
use crate::tokens::types::{ApiToken, ApiTokenList, MadeToken, NewToken};
use crate::users::routes::{role, wrong};

/// Days that a token may live.
const DAYS: std::ops::RangeInclusive<u64> = 1..=3650;
const DAY: u64 = 24 * 3600;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Person(Role::Admin), routes!(list_tokens));
    routes.add(Access::Person(Role::Admin), routes!(create_token));
    routes.add(Access::Person(Role::Admin), routes!(revoke_token));
}

/// API tokens.
#[utoipa::path(
    get,
    path = "/api/v1/config/tokens",
    tag = "config",
    responses((status = 200, description = "The tokens", body = ApiTokenList))
)]
async fn list_tokens(State(api): State<Shared>) -> Result<Json<ApiTokenList>, Problem> {
    let rows = api.db.api_tokens().list().await?;
    Ok(Json(ApiTokenList { tokens: rows.into_iter().map(ApiToken::from).collect() }))
}

/// Makes an API token, which is shown this once. It ends with the account that made it.
#[utoipa::path(
    post,
    path = "/api/v1/config/tokens",
    tag = "config",
    request_body = NewToken,
    responses((status = 200, description = "The token", body = MadeToken))
)]
async fn create_token(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    body::Json(new): body::Json<NewToken>,
) -> Result<Json<MadeToken>, Problem> {
    body::check_length("name", &new.name, 1..=64)?;
    if new.name.trim() != new.name || new.name.chars().any(char::is_control) {
        return Err(wrong("name", "must have no control characters and no blank at either end"));
    }
    let role = new.role.as_deref().map_or(Ok(Role::Viewer), role)?;
    if new.expires_in_days.is_some_and(|days| !DAYS.contains(&days)) {
        return Err(wrong("expires_in_days", "must be 1 to 3650"));
    }
    let token = api_token::token(entropy()?);
    let hash = api_token::hash(&token).ok_or_else(Problem::credentials)?;
    let now = api.now();
    let lifetime = |days: u64| Duration::from_secs(days.saturating_mul(DAY));
    let row = ApiTokenRow {
        uuid: uuid::Builder::from_random_bytes(entropy()?).into_uuid().hyphenated().to_string(),
        name: new.name,
        token_hash: hash.as_str().to_owned(),
        role: role.name().to_owned(),
        user_uuid: caller.account().map(|uuid| uuid.hyphenated().to_string()),
        created_by: caller.username.clone(),
        created_at: now,
        expires_at: new.expires_in_days.map(|days| now + lifetime(days)),
        last_used_at: None,
    };
    let made = api.db.api_tokens().create(&row).await;
    api.sessions.changed();
    let mut audit = entry(&caller, from, "POST /config/tokens", made.is_ok());
    audit.target = Some(row.name.clone());
    audit.detail = json!({ "role": row.role, "uuid": row.uuid });
    api.audit(audit).await?;
    made.map_err(|error| match error {
        DbError::Duplicate(_) => {
            let detail = "There is a token of that name";
            Problem::new(StatusCode::CONFLICT, "name_taken", detail)
        }
        other => other.into(),
    })?;
    Ok(Json(MadeToken { kept: row.into(), token }))
}

/// Ends an API token at once.
#[utoipa::path(
    delete,
    path = "/api/v1/config/tokens/{uuid}",
    tag = "config",
    params(("uuid" = String, Path, description = "The token's id")),
    responses((status = 200, description = "Revoked", body = Done))
)]
async fn revoke_token(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    Named(uuid): Named<String>,
) -> Result<Json<Done>, Problem> {
    let missing = || Problem::not_found("Token not found");
    let uuid = Uuid::try_parse(&uuid).map_err(|_| missing())?;
    let found = api.db.api_tokens().revoke(uuid).await?;
    api.sessions.changed();
    let mut audit = entry(&caller, from, "DELETE /config/tokens", found);
    audit.target = Some(uuid.to_string());
    api.audit(audit).await?;
    if found { Ok(Json(Done { message: "Token revoked" })) } else { Err(missing()) }
}
