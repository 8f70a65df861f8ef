//! A client of the DECNET that runs on this machine.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::connect;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most bytes of an answer.
const ANSWER: usize = 256 * 1024 * 1024;

/// Why there is no answer to be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no DECNET runs on `{0}`")]
    Unreachable(PathBuf, #[source] io::Error),
    /// It does not answer.
    #[error("no answer came within {} s", PATIENCE.as_secs())]
    Timeout,
    /// The answer is a problem (RFC 9457).
    #[error("{}", .body["detail"].as_str().unwrap_or("the request failed"))]
    Problem {
        /// HTTP status.
        status: u16,
        /// The problem.
        body: Value,
    },
    /// It broke off.
    #[error("the answer broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub(super) fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
    ClientError::Broken(error.into())
}

/// The API of the DECNET on one state folder, as an administrator.
#[derive(Clone, Debug)]
pub struct Client {
    state: PathBuf,
}

impl Client {
    /// Of the DECNET on `state`.
    #[must_use]
    pub const fn new(state: PathBuf) -> Self {
        Self { state }
    }

    /// What the route `path`, below `/api/v1`, answers.
    ///
    /// # Errors
    /// When the answer is a problem, or there is none.
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.call(Method::GET, path, None).await
    }

    /// What the route `path` answers to `body`.
    ///
    /// # Errors
    /// When the answer is a problem, or there is none.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// The answer to one request; null when it has no body.
    ///
    /// # Errors
    /// When the answer is a problem, or there is none.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let bytes = self.bytes(method, path, body).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(broken)
    }

    /// The bytes of the answer to one request.
    ///
    /// # Errors
    /// When the answer is a problem, or there is none.
    pub async fn bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, ClientError> {
        let asked = async {
            let body = self.send(method, path, body).await?;
            to_bytes(body, ANSWER).await.map(|bytes| bytes.to_vec()).map_err(broken)
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(ClientError::Timeout))
    }

    /// Sends one request; the body of the answer is still to be read.
    ///
    /// # Errors
    /// When the answer is a problem, or there is none.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Body, ClientError> {
        self.open(method, path, body, None).await
    }

    /// Sends one request; a live stream is to go on after row `last`.
    pub(super) async fn open(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        last: Option<u64>,
    ) -> Result<Body, ClientError> {
        let stream = connect(&self.state)
            .await
            .map_err(|error| ClientError::Unreachable(self.state.clone(), error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, "localhost");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(serde_json::to_vec(body).map_err(broken)?)
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(broken)?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let body = Body::new(response.into_body());
        if status.is_success() {
            return Ok(body);
        }
        Err(problem(status, body).await)
    }
}

async fn problem(status: StatusCode, body: Body) -> ClientError {
    match to_bytes(body, ANSWER).await {
        Ok(bytes) => {
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            ClientError::Problem { status: status.as_u16(), body }
        }
        Err(error) => broken(error),
    }
}
