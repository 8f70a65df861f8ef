//! Reading sessions.

use axum::Json;
use axum::extract::State;
use base_model::SessionId;
use store_db::{Page, SessionQuery, SessionRow};
use utoipa_axum::routes;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::attackers;
use crate::list::{self, List};
use crate::params::{Named, Params};
use crate::problem::Problem;
use crate::sessions::types::Session;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(list_sessions));
    routes.add(Access::Role(Role::Viewer), routes!(session));
}

/// Sessions, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "sessions",
    params(
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 1000 (50)"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
        ("attacker" = Option<String>, Query, description = "Only of this one: id or address"),
        ("decky" = Option<String>, Query, description = "Only on this decky"),
        ("service" = Option<String>, Query, description = "Only over this service"),
        ("recorded" = Option<bool>, Query, description = "Only with a recording"),
        ("start_time" = Option<String>, Query, description = "Not begun before; ISO 8601"),
        ("end_time" = Option<String>, Query, description = "Not begun after; ISO 8601"),
    ),
    responses((status = 200, description = "A page of sessions", body = List<Session>))
)]
async fn list_sessions(
    State(api): State<Shared>,
    mut params: Params,
) -> Result<Json<List<Session>>, Problem> {
    let paging = list::paging(&mut params, 50, 1000);
    let mut query = SessionQuery {
        attacker: None,
        decky: params.text("decky", 64),
        service: params.text("service", 64),
        recorded: params.flag("recorded"),
        start: params.time("start_time"),
        end: params.time("end_time"),
    };
    let attacker = params.text("attacker", 64);
    params.finish()?;
    if let Some(name) = attacker {
        match attackers::routes::find(&api, &name).await? {
            Some((_, uuid)) => query.attacker = Some(uuid),
            // Nobody has no sessions.
            None => {
                let none: Page<SessionRow> =
                    Page { data: Vec::new(), total: 0, total_estimated: false };
                return Ok(Json(List::of(none, paging, Session::from)));
            }
        }
    }
    let page = api.db.sessions().list(&query, paging).await?;
    Ok(Json(List::of(page, paging, Session::from)))
}

/// One session.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{sid}",
    tag = "sessions",
    params(("sid" = String, Path, description = "The session")),
    responses((status = 200, description = "The session", body = Session))
)]
async fn session(
    State(api): State<Shared>,
    Named(sid): Named<String>,
) -> Result<Json<Session>, Problem> {
    let missing = || Problem::not_found("Session not found");
    let sid: SessionId = sid.parse().map_err(|_| missing())?;
    let row = api.db.sessions().by_sid(sid).await?.ok_or_else(missing)?;
    Ok(Json(row.into()))
}
