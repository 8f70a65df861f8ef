//! Reading and changing settings.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{LIMITS, deployment_limit};
use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::auth::routes::entry;
use crate::auth::types::Done;
use crate::body;
use crate::guard::Client;
use crate::problem::{FieldError, Problem};
use crate::users::types::User;

/// What the limit may be.
const LIMIT: std::ops::RangeInclusive<u64> = 1..=500;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(config));
    routes.add(Access::Role(Role::Admin), routes!(set_deployment_limit));
    routes.add(Access::Role(Role::Viewer), routes!(deployment_mode));
}

/// Settings as the caller may see them.
#[derive(Serialize, ToSchema)]
struct ConfigBody {
    /// The caller's role.
    role: &'static str,
    /// Deckies there may be.
    deployment_limit: usize,
    /// The accounts, by name; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<User>>,
    /// Whether this is a developer's deployment; told to administrators when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    developer_mode: Option<bool>,
}

/// Settings.
#[utoipa::path(
    get,
    path = "/api/v1/config",
    tag = "config",
    responses((status = 200, description = "The settings", body = ConfigBody))
)]
async fn config(State(api): State<Shared>, caller: Caller) -> Result<Json<ConfigBody>, Problem> {
    let deployment_limit = deployment_limit(&api).await?;
    let is_admin = caller.role >= Role::Admin;
    let users = match is_admin {
        true => Some(api.db.users().list().await?.into_iter().map(User::from).collect()),
        false => None,
    };
    let developer_mode = (is_admin && api.config.developer).then_some(true);
    Ok(Json(ConfigBody { role: caller.role.name(), deployment_limit, users, developer_mode }))
}

/// How many deckies there may be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeploymentLimit {
    #[schema(minimum = 1, maximum = 500)]
    deployment_limit: u64,
}

/// Sets how many deckies deployments may lead to.
#[utoipa::path(
    put,
    path = "/api/v1/config/deployment-limit",
    tag = "config",
    request_body = DeploymentLimit,
    responses((status = 200, description = "Set", body = Done))
)]
async fn set_deployment_limit(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    body::Json(request): body::Json<DeploymentLimit>,
) -> Result<Json<Done>, Problem> {
    let limit = request.deployment_limit;
    if !LIMIT.contains(&limit) {
        let msg = format!("must be {} to {}", LIMIT.start(), LIMIT.end());
        let loc = vec!["body", "deployment_limit"];
        return Err(Problem::invalid(vec![FieldError { loc, msg: msg.into() }]));
    }
    api.db.state().set(LIMITS, &json!({ "deployment_limit": limit })).await?;
    let mut audit = entry(&caller, from, "PUT /config/deployment-limit", true);
    audit.detail = json!({ "deployment_limit": limit });
    api.audit(audit).await?;
    Ok(Json(Done { message: "Deployment limit updated" }))
}

/// Where deckies run.
#[derive(Serialize, ToSchema)]
struct DeploymentMode {
    /// `unihost`.
    mode: &'static str,
    /// `master`.
    role: &'static str,
    /// Other machines that run deckies.
    swarm_host_count: u64,
}

/// Where deckies run: on this machine alone.
#[utoipa::path(
    get,
    path = "/api/v1/system/deployment-mode",
    tag = "config",
    responses((status = 200, description = "The mode", body = DeploymentMode))
)]
async fn deployment_mode() -> Json<DeploymentMode> {
    Json(DeploymentMode { mode: "unihost", role: "master", swarm_host_count: 0 })
}
