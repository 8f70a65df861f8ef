//! Bounties over a socket.

use serde_json::json;

use crate::tests::world::{World, body, captured, fact};

#[tokio::test]
async fn finds_are_listed_once_with_their_payload() {
    let world = World::new().await;
    let find = |n: i64, content: &[u8]| body(fact(n, "203.0.113.9", captured(0, content)));
    world.feed([find(0, b"one"), find(1, b"one"), find(2, b"two")]).await;
    let list = world.get("/api/v1/bounty?bounty_type=artifact", "viewer").await.json();
    assert_eq!(list["total"], 2);
    let row = &list["data"][1];
    assert_eq!((&row["bounty_type"], &row["seen_count"]), (&json!("artifact"), &json!(2)));
    assert_eq!(row["timestamp"], "2026-01-01T00:00:00.000Z");
    assert_eq!(row["attacker_ip"], "203.0.113.9");
    assert!(row["payload"].is_object());
    for (query, total) in [
        ("bounty_type=ip_leak", 0),
        ("attacker_ip=203.0.113.9&bounty_type=artifact", 2),
        ("attacker_ip=203.0.113.8", 0),
        ("search=no-such-thing", 0),
    ] {
        let list = world.get(&format!("/api/v1/bounty?{query}"), "viewer").await.json();
        assert_eq!(list["total"], total, "{query}");
    }
    world.get("/api/v1/bounty?offset=x", "viewer").await.problem(422, "invalid_parameters");
}
