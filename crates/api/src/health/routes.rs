//! Answering how we are: in detail to viewers, in one word to supervisors.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::routes;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::health::board::{ComponentStatus, Overall};
use crate::health::types::Health;

/// How old the answer of the database may be.
const AGE: Duration = Duration::from_secs(1);
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(health));
    routes.add(Access::Public, routes!(livez));
    routes.add(Access::Public, routes!(readyz));
}

/// How the components are.
#[utoipa::path(
    get,
    path = "/api/v1/health",
    tag = "health",
    responses(
        (status = 200, description = "Healthy or degraded", body = Health),
        (status = 503, description = "Unhealthy", body = Health),
    )
)]
async fn health(State(api): State<Shared>) -> (StatusCode, Json<Health>) {
    let components = components(&api).await;
    let overall = Overall::of(&components);
    (status(overall), Json(Health::of(overall, components)))
}

/// Whether the process answers.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "health",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain"))
)]
async fn livez() -> &'static str {
    "ok"
}

/// Whether the process does its work.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "It does", body = String, content_type = "text/plain"),
        (status = 503, description = "It does not", body = String, content_type = "text/plain"),
    )
)]
async fn readyz(State(api): State<Shared>) -> (StatusCode, &'static str) {
    match status(Overall::of(&components(&api).await)) {
        StatusCode::OK => (StatusCode::OK, "ok"),
        status => (status, "not ready"),
    }
}

const fn status(overall: Overall) -> StatusCode {
    match overall {
        Overall::Healthy | Overall::Degraded => StatusCode::OK,
        Overall::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn components(api: &Shared) -> BTreeMap<&'static str, ComponentStatus> {
    let ask = async {
        let answer = tokio::time::timeout(PATIENCE, api.db.ping()).await;
        Ok::<_, Infallible>(matches!(answer, Ok(Ok(()))))
    };
    let answers = api.database.get(api.now(), AGE, ask).await;
    let database = match answers {
        Ok(true) => ComponentStatus::Ok,
        Ok(false) => ComponentStatus::Failing("does not answer".into()),
    };
    let mut components = api.health.read();
    components.insert("database", database);
    components
}
