//! Request bodies: bounded in size and time, JSON of a known shape.

use std::error::Error as _;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use crate::problem::{FieldError, Problem};

/// Most bytes of a body.
pub(crate) const LIMIT: usize = 1024 * 1024;
/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(30);

/// A JSON body of shape `T`.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request.into_body()).await.map(Self)
    }
}

/// Reads a body as JSON.
pub(crate) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let bytes = tokio::time::timeout(TIME, to_bytes(body, LIMIT)).await;
    let bytes = bytes.map_err(|_| Problem::too_slow())?.map_err(|error| {
        let too_long =
            error.source().is_some_and(|source| source.to_string().contains("length limit"));
        if too_long { Problem::too_large() } else { Problem::structure(Vec::new()) }
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        // The parser's own words repeat what was sent.
        let what = match error.classify() {
            serde_json::error::Category::Data => "wrong type, missing or unknown member",
            _ => "not valid JSON",
        };
        let msg = format!("{what} at line {line} column {column}");
        Problem::structure(vec![FieldError { loc: vec!["body"], msg: msg.into() }])
    })
}

/// Whether a request announces more than [`LIMIT`] bytes.
pub(crate) fn announces_too_much(request: &Request) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > LIMIT as u64)
}

/// Checks of one member of a body: too short is a matter of structure, too long of range
/// (`spec/api.md` §2).
pub(crate) fn check_length(
    member: &'static str,
    text: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Result<(), Problem> {
    let length = text.chars().count();
    let error = |msg: String| vec![FieldError { loc: vec!["body", member], msg: msg.into() }];
    if length < *range.start() {
        let msg = format!("must have at least {} characters", range.start());
        return Err(Problem::structure(error(msg)));
    }
    if length > *range.end() {
        let msg = format!("must have at most {} characters", range.end());
        return Err(Problem::invalid(error(msg)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Bytes;
    use futures_util::StreamExt as _;
    use futures_util::stream;
    use serde_json::Value;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_not_waited_for() {
        let start = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
        let body = Body::from_stream(start.chain(stream::pending()));
        assert_eq!(read::<Value>(body).await, Err(Problem::too_slow()));
    }

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_byte_more_is_not() {
        let text = format!("\"{}\"", "x".repeat(LIMIT - 2));
        assert!(read::<Value>(Body::from(text.clone())).await.is_ok());
        assert_eq!(read::<Value>(Body::from(text + " ")).await, Err(Problem::too_large()));
    }
}
