//! Reading the figures.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use utoipa_axum::routes;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::problem::Problem;
use crate::stats::types::StatsBody;

/// How old the figures may be.
const AGE: Duration = Duration::from_secs(1);

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(stats));
}

/// The figures at the top of the dashboard.
#[utoipa::path(
    get,
    path = "/api/v1/stats",
    tag = "stats",
    responses((status = 200, description = "The figures", body = StatsBody))
)]
async fn stats(State(api): State<Shared>) -> Result<Json<StatsBody>, Problem> {
    figures(&api).await.map(Json)
}

/// The figures, at most a second old.
pub(crate) async fn figures(api: &Shared) -> Result<StatsBody, Problem> {
    let make = async { Ok::<_, Problem>(api.db.stats().await?.into()) };
    api.stats.get(api.now(), AGE, make).await
}
