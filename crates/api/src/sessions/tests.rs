//! Sessions over the wire.

use std::time::Duration;

use base_model::{Body, Fields, catalogue};
use serde_json::json;

use crate::tests::world::{World, body, event, fact, sid};

fn command(n: u8, ip: &str) -> Body {
    let mut event = event(i64::from(n), ip, "command", Fields::new().with("command", "id"));
    event.session = Some(sid(n));
    body(event)
}

#[tokio::test]
async fn sessions_are_found_by_what_is_known_of_them_on_every_database() {
    for test in store_db::testing::databases().await {
        let world = World::with(test, |_| {}).await;
        let recorded = catalogue::session_recorded(Duration::from_secs(9), 1, false);
        let mut end = fact(20, "203.0.113.9", recorded);
        end.session = Some(sid(1));
        let others = [command(2, "203.0.113.9"), command(3, "2001:db8::1")];
        world.feed([command(1, "203.0.113.9"), body(end)].into_iter().chain(others)).await;
        let of = async |query: &str| {
            let answer = world.get(&format!("/api/v1/sessions{query}"), "viewer").await.json();
            let ids = answer["data"].as_array().unwrap().iter();
            let ids: Vec<u8> = (1..=3)
                .filter(|n| ids.clone().any(|one| one["sid"] == sid(*n).to_string()))
                .collect();
            (ids, answer["total"].as_u64().unwrap())
        };
        assert_eq!(of("").await, (vec![1, 2, 3], 3));
        assert_eq!(of("?limit=1").await, (vec![3], 3), "newest first");
        assert_eq!(of("?recorded=true").await, (vec![1], 1));
        assert_eq!(of("?attacker=203.0.113.9").await, (vec![1, 2], 2));
        assert_eq!(of("?attacker=2001:0db8::0001&decky=web-01&service=ssh").await, (vec![3], 1));
        assert_eq!(of("?attacker=198.51.100.1").await, (vec![], 0));
        assert_eq!(of("?decky=web-02").await, (vec![], 0));
        assert_eq!(
            of("?start_time=2026-01-01T00:00:02Z&end_time=2026-01-01T00:00:02Z").await.0,
            [2]
        );
        let one = world.get(&format!("/api/v1/sessions/{}", sid(1)), "viewer").await.json();
        assert_eq!((&one["recorded"], &one["command_count"]), (&json!(true), &json!(1)));
        world.get("/api/v1/sessions/nonsense", "viewer").await.problem(404, "not_found");
        let wrong = world.get("/api/v1/sessions?recorded=maybe&limit=0", "viewer").await;
        assert_eq!(wrong.problem(422, "invalid_parameters")["errors"].as_array().unwrap().len(), 2);
    }
}
