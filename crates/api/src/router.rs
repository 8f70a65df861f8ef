//! From routes to a router: gates before handlers, limits before gates.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::routing::any;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa_axum::router::OpenApiRouter;

use crate::access::gate;
use crate::api::Api;
use crate::{guard, resources};

/// The router of all routes. Whoever serves more under the same address merges into it or replaces
/// the fallback; below `/api` it stays the only one to answer.
pub fn router(api: Api) -> Router {
    let Api(api) = api;
    let mut all = OpenApiRouter::new();
    for route in resources::routes().0 {
        let (schemas, paths, handlers) = route.handler;
        let (access, gated) = (route.access, api.clone());
        let handlers =
            handlers.route_layer(middleware::from_fn(move |request: Request, next: Next| {
                gate(gated.clone(), access, request, next)
            }));
        all = all.routes((schemas, paths, handlers));
    }
    let cors = cors(&api.config.cors_origins);
    Router::from(all)
        .route("/api", any(guard::no_route))
        .route("/api/", any(guard::no_route))
        .route("/api/{*rest}", any(guard::no_route))
        .fallback(guard::no_route)
        .method_not_allowed_fallback(guard::no_method)
        .layer(middleware::from_fn(guard::bodies))
        .layer(middleware::from_fn(guard::survive))
        .layer(cors)
        .layer(middleware::from_fn(guard::secure))
        .with_state(api)
}

/// Which other web origins may call (`spec/api.md` §1). A wildcard never passes.
fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter(|origin| !origin.contains('*'));
    let origins: Vec<HeaderValue> = origins.filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::CONTENT_DISPOSITION, header::RETRY_AFTER])
}
