//! Errors as RFC 9457 problem details.
//!
//! The texts are ours; nothing a client sent is repeated.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store_db::DbError;
use utoipa::ToSchema;

use crate::telemetry;

/// Media type of every error.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What is wrong with one part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Where: `query`, `path` or `body`, then a name.
    pub(crate) loc: Vec<&'static str>,
    /// What is wrong.
    pub(crate) msg: Cow<'static, str>,
}

/// An error answer (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Names the sort of problem.
    r#type: String,
    /// The phrase of the status.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, for people.
    detail: Cow<'static, str>,
    /// What happened, for programs.
    code: &'static str,
    /// Which parts of the request are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Names the entry in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_id: Option<String>,
    /// The rate limit that was exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Why a request is not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    code: &'static str,
    more: Box<More>,
}

/// Apart, so that a result with a problem in it stays small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    error_id: Option<String>,
    limit: Option<&'static str>,
    retry_after: Option<u64>,
    closes: bool,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, more: Box::new(More { detail: detail.into(), ..More::default() }) }
    }

    /// 400: the request does not have the shape it should.
    pub(crate) fn structure(errors: Vec<FieldError>) -> Self {
        let detail = "Bad Request: Schema structural violation (wrong type, extra fields, or invalid length).";
        Self::new(StatusCode::BAD_REQUEST, "schema_violation", detail).with_errors(errors)
    }

    /// 422: values out of their range.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = "Invalid request parameters";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "invalid_parameters", detail).with_errors(errors)
    }

    /// With what is wrong part by part.
    pub(crate) fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.more.errors = errors;
        self
    }

    /// 401: no valid credentials.
    pub(crate) fn credentials() -> Self {
        let detail = "Could not validate credentials";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_credentials", detail)
    }

    /// 404.
    pub(crate) fn not_found(detail: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 429: `limit` is exceeded for another `seconds`.
    pub(crate) fn too_many(limit: &'static str, seconds: u64) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut problem = Self::new(status, "rate_limited", "Too many requests");
        problem.more.limit = Some(limit);
        problem.retry_after(seconds.max(1))
    }

    /// 413.
    pub(crate) fn too_large() -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(status, "body_too_large", "Request body too large").closing()
    }

    /// 408.
    pub(crate) fn too_slow() -> Self {
        let detail = "Request body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail).closing()
    }

    /// What is left of the body is not worth reading.
    fn closing(mut self) -> Self {
        self.more.closes = true;
        self
    }

    /// 503, to be tried again after `seconds`.
    pub(crate) fn unavailable(code: &'static str, detail: &'static str, seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(seconds)
    }

    /// 500: our mistake. `error` goes to the log under an id that the client is told.
    pub(crate) fn internal(what: &'static str, error: &(dyn std::error::Error + 'static)) -> Self {
        let error_id = error_id();
        telemetry::request_failed(&error_id, what, error);
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let mut problem = Self::new(status, "internal_error", "Internal Server Error");
        problem.more.error_id = Some(error_id);
        problem
    }

    /// To be tried again after `seconds`.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.more.retry_after = Some(seconds);
        self
    }

    /// Without the parts that only an authenticated caller is told.
    pub(crate) fn opaque(self) -> Self {
        self.with_errors(Vec::new())
    }

    /// The same failure as the client sees it.
    fn shown_as(mut self, status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        (self.status, self.code) = (status, code);
        self.more.detail = detail.into();
        self
    }

    fn body(&self) -> ProblemBody {
        ProblemBody {
            r#type: format!("urn:decnet:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.more.detail.clone(),
            code: self.code,
            errors: self.more.errors.clone(),
            error_id: self.more.error_id.clone(),
            error: self.more.limit,
        }
    }
}

/// 32 hex digits; zeros when the system has no entropy, which is in the log by then.
fn error_id() -> String {
    let bytes = base_runtime::entropy::bytes::<16>().unwrap_or_default();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        let problem = Self::internal("a database operation failed", &error);
        if let DbError::Data(_) = error {
            let detail = "Internal data consistency error";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return problem.shown_as(status, "internal_validation_error", detail);
        }
        if error.is_transient() {
            let detail = "The database is not available";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return problem.shown_as(status, "database_unavailable", detail).retry_after(5);
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.more.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.more.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
