//! Reading credentials.

use axum::Json;
use axum::extract::State;
use store_db::CredentialQuery;
use utoipa_axum::routes;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::credentials::types::CredentialEntry;
use crate::list::{self, List};
use crate::params::Params;
use crate::problem::Problem;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(list_credentials));
}

/// Credentials, last tried first.
#[utoipa::path(
    get,
    path = "/api/v1/credentials",
    tag = "credentials",
    params(
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 1000 (50)"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
        ("search" = Option<String>, Query, description = "Part of decky, service, principal or printable secret"),
        ("service" = Option<String>, Query, description = "Only over this service"),
        ("attacker_ip" = Option<String>, Query, description = "Only of this address"),
    ),
    responses((status = 200, description = "A page of credentials", body = List<CredentialEntry>))
)]
async fn list_credentials(
    State(api): State<Shared>,
    mut params: Params,
) -> Result<Json<List<CredentialEntry>>, Problem> {
    let paging = list::paging(&mut params, 50, 1000);
    let query = CredentialQuery {
        search: params.text("search", 512),
        service: params.text("service", 64),
        attacker_ip: params.text("attacker_ip", 64),
    };
    params.finish()?;
    let page = api.db.credentials().list(&query, paging).await?;
    Ok(Json(List::of(page, paging, CredentialEntry::from)))
}
