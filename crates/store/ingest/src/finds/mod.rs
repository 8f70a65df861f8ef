//! Bounties in an event (`spec/ingest.md` §6): what identifies a tool, a source or a file.
//!
//! A payload holds identity only, so that a repeat is the same row; what changes from request to
//! request goes into the context.

mod http;
mod proxy;
mod quirks;
mod tls;
mod user_agent;

use std::net::IpAddr;

use base_model::{Event, Sha256Digest};
use serde_json::{Map, Value, json};

/// One find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Find {
    /// `fingerprint`, `ip_leak` or `artifact`.
    pub(crate) bounty_type: &'static str,
    /// Canonical JSON text.
    pub(crate) payload: String,
    /// SHA-256 of it.
    pub(crate) hash: String,
    /// JSON text.
    pub(crate) context: String,
}

impl Find {
    fn new(bounty_type: &'static str, payload: &Value, context: &Value) -> Self {
        let payload = canonical(payload);
        let hash = Sha256Digest::of(payload.as_bytes()).to_string();
        Self { bounty_type, payload, hash, context: context.to_string() }
    }

    fn fingerprint(kind: &str, mut payload: Map<String, Value>, context: &Value) -> Self {
        payload.insert("fingerprint_type".into(), kind.into());
        Self::new("fingerprint", &Value::Object(payload), context)
    }
}

/// What `event` from `source` shows.
pub(crate) fn of(event: &Event, source: Option<IpAddr>) -> Vec<Find> {
    match event.kind.as_ref() {
        "ssh_client_banner" => banner(event).into_iter().collect(),
        "file_captured" => file(event).into_iter().collect(),
        "message_stored" => mail(event).into_iter().collect(),
        "tls_client_hello" => tls::hello(event),
        "tls_session" | "tls_alert" => Vec::new(),
        _ if http::speaks(&event.service) => http::finds(event, source),
        _ => Vec::new(),
    }
}

fn banner(event: &Event) -> Option<Find> {
    let value = event.fields.text("ssh_version")?;
    let mut payload = Map::new();
    payload.insert("value".into(), value.into());
    if let Some(exact) = event.fields.get("ssh_version_b64") {
        payload.insert("value_b64".into(), exact.clone());
    }
    Some(Find::fingerprint("ssh_client_banner", payload, &json!({})))
}

fn file(event: &Event) -> Option<Find> {
    let fields = &event.fields;
    fields.text("stored_as")?;
    let mut payload = Map::new();
    payload.insert("kind".into(), "file".into());
    for key in ["stored_as", "sha256", "size", "orig_path", "attribution", "writer_comm"] {
        if let Some(value) = fields.get(key) {
            payload.insert(key.into(), value.clone());
        }
    }
    Some(Find::new("artifact", &Value::Object(payload), &json!({})))
}

fn mail(event: &Event) -> Option<Find> {
    let fields = &event.fields;
    fields.text("stored_as")?;
    let mut payload = Map::new();
    payload.insert("kind".into(), "mail".into());
    for key in [
        "stored_as",
        "sha256",
        "size",
        "subject",
        "from_hdr",
        "to_hdr",
        "mail_from",
        "rcpt_to",
        "attachment_count",
        "content_type",
    ] {
        if let Some(value) = fields.get(key) {
            payload.insert(key.into(), value.clone());
        }
    }
    Some(Find::new("artifact", &Value::Object(payload), &json!({})))
}

/// JSON text with the members of every object sorted by name and nothing between tokens.
fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(key, _)| key.as_str());
            Value::Object(members.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_does_not_make_another_find() {
        let a = Find::new("x", &json!({"b": [{"d": 1, "c": 2}], "a": null}), &json!({"n": 1}));
        let b = Find::new("x", &json!({"a": null, "b": [{"c": 2, "d": 1}]}), &json!({"n": 2}));
        assert_eq!((&a.hash, &a.payload), (&b.hash, &b.payload));
        assert_eq!(a.payload, r#"{"a":null,"b":[{"c":2,"d":1}]}"#);
    }
}
