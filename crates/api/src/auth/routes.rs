//! Logging in and out, one's own password, tickets for streams.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use base_model::Timestamp;
use serde_json::json;
use std::time::Duration;
use store_db::{AuditEntry, UserRow};
use utoipa_axum::routes;
use uuid::Uuid;

use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::auth::limits::Attempt;
use crate::auth::password::{self, PasswordRule};
use crate::auth::ticket;
use crate::auth::types::{ChangePasswordRequest, Done, LoginAnswer, LoginRequest, TicketAnswer};
use crate::body;
use crate::guard::Client;
use crate::problem::{FieldError, Problem};

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Public, routes!(login));
    routes.add(Access::AnyToken, routes!(change_password));
    routes.add(Access::AnyToken, routes!(logout));
    routes.add(Access::Role(Role::Viewer), routes!(sse_ticket));
}

/// Opens a session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    request_body = LoginRequest,
    responses((status = 200, description = "A new session", body = LoginAnswer))
)]
async fn login(
    State(api): State<Shared>,
    from: Client,
    request: Request,
) -> Result<Json<LoginAnswer>, Problem> {
    let now = api.now();
    api.limits.login_from(from.0, now)?;
    let login = match understand(request).await {
        Ok(login) => login,
        Err(problem) => {
            api.limits.login_as(from.0, None, now)?;
            return Err(problem);
        }
    };
    let attempt = api.limits.login_as(from.0, Some(&login.username), now)?;
    let user = api.db.users().by_username(&login.username).await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let fits = api.passwords.fits(login.password, hash).await?;
    let entry = AuditEntry {
        username: Some(login.username),
        ip: Some(from.0.to_string()),
        action: "login".into(),
        ok: fits,
        detail: json!({}),
        ..AuditEntry::default()
    };
    match user.filter(|_| fits) {
        Some(user) => {
            let uuid = Some(user.uuid.clone());
            api.audit(AuditEntry { user_uuid: uuid, ..entry }).await?;
            open_session(&api, &user, &attempt)
        }
        None => {
            api.audit(entry).await?;
            let detail = "Incorrect username or password";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "invalid_login", detail))
        }
    }
}

/// Reads the body; who is not logged in is told nothing of what is wrong with it.
async fn understand(request: Request) -> Result<LoginRequest, Problem> {
    let login: LoginRequest = body::read(request.into_body()).await.map_err(Problem::opaque)?;
    body::check_length("password", &login.password, password::OLD).map_err(Problem::opaque)?;
    Ok(login)
}

fn open_session(
    api: &Shared,
    user: &UserRow,
    attempt: &Attempt,
) -> Result<Json<LoginAnswer>, Problem> {
    let now = api.now();
    let uuid = account_id(user)?;
    let token = api.tokens.issue(uuid, &new_jti()?, now, user.tokens_valid_from);
    api.limits.succeeded(attempt, now);
    let must_change_password = user.must_change_password;
    Ok(Json(LoginAnswer { access_token: token, token_type: "bearer", must_change_password }))
}

fn account_id(user: &UserRow) -> Result<Uuid, Problem> {
    Uuid::try_parse(&user.uuid)
        .map_err(|error| Problem::internal("an account's id is damaged", &error))
}

/// 32 random hex digits.
fn new_jti() -> Result<String, Problem> {
    let bytes = entropy::<16>()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], Problem> {
    base_runtime::entropy::bytes()
        .map_err(|error| Problem::internal("the system gave no random bytes", &error))
}

/// Sets one's own password and ends all of one's sessions, this one too.
#[utoipa::path(
    post,
    path = "/api/v1/auth/change-password",
    tag = "auth",
    request_body = ChangePasswordRequest,
    responses((status = 200, description = "Changed; log in again", body = Done))
)]
async fn change_password(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    body::Json(change): body::Json<ChangePasswordRequest>,
) -> Result<Json<Done>, Problem> {
    api.limits.change_from(from.0, api.now())?;
    body::check_length("old_password", &change.old_password, password::OLD)?;
    body::check_length("new_password", &change.new_password, password::NEW)?;
    password::password_rules(&change.new_password).map_err(unfit)?;
    let user = api.db.users().by_uuid(caller.uuid).await?.ok_or_else(Problem::credentials)?;
    let fits = api.passwords.fits(change.old_password, Some(&user.password_hash)).await?;
    if !fits {
        api.audit(entry(&caller, from, "change_password", false)).await?;
        let detail = "Incorrect old password";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "invalid_old_password", detail));
    }
    let hash = api.passwords.hash(change.new_password).await?;
    let valid_from = next_second(api.now());
    let found = api.db.users().set_password(caller.uuid, &hash, false, Some(valid_from)).await?;
    api.sessions.changed();
    if !found {
        return Err(Problem::credentials());
    }
    api.audit(entry(&caller, from, "change_password", true)).await?;
    Ok(Json(Done { message: "Password updated successfully" }))
}

fn unfit(rule: PasswordRule) -> Problem {
    let loc = vec!["body", "new_password"];
    Problem::invalid(vec![FieldError { loc, msg: rule.to_string().into() }])
}

/// Tokens say whole seconds. Counting from the next one ends also those of this very second; a token
/// made meanwhile is dated so that it counts.
pub(crate) fn next_second(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.seconds().saturating_mul(1_000_000)) + Duration::from_secs(1)
}

/// Ends this session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    responses((status = 200, description = "The session is over", body = Done))
)]
async fn logout(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
) -> Result<Json<Done>, Problem> {
    let claims = caller.session()?;
    let jti = claims.jti.as_deref().ok_or_else(Problem::credentials)?;
    let ends = claims.ends();
    api.db.revoked_tokens().revoke(jti, caller.uuid, ends, api.now()).await?;
    api.sessions.changed();
    api.audit(entry(&caller, from, "logout", true)).await?;
    Ok(Json(Done { message: "Logged out" }))
}

/// A ticket that opens one live stream within a minute.
#[utoipa::path(
    post,
    path = "/api/v1/auth/sse-ticket",
    tag = "auth",
    responses((status = 200, description = "A ticket", body = TicketAnswer))
)]
async fn sse_ticket(
    State(api): State<Shared>,
    caller: Caller,
) -> Result<Json<TicketAnswer>, Problem> {
    let claims = caller.session()?.clone();
    let ticket = api.tickets.mint(entropy()?, claims, api.now());
    Ok(Json(TicketAnswer { ticket, expires_in: ticket::LIFETIME.as_secs() }))
}

/// A row of the audit log about what `caller` did.
pub(crate) fn entry(caller: &Caller, from: Client, action: &str, ok: bool) -> AuditEntry {
    AuditEntry {
        user_uuid: caller.account().map(|uuid| uuid.to_string()),
        username: Some(caller.username.clone()),
        ip: Some(from.0.to_string()),
        action: action.to_owned(),
        target: None,
        ok,
        detail: json!({}),
    }
}
