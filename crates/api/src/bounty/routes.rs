//! Reading bounties.

use axum::Json;
use axum::extract::State;
use store_db::BountyQuery;
use utoipa_axum::routes;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::bounty::types::BountyEntry;
use crate::list::{self, List};
use crate::params::Params;
use crate::problem::Problem;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(list_bounties));
}

/// Bounties, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/bounty",
    tag = "bounty",
    params(
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 1000 (50)"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
        ("bounty_type" = Option<String>, Query, description = "Only this type"),
        ("attacker_ip" = Option<String>, Query, description = "Only of this address"),
        ("search" = Option<String>, Query, description = "Part of decky, service, address or payload"),
    ),
    responses((status = 200, description = "A page of bounties", body = List<BountyEntry>))
)]
async fn list_bounties(
    State(api): State<Shared>,
    mut params: Params,
) -> Result<Json<List<BountyEntry>>, Problem> {
    let paging = list::paging(&mut params, 50, 1000);
    let query = BountyQuery {
        bounty_type: params.text("bounty_type", 64),
        attacker_ip: params.text("attacker_ip", 64),
        search: params.text("search", 512),
    };
    params.finish()?;
    let page = api.db.bounties().list(&query, paging).await?;
    Ok(Json(List::of(page, paging, BountyEntry::from)))
}
