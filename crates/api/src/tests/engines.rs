//! The routes on every database.

use base_model::{Fields, Secret, catalogue};

use serde_json::json;

use super::world::{PASSWORD, World, body, event, fact};

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

#[tokio::test]
async fn sessions_begin_and_end_alike_on_every_database() {
    for test in store_db::testing::databases().await {
        let engine = test.engine;
        let world = World::with(test, |_| {}).await;
        let post = async |path: &str, token: &str, body: Option<serde_json::Value>| {
            let body = body.map(|body| body.to_string());
            world.call("POST", &format!("/api/v1/auth/{path}"), token, body.as_deref()).await
        };
        let login = async |password: &str| {
            let body = json!({"username": "fresh", "password": password});
            let answer = post("login", "", Some(body)).await;
            assert_eq!(answer.status, 200, "{engine}");
            answer.json()["access_token"].as_str().unwrap().to_owned()
        };
        let first = login(PASSWORD).await;
        let change = json!({"old_password": PASSWORD, "new_password": "another good one"});
        assert_eq!(post("change-password", &first, Some(change)).await.status, 200, "{engine}");
        post("logout", &first, None).await.problem(401, "invalid_credentials");
        let second = login("another good one").await;
        assert_eq!(post("sse-ticket", &second, None).await.status, 200, "{engine}");
        assert_eq!(post("logout", &second, None).await.status, 200, "{engine}");
        // Also for who does not remember it.
        world.api.accounts_changed();
        post("sse-ticket", &second, None).await.problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn the_live_stream_resumes_alike_on_every_database() {
    for test in store_db::testing::databases().await {
        let world = World::with(test, |_| {}).await;
        let rows =
            |count: i64| (0..count).map(|n| body(event(n, "10.0.0.1", "connect", Fields::new())));
        world.feed(rows(70)).await;
        let token = world.token("viewer");
        let mut all = world.live("?lastEventId=3", &token).await;
        let mut some = world.live("?lastEventId=3&search=event:connect", &token).await;
        world.feed(rows(70)).await;
        let expected: Vec<u64> = (4..=140).collect();
        assert_eq!(all.ids(137).await, expected);
        assert_eq!(some.ids(137).await, expected);
    }
}
