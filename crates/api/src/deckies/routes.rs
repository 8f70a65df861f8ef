//! Reading and changing the fleet.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use operate_fleet::{DeployError, InventoryError, Mode, Order, Problems, ini};
use serde_json::json;
use utoipa_axum::routes;
use uuid::Uuid;

use super::types::{
    ChangeAnswer, DeckyBody, DeployAnswer, DeployRequest, LifecycleAnswer, LifecycleBody, PlanBody,
    TeardownRequest,
};
use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::auth::routes::entry;
use crate::body;
use crate::guard::Client;
use crate::params::{Named, Params};
use crate::problem::{FieldError, Problem};
use crate::settings;

/// Most changes of one question.
const IDS: usize = 200;
/// Characters of a fleet file.
const INI: std::ops::RangeInclusive<usize> = 0..=524_288;
/// How long a tear-down is waited for, and how often it is looked at.
const TEARDOWN: (Duration, Duration) = (Duration::from_secs(20), Duration::from_millis(50));

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(deckies));
    routes.add(Access::Role(Role::Admin), routes!(deploy));
    routes.add(Access::Role(Role::Admin), routes!(tear_down));
    routes.add(Access::Role(Role::Admin), routes!(redeploy));
    routes.add(Access::Role(Role::Viewer), routes!(lifecycle));
    routes.add(Access::Role(Role::Admin), routes!(remove));
}

/// The deckies of the fleet, by name.
#[utoipa::path(
    get,
    path = "/api/v1/deckies",
    tag = "fleet",
    responses((status = 200, description = "The deckies", body = Vec<DeckyBody>))
)]
async fn deckies(State(api): State<Shared>) -> Result<Json<Vec<DeckyBody>>, Problem> {
    let entries = api.deployments.entries().await?;
    let catalogue = api.deployments.catalogue();
    Ok(Json(entries.iter().map(|entry| DeckyBody::new(entry, catalogue)).collect()))
}

/// Adds deckies, or replaces the fleet. Nothing that is not named is touched.
#[utoipa::path(
    post,
    path = "/api/v1/deckies/deploy",
    tag = "fleet",
    request_body = DeployRequest,
    responses(
        (status = 200, description = "What would change", body = DeployAnswer),
        (status = 202, description = "It is being brought about", body = DeployAnswer),
    )
)]
async fn deploy(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    body::Json(request): body::Json<DeployRequest>,
) -> Result<Response, Problem> {
    body::check_length("ini_content", &request.ini_content, INI)?;
    let deployments = &api.deployments;
    let catalogue = deployments.catalogue();
    let (file, read) = ini::read(&request.ini_content, ini::Source::Api, catalogue)
        .map_err(|problems| conflict(&problems))?;
    let order = Order {
        general: &file.general,
        wishes: &file.wishes,
        mode: if request.replace_fleet { Mode::Replace } else { Mode::Add },
        start: request.ip_start,
        limit: Some(settings::deployment_limit(&api).await?),
    };
    if request.dry_run {
        let (plan, network) = deployments.preview(&order).await?;
        let plan = PlanBody::new(&plan, &network, catalogue, &read);
        let message = "Nothing was changed";
        let answer = DeployAnswer { message, mode: "unihost", lifecycle_ids: Vec::new(), plan };
        return Ok(Json(answer).into_response());
    }
    let receipt = deployments.deploy(&order).await?;
    let touched: Vec<&str> = receipt.lifecycle.iter().map(|(_, name)| name.as_str()).collect();
    let mut audit = entry(&caller, from, "POST /deckies/deploy", true);
    audit.detail = json!({ "replace_fleet": request.replace_fleet, "deckies": touched });
    api.audit(audit).await?;
    let plan = PlanBody::new(&receipt.plan, &receipt.network, catalogue, &read);
    let lifecycle_ids = receipt.lifecycle.iter().map(|(id, _)| id.to_string()).collect();
    let message = "Deployment accepted";
    let answer = DeployAnswer { message, mode: "unihost", lifecycle_ids, plan };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// Tears deckies down. The others notice nothing.
#[utoipa::path(
    post,
    path = "/api/v1/deckies/teardown",
    tag = "fleet",
    request_body = TeardownRequest,
    responses((status = 202, description = "It is being brought about", body = ChangeAnswer))
)]
async fn tear_down(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    body::Json(request): body::Json<TeardownRequest>,
) -> Result<(StatusCode, Json<ChangeAnswer>), Problem> {
    let changes = api.deployments.tear_down(&request.names).await?;
    let mut audit = entry(&caller, from, "POST /deckies/teardown", true);
    audit.detail = json!({ "deckies": request.names });
    api.audit(audit).await?;
    Ok((StatusCode::ACCEPTED, Json(answer(changes))))
}

/// Tries everything that does not run again, at once.
#[utoipa::path(
    post,
    path = "/api/v1/deckies/redeploy",
    tag = "fleet",
    responses((status = 202, description = "What is tried again", body = ChangeAnswer))
)]
async fn redeploy(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
) -> Result<(StatusCode, Json<ChangeAnswer>), Problem> {
    let changes = api.deployments.redeploy().await?;
    api.audit(entry(&caller, from, "POST /deckies/redeploy", true)).await?;
    Ok((StatusCode::ACCEPTED, Json(answer(changes))))
}

fn answer(changes: Vec<(Uuid, String)>) -> ChangeAnswer {
    let (ids, deckies): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
    ChangeAnswer { lifecycle_ids: ids.iter().map(ToString::to_string).collect(), deckies }
}

/// How far changes are.
#[utoipa::path(
    get,
    path = "/api/v1/deckies/lifecycle",
    tag = "fleet",
    params(("ids" = Vec<String>, Query, description = "1 to 200 changes, each as `ids=…`")),
    responses((status = 200, description = "The changes", body = LifecycleAnswer))
)]
async fn lifecycle(
    State(api): State<Shared>,
    mut params: Params,
) -> Result<Json<LifecycleAnswer>, Problem> {
    let ids: Vec<String> = params.all("ids").map(str::to_owned).collect();
    if !(1..=IDS).contains(&ids.len()) {
        params.wrong("ids", format!("must be given 1 to {IDS} times"));
    }
    params.finish()?;
    let rows = api.db.lifecycle().by_ids(&ids).await?;
    let missing = ids.into_iter().filter(|id| !rows.iter().any(|row| row.id == *id)).collect();
    Ok(Json(LifecycleAnswer { rows: rows.into_iter().map(LifecycleBody::from).collect(), missing }))
}

/// Tears one decky down and waits until it is gone.
#[utoipa::path(
    delete,
    path = "/api/v1/deckies/{decky}",
    tag = "fleet",
    params(("decky" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is gone"))
)]
async fn remove(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    Named(name): Named<String>,
) -> Result<StatusCode, Problem> {
    let names = [name];
    api.deployments.tear_down(&names).await?;
    let mut audit = entry(&caller, from, "DELETE /deckies", true);
    audit.target = names.first().cloned();
    api.audit(audit).await?;
    let (patience, pause) = TEARDOWN;
    let mut waited = Duration::ZERO;
    while api.deployments.entries().await?.iter().any(|entry| names.contains(&entry.decky.name)) {
        if waited >= patience {
            let detail = "the decky is still being torn down; it goes on";
            return Err(Problem::unavailable("still_tearing_down", detail, 5));
        }
        tokio::time::sleep(pause).await;
        waited += pause;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// 409, with every finding. They repeat what an administrator wrote, and nobody else's words.
fn conflict(problems: &Problems) -> Problem {
    let all = problems.all();
    let detail = match all {
        [only] => format!("Configuration conflict: {only}"),
        _ => format!("Configuration conflict: {} problems", all.len()),
    };
    let errors = all.iter().map(|problem| FieldError {
        loc: vec!["body", "ini_content"],
        msg: problem.to_string().into(),
    });
    Problem::new(StatusCode::CONFLICT, "configuration_conflict", detail)
        .with_errors(errors.collect())
}

impl From<DeployError> for Problem {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Problems(problems) => conflict(&problems),
            DeployError::Unknown(_) => {
                Self::new(StatusCode::NOT_FOUND, "not_found", error.to_string())
            }
            DeployError::Inventory(error) => error.into(),
            DeployError::Db(error) => error.into(),
            DeployError::Entropy(error) => {
                Self::internal("the system gave no random bytes", &error)
            }
        }
    }
}

impl From<InventoryError> for Problem {
    fn from(error: InventoryError) -> Self {
        match error {
            InventoryError::Db(error) => error.into(),
            other => Self::internal("the fleet is not readable", &other),
        }
    }
}
