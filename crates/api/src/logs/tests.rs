//! The event log over a socket.

use base_model::Fields;
use serde_json::{Value, json};

use crate::tests::client::Answer;
use crate::tests::world::{HOSTILE, World, body, event};

async fn filled() -> World {
    let world = World::new().await;
    let events = (0..7).map(|n| {
        let kind = if n % 2 == 0 { "connect" } else { "command" };
        let ip = if n < 5 { "203.0.113.9" } else { "10.1.2.3" };
        body(event(n * 600, ip, kind, Fields::new().with("command", format!("word{n}"))))
    });
    world.feed(events).await;
    world
}

fn ids(answer: &Answer) -> Vec<u64> {
    let json = answer.json();
    json["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn rows_come_newest_first_with_all_their_members() {
    let world = filled().await;
    let answer = world.get("/api/v1/logs?limit=2&offset=1", "viewer").await;
    let list = answer.json();
    assert_eq!(
        (&list["total"], &list["limit"], &list["offset"]),
        (&json!(7), &json!(2), &json!(1))
    );
    assert_eq!(ids(&answer), [6, 5]);
    let row = &list["data"][0];
    assert_eq!(row["timestamp"], "2026-01-01T00:50:00.000Z");
    assert_eq!((&row["decky"], &row["service"]), (&json!("web-01"), &json!("ssh")));
    assert_eq!((&row["event_type"], &row["attacker_ip"]), (&json!("command"), &json!("10.1.2.3")));
    let fields: Value = serde_json::from_str(row["fields"].as_str().unwrap()).unwrap();
    assert_eq!(fields, json!({"command": "word5"}));
    assert!(row["raw_line"].as_str().unwrap().contains("word5"));
    for name in ["msg", "trace_id", "span_id"] {
        assert!(row.as_object().unwrap().contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_cursor_walks_the_list_while_it_grows() {
    let world = filled().await;
    let first = world.get("/api/v1/logs?limit=3", "viewer").await;
    assert_eq!(ids(&first), [7, 6, 5]);
    world.feed([body(event(9999, "10.9.9.9", "connect", Fields::new()))]).await;
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let second = world.get(&format!("/api/v1/logs?limit=3&cursor={cursor}"), "viewer").await;
    assert_eq!(ids(&second), [4, 3, 2]);
    let cursor = second.json()["next_cursor"].as_str().unwrap().to_owned();
    let last = world.get(&format!("/api/v1/logs?limit=3&cursor={cursor}"), "viewer").await;
    assert_eq!(ids(&last), [1]);
    assert!(last.json().get("next_cursor").is_none());
}

#[tokio::test]
async fn the_search_grammar_and_times_filter() {
    let world = filled().await;
    for (query, expected) in [
        ("search=event:command", vec![6, 4, 2]),
        ("search=-event:command%20attacker:10.0.0.0/8", vec![7]),
        ("search=word3", vec![4]),
        ("search=%22word3%22", vec![4]),
        ("search=command:word0", vec![1]),
        ("search=nothing_like_it", vec![]),
        ("search=null&start_time=undefined", vec![7, 6, 5, 4, 3, 2, 1]),
        ("start_time=2026-01-01T00:50:00Z", vec![7, 6]),
        ("start_time=2026-01-01%2000:50:00&end_time=2026-01-01T02:50:00%2B02:00", vec![6]),
        ("end_time=2025-12-31", vec![]),
    ] {
        let answer = world.get(&format!("/api/v1/logs?{query}"), "viewer").await;
        assert_eq!(ids(&answer), expected, "{query}");
        assert_eq!(answer.json()["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn bad_parameters_are_all_named() {
    let world = World::new().await;
    let long = "x".repeat(513);
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("offset=-1", "offset"),
        ("offset=2147483648", "offset"),
        ("start_time=evil", "start_time"),
        ("end_time=2026-99-99", "end_time"),
        ("cursor=evil", "cursor"),
        ("cursor=MS54", "cursor"),
        (&format!("search={long}"), "search"),
    ] {
        let answer = world.get(&format!("/api/v1/logs?{query}"), "viewer").await;
        let problem = answer.problem(422, "invalid_parameters");
        assert_eq!(problem["detail"], "Invalid request parameters");
        assert_eq!(problem["errors"][0]["loc"], json!(["query", name]), "{query}");
        assert!(!answer.text().contains("evil"));
    }
    for query in ["interval_minutes=0", "interval_minutes=10081", "fill=perhaps"] {
        let answer = world.get(&format!("/api/v1/logs/histogram?{query}"), "viewer").await;
        answer.problem(422, "invalid_parameters");
    }
    let wide = "interval_minutes=1&fill=true&start_time=1970-01-01&end_time=2026-01-01";
    let answer = world.get(&format!("/api/v1/logs/histogram?{wide}"), "viewer").await;
    answer.problem(422, "invalid_parameters");
}

#[tokio::test]
async fn what_attackers_write_leaves_as_inert_strings() {
    let world = World::new().await;
    let fields = Fields::new().with("command", HOSTILE).with(HOSTILE, HOSTILE);
    let mut hostile = event(0, "203.0.113.9", "command", fields);
    hostile.service = HOSTILE.into();
    world.feed([body(hostile)]).await;
    let answer = world.get("/api/v1/logs", "viewer").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let row = &answer.json()["data"][0];
    let fields: Value = serde_json::from_str(row["fields"].as_str().unwrap()).unwrap();
    assert_eq!(fields["command"], HOSTILE);
    assert_eq!(fields[HOSTILE], HOSTILE);
    let text = answer.text();
    assert!(!text.contains(['\n', '\r', '\0', '\u{1b}', '\u{7}']), "control bytes are escaped");
    let query: String =
        form_urlencoded::Serializer::new(String::new()).append_pair("search", HOSTILE).finish();
    assert_eq!(world.get(&format!("/api/v1/logs?{query}"), "viewer").await.status, 200);
}

#[tokio::test]
async fn the_histogram_has_bars_of_the_asked_width() {
    let world = filled().await;
    let answer = world.get("/api/v1/logs/histogram", "viewer").await;
    let bars = answer.json();
    assert_eq!(bars[0], json!({"time": "2026-01-01 00:00:00", "count": 2}));
    let sum: u64 = bars.as_array().unwrap().iter().map(|bar| bar["count"].as_u64().unwrap()).sum();
    assert_eq!(sum, 7);
    let path = "/api/v1/logs/histogram?interval_minutes=5&search=event:command";
    let bars = world.get(path, "viewer").await.json();
    assert_eq!(
        bars,
        json!([
            {"time": "2026-01-01 00:10:00", "count": 1},
            {"time": "2026-01-01 00:30:00", "count": 1},
            {"time": "2026-01-01 00:50:00", "count": 1},
        ])
    );
    let path = "/api/v1/logs/histogram?interval_minutes=10&search=event:command&fill=true&start_time=2026-01-01T00:05:00&end_time=2026-01-01T00:30:00";
    let bars = world.get(path, "viewer").await.json();
    assert_eq!(
        bars,
        json!([
            {"time": "2026-01-01 00:00:00", "count": 0},
            {"time": "2026-01-01 00:10:00", "count": 1},
            {"time": "2026-01-01 00:20:00", "count": 0},
            {"time": "2026-01-01 00:30:00", "count": 1},
        ])
    );
}
