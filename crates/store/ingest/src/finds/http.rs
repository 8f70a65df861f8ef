//! What the headers of a request give away (`spec/ingest.md` §6 rules 1 to 4).

use std::net::IpAddr;

use base_model::Event;
use serde_json::{Map, Value, json};

use super::{Find, proxy, quirks, user_agent};

/// Header names and values in order; values that are no text as JSON.
pub(super) type Headers = Vec<(String, String)>;

/// Services whose requests carry HTTP headers.
pub(super) fn speaks(service: &str) -> bool {
    matches!(service, "http" | "https" | "docker_api" | "k8s" | "elasticsearch")
}

/// What the headers of a request event show.
pub(super) fn finds(event: &Event, source: Option<IpAddr>) -> Vec<Find> {
    let headers = headers(event);
    if headers.is_empty() {
        return Vec::new();
    }
    let mut context = Map::new();
    for key in ["method", "path"] {
        if let Some(value) = event.fields.get(key) {
            context.insert(key.into(), value.clone());
        }
    }
    let context = Value::Object(context);
    let mut finds = Vec::new();
    if let Some(agent) = value(&headers, "user-agent") {
        let class = user_agent::classify(agent);
        let mut payload = Map::new();
        payload.insert("value".into(), agent.into());
        payload.insert("category".into(), class.category.into());
        if let Some(tool) = class.tool {
            payload.insert("tool".into(), tool.into());
        }
        if !class.signals.is_empty() {
            payload.insert("signals".into(), json!(class.signals));
        }
        finds.push(Find::fingerprint("http_useragent", payload, &context));
    }
    finds.extend(source.and_then(|source| proxy::claim(&headers, source, &context)));
    finds.push(quirks::fingerprint(&headers, &context));
    finds
}

/// The value of the first header called `name`, in lower case.
pub(super) fn value<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// From `headers_ordered` (pairs), else from `headers` (an object, or its JSON text).
fn headers(event: &Event) -> Headers {
    let text = |value: &Value| store_db::syslog::value_text(value);
    if let Some(Value::Array(pairs)) = event.fields.get("headers_ordered") {
        let pair = |pair: &Value| Some((text(pair.get(0)?), text(pair.get(1)?)));
        return pairs.iter().filter_map(pair).collect();
    }
    let parsed;
    let map = match event.fields.get("headers") {
        Some(Value::Object(map)) => map,
        Some(Value::String(encoded)) => match serde_json::from_str::<Map<String, Value>>(encoded) {
            Ok(map) => {
                parsed = map;
                &parsed
            }
            Err(_) => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    map.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}
