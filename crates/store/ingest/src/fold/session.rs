//! Sessions: from the first act to the end.

use base_model::{Class, Event};
use serde_json::Value;
use std::time::Duration;
use store_db::{LogRow, SessionRow};

/// What an event says about its session.
#[derive(Debug, Default)]
pub(crate) struct SessionFact {
    /// Who logged in.
    principal: Option<String>,
    is_command: bool,
    /// The session is over.
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    duration_s: Option<f64>,
    interactive: bool,
    truncated: bool,
    recorded: bool,
}

/// Longest session that is believed, in seconds.
const LONGEST: f64 = 1e9;

/// What `event` says, when it makes a session of its connection: a mere connection is none.
pub(super) fn fact(event: &Event, class: Class, is_command: bool) -> Option<SessionFact> {
    let kind = event.kind.as_ref();
    let recorded = kind == "session_recorded";
    let ends = recorded || kind == "session_ended";
    let begins = class == Class::Interaction
        || matches!(kind, "login_success" | "session_skipped" | "file_download");
    if event.session.is_none() || !(ends || begins) {
        return None;
    }
    let flag = |key: &str| event.fields.get(key).and_then(Value::as_bool);
    let principal = (kind == "login_success").then(|| event.fields.text("username"));
    Some(SessionFact {
        principal: principal.flatten().map(str::to_owned),
        is_command,
        end: ends.then(|| End {
            duration_s: event
                .fields
                .get("duration_s")
                .and_then(Value::as_f64)
                .filter(|seconds| (0.0..LONGEST).contains(seconds)),
            interactive: flag("interactive").unwrap_or(recorded),
            truncated: flag("truncated").unwrap_or(false),
            recorded,
        }),
    })
}

/// A session first heard of in `row`.
pub(super) fn new(sid: &str, row: &LogRow, uuid: Option<&str>) -> SessionRow {
    SessionRow {
        sid: sid.to_owned(),
        attacker_uuid: uuid.map(str::to_owned),
        attacker_ip: row.attacker_ip.clone(),
        decky: row.decky.clone(),
        decky_id: row.decky_id.clone(),
        service: row.service.clone(),
        principal: None,
        started_at: row.timestamp,
        ended_at: None,
        duration_s: None,
        interactive: None,
        command_count: 0,
        truncated: false,
        recorded_seq: None,
    }
}

/// One event more; returns whether it ended the session.
pub(super) fn fold(session: &mut SessionRow, row: &LogRow, fact: &SessionFact) -> bool {
    session.started_at = session.started_at.min(row.timestamp);
    session.command_count += u64::from(fact.is_command);
    if session.principal.is_none() {
        session.principal.clone_from(&fact.principal);
    }
    let Some(end) = &fact.end else { return false };
    let ended_already = session.ended_at.is_some();
    session.ended_at = session.ended_at.max(Some(row.timestamp));
    if let Some(seconds) = end.duration_s {
        let started = row.timestamp - Duration::from_secs_f64(seconds);
        session.started_at = session.started_at.min(store_db::storable_time(started));
        let longest = session.duration_s.unwrap_or(0.0).max(seconds);
        session.duration_s = Some(longest);
    }
    session.interactive = Some(session.interactive.unwrap_or(false) || end.interactive);
    session.truncated |= end.truncated;
    if end.recorded {
        session.recorded_seq = session.recorded_seq.or(Some(row.seq));
    }
    !ended_already
}
