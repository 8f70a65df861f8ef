//! What holds for every request, whatever its route: limits, media types, security headers.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use crate::body;
use crate::problem::Problem;

/// Headers that every answer carries unless its route set its own.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Adds the security headers.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        let headers = response.headers_mut();
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Turns a panic of a handler into an answer; the connection and its neighbours go on.
pub(crate) async fn survive(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => Problem::internal("a handler panicked", &Panicked).into_response(),
    }
}

/// A handler panicked.
#[derive(Debug)]
struct Panicked;

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("see the panic message")
    }
}

impl std::error::Error for Panicked {}

/// Refuses bodies that are too large or no JSON, before anything else looks at the request.
pub(crate) async fn bodies(request: Request, next: Next) -> Response {
    if body::announces_too_much(&request) {
        return Problem::too_large().into_response();
    }
    if sends_body(&request) && !is_json(&request) {
        let detail = "Unsupported Media Type: Content-Type must be application/json";
        return Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
            .into_response();
    }
    next.run(request).await
}

fn sends_body(request: &Request) -> bool {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
    let has_body = length.is_some_and(|length| !matches!(length, b"" | b"0"))
        || headers.contains_key(header::TRANSFER_ENCODING);
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    writes && has_body && request.uri().path().starts_with("/api/")
}

fn is_json(request: &Request) -> bool {
    const JSON: &[u8] = b"application/json";
    let value = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let start = value.and_then(|value| value.get(..JSON.len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(JSON))
}

/// 404 for what has no route.
pub(crate) async fn no_route() -> Problem {
    Problem::not_found("Not Found")
}

/// 405 for a route that has no such method.
pub(crate) async fn no_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed")
}

/// The address of whoever asks, as rate limits and the audit log know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Absent only when the router is driven without our server: everyone shares one address.
        let unknown = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(unknown))
    }
}
