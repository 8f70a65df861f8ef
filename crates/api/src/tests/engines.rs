//! The routes on every database.

use base_model::{Fields, Secret, catalogue};

use super::world::{World, body, event, fact};

#[tokio::test]
async fn every_list_answers_alike_on_every_database() {
    let mut answers = Vec::new();
    for test in store_db::testing::databases().await {
        let world = World::with(test, |_| {}).await;
        let ip = "203.0.113.9";
        let secret = Secret::plaintext(*b"p\xff\0 ");
        world
            .feed([
                body(event(0, ip, "connect", Fields::new())),
                body(fact(1, ip, catalogue::auth_attempt(b"root", &secret, "password", false))),
                body(event(2, "2001:db8::1", "command", Fields::new().with("command", "id"))),
            ])
            .await;
        let mut seen = Vec::new();
        for path in [
            "/api/v1/logs?limit=2",
            "/api/v1/logs?search=decky:web-01%20-event:connect&start_time=2026-01-01",
            "/api/v1/logs/histogram?interval_minutes=1&fill=true",
            "/api/v1/attackers?sort_by=active",
            "/api/v1/attackers/203.0.113.9",
            "/api/v1/attackers/2001:db8::1/commands",
            "/api/v1/attackers/2001:db8::1/artifacts",
            "/api/v1/attackers/2001:db8::1/transcripts",
            "/api/v1/credentials?search=root",
            "/api/v1/bounty",
            "/api/v1/stats",
        ] {
            let answer = world.get(path, "viewer").await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let mut json = answer.json();
            forget(&mut json);
            seen.push((path, json));
        }
        assert_eq!(seen[0].1["total"], 3);
        assert_eq!(seen[8].1["data"][0]["principal"], "root");
        answers.push(seen);
    }
    let first = answers.first().unwrap();
    assert!(answers.iter().all(|other| other == first));
}

/// Times of receipt differ from run to run.
fn forget(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(map) => {
            map.remove("updated_at");
            map.values_mut().for_each(forget);
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(forget),
        _ => {}
    }
}
