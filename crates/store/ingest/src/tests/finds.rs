//! Bounties.

use base_model::catalogue::{self, Request};
use base_model::{Event, Fields};
use serde_json::json;
use store_db::{BountyQuery, BountyRow};

use super::world::*;

fn request(seq: u64, service: &'static str, path: &str, headers: &[(&str, &str)]) -> Event {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
    let fact = catalogue::http_request(&Request {
        method: b"GET",
        path: path.as_bytes(),
        query: None,
        version: 1,
        headers: &headers,
        body: b"",
        body_blob: None,
        status: 200,
        tls_ja4: None,
        credential: None,
    });
    Event { service: service.into(), ..of(seq, fact) }
}

async fn bounties(world: &World, search: &str) -> Vec<BountyRow> {
    let query = BountyQuery { search: Some(search.into()), ..BountyQuery::default() };
    world.db().bounties().list(&query, ALL).await.unwrap().data
}

#[tokio::test]
async fn a_user_agent_is_one_find_however_many_paths_it_asks_for() {
    for world in worlds().await {
        let headers = [("Host", "x"), ("User-Agent", "Nuclei - Open-source project")];
        world.apply(&[record(request(1, "http", "/a", &headers))]).await;
        world.apply(&[record(request(2, "http", "/b", &headers))]).await;
        let found = bounties(&world, "http_useragent").await;
        assert_eq!((found.len(), found[0].seen_count), (1, 2));
        assert_eq!(found[0].payload["tool"], "nuclei");
        assert_eq!(found[0].context, json!({"method": "GET", "path": "/b"}));
        assert_eq!((found[0].timestamp, found[0].last_seen), (at(1_000_003), at(2_000_006)));
        let quirks = bounties(&world, "http_quirks").await;
        assert_eq!((quirks.len(), quirks[0].seen_count), (1, 2));
        assert_eq!(quirks[0].payload["order"], json!(["host", "user-agent"]));
    }
}

#[tokio::test]
async fn proxy_headers_leak_or_lie_on_every_web_service() {
    for world in worlds().await {
        let leak = [("X-Forwarded-For", "8.8.4.4"), ("User-Agent", "")];
        let lie = [("X-Real-IP", "127.0.0.1")];
        let records = [
            record(request(1, "https", "/", &leak)),
            record(request(2, "k8s", "/", &lie)),
            record(request(3, "smtp", "/", &leak)),
        ];
        world.apply(&records).await;
        let uuid = holdings(world.db()).await.attackers["203.0.113.9"].uuid.clone();
        assert!(!uuid.is_empty());
        let of = |kind: &'static str| async {
            world.db().bounties().count_of_attacker("203.0.113.9", kind).await.unwrap()
        };
        assert_eq!(of("ip_leak").await, 1);
        let newest = world.db().bounties().of_attacker("203.0.113.9", "ip_leak", 10).await.unwrap();
        assert_eq!(newest[0].payload["real_ip_claim"], "8.8.4.4");
        let spoofed = bounties(&world, "spoofed_source").await;
        assert_eq!(spoofed[0].payload["claim_category"], "loopback");
        let empty = bounties(&world, "http_useragent").await;
        assert_eq!(empty[0].payload["category"], "empty");
        assert_eq!(holdings(world.db()).await.attackers["203.0.113.9"].bounty_count, 5);
    }
}

#[tokio::test]
async fn a_tls_client_is_one_find_whatever_name_it_asks_for() {
    for world in worlds().await {
        let hello = |seq, sni: &'static [u8]| {
            let fact = catalogue::tls_client_hello(&catalogue::ClientHello {
                ja3: "577fbfd57b256f5467f2fe09d1105a26",
                ja4: "t13d1516h2_8daaf6152771_d8a2da3f94cd",
                ja4_raw: "t13d1516h2_002f_0005_0403",
                version: "TLS 1.3",
                sni: Some(sni),
                alpn: b"h2",
                ciphers: "47",
                extensions: "5",
                groups: "29",
                resumption: "psk",
            });
            record(Event { service: "smtp".into(), ..of(seq, fact) })
        };
        world.apply(&[hello(1, b"a.lan")]).await;
        world.apply(&[hello(2, b"b.lan")]).await;
        let found = bounties(&world, "d8a2da3f94cd").await;
        assert_eq!((found.len(), found[0].seen_count), (1, 2));
        assert_eq!(found[0].payload["fingerprint_type"], "ja3");
        assert_eq!(found[0].payload["ja3"], "577fbfd57b256f5467f2fe09d1105a26");
        assert_eq!(found[0].context["sni"], "b.lan");
        let resumed = bounties(&world, "tls_resumption").await;
        assert_eq!(resumed[0].payload["mechanisms"], "psk");
    }
}

#[tokio::test]
async fn an_ssh_banner_that_is_no_text_is_kept_exactly() {
    for world in worlds().await {
        let event = of(1, catalogue::ssh_client_banner(b"SSH-2.0-\xff\x00"));
        world.apply(&[record(event)]).await;
        let found = bounties(&world, "ssh_client_banner").await;
        assert_eq!(found[0].payload["value"], "SSH-2.0-\u{fffd}\0");
        assert_eq!(found[0].payload["value_b64"], "U1NILTIuMC3/AA==");
        let fingerprints = world.db().attackers().fingerprints("203.0.113.9", 10).await.unwrap();
        assert_eq!(fingerprints.len(), 1);
    }
}

#[tokio::test]
async fn headers_as_an_object_or_its_text_are_understood() {
    for world in worlds().await {
        let object = json!({"user-agent": "curl/8.0"});
        let with = |seq, headers: serde_json::Value| Event {
            service: "http".into(),
            ..event(seq, "request", Fields::new().with("headers", headers))
        };
        let text = serde_json::Value::String(object.to_string());
        let broken = serde_json::Value::String("{".into());
        world
            .apply(&[record(with(1, object)), record(with(2, text)), record(with(3, broken))])
            .await;
        let found = bounties(&world, "http_useragent").await;
        assert_eq!((found.len(), found[0].seen_count), (1, 2));
    }
}
