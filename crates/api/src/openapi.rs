//! The OpenAPI document, made from the routes themselves.

use axum::Json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Info, OpenApi, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::problem::{MEDIA_TYPE, ProblemBody};
use crate::resources;

const BEARER: &str = "bearer";

/// The document: OpenAPI 3.1, every operation with who may call it (`x-decnet-access`).
#[must_use]
pub fn openapi() -> OpenApi {
    let mut all = OpenApiRouter::<Shared>::new();
    for route in resources::routes().0 {
        let (schemas, mut paths, handlers) = route.handler;
        for item in paths.paths.values_mut() {
            let operations =
                [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
            operations.into_iter().flatten().for_each(|operation| guarded(operation, route.access));
        }
        all = all.routes((schemas, paths, handlers));
    }
    let mut document = all.into_openapi();
    document.info = Info::new("DECNET Web Dashboard API", "1.0.0");
    let components = document.components.get_or_insert_with(Components::new);
    let mut problem = Vec::new();
    ProblemBody::schemas(&mut problem);
    problem.push((ProblemBody::name().into_owned(), ProblemBody::schema()));
    components.schemas.extend(problem);
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    document
}

/// Writes into an operation what its access implies.
fn guarded(operation: &mut Operation, access: Access) {
    let word = Extensions::builder().add("x-decnet-access", access.word()).build();
    operation.extensions.get_or_insert_with(Extensions::default).merge(word);
    let mut refusals = vec![("default", "Any other problem")];
    if access != Access::Public {
        operation.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
        refusals.push(("401", "No valid token"));
    }
    if !matches!(access, Access::Public | Access::AnyToken) {
        refusals.push(("403", "The role is not enough, or the password must be changed first"));
    }
    for (status, text) in refusals {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(text)));
    }
}

fn problem(text: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemBody::name());
    let content = Content::builder().schema(Some(schema)).build();
    ResponseBuilder::new().description(text).content(MEDIA_TYPE, content).build()
}

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::UnlessDeveloper(Role::Viewer), routes!(openapi_document));
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "openapi",
    responses((status = 200, description = "The OpenAPI document", body = Object))
)]
async fn openapi_document() -> Json<OpenApi> {
    Json(openapi())
}
