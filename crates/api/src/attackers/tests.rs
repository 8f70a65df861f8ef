//! Attackers over a socket.

use base_model::{Fields, Secret, catalogue};
use serde_json::{Value, json};
use store_db::ObservationRow;

use crate::tests::world::{HOSTILE, World, at, body, captured, event, fact, sid};

const IP: &str = "203.0.113.9";

/// One attacker on two deckies who tries, types and uploads, and one who only looks.
async fn filled() -> World {
    let world = World::new().await;
    let line = |n: i64, text: &str| {
        let mut event = event(n, IP, "command", Fields::new().with("command", text));
        event.session = Some(sid(1));
        body(event)
    };
    let mut elsewhere = event(5, IP, "connect", Fields::new());
    elsewhere.decky_name = "db-01".into();
    elsewhere.service = "redis".into();
    let secret = Secret::plaintext(*b"hunter2");
    let attempt = catalogue::auth_attempt(b"root", &secret, "password", true);
    let mut uploaded = fact(6, IP, captured(6, b"evil"));
    uploaded.session = Some(sid(1));
    world
        .feed([
            body(event(0, IP, "connect", Fields::new())),
            body(fact(1, IP, attempt)),
            line(2, "id"),
            line(3, HOSTILE),
            body(elsewhere),
            body(uploaded),
            body(event(60, "2001:db8::1", "connect", Fields::new())),
        ])
        .await;
    world
}

async fn uuid(world: &World) -> String {
    world.test.db.attackers().by_ip(IP.parse().unwrap()).await.unwrap().unwrap().uuid
}

fn ips(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|row| row["ip"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_list_sorts_and_filters() {
    let world = filled().await;
    for (query, expected) in [
        ("", vec!["2001:db8::1", IP]),
        ("?sort_by=active", vec![IP, "2001:db8::1"]),
        ("?sort_by=traversals", vec![IP, "2001:db8::1"]),
        ("?search=203.0", vec![IP]),
        ("?service=redis", vec![IP]),
        ("?service=redi", vec![]),
        ("?last_seen_after=2026-01-01T00:00:30Z", vec!["2001:db8::1"]),
        ("?first_seen_after=2027-01-01", vec![]),
        ("?limit=1&offset=1", vec![IP]),
    ] {
        let list = world.get(&format!("/api/v1/attackers{query}"), "viewer").await.json();
        assert_eq!(ips(&list), expected, "{query}");
    }
    for query in ["sort_by=evil", "include=evil", "limit=1001", "limit=101&include=commands"] {
        let answer = world.get(&format!("/api/v1/attackers?{query}"), "viewer").await;
        answer.problem(422, "invalid_parameters");
        assert!(!answer.text().contains("evil"));
    }
}

#[tokio::test]
async fn the_list_has_the_long_members_only_when_asked() {
    let world = filled().await;
    let row = &world.get("/api/v1/attackers?search=203", "viewer").await.json()["data"][0];
    assert!(row.get("commands").is_none() && row.get("fingerprints").is_none());
    assert_eq!(row["behavior"], Value::Null);
    assert_eq!(row["deckies"], json!(["web-01", "db-01"]));
    assert_eq!(row["services"], json!(["redis", "ssh"]));
    assert_eq!((&row["event_count"], &row["is_traversal"]), (&json!(6), &json!(true)));
    assert_eq!(row["first_seen"], "2026-01-01T00:00:00.000Z");
    let path = "/api/v1/attackers?search=203&include=commands,fingerprints";
    let row = &world.get(path, "viewer").await.json()["data"][0];
    assert_eq!(row["commands"].as_array().unwrap().len(), 2);
    assert!(row["fingerprints"].is_array());
}

#[tokio::test]
async fn one_attacker_is_found_by_id_and_by_address() {
    let world = filled().await;
    let uuid = uuid(&world).await;
    let row = |primitive: &str, evidence: &str, ts: f64| ObservationRow {
        id: base_model::EventId::at(at(0), base_runtime::entropy::bytes().unwrap()).hex(),
        identity_ref: None,
        primitive: primitive.into(),
        value: json!("typed"),
        confidence: 0.5,
        window_start_ts: 0.0,
        window_end_ts: ts,
        source: "test".into(),
        evidence_ref: evidence.into(),
        envelope_v: 1,
        ts,
        attacker_uuid: uuid.clone(),
    };
    for (primitive, evidence, ts) in
        [("motor.b", "one", 1.0), ("cognitive.a", "one", 1.0), ("motor.b", "two", 2.0)]
    {
        let row = row(primitive, evidence, ts);
        world.test.db.observations().upsert_observation(&row).await.unwrap();
    }
    let detail = world.get(&format!("/api/v1/attackers/{uuid}"), "viewer").await.json();
    assert_eq!(detail, world.get(&format!("/api/v1/attackers/{IP}"), "viewer").await.json());
    assert_eq!(detail["ip"], IP);
    assert_eq!(detail["behavior"], Value::Null);
    assert_eq!(detail["service_activity"], json!({"interacted": ["ssh"], "scanned": ["redis"]}));
    assert_eq!((&detail["ip_leaks"], &detail["ip_leaks_total"]), (&json!([]), &json!(0)));
    assert_eq!(
        detail["observations"],
        json!([
            {"primitive": "cognitive.a", "value": "typed", "confidence": 0.5, "ts": 1.0, "source": "test"},
            {"primitive": "motor.b", "value": "typed", "confidence": 0.5, "ts": 2.0, "source": "test"},
        ])
    );
    assert_eq!(detail["commands"][0]["command"], HOSTILE);
    let mapped = world.get("/api/v1/attackers/::ffff:203.0.113.9", "viewer").await.json();
    assert_eq!(mapped["uuid"], uuid);
    let percent = world.get("/api/v1/attackers/2001%3Adb8%3A%3A1", "viewer").await.json();
    assert_eq!(percent["ip"], "2001:db8::1");
}

#[tokio::test]
async fn leaked_addresses_are_counted_beyond_those_shown() {
    let world = World::new().await;
    let leak = |n: u8| {
        let claimed = format!("8.8.4.{n}");
        let headers = json!({"X-Forwarded-For": claimed});
        let ordered = json!([["X-Forwarded-For", claimed]]);
        let fields = Fields::new()
            .with("method", "GET")
            .with("path", "/")
            .with("headers", headers)
            .with("headers_ordered", ordered);
        let mut event = event(i64::from(n), IP, "request", fields);
        event.service = "http".into();
        body(event)
    };
    world.feed((1..=12).map(leak)).await;
    let detail = world.get(&format!("/api/v1/attackers/{IP}"), "viewer").await.json();
    assert_eq!(detail["ip_leaks_total"], 12);
    assert_eq!(detail["ip_leaks"].as_array().unwrap().len(), 10);
    assert_eq!(detail["ip_leaks"][0]["payload"]["real_ip_claim"], "8.8.4.12");
    let list = world.get("/api/v1/bounty?bounty_type=ip_leak&limit=5", "viewer").await.json();
    assert_eq!((&list["total"], list["data"].as_array().unwrap().len()), (&json!(12), 5));
}

#[tokio::test]
async fn who_is_not_there_is_not_found() {
    let world = filled().await;
    for name in [
        "00000000-0000-4000-8000-000000000000",
        "192.0.2.99",
        "Unknown",
        "..",
        "%00",
        "%3Cscript%3E",
        "203.0.113.9%20",
    ] {
        for leaf in ["", "/commands", "/artifacts", "/transcripts"] {
            let answer = world.get(&format!("/api/v1/attackers/{name}{leaf}"), "viewer").await;
            let problem = answer.problem(404, "not_found");
            assert_eq!(problem["detail"], "Attacker not found", "{name}{leaf}");
        }
    }
}

#[tokio::test]
async fn commands_come_newest_first_and_by_service() {
    let world = filled().await;
    let path = format!("/api/v1/attackers/{IP}/commands");
    let list = world.get(&path, "viewer").await.json();
    assert_eq!((&list["total"], &list["limit"]), (&json!(2), &json!(50)));
    assert_eq!(
        list["data"][1],
        json!({"service": "ssh", "decky": "web-01", "command": "id",
               "timestamp": "2026-01-01T00:00:02.000Z", "session_id": sid(1).to_string()})
    );
    assert_eq!(list["data"][0]["command"], HOSTILE);
    let none = world.get(&format!("{path}?service=mysql"), "viewer").await.json();
    assert_eq!(none["total"], 0);
    world.get(&format!("{path}?limit=201"), "viewer").await.problem(422, "invalid_parameters");
}

#[tokio::test]
async fn files_and_recordings_are_events_of_the_attacker() {
    let world = filled().await;
    let recorded = catalogue::session_recorded(std::time::Duration::from_secs(9), 1, false);
    let mut end = fact(9, IP, recorded);
    end.session = Some(sid(1));
    world.feed([body(end)]).await;
    let files = world.get(&format!("/api/v1/attackers/{IP}/artifacts"), "viewer").await.json();
    assert_eq!((&files["total"], &files["limit"]), (&json!(1), &json!(200)));
    assert_eq!(files["data"][0]["event_type"], "file_captured");
    let path = format!("/api/v1/attackers/{IP}/transcripts?limit=5");
    let recordings = world.get(&path, "viewer").await.json();
    assert_eq!(recordings["data"][0]["event_type"], "session_recorded");
    let path = "/api/v1/attackers/2001:db8::1/transcripts";
    assert_eq!(world.get(path, "viewer").await.json()["total"], 0);
}
