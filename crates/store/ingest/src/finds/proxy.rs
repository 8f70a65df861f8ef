//! Addresses claimed by proxy headers (`spec/ingest.md` §6.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::{Map, Value, json};

use super::Find;
use super::http::{Headers, value};

/// By priority.
const HEADERS: [&str; 5] =
    ["Forwarded", "X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"];

/// The claim that `headers` make for someone else than `source`, if any.
pub(super) fn claim(headers: &Headers, source: IpAddr, context: &Value) -> Option<Find> {
    let present: Vec<(&str, &str)> =
        HEADERS.iter().filter_map(|name| Some((*name, value(headers, name)?))).collect();
    let parsed = |(name, text): &(&'static str, &str)| Some((*name, address(name, text)?));
    let (header, claimed) = HEADERS
        .iter()
        .filter_map(|name| Some((*name, value(headers, name)?)))
        .find_map(|pair| parsed(&pair))?;
    if claimed == source {
        return None;
    }
    let seen: Map<String, Value> =
        present.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
    let category = category(claimed);
    if category == "public" {
        let payload = json!({
            "source_ip": source.to_string(),
            "real_ip_claim": claimed.to_string(),
            "source_header": header,
            "headers_seen": seen,
        });
        return Some(Find::new("ip_leak", &payload, context));
    }
    let mut payload = Map::new();
    payload.insert("source_ip".into(), source.to_string().into());
    payload.insert("claimed_ip".into(), claimed.to_string().into());
    payload.insert("source_header".into(), header.into());
    payload.insert("headers_seen".into(), Value::Object(seen));
    payload.insert("claim_category".into(), category.into());
    Some(Find::fingerprint("spoofed_source", payload, context))
}

fn address(header: &str, text: &str) -> Option<IpAddr> {
    if header == "Forwarded" {
        let mut parts = text.split([',', ';']).map(str::trim);
        let claim = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value)
        })?;
        return bare(claim.trim().trim_matches('"'));
    }
    text.split(',').find_map(|part| bare(part.trim().trim_matches('"')))
}

/// An address with or without brackets and port.
fn bare(text: &str) -> Option<IpAddr> {
    let plain = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let ip = plain.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|a| a.ip()));
    ip.ok().map(|ip| ip.to_canonical())
}

fn category(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V4(v4) => category_v4(v4),
        IpAddr::V6(v6) => category_v6(v6),
    }
}

fn category_v4(ip: Ipv4Addr) -> &'static str {
    let [a, b, ..] = ip.octets();
    match (a, b) {
        (0, _) if ip.is_unspecified() => "unspecified",
        (127, _) => "loopback",
        (169, 254) => "link_local",
        (224..=239, _) => "multicast",
        (0 | 240..=255, _) => "reserved",
        (10, _) | (172, 16..=31) | (192, 168) | (100, 64..=127) => "private",
        _ if ip.is_documentation() || (a, b) == (198, 18) || (a, b) == (198, 19) => "private",
        _ => "public",
    }
}

fn category_v6(ip: Ipv6Addr) -> &'static str {
    if ip.is_unspecified() {
        return "unspecified";
    }
    if ip.is_loopback() {
        return "loopback";
    }
    let [first, second, ..] = ip.segments();
    match first {
        0xfe80..=0xfebf => "link_local",
        0xff00..=0xffff => "multicast",
        0xfc00..=0xfdff => "private",
        0x2001 if second == 0xdb8 => "private",
        0x2000..=0x3fff => "public",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(headers: &[(&str, &str)]) -> Option<Find> {
        let headers =
            headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
        claim(&headers, "203.0.113.9".parse().unwrap(), &json!({}))
    }

    #[test]
    fn a_public_claim_is_a_leak() {
        let leak =
            find(&[("x-forwarded-for", "unknown, 8.8.8.8, 10.0.0.1"), ("X-Real-IP", "1.1.1.1")])
                .unwrap();
        assert_eq!(leak.bounty_type, "ip_leak");
        let payload: Value = serde_json::from_str(&leak.payload).unwrap();
        assert_eq!(payload["real_ip_claim"], "8.8.8.8");
        assert_eq!(payload["source_header"], "X-Forwarded-For");
        assert_eq!(payload["headers_seen"]["X-Real-IP"], "1.1.1.1");
    }

    #[test]
    fn forwarded_comes_first_and_falls_through_when_unparsable() {
        let payload =
            |find: Option<Find>| serde_json::from_str::<Value>(&find.unwrap().payload).unwrap();
        let v6 = find(&[
            ("Forwarded", "proto=http; For=\"[2606:4700::1111]:80\""),
            ("X-Real-IP", "1.1.1.1"),
        ]);
        assert_eq!(payload(v6)["real_ip_claim"], "2606:4700::1111");
        let through = find(&[("Forwarded", "for=_hidden"), ("X-Real-IP", "1.1.1.1:80")]);
        assert_eq!(payload(through)["real_ip_claim"], "1.1.1.1");
    }

    #[test]
    fn a_claim_of_the_source_itself_is_nothing() {
        assert_eq!(find(&[("X-Real-IP", "::ffff:203.0.113.9")]), None);
        assert_eq!(find(&[("Accept", "*/*")]), None);
    }

    #[test]
    fn claims_that_cannot_be_are_spoofed() {
        for (claim, category) in [
            ("0.0.0.0", "unspecified"),
            ("127.0.0.1", "loopback"),
            ("169.254.1.1", "link_local"),
            ("224.0.0.1", "multicast"),
            ("240.0.0.1", "reserved"),
            ("192.168.1.1", "private"),
            ("fe80::1", "link_local"),
            ("fd00::1", "private"),
            ("::", "unspecified"),
        ] {
            let find = find(&[("X-Forwarded-For", claim)]).unwrap();
            let payload: Value = serde_json::from_str(&find.payload).unwrap();
            assert_eq!(payload["claim_category"], category, "{claim}");
            assert_eq!(payload["fingerprint_type"], "spoofed_source");
        }
    }
}
