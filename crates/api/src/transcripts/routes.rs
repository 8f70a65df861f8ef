//! Handing out recordings: a page at a time, or whole as an asciicast.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base_model::SessionId;
use futures_util::stream;
use serde_json::{Map, Value, json};
use store_db::{AuditEntry, SessionRow};
use tokio::sync::mpsc;
use utoipa_axum::routes;

use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::artifacts::routes::attachment;
use crate::auth::routes::entry;
use crate::guard::Client;
use crate::names;
use crate::params::{Named, Params};
use crate::problem::Problem;
use crate::transcripts::recording::{Line, Recording};
use crate::transcripts::types::{Spoken, Transcript};

/// Bytes of an asciicast that are made before they are sent.
const CHUNK: usize = 32 * 1024;
/// Chunks that wait to be sent.
const CHUNKS: usize = 4;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Admin), routes!(transcript));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Page,
    Asciicast,
}

/// A recorded session.
#[utoipa::path(
    get,
    path = "/api/v1/transcripts/{decky}/{sid}",
    tag = "transcripts",
    params(
        ("decky" = String, Path, description = "The decky's name"),
        ("sid" = String, Path, description = "The session"),
        ("limit" = Option<u64>, Query, description = "Events, 1 to 5000 (500)"),
        ("offset" = Option<u64>, Query, description = "Events to skip"),
        ("format" = Option<String>, Query, description = "`page` (default), or `asciicast` for the whole as an asciicast v2 file"),
    ),
    responses((status = 200, description = "Part of the recording", body = Transcript))
)]
async fn transcript(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    Named((decky, sid)): Named<(String, String)>,
    mut params: Params,
) -> Result<Response, Problem> {
    let limit = params.number("limit", 1..=5000, 500);
    let offset = params.number("offset", 0..=u64::from(u32::MAX), 0);
    let formats = [("page", Format::Page), ("asciicast", Format::Asciicast)];
    let format = params.choice("format", &formats, Format::Page);
    params.finish()?;
    let (session, recording) = find(&api, &decky, &sid).await?;
    // One row per look, not per page of it.
    if offset == 0 || format == Format::Asciicast {
        let target = Some(format!("{decky}/{sid}"));
        let row = AuditEntry { target, ..entry(&caller, from, "transcript_read", true) };
        api.audit(row).await?;
    }
    let recording = Arc::new(recording);
    let file = {
        let recording = recording.clone();
        let opened = tokio::task::spawn_blocking(move || recording.open()).await;
        let opened = opened.map_err(|error| Problem::internal("a read ended early", &error))?;
        opened.map_err(unreadable)?
    };
    match format {
        Format::Asciicast => Ok(asciicast(&session, recording, file)),
        Format::Page => {
            let read = move || page(&session, &recording, file, offset, limit);
            let page = tokio::task::spawn_blocking(read).await;
            let page = page.map_err(|error| Problem::internal("a read ended early", &error))?;
            Ok(Json(page.map_err(unreadable)?).into_response())
        }
    }
}

fn missing() -> Problem {
    Problem::not_found("Transcript not found")
}

fn unreadable(error: std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::NotFound => missing(),
        _ => Problem::internal("a recording cannot be read", &error),
    }
}

async fn find(api: &Shared, decky: &str, sid: &str) -> Result<(SessionRow, Recording), Problem> {
    let invalid = |detail| Problem::new(StatusCode::BAD_REQUEST, "invalid_name", detail);
    if !names::is_decky(decky) {
        return Err(invalid("Invalid decky name"));
    }
    let id: SessionId = sid.parse().map_err(|_| invalid("Invalid session id"))?;
    if id.to_string() != sid {
        return Err(invalid("Invalid session id"));
    }
    let session = api.db.sessions().by_sid(id).await?;
    let session = session.filter(|session| session.decky == decky).ok_or_else(missing)?;
    let row = api.db.sessions().recording(id).await?.ok_or_else(missing)?;
    let extents = api.db.sessions().extents(id).await?;
    let recording = Recording::new(&api.config.artifacts_root, &row, extents);
    Ok((session, recording.ok_or_else(missing)?))
}

fn page(
    session: &SessionRow,
    recording: &Recording,
    file: std::fs::File,
    offset: u64,
    limit: u64,
) -> std::io::Result<Transcript> {
    let mut page = Transcript {
        sid: session.sid.clone(),
        service: session.service.clone(),
        header: Map::new(),
        events: Vec::new(),
        offset,
        limit,
        total: 0,
        has_more: false,
        truncated: session.truncated,
    };
    recording.read(file, |line| {
        match line {
            Line::Header(header) => page.header = header,
            Line::Truncated => page.truncated = true,
            Line::Event(event) => {
                if page.total >= offset && (page.events.len() as u64) < limit {
                    page.events.push(event);
                }
                page.total += 1;
            }
        }
        true
    })?;
    page.has_more = offset.saturating_add(page.events.len() as u64) < page.total;
    Ok(page)
}

/// The whole recording as asciicast v2 (<https://docs.asciinema.org/manual/asciicast/v2/>), sent
/// while it is read.
fn asciicast(session: &SessionRow, recording: Arc<Recording>, file: std::fs::File) -> Response {
    let name = format!("{}.cast", session.sid);
    let (sender, receiver) = mpsc::channel::<Bytes>(CHUNKS);
    let started = session.started_at.seconds();
    let title = format!("{} {}", session.decky, session.service);
    tokio::task::spawn_blocking(move || {
        let mut cast =
            Cast { sender, chunk: Vec::new(), has_header: false, started, title, last: 0.0 };
        // A failing disk ends the download early; there is no status left to change.
        let _ = recording.read(file, |line| cast.line(line));
        cast.finish();
    });
    let body = Body::from_stream(stream::unfold(receiver, |mut receiver| async move {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(chunk), receiver))
    }));
    (attachment("application/x-asciicast", &name, None), body).into_response()
}

struct Cast {
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
    /// Whether the header was written.
    has_header: bool,
    started: i64,
    title: String,
    last: f64,
}

impl Cast {
    /// Writes a line; returns whether anyone still listens.
    fn line(&mut self, line: Line) -> bool {
        match line {
            Line::Header(header) => self.header(&header),
            Line::Truncated => {}
            Line::Event(Spoken(at, channel, text)) => {
                self.header(&Map::new());
                // Players want times that do not go backwards.
                self.last = self.last.max(at);
                self.write(&json!([self.last, channel, text]));
            }
        }
        if self.chunk.len() < CHUNK {
            return true;
        }
        self.send()
    }

    /// The first line; a second header changes nothing.
    fn header(&mut self, recorded: &Map<String, Value>) {
        if std::mem::replace(&mut self.has_header, true) {
            return;
        }
        let size = |name: &str, default: u64| {
            let size = recorded.get(name).and_then(Value::as_u64);
            size.filter(|size| (1..=1000).contains(size)).unwrap_or(default)
        };
        let env: Map<String, Value> = ["SHELL", "TERM"]
            .into_iter()
            .filter_map(|name| {
                let value = recorded.get("env")?.get(name)?.as_str()?;
                Some((name.to_owned(), Value::from(value)))
            })
            .collect();
        self.write(&json!({
            "version": 2,
            "width": size("width", 80),
            "height": size("height", 24),
            "timestamp": self.started,
            "title": self.title,
            "env": env,
        }));
    }

    fn write(&mut self, value: &Value) {
        // Writing JSON to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.chunk, value);
        self.chunk.push(b'\n');
    }

    fn send(&mut self) -> bool {
        self.sender.blocking_send(std::mem::take(&mut self.chunk).into()).is_ok()
    }

    fn finish(mut self) {
        self.header(&Map::new());
        self.send();
    }
}
