//! What a TLS client gives away (`spec/ingest.md` §6 rules 6 and 8).

use base_model::Event;
use serde_json::{Map, Value, json};

use super::Find;

/// What a client's hello shows.
pub(super) fn hello(event: &Event) -> Vec<Find> {
    let pick = |keys: &[&str]| -> Map<String, Value> {
        let given = |key: &&str| Some(((*key).to_owned(), event.fields.get(key)?.clone()));
        keys.iter().filter_map(given).collect()
    };
    let mut finds = Vec::new();
    if event.fields.text("ja3").is_some() {
        // Names asked for and the port differ from visit to visit of the same client.
        let mut context = pick(&["sni", "alpn"]);
        if let Some(local) = event.local {
            context.insert("dst_port".into(), local.port.into());
        }
        let payload = pick(&["ja3", "ja4", "tls_version", "raw_ciphers", "raw_extensions"]);
        finds.push(Find::fingerprint("ja3", payload, &Value::Object(context)));
    }
    if let Some(mechanisms) = event.fields.get("resumption") {
        let mut payload = Map::new();
        payload.insert("mechanisms".into(), mechanisms.clone());
        finds.push(Find::fingerprint("tls_resumption", payload, &json!({})));
    }
    finds
}
