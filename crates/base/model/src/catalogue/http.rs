//! Web requests.

use serde_json::Value;

use super::{Fact, Kind};
use crate::{Fields, Secret, Sha256Digest};

/// An HTTP request was answered.
pub const HTTP_REQUEST: Kind = Kind::info("request");

/// Longest body kept inside the event; a longer one is a blob.
const BODY_IN_EVENT: usize = 4096;

/// What [`http_request`] records.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Method, as sent.
    pub method: &'a [u8],
    /// Path without the query, as sent.
    pub path: &'a [u8],
    /// Query without `?`, as sent.
    pub query: Option<&'a [u8]>,
    /// Minor version of HTTP/1.
    pub version: u8,
    /// Header names and values in wire order and case, duplicates kept.
    pub headers: &'a [(Vec<u8>, Vec<u8>)],
    /// Body, as received.
    pub body: &'a [u8],
    /// The blob that holds the whole body when it was too long for the event.
    pub body_blob: Option<Sha256Digest>,
    /// Status we answered.
    pub status: u16,
    /// JA4 of the client, where the request came over TLS.
    pub tls_ja4: Option<&'a str>,
    /// Credential found in it, with its principal.
    pub credential: Option<(Option<Vec<u8>>, Secret)>,
}

/// A request with everything it carried.
#[must_use]
pub fn http_request(request: &Request<'_>) -> Fact {
    let mut fields = Fields::new().bytes("method", request.method).bytes("path", request.path);
    if let Some(query) = request.query {
        fields = fields.bytes("query", query);
    }
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut by_name = serde_json::Map::new();
    for (name, value) in request.headers {
        by_name.entry(lossy(name)).or_insert_with(|| Value::String(lossy(value)));
    }
    let ordered: Vec<Value> = request
        .headers
        .iter()
        .map(|(name, value)| Value::Array(vec![lossy(name).into(), lossy(value).into()]))
        .collect();
    let find = |wanted: &str| {
        let header =
            request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()));
        header.map(|(_, value)| lossy(value))
    };
    fields = fields
        .with("proto", if request.version == 0 { "HTTP/1.0" } else { "HTTP/1.1" })
        .with_some("host", find("host"))
        .with_some("user_agent", find("user-agent"))
        .with("headers", Value::Object(by_name))
        .with("headers_ordered", ordered)
        .bytes("body", request.body.get(..BODY_IN_EVENT).unwrap_or(request.body))
        .with("body_len", request.body.len())
        .with("status", request.status)
        .with_some("tls_ja4", request.tls_ja4);
    if !request.body.is_empty() {
        fields.set("body_sha256", Sha256Digest::of(request.body).to_string());
    }
    if let Some((principal, secret)) = &request.credential {
        if let Some(principal) = principal {
            fields = fields.bytes("principal", principal);
        }
        for (key, value) in secret.fields().iter() {
            fields.set(key, value.clone());
        }
        fields.set("outcome", "failure");
    }
    let fact = Fact::new(&HTTP_REQUEST, fields);
    match request.body_blob {
        Some(blob) => fact.naming(blob),
        None => fact,
    }
}
