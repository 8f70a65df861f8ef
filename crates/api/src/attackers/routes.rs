//! Reading attackers.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use store_db::{AttackerOrder, AttackerQuery, AttackerRow, LogRow, Page, Paging};
use utoipa_axum::routes;
use uuid::Uuid;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::attackers::types::{Attacker, AttackerDetail, Command, Events};
use crate::bounty::types::BountyEntry;
use crate::list::{self, List};
use crate::logs::types::LogEntry;
use crate::params::{Named, Params};
use crate::problem::Problem;

const ORDERS: [(&str, AttackerOrder); 3] = [
    ("recent", AttackerOrder::Recent),
    ("active", AttackerOrder::Active),
    ("traversals", AttackerOrder::Traversals),
];
/// Commands and fingerprints of each attacker of a list that asks for them.
const INCLUDED: u64 = 50;
/// Most attackers of a list that includes either: each costs a query.
const WITH_INCLUDED: u64 = 100;
/// Commands and fingerprints of one attacker.
const OF_ONE: u64 = 200;
const LEAKS: u64 = 10;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(list_attackers));
    routes.add(Access::Role(Role::Viewer), routes!(attacker));
    routes.add(Access::Role(Role::Viewer), routes!(attacker_commands));
    routes.add(Access::Role(Role::Viewer), routes!(attacker_artifacts));
    routes.add(Access::Role(Role::Viewer), routes!(attacker_transcripts));
}

#[derive(Clone, Copy, Default)]
struct Include {
    commands: bool,
    fingerprints: bool,
}

/// Attackers.
#[utoipa::path(
    get,
    path = "/api/v1/attackers",
    tag = "attackers",
    params(
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 1000 (50); at most 100 with `include`"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
        ("search" = Option<String>, Query, description = "Part of the address"),
        ("sort_by" = Option<String>, Query, description = "`recent` (default), `active` or `traversals`"),
        ("service" = Option<String>, Query, description = "Only who met this service"),
        ("first_seen_after" = Option<String>, Query, description = "ISO 8601"),
        ("last_seen_after" = Option<String>, Query, description = "ISO 8601"),
        ("include" = Option<String>, Query, description = "`commands`, `fingerprints` or both with a comma: the newest 50 of each"),
    ),
    responses((status = 200, description = "A page of attackers", body = List<Attacker>))
)]
async fn list_attackers(
    State(api): State<Shared>,
    mut params: Params,
) -> Result<Json<List<Attacker>>, Problem> {
    let paging = list::paging(&mut params, 50, 1000);
    let query = AttackerQuery {
        search: params.text("search", 256),
        service: params.text("service", 64),
        first_seen_after: params.time("first_seen_after"),
        last_seen_after: params.time("last_seen_after"),
        order: params.choice("sort_by", &ORDERS, AttackerOrder::Recent),
    };
    let include = include(&mut params);
    if (include.commands || include.fingerprints) && paging.limit > WITH_INCLUDED {
        params.wrong("limit", format!("must be at most {WITH_INCLUDED} with include"));
    }
    params.finish()?;
    let page = api.db.attackers().list(&query, paging).await?;
    let mut list = List::of(page, paging, Attacker::from);
    for attacker in &mut list.data {
        complete(&api, attacker, include, INCLUDED).await?;
    }
    Ok(Json(list))
}

fn include(params: &mut Params) -> Include {
    let mut include = Include::default();
    let text = params.text("include", 64).unwrap_or_default();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "commands" => include.commands = true,
            "fingerprints" => include.fingerprints = true,
            _ => params.must_be_one_of("include", ["commands", "fingerprints"].into_iter()),
        }
    }
    include
}

/// Adds what is included.
async fn complete(
    api: &Shared,
    attacker: &mut Attacker,
    include: Include,
    limit: u64,
) -> Result<(), Problem> {
    if include.fingerprints {
        let rows = api.db.attackers().fingerprints(&attacker.ip, limit).await?;
        attacker.fingerprints = Some(rows.into_iter().map(BountyEntry::from).collect());
    }
    if include.commands {
        let uuid = uuid_of(&attacker.uuid)?;
        let page = api.db.commands().of_attacker(uuid, None, Paging { limit, offset: 0 }).await?;
        attacker.commands = Some(page.data.into_iter().map(Command::from).collect());
    }
    Ok(())
}

/// The attacker that a path names by id or by address.
async fn named(api: &Shared, name: &str) -> Result<(AttackerRow, Uuid), Problem> {
    find(api, name).await?.ok_or_else(|| Problem::not_found("Attacker not found"))
}

/// The attacker of this id or address, if there is one.
pub(crate) async fn find(api: &Shared, name: &str) -> Result<Option<(AttackerRow, Uuid)>, Problem> {
    let row = match (Uuid::try_parse(name), name.parse::<IpAddr>()) {
        (Ok(uuid), _) => api.db.attackers().by_uuid(uuid).await?,
        (_, Ok(ip)) => api.db.attackers().by_ip(ip).await?,
        _ => None,
    };
    let Some(row) = row else { return Ok(None) };
    let uuid = uuid_of(&row.uuid)?;
    Ok(Some((row, uuid)))
}

fn uuid_of(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|error| Problem::internal("an attacker's id is damaged", &error))
}

/// One attacker with all that is known.
#[utoipa::path(
    get,
    path = "/api/v1/attackers/{uuid}",
    tag = "attackers",
    params(("uuid" = String, Path, description = "Id or address")),
    responses((status = 200, description = "The attacker", body = AttackerDetail))
)]
async fn attacker(
    State(api): State<Shared>,
    Named(name): Named<String>,
) -> Result<Json<AttackerDetail>, Problem> {
    let (row, uuid) = named(&api, &name).await?;
    let leaks = api.db.bounties().of_attacker(&row.ip, "ip_leak", LEAKS).await?;
    let ip_leaks_total = api.db.bounties().count_of_attacker(&row.ip, "ip_leak").await?;
    let observations = api.db.observations().latest_observation_per_primitive(uuid).await?;
    let service_activity = row.service_activity().into();
    let mut attacker = Attacker::from(row);
    let everything = Include { commands: true, fingerprints: true };
    complete(&api, &mut attacker, everything, OF_ONE).await?;
    Ok(Json(AttackerDetail {
        attacker,
        service_activity,
        ip_leaks: leaks.into_iter().map(BountyEntry::from).collect(),
        ip_leaks_total,
        observations: observations.into_values().map(Into::into).collect(),
    }))
}

/// What an attacker typed, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/attackers/{uuid}/commands",
    tag = "attackers",
    params(
        ("uuid" = String, Path, description = "Id or address"),
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 200 (50)"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
        ("service" = Option<String>, Query, description = "Only over this service"),
    ),
    responses((status = 200, description = "A page of commands", body = List<Command>))
)]
async fn attacker_commands(
    State(api): State<Shared>,
    Named(name): Named<String>,
    mut params: Params,
) -> Result<Json<List<Command>>, Problem> {
    let paging = list::paging(&mut params, 50, 200);
    let service = params.text("service", 64);
    params.finish()?;
    let (_, uuid) = named(&api, &name).await?;
    let page = api.db.commands().of_attacker(uuid, service.as_deref(), paging).await?;
    Ok(Json(List::of(page, paging, Command::from)))
}

/// Events of files that an attacker left, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/attackers/{uuid}/artifacts",
    tag = "attackers",
    params(
        ("uuid" = String, Path, description = "Id or address"),
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 1000 (200)"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
    ),
    responses((status = 200, description = "`file_captured` events", body = Events))
)]
async fn attacker_artifacts(
    State(api): State<Shared>,
    Named(name): Named<String>,
    mut params: Params,
) -> Result<Json<Events>, Problem> {
    let paging = list::paging(&mut params, 200, 1000);
    params.finish()?;
    let (_, uuid) = named(&api, &name).await?;
    Ok(Json(events(api.db.artifacts().of_attacker(uuid, paging).await?, paging)))
}

/// Events of an attacker's recorded sessions, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/attackers/{uuid}/transcripts",
    tag = "attackers",
    params(
        ("uuid" = String, Path, description = "Id or address"),
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 1000 (200)"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
    ),
    responses((status = 200, description = "`session_recorded` events", body = Events))
)]
async fn attacker_transcripts(
    State(api): State<Shared>,
    Named(name): Named<String>,
    mut params: Params,
) -> Result<Json<Events>, Problem> {
    let paging = list::paging(&mut params, 200, 1000);
    params.finish()?;
    let (_, uuid) = named(&api, &name).await?;
    Ok(Json(events(api.db.sessions().transcripts(uuid, paging).await?, paging)))
}

fn events(page: Page<LogRow>, paging: Paging) -> Events {
    let data = page.data.into_iter().map(LogEntry::from).collect();
    Events { total: page.total, limit: paging.limit, offset: paging.offset, data }
}
