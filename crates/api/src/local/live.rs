//! The live stream from the client's side: frames, and going on after a break.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use hyper::Method;
use serde_json::Value;

use super::client::broken;
use super::frames::{Frame, Frames};
use super::{Client, ClientError};

/// How long the stream may be silent; it sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);
/// First and longest pause before going on after a break.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// What a follower hears.
#[derive(Debug)]
pub enum Heard {
    /// A message of `type` and its data.
    Message {
        /// Its type, as `logs`.
        kind: String,
        /// What it says.
        data: Value,
    },
    /// The stream broke; it is tried again until it goes on where it was.
    Broke(ClientError),
    /// It goes on.
    Resumed,
}

/// One client of the live stream, for as long as it likes.
#[derive(Debug)]
pub struct Follower {
    client: Client,
    path: String,
    /// The last row that was heard of.
    last: u64,
    open: Option<Open>,
    pause: Duration,
}

#[derive(Debug)]
struct Open {
    body: BodyDataStream,
    frames: Frames,
}

impl Follower {
    /// Opens the stream at its end; `query` is empty or begins with `?`.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open(client: Client, query: &str) -> Result<Self, ClientError> {
        let path = format!("/stream{query}");
        let mut follower = Self { client, path, last: 0, open: None, pause: PAUSE.0 };
        follower.open = Some(follower.connect().await?);
        Ok(follower)
    }

    /// Rows up to `id` are known already: a break resumes after them.
    pub fn knows(&mut self, id: u64) {
        self.last = self.last.max(id);
    }

    /// What is heard next. A problem that another try would not mend ends it.
    ///
    /// # Errors
    /// When the API refuses.
    pub async fn next(&mut self) -> Result<Heard, ClientError> {
        loop {
            let Some(open) = &mut self.open else { return self.resume().await };
            match open.next().await {
                Ok(frame) => {
                    self.pause = PAUSE.0;
                    self.last = self.last.max(frame.id.unwrap_or(0));
                    if let Some(message) = understand(frame) {
                        return Ok(message);
                    }
                }
                Err(error) => {
                    self.open = None;
                    return Ok(Heard::Broke(error));
                }
            }
        }
    }

    /// Breaks the stream.
    #[cfg(test)]
    pub(super) fn cut(&mut self) {
        self.open = None;
    }

    async fn resume(&mut self) -> Result<Heard, ClientError> {
        loop {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(PAUSE.1);
            match self.connect().await {
                Ok(open) => {
                    self.open = Some(open);
                    return Ok(Heard::Resumed);
                }
                Err(error @ ClientError::Problem { status: 400..=499, .. }) => return Err(error),
                Err(_) => {}
            }
        }
    }

    async fn connect(&self) -> Result<Open, ClientError> {
        let last = (self.last > 0).then_some(self.last);
        let opening = self.client.open(Method::GET, &self.path, None, last);
        let body = tokio::time::timeout(SILENCE, opening).await;
        let body: Body = body.unwrap_or(Err(ClientError::Timeout))?;
        Ok(Open { body: body.into_data_stream(), frames: Frames::default() })
    }
}

impl Open {
    async fn next(&mut self) -> Result<Frame, ClientError> {
        loop {
            if let Some(frame) = self.frames.next().map_err(broken)? {
                return Ok(frame);
            }
            let bytes = tokio::time::timeout(SILENCE, self.body.next()).await;
            match bytes.map_err(|_| ClientError::Timeout)? {
                Some(bytes) => self.frames.take(&bytes.map_err(broken)?),
                None => return Err(broken("the stream ended")),
            }
        }
    }
}

fn understand(frame: Frame) -> Option<Heard> {
    let Value::Object(mut data) = serde_json::from_str(&frame.data).ok()? else { return None };
    let kind = data.get("type")?.as_str()?.to_owned();
    Some(Heard::Message { kind, data: data.remove("data").unwrap_or_default() })
}
