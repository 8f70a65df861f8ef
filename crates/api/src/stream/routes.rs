//! Opening the live stream.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use utoipa_axum::routes;

use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::logs;
use crate::params::Params;
use crate::problem::Problem;
use crate::stream::viewer::Viewer;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Stream(Role::Viewer), routes!(live_stream));
}

/// What happens, as it happens: frames `{type, data}` of type `logs` (up to 50 rows, oldest first),
/// `stats`, `histogram`, and `skipped` when the client was too slow.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    tag = "stream",
    params(
        ("ticket" = Option<String>, Query, description = "A ticket of `/auth/sse-ticket`, in place of a token"),
        ("lastEventId" = Option<u64>, Query, description = "Go on after this row; 0 starts at the end"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers send it"),
        ("search" = Option<String>, Query, description = "As for `/logs`"),
        ("start_time" = Option<String>, Query, description = "Not before; ISO 8601"),
        ("end_time" = Option<String>, Query, description = "Not after; ISO 8601"),
    ),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 429, description = "Too many streams of one user", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn live_stream(
    State(api): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let query = logs::routes::query(&mut params);
    let asked = params.number("lastEventId", 0..=i64::MAX.unsigned_abs(), 0);
    params.finish()?;
    let sent = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let after = Some(sent.unwrap_or(asked)).filter(|after| *after > 0);
    let slot = api.slots.take(caller.uuid)?;
    let viewer = Viewer::open(api, caller, slot, query, after).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let body = Body::from_stream(stream::unfold(viewer, Viewer::next));
    Ok((headers, body).into_response())
}
