//! Order and case of header names (`spec/ingest.md` §6.3).

use base_model::Sha256Digest;
use serde_json::{Map, Value, json};

use super::Find;
use super::http::Headers;

/// Names that depend on the request rather than on the client.
const VOLATILE: [&str; 11] = [
    "content-length",
    "cookie",
    "authorization",
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-request-id",
    "x-correlation-id",
    "x-amzn-trace-id",
];

/// The first names a tool sends; the longest match wins.
const TOOLS: [(&str, &[&str]); 4] = [
    ("python-requests", &["host", "user-agent", "accept-encoding", "accept", "connection"]),
    ("curl", &["host", "user-agent", "accept"]),
    ("go-http-client", &["host", "user-agent", "accept-encoding"]),
    ("nmap-nse", &["host", "user-agent"]),
];

pub(super) fn fingerprint(headers: &Headers, context: &Value) -> Find {
    let stable: Vec<(&str, String)> = headers
        .iter()
        .map(|(name, _)| (name.as_str(), name.to_lowercase()))
        .filter(|(_, lower)| !VOLATILE.contains(&lower.as_str()))
        .collect();
    let order: Vec<&str> = stable.iter().map(|(_, lower)| lower.as_str()).collect();
    let casing: Vec<&str> = stable.iter().map(|(name, _)| casing_of(name)).collect();
    let category = match casing.split_first() {
        Some((first, rest)) if rest.iter().all(|word| word == first) => first,
        Some(_) => "mixed",
        None => "empty",
    };
    let mut payload = Map::new();
    payload.insert("order_hash".into(), hash(&order).into());
    payload.insert("order".into(), json!(order));
    payload.insert("casing_hash".into(), hash(&casing).into());
    payload.insert("casing_category".into(), category.into());
    payload.insert("stable_count".into(), stable.len().into());
    if let Some((tool, _)) = TOOLS.iter().find(|(_, names)| order.starts_with(names)) {
        payload.insert("tool_guess".into(), (*tool).into());
    }
    Find::fingerprint("http_quirks", payload, context)
}

fn hash(words: &[&str]) -> String {
    let mut digest = Sha256Digest::of(words.join("\n").as_bytes()).to_string();
    digest.truncate(16);
    digest
}

fn casing_of(name: &str) -> &'static str {
    let letters = || name.chars().filter(|c| c.is_alphabetic());
    if letters().next().is_none() {
        return "empty";
    }
    if letters().all(char::is_lowercase) {
        return "lower";
    }
    let title = |part: &str| {
        let mut letters = part.chars().filter(|c| c.is_alphabetic());
        letters.next().is_none_or(char::is_uppercase) && letters.all(char::is_lowercase)
    };
    // A name of single letters such as `TE` is upper, `A-B` reads as title first.
    if letters().all(char::is_uppercase) {
        return "upper";
    }
    if name.split('-').all(title) { "title" } else { "mixed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(names: &[&str]) -> Value {
        let headers = names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        serde_json::from_str(&fingerprint(&headers, &json!({})).payload).unwrap()
    }

    #[test]
    fn volatile_headers_do_not_make_another_client() {
        let plain = payload(&["Host", "User-Agent", "Accept"]);
        assert_eq!(plain, payload(&["Host", "Cookie", "User-Agent", "Accept", "Content-Length"]));
        assert_eq!(plain["tool_guess"], "curl");
        assert_eq!(plain["casing_category"], "title");
        assert_eq!(plain["stable_count"], 3);
        assert_eq!(plain["order_hash"], hash(&["host", "user-agent", "accept"]));
    }

    #[test]
    fn the_longest_signature_wins() {
        let requests = ["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection"];
        assert_eq!(payload(&requests)["tool_guess"], "python-requests");
        assert_eq!(payload(&requests[..3])["tool_guess"], "go-http-client");
        assert_eq!(payload(&["Host", "User-Agent", "X"])["tool_guess"], "nmap-nse");
        assert_eq!(payload(&["X"]).get("tool_guess"), None);
    }

    #[test]
    fn casing_is_named() {
        for (name, expected) in [
            ("Host", "title"),
            ("User-Agent", "title"),
            ("host", "lower"),
            ("HOST", "upper"),
            ("hOst", "mixed"),
            ("X-API-Key", "mixed"),
            ("1-2", "empty"),
        ] {
            assert_eq!(casing_of(name), expected, "{name}");
        }
        assert_eq!(payload(&["Host", "accept"])["casing_category"], "mixed");
    }
}
