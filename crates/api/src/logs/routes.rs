//! Reading the event log.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use base_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store_db::{Bucket, LogCursor, LogQuery, LogRow, Search};
use utoipa_axum::routes;

use crate::access::{Access, Role, Routes};
use crate::api::Shared;
use crate::list::{self, List};
use crate::logs::types::{HistogramBucket, LogEntry};
use crate::params::Params;
use crate::problem::Problem;

/// Most characters of a search.
const SEARCH: usize = 512;
/// Width of a bar unless another is asked for.
pub(crate) const MINUTES: u32 = 15;
/// Most bars of one answer; the newest of more.
const MAX_BARS: usize = 50_000;
/// Most bars of one answer when empty ones are filled in.
const MAX_FILLED: usize = 10_000;
/// How old a histogram of everything may be.
const AGE: Duration = Duration::from_secs(1);

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Viewer), routes!(list_logs));
    routes.add(Access::Role(Role::Viewer), routes!(logs_histogram));
}

/// Reads the filters that the list, the histogram and the live stream share.
pub(crate) fn query(params: &mut Params) -> LogQuery {
    let search = params.text("search", SEARCH);
    LogQuery {
        search: search.map(|text| Search::parse(&text)).unwrap_or_default(),
        start: params.time("start_time"),
        end: params.time("end_time"),
    }
}

/// Events, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/logs",
    tag = "logs",
    params(
        ("limit" = Option<u64>, Query, description = "Rows, 1 to 1000 (50)"),
        ("offset" = Option<u64>, Query, description = "Rows to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before; in place of `offset`"),
        ("search" = Option<String>, Query, description = "`key:value`, `-key:value`, `key:*`, `attacker:10.0.0.0/8`, words and quoted phrases, all of which must hold"),
        ("start_time" = Option<String>, Query, description = "Not before; ISO 8601"),
        ("end_time" = Option<String>, Query, description = "Not after; ISO 8601"),
    ),
    responses((status = 200, description = "A page of events", body = List<LogEntry>))
)]
async fn list_logs(
    State(api): State<Shared>,
    mut params: Params,
) -> Result<Json<List<LogEntry>>, Problem> {
    let paging = list::paging(&mut params, 50, 1000);
    let query = query(&mut params);
    let cursor = cursor(&mut params);
    params.finish()?;
    let page = match cursor {
        None => api.db.logs().list(&query, paging).await?,
        cursor => api.db.logs().list_before(&query, cursor, paging.limit).await?,
    };
    let next = next_cursor(&page.data, paging.limit);
    let list = List::of(page, paging, LogEntry::from);
    Ok(Json(List { next_cursor: next, ..list }))
}

/// The place after the last row of a full page.
fn next_cursor(rows: &[LogRow], limit: u64) -> Option<String> {
    let last = rows.last().filter(|_| rows.len() as u64 == limit)?;
    Some(URL_SAFE_NO_PAD.encode(format!("{}.{}", last.timestamp.micros(), last.seq)))
}

fn cursor(params: &mut Params) -> Option<LogCursor> {
    let text = params.raw("cursor")?;
    let cursor = read_cursor(text);
    if cursor.is_none() {
        params.wrong("cursor", "must be a next_cursor of this list".into());
    }
    cursor
}

fn read_cursor(text: &str) -> Option<LogCursor> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (micros, seq) = text.split_once('.')?;
    let timestamp = Timestamp::from_micros(micros.parse().ok()?);
    Some(LogCursor { timestamp: store_db::storable_time(timestamp), seq: seq.parse().ok()? })
}

/// Events over time.
#[utoipa::path(
    get,
    path = "/api/v1/logs/histogram",
    tag = "logs",
    params(
        ("search" = Option<String>, Query, description = "As for the list"),
        ("start_time" = Option<String>, Query, description = "Not before; ISO 8601"),
        ("end_time" = Option<String>, Query, description = "Not after; ISO 8601"),
        ("interval_minutes" = Option<u32>, Query, description = "Width of a bar, 1 to 10080 (15)"),
        ("fill" = Option<bool>, Query, description = "Whether bars without events are given too"),
    ),
    responses((status = 200, description = "Bars, oldest first; at most the newest 50000", body = Vec<HistogramBucket>))
)]
async fn logs_histogram(
    State(api): State<Shared>,
    mut params: Params,
) -> Result<Json<Vec<HistogramBucket>>, Problem> {
    let query = query(&mut params);
    let minutes = params.number("interval_minutes", 1..=10_080, u64::from(MINUTES));
    let minutes = u32::try_from(minutes).unwrap_or(MINUTES);
    let fill = params.flag("fill");
    if fill && query.start.is_some() && query.end.is_some() && !fits(&query, minutes) {
        params.wrong("fill", format!("would give more than {MAX_FILLED} bars"));
    }
    params.finish()?;
    if minutes == MINUTES && !fill && is_everything(&query) {
        let bars = of_everything(&api).await?;
        return Ok(Json(bars.iter().copied().map(HistogramBucket::from).collect()));
    }
    let mut bars = newest(api.db.logs().histogram(&query, minutes).await?);
    if fill {
        bars = filled(bars, &query, minutes);
    }
    Ok(Json(bars.into_iter().map(HistogramBucket::from).collect()))
}

/// The histogram of all events, at most a second old.
async fn of_everything(api: &Shared) -> Result<Arc<Vec<Bucket>>, Problem> {
    let make = async {
        let bars = api.db.logs().histogram(&LogQuery::default(), MINUTES).await?;
        Ok::<_, Problem>(Arc::new(newest(bars)))
    };
    api.histogram.get(api.now(), AGE, make).await
}

fn newest(mut bars: Vec<Bucket>) -> Vec<Bucket> {
    bars.drain(..bars.len().saturating_sub(MAX_BARS));
    bars
}

/// Whether nothing is filtered out.
pub(crate) fn is_everything(query: &LogQuery) -> bool {
    query.search.is_empty() && query.start.is_none() && query.end.is_none()
}

fn fits(query: &LogQuery, minutes: u32) -> bool {
    let (Some(start), Some(end)) = (query.start, query.end) else { return true };
    let bars = end.since(start).as_secs() / (u64::from(minutes) * 60);
    bars < MAX_FILLED as u64
}

/// The bars with empty ones between, from the start of the range (or the first event) to its end (or
/// the last event); the newest of them when they are too many.
fn filled(bars: Vec<Bucket>, query: &LogQuery, minutes: u32) -> Vec<Bucket> {
    let width = i64::from(minutes) * 60;
    let floor = |at: Timestamp| at.seconds() - at.seconds().rem_euclid(width);
    let start = query.start.or(bars.first().map(|bar| bar.time)).map(floor);
    let end = query.end.or(bars.last().map(|bar| bar.time)).map(floor);
    let (Some(start), Some(end)) = (start, end) else { return bars };
    let room = i64::try_from(MAX_FILLED).unwrap_or(i64::MAX).saturating_sub(1);
    let start = start.max(end.saturating_sub(room.saturating_mul(width)));
    let mut bars = bars.into_iter().skip_while(|bar| bar.time.seconds() < start).peekable();
    let mut all = Vec::new();
    let mut at = start;
    while at <= end {
        let time = Timestamp::from_micros(at.saturating_mul(1_000_000));
        let there = bars.next_if(|bar| bar.time.seconds() <= at);
        all.push(there.unwrap_or(Bucket { time, count: 0 }));
        at = at.saturating_add(width);
    }
    all
}
