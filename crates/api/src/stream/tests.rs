//! The live stream over a socket.

use std::time::Duration;

use base_model::Fields;
use serde_json::json;

use crate::stream::Pace;
use crate::tests::client::Live;
use crate::tests::world::{HOSTILE, World, at, body, event, request, user_id};

async fn feed(world: &World, count: usize) {
    let one = |n| body(event(n, "203.0.113.9", "command", Fields::new().with("command", HOSTILE)));
    for batch in (0..i64::try_from(count).unwrap()).collect::<Vec<_>>().chunks(500) {
        world.feed(batch.iter().copied().map(one)).await;
    }
}

fn upto(from: u64, to: u64) -> Vec<u64> {
    (from..=to).collect()
}

#[tokio::test]
async fn a_stream_begins_with_the_figures_and_then_tells_what_happens() {
    let world = World::new().await;
    feed(&world, 3).await;
    let mut live = world.live("", &world.token("viewer")).await;
    assert_eq!(live.answer.status, 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(live.answer.header(name), Some(value));
    }
    assert_eq!(live.block().await.as_deref(), Some(": keepalive"));
    let stats = live.frame().await.unwrap();
    assert_eq!(stats.event.as_deref(), Some("message"));
    assert_eq!(
        (&stats.data["type"], &stats.data["data"]["total_logs"]),
        (&json!("stats"), &json!(3))
    );
    let bars = live.frame().await.unwrap();
    let bar = |count: u64| json!([{"time": "2026-01-01 00:00:00", "count": count}]);
    assert_eq!(bars.data, json!({"type": "histogram", "data": bar(3)}));
    feed(&world, 2).await;
    let rows = live.next("logs").await;
    assert_eq!(rows.id, Some(5));
    let list = world.get("/api/v1/logs", "viewer").await.json();
    let listed = list["data"].as_array().unwrap().iter().find(|row| row["id"] == 5);
    assert_eq!(rows.data["data"].as_array().unwrap().last(), listed, "as it is in the list");
    assert_eq!(live.next("stats").await.data["data"]["total_logs"], 5);
    assert_eq!(live.next("histogram").await.data["data"], bar(5));
}

#[tokio::test]
async fn a_reconnect_leaves_no_gap_and_repeats_nothing() {
    let world = World::new().await;
    feed(&world, 10).await;
    let token = world.token("viewer");
    let mut live = world.live("", &token).await;
    live.next("histogram").await;
    feed(&world, 130).await;
    let mut seen = live.ids(60).await;
    let last = *seen.last().unwrap();
    drop(live);
    feed(&world, 200).await;
    let mut live = world.live(&format!("?lastEventId={last}"), &token).await;
    let rest = usize::try_from(340 - last).unwrap();
    seen.extend(live.ids(rest).await);
    assert_eq!(seen, upto(11, 340));
    // As a browser says it; the header is newer than what stands in the address.
    let header = request("GET", "/api/v1/stream?lastEventId=1", &token, None)
        .replace("Host: x", "Host: x\r\nLast-Event-ID: 330");
    let mut live = Live::open(world.addr, header.as_bytes()).await;
    assert_eq!(live.ids(10).await, upto(331, 340));
    feed(&world, 1).await;
    assert_eq!(live.ids(1).await, [341]);
}

#[tokio::test]
async fn a_place_beyond_the_end_is_the_end() {
    let world = World::new().await;
    feed(&world, 2).await;
    let mut live = world.live("?lastEventId=999", &world.token("viewer")).await;
    live.next("histogram").await;
    feed(&world, 1).await;
    assert_eq!(live.ids(1).await, [3]);
}

#[tokio::test]
async fn every_viewer_sees_every_row_once_while_rows_come() {
    let world = World::new().await;
    let token = world.token("viewer");
    let mut viewers = Vec::new();
    for _ in 0..4 {
        let mut live = world.live("", &token).await;
        live.next("histogram").await;
        viewers.push(live);
    }
    for _ in 0..20 {
        feed(&world, 37).await;
    }
    for mut live in viewers {
        assert_eq!(live.ids(740).await, upto(1, 740));
    }
}

#[tokio::test]
async fn filters_hold_for_rows_and_histogram() {
    let world = World::new().await;
    let mut live = world
        .live("?search=event:connect&start_time=2026-01-01T01:00:00Z", &world.token("viewer"))
        .await;
    assert_eq!(live.next("histogram").await.data["data"], json!([]));
    let one = |seconds, kind: &str| body(event(seconds, "203.0.113.9", kind, Fields::new()));
    world.feed([one(0, "connect"), one(7200, "command"), one(7201, "connect")]).await;
    world.feed([one(7202, "command")]).await;
    world.feed([one(7203, "connect")]).await;
    assert_eq!(live.ids(2).await, [3, 5]);
    let bars = live.next("histogram").await;
    assert_eq!(bars.data["data"], json!([{"time": "2026-01-01 02:00:00", "count": 2}]));
}

#[tokio::test]
async fn who_is_too_far_behind_leaves_rows_out_and_is_told() {
    let world = World::new().await;
    feed(&world, 13_000).await;
    let mut live = world.live("?lastEventId=1", &world.token("viewer")).await;
    let skipped = live.next("skipped").await;
    assert_eq!(skipped.data["data"], json!({"count": 12_949}));
    assert_eq!(live.ids(50).await, upto(12_951, 13_000));
    assert_eq!(world.api.counts().stream_rows_skipped, 12_949);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_nobody_up_and_catches_up() {
    let world = World::new().await;
    let token = world.token("viewer");
    let mut slow = world.live("", &token).await;
    let mut quick = world.live("", &token).await;
    slow.next("histogram").await;
    quick.next("histogram").await;
    feed(&world, 5000).await;
    assert_eq!(quick.ids(5000).await.last(), Some(&5000));
    assert_eq!(slow.ids(5000).await, upto(1, 5000), "also what is no longer kept in memory");
}

#[tokio::test]
async fn a_user_has_only_so_many_streams() {
    let world = World::new().await;
    let token = world.token("viewer");
    let mut open = Vec::new();
    for _ in 0..5 {
        let live = world.live("", &token).await;
        assert_eq!(live.answer.status, 200);
        open.push(live);
    }
    let answer = world.call("GET", "/api/v1/stream", &token, None).await;
    let problem = answer.problem(429, "too_many_streams");
    assert_eq!(problem["detail"], "SSE connection limit (5) reached");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(world.live("", &world.token("admin")).await.answer.status, 200);
    open.pop();
    // The server notices when it next looks at the connection.
    for _ in 0.. {
        if world.live("", &token).await.answer.status == 200 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let world = World::new().await;
    let (mine, other) = (world.token("viewer"), world.token("viewer"));
    let mut ends = world.live("", &mine).await;
    let mut stays = world.live("", &other).await;
    assert_eq!(world.call("POST", "/api/v1/auth/logout", &mine, None).await.status, 200);
    while let Some(frame) = ends.frame().await {
        assert_eq!(frame.event.as_deref(), Some("message"), "it ends without an error");
    }
    stays.next("histogram").await;
    feed(&world, 1).await;
    assert_eq!(stays.ids(1).await, [1]);
    let later = world.api.0.now() + std::time::Duration::from_secs(2);
    let hash = bcrypt::hash("x", 4).unwrap();
    let users = world.test.db.users();
    assert!(users.set_password(user_id("viewer"), &hash, false, Some(later)).await.unwrap());
    world.api.accounts_changed();
    while stays.frame().await.is_some() {}
}

#[tokio::test]
async fn a_demoted_account_loses_its_stream() {
    let world = World::new().await;
    let mut live = world.live("", &world.token("admin")).await;
    live.next("histogram").await;
    let users = world.test.db.users();
    let changed = users.set_role(user_id("admin"), "viewer", at(0)).await.unwrap();
    assert_eq!(changed, store_db::Kept::Changed);
    world.api.accounts_changed();
    while live.frame().await.is_some() {}
}

#[tokio::test]
async fn bad_filters_and_missing_tokens_are_answered_before_the_stream() {
    let world = World::new().await;
    let token = world.token("viewer");
    for query in ["?lastEventId=-1", "?lastEventId=evil", "?start_time=evil"] {
        let answer = world.call("GET", &format!("/api/v1/stream{query}"), &token, None).await;
        answer.problem(422, "invalid_parameters");
    }
    let fresh = world.token("fresh");
    let answer = world.call("GET", "/api/v1/stream", &fresh, None).await;
    answer.problem(403, "password_change_required");
    world.get("/api/v1/stream", "").await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_failing_store_interrupts_the_stream_with_a_word() {
    let world = World::new().await;
    let mut live = world.live("?search=x", &world.token("viewer")).await;
    live.next("histogram").await;
    world.test.db.clone().close().await;
    world.api.accounts_changed();
    let frame = live.frame().await.unwrap();
    assert_eq!(frame.event.as_deref(), Some("error"));
    assert_eq!(frame.data, json!({"type": "error", "message": "Stream interrupted"}));
    assert!(live.frame().await.is_none());
}

const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn rows_come_because_the_bus_says_so() {
    let pace = Pace { tick: NEVER, keepalive: NEVER, patience: NEVER };
    let world = World::paced(store_db::testing::sqlite().await, |_| {}, pace, false).await;
    let mut live = world.live("", &world.token("viewer")).await;
    live.next("histogram").await;
    for n in 1..=5 {
        feed(&world, 1).await;
        assert_eq!(live.ids(1).await, [n]);
    }
}

#[tokio::test]
async fn rows_come_although_the_bus_said_nothing() {
    let pace = Pace { tick: NEVER, keepalive: NEVER, patience: Duration::from_millis(20) };
    let world = World::paced(store_db::testing::sqlite().await, |_| {}, pace, true).await;
    let mut live = world.live("", &world.token("viewer")).await;
    live.next("histogram").await;
    feed(&world, 3).await;
    assert_eq!(live.ids(3).await, [1, 2, 3]);
}

#[tokio::test]
async fn an_idle_stream_tells_the_figures_and_that_it_is_alive() {
    let brief = Duration::from_millis(10);
    let pace = Pace { tick: brief, keepalive: brief, patience: NEVER };
    let world = World::paced(store_db::testing::sqlite().await, |_| {}, pace, false).await;
    let mut live = world.live("", &world.token("viewer")).await;
    let (mut comments, mut figures, mut bars) = (0, 0, 0);
    while comments < 3 || figures < 8 || bars < 8 {
        let block = live.block().await.unwrap();
        comments += usize::from(block == ": keepalive");
        figures += usize::from(block.contains(r#"{"type":"stats""#));
        bars += usize::from(block.contains(r#"{"type":"histogram""#));
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_token_does() {
    let test = store_db::testing::sqlite().await;
    let world = World::with(test, |config| config.jwt_lifetime = Duration::from_secs(2)).await;
    let mut live = world.live("", &world.token("viewer")).await;
    assert_eq!(live.answer.status, 200);
    while let Some(frame) = live.frame().await {
        assert_eq!(frame.event.as_deref(), Some("message"));
    }
}

#[tokio::test]
async fn one_reader_serves_all_viewers_and_leaves_with_the_last() {
    let world = World::new().await;
    let token = world.token("viewer");
    assert!(!world.bus.wants("system.log"), "nobody watches");
    let mut first = world.live("", &token).await;
    let mut second = world.live("", &token).await;
    feed(&world, 1).await;
    assert_eq!((first.ids(1).await, second.ids(1).await), (vec![1], vec![1]));
    assert!(world.bus.wants("system.log"));
    drop((first, second));
    while world.bus.wants("system.log") {
        feed(&world, 1).await;
        tokio::task::yield_now().await;
    }
    let mut again = world.live("?lastEventId=1", &token).await;
    assert_eq!(again.ids(1).await[0], 2);
}
