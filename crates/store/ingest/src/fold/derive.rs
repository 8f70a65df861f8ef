//! What one event says, without regard to any other.

use base_model::{Class, Event, classify};
use serde_json::{Map, Value};
use store_db::{LogRow, UNKNOWN_ATTACKER, storable_time};

use super::credential::{self, Attempt};
use super::session::{self, SessionFact};
use crate::finds::{self, Find};
use crate::mail::{self, Received};

/// Longest name in an indexed column, in characters.
const NAME: usize = 64;
/// Longest name a captured file is fetched by, in characters.
const STORED_AS: usize = 320;

/// One event, digested.
#[derive(Debug)]
pub(crate) struct Derived {
    /// Its row; number and time of receipt come later.
    pub(crate) row: LogRow,
    pub(crate) class: Class,
    /// Whether it counts against its source.
    pub(crate) is_attacker: bool,
    pub(crate) session: Option<SessionFact>,
    pub(crate) command: Option<String>,
    pub(crate) attempt: Option<Attempt>,
    /// Digest, size and name of a captured file.
    pub(crate) artifact: Option<(String, u64, String)>,
    pub(crate) finds: Vec<Find>,
    /// What is told of a mail that came in.
    pub(crate) mail: Option<Received>,
    /// Names that were cut or cleaned.
    pub(crate) cut: u64,
}

/// Where a batch comes from, as its link says.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) sensor: String,
    pub(crate) boot: String,
}

/// What `event`, record `boot_seq` of `source`, says.
pub(crate) fn derive(event: &Event, source: &Source, boot_seq: u64) -> Derived {
    let mut extra = Map::new();
    let mut cut_names = 0;
    let mut name = |key: &str, text: &str| {
        let clean = clean(text);
        if clean != text {
            cut_names += 1;
            extra.insert(key.to_owned(), text.into());
        }
        clean
    };
    let decky = name("_decky", &event.decky_name);
    let service = name("_service", &event.service);
    let event_type = name("_event_type", &event.kind);
    let attacker = event.attacker.map(|peer| (peer.ip.to_canonical(), peer.port));
    let row = LogRow {
        seq: 0,
        event_uid: event.id.hex(),
        timestamp: storable_time(event.at),
        received_at: storable_time(event.at),
        sensor: source.sensor.clone(),
        boot: source.boot.clone(),
        boot_seq,
        v: event.v.into(),
        decky,
        decky_id: event.decky.to_string(),
        service,
        event_type,
        attacker_ip: attacker.map_or_else(|| UNKNOWN_ATTACKER.to_owned(), |a| a.0.to_string()),
        src_port: attacker.map(|a| a.1),
        dst_port: event.local.map(|local| local.port),
        transport: event.transport.name().to_owned(),
        session_id: event.session.map(|id| id.to_string()),
        conn_id: event.conn.map(|id| id.to_string()),
        origin_id: event.origin.map(|id| id.to_string()),
        synthetic: event.synthetic,
        fields: fields_text(event, extra),
    };
    let class = classify(&event.service, &event.kind);
    let mut derived = Derived {
        class,
        is_attacker: false,
        session: None,
        command: None,
        attempt: None,
        artifact: None,
        finds: Vec::new(),
        mail: None,
        cut: cut_names,
        row,
    };
    // What we do ourselves is kept, and followed no further.
    if event.synthetic || event.decky_name.starts_with("decnet-") {
        return derived;
    }
    derived.is_attacker = attacker.is_some();
    derived.command = command(event);
    derived.session = session::fact(event, class, derived.command.is_some());
    derived.attempt = credential::attempt(event, &derived.row);
    derived.artifact = artifact(event);
    derived.mail = mail::received(event);
    derived.finds = finds::of(event, attacker.map(|a| a.0));
    derived
}

impl Derived {
    /// Adds fields that ingest knows and the sensor does not.
    pub(crate) fn add(&mut self, added: Map<String, Value>) {
        let mut fields = self.row.fields();
        fields.extend(added);
        self.row.fields = Value::Object(fields).to_string();
    }
}

fn fields_text(event: &Event, extra: Map<String, Value>) -> String {
    if extra.is_empty() {
        return serde_json::to_string(&event.fields).unwrap_or_else(|_| "{}".to_owned());
    }
    let mut fields = event.fields.as_map().clone();
    fields.extend(extra);
    Value::Object(fields).to_string()
}

/// A name as an indexed column holds it: short, without control characters, and without the blanks
/// at its end that MariaDB would ignore.
fn clean(text: &str) -> String {
    if text.len() <= NAME && !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
        return text.to_owned();
    }
    let printable = |c: char| if c.is_control() { '_' } else { c };
    let cut: String = text.chars().take(NAME).map(printable).collect();
    match cut.trim_end() {
        "" => "-".to_owned(),
        clean => clean.to_owned(),
    }
}

/// The first `limit` characters.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    match text.char_indices().nth(limit) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// The command line in an event (`spec/ingest.md` §4.1).
fn command(event: &Event) -> Option<String> {
    let is_command = matches!(
        event.kind.as_ref(),
        "command"
            | "exec"
            | "query"
            | "input"
            | "shell_input"
            | "execute"
            | "run"
            | "sql_query"
            | "redis_command"
    );
    if !is_command {
        return None;
    }
    let keys = ["command", "query", "input", "line", "sql", "cmd"];
    keys.iter().find_map(|key| event.fields.text(key)).map(str::to_owned)
}

fn artifact(event: &Event) -> Option<(String, u64, String)> {
    if !matches!(event.kind.as_ref(), "file_captured" | "message_stored") {
        return None;
    }
    let sha256 = event.fields.text("sha256")?.parse::<base_model::Sha256Digest>().ok()?;
    let size = event.fields.get("size").and_then(Value::as_u64).unwrap_or(0);
    let stored_as = cut(event.fields.text("stored_as")?, STORED_AS);
    Some((sha256.to_string(), size, stored_as.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fit_stay_and_others_are_cleaned() {
        assert_eq!(clean("smtp_relay"), "smtp_relay");
        assert_eq!(clean("ssh  "), "ssh");
        assert_eq!(clean("a\0\nb"), "a__b");
        assert_eq!(clean(" "), "-");
        assert_eq!(clean(&"🐙".repeat(100)).chars().count(), 64);
        assert_eq!(cut("äöü", 2), "äö");
    }
}
