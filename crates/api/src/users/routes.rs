//! Adding, changing and removing accounts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use store_db::AuditEntry;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::auth::password;
use crate::auth::routes::entry;
use crate::auth::types::Done;
use crate::body;
use crate::guard::Client;
use crate::params::Named;
use crate::problem::{FieldError, Problem};
use crate::users::accounts::{AccountError, Accounts};
use crate::users::types::{NewPassword, NewRole, NewUser, User};

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Person(Role::Admin), routes!(create_user));
    routes.add(Access::Person(Role::Admin), routes!(delete_user));
    routes.add(Access::Person(Role::Admin), routes!(set_user_role));
    routes.add(Access::Person(Role::Admin), routes!(reset_user_password));
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let conflict = |code, detail: &AccountError| {
            Self::new(StatusCode::CONFLICT, code, capital(&detail.to_string()))
        };
        match error {
            AccountError::Name => wrong("username", &error.to_string()),
            AccountError::Taken => conflict("username_taken", &error),
            AccountError::Missing => Self::not_found("User not found"),
            AccountError::LastAdmin => conflict("last_admin", &error),
            AccountError::Entropy(error) => Self::internal("an account could not be made", &error),
            AccountError::Db(error) => error.into(),
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// 422: a member of the body is out of its range.
pub(crate) fn wrong(member: &'static str, msg: &str) -> Problem {
    Problem::invalid(vec![FieldError { loc: vec!["body", member], msg: msg.to_owned().into() }])
}

/// The role of this name.
pub(crate) fn role(name: &str) -> Result<Role, Problem> {
    Role::parse(name).ok_or_else(|| wrong("role", "must be one of viewer, admin"))
}

/// The hash of a new password that will do.
async fn hash(api: &Shared, member: &'static str, password: String) -> Result<String, Problem> {
    body::check_length(member, &password, password::NEW)?;
    password::password_rules(&password).map_err(|rule| wrong(member, &rule.to_string()))?;
    api.passwords.hash(password).await
}

/// The id in a path; what is none names nobody.
fn id(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| AccountError::Missing.into())
}

/// Nobody takes away their own account: what they meant to do is done by another.
fn not_self(caller: &Caller, uuid: Uuid, detail: &'static str) -> Result<(), Problem> {
    if caller.account() == Some(uuid) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "own_account", detail));
    }
    Ok(())
}

/// Tells the audit log what became of `action`, and everyone who remembers accounts.
async fn told<T>(
    api: &Shared,
    audit: AuditEntry,
    outcome: Result<T, AccountError>,
) -> Result<T, Problem> {
    api.sessions.changed();
    api.audit(AuditEntry { ok: outcome.is_ok(), ..audit }).await?;
    Ok(outcome?)
}

/// Adds an account, whose password must be changed at the first login.
#[utoipa::path(
    post,
    path = "/api/v1/config/users",
    tag = "config",
    request_body = NewUser,
    responses((status = 200, description = "The account", body = User))
)]
async fn create_user(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    body::Json(new): body::Json<NewUser>,
) -> Result<Json<User>, Problem> {
    let role = new.role.as_deref().map_or(Ok(Role::Viewer), role)?;
    body::check_length("username", &new.username, 1..=64)?;
    let hash = hash(&api, "password", new.password).await?;
    let mut audit = entry(&caller, from, "POST /config/users", true);
    audit.target = Some(new.username.clone());
    audit.detail = json!({ "role": role.name() });
    let made = Accounts::new(&api.db, api.now()).add(&new.username, hash, role, true).await;
    Ok(Json(told(&api, audit, made).await?.into()))
}

/// Removes an account; its sessions and API tokens end.
#[utoipa::path(
    delete,
    path = "/api/v1/config/users/{uuid}",
    tag = "config",
    params(("uuid" = String, Path, description = "The account")),
    responses((status = 200, description = "Removed", body = Done))
)]
async fn delete_user(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    Named(uuid): Named<String>,
) -> Result<Json<Done>, Problem> {
    let uuid = id(&uuid)?;
    not_self(&caller, uuid, "You cannot delete your own account")?;
    let mut audit = entry(&caller, from, "DELETE /config/users", true);
    audit.target = Some(uuid.to_string());
    let removed = Accounts::new(&api.db, api.now()).remove(uuid).await;
    told(&api, audit, removed).await?;
    Ok(Json(Done { message: "User deleted" }))
}

/// Gives an account another role; its sessions and API tokens end.
#[utoipa::path(
    put,
    path = "/api/v1/config/users/{uuid}/role",
    tag = "config",
    params(("uuid" = String, Path, description = "The account")),
    request_body = NewRole,
    responses((status = 200, description = "Changed", body = Done))
)]
async fn set_user_role(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    Named(uuid): Named<String>,
    body::Json(new): body::Json<NewRole>,
) -> Result<Json<Done>, Problem> {
    let (uuid, role) = (id(&uuid)?, role(&new.role)?);
    not_self(&caller, uuid, "You cannot change your own role")?;
    let mut audit = entry(&caller, from, "PUT /config/users/role", true);
    audit.target = Some(uuid.to_string());
    audit.detail = json!({ "role": role.name() });
    let changed = Accounts::new(&api.db, api.now()).set_role(uuid, role).await;
    told(&api, audit, changed).await?;
    Ok(Json(Done { message: "User role updated" }))
}

/// Gives an account another password, to be changed at the next login; its sessions end.
#[utoipa::path(
    put,
    path = "/api/v1/config/users/{uuid}/reset-password",
    tag = "config",
    params(("uuid" = String, Path, description = "The account")),
    request_body = NewPassword,
    responses((status = 200, description = "Changed", body = Done))
)]
async fn reset_user_password(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    Named(uuid): Named<String>,
    body::Json(new): body::Json<NewPassword>,
) -> Result<Json<Done>, Problem> {
    let uuid = id(&uuid)?;
    let hash = hash(&api, "new_password", new.new_password).await?;
    let mut audit = entry(&caller, from, "PUT /config/users/reset-password", true);
    audit.target = Some(uuid.to_string());
    let changed = Accounts::new(&api.db, api.now()).reset_password(uuid, &hash, true).await;
    told(&api, audit, changed).await?;
    Ok(Json(Done { message: "Password reset successfully" }))
}
