//! Recordings over a socket.

use std::time::Duration;

use base_model::{Fields, SessionId, catalogue};
use serde_json::{Value, json};
use store_db::Paging;

use crate::tests::client::Answer;
use crate::tests::world::{HOSTILE, World, body, chunk, event, fact, sid};

fn line(session: SessionId, rest: Value) -> String {
    let mut line = json!({"sid": session.to_string()});
    line.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    format!("{line}\n")
}

fn spoken(session: SessionId, at: f64, channel: &str, text: &str) -> String {
    line(session, json!({"t": at, "ch": channel, "d": text}))
}

fn header(session: SessionId) -> String {
    let env = json!({"SHELL": "/bin/bash", "TERM": HOSTILE, "LD_PRELOAD": "x"});
    let hdr =
        json!({"version": 2, "width": 120, "height": 40, "timestamp": 1_767_225_600, "env": env});
    line(session, json!({"hdr": hdr}))
}

/// Two sessions that were recorded into one shard, in turns.
async fn filled() -> World {
    let world = World::new().await;
    let (one, two) = (sid(1), sid(2));
    let parts = [
        header(one) + &spoken(one, 0.5, "o", "$ ") + "not json\n",
        header(two) + &spoken(two, 0.1, "o", "other"),
        spoken(one, 1.0, "i", "id\r") + &spoken(one, 1.25, "o", HOSTILE),
        spoken(one, 1.2, "r", "80x24") + &line(one, json!({"trunc": true})),
    ];
    let begin = |session: SessionId| {
        let mut event = event(0, "203.0.113.9", "command", Fields::new().with("command", "id"));
        event.session = Some(session);
        body(event)
    };
    let length = |n: usize| parts[n].len() as u64;
    let mut end =
        fact(9, "203.0.113.9", catalogue::session_recorded(Duration::from_secs(9), 1, true));
    end.session = Some(one);
    world
        .feed([
            begin(one),
            begin(two),
            chunk(one, 0, &parts[0]),
            chunk(two, 0, &parts[1]),
            chunk(one, length(0), &parts[2]),
            chunk(one, length(0) + length(2), &parts[3]),
            body(end),
        ])
        .await;
    world
}

async fn get(world: &World, query: &str) -> Answer {
    world.get(&format!("/api/v1/transcripts/web-01/{}{query}", sid(1)), "admin").await
}

#[tokio::test]
async fn a_session_is_read_out_of_the_shard_it_shares() {
    let world = filled().await;
    let page = get(&world, "").await.json();
    assert_eq!((&page["sid"], &page["service"]), (&json!(sid(1).to_string()), &json!("ssh")));
    assert_eq!(page["header"]["width"], 120);
    assert_eq!(
        page["events"],
        json!([[0.5, "o", "$ "], [1.0, "i", "id\r"], [1.25, "o", HOSTILE], [1.2, "r", "80x24"]])
    );
    assert_eq!(
        (&page["offset"], &page["limit"], &page["total"]),
        (&json!(0), &json!(500), &json!(4))
    );
    assert_eq!((&page["has_more"], &page["truncated"]), (&json!(false), &json!(true)));
    let page = get(&world, "?offset=1&limit=2").await.json();
    assert_eq!(page["events"], json!([[1.0, "i", "id\r"], [1.25, "o", HOSTILE]]));
    assert_eq!((&page["total"], &page["has_more"]), (&json!(4), &json!(true)));
    let page = get(&world, "?offset=9").await.json();
    assert_eq!((&page["events"], &page["has_more"]), (&json!([]), &json!(false)));
    let audit = world.test.db.audit().list(Paging { limit: 9, offset: 0 }).await.unwrap().data;
    assert_eq!(audit.len(), 1, "one row per look: {audit:?}");
    assert_eq!(audit[0].action, "transcript_read");
}

#[tokio::test]
async fn an_asciicast_is_one_that_players_accept() {
    let world = filled().await;
    let answer = get(&world, "?format=asciicast").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/x-asciicast"));
    let disposition = format!("attachment; filename=\"{}.cast\"", sid(1));
    assert_eq!(answer.header("content-disposition"), Some(disposition.as_str()));
    let text = answer.text();
    assert!(text.ends_with('\n'));
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!(
        (&header["version"], &header["width"], &header["height"]),
        (&json!(2), &json!(120), &json!(40))
    );
    assert_eq!(header["timestamp"], 1_767_225_600);
    assert_eq!(header["env"], json!({"SHELL": "/bin/bash", "TERM": HOSTILE}));
    let events: Vec<Value> = lines.collect();
    assert_eq!(events.len(), 4);
    let mut last = 0.0;
    for event in &events {
        let [at, channel, data] = event.as_array().unwrap().as_slice() else { panic!("{event}") };
        assert!(at.as_f64().unwrap() >= last, "times do not go back");
        last = at.as_f64().unwrap();
        assert!(["i", "o", "r"].contains(&channel.as_str().unwrap()));
        assert!(data.is_string());
    }
    assert_eq!(events[3], json!([1.25, "r", "80x24"]));
}

#[tokio::test]
async fn a_long_recording_is_cast_whole() {
    let world = World::new().await;
    let session = sid(1);
    let mut begin = event(0, "203.0.113.9", "command", Fields::new().with("command", "id"));
    begin.session = Some(session);
    world.feed([body(begin)]).await;
    let mut offset = 0;
    for part in 0..20 {
        let lines: String = (0..200)
            .map(|n| spoken(session, f64::from(part * 200 + n), "o", &"x".repeat(900)))
            .collect();
        world.feed([chunk(session, offset, &lines)]).await;
        offset += lines.len() as u64;
    }
    let text = get(&world, "?format=asciicast").await.text();
    assert_eq!(text.lines().count(), 4001);
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&header["width"], &header["height"]),
        (&json!(80), &json!(24)),
        "none was recorded"
    );
    let page = get(&world, "?offset=3990&limit=5").await.json();
    assert_eq!((&page["total"], &page["events"][4][0]), (&json!(4000), &json!(3994.0)));
}

#[tokio::test]
async fn bad_names_are_refused_and_absent_sessions_not_found() {
    let world = filled().await;
    let session = sid(1);
    let upper = sid(0xab).to_string().to_uppercase();
    for path in [
        format!("/api/v1/transcripts/WEB/{session}"),
        format!("/api/v1/transcripts/..%2f/{session}"),
        "/api/v1/transcripts/web-01/x".into(),
        format!("/api/v1/transcripts/web-01/{upper}"),
        format!("/api/v1/transcripts/web-01/{}", session.uuid().simple()),
        format!("/api/v1/transcripts/web-01/%7B{session}%7D"),
    ] {
        world.get(&path, "admin").await.problem(400, "invalid_name");
    }
    for path in [
        format!("/api/v1/transcripts/web-02/{session}"),
        format!("/api/v1/transcripts/web-01/{}", sid(9)),
    ] {
        world.get(&path, "admin").await.problem(404, "not_found");
    }
    for query in ["?limit=0", "?limit=5001", "?offset=-1", "?format=gif"] {
        get(&world, query).await.problem(422, "invalid_parameters");
    }
    let path = format!("/api/v1/transcripts/web-01/{session}");
    world.get(&path, "viewer").await.problem(403, "insufficient_permissions");
}

#[tokio::test]
async fn a_shard_that_is_gone_or_leads_elsewhere_is_not_found() {
    let world = filled().await;
    let folder = world.folder.path().join("artifacts/web-01/ssh/transcripts");
    let shard = folder.join("sessions-2026-01-01.jsonl");
    let outside = world.folder.path().join("outside.jsonl");
    std::fs::rename(&shard, &outside).unwrap();
    get(&world, "").await.problem(404, "not_found");
    std::os::unix::fs::symlink(&outside, &shard).unwrap();
    get(&world, "").await.problem(404, "not_found");
    get(&world, "?format=asciicast").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_shard_cut_short_gives_what_is_left() {
    let world = filled().await;
    let shard =
        world.folder.path().join("artifacts/web-01/ssh/transcripts/sessions-2026-01-01.jsonl");
    let first = header(sid(1)).len() as u64 + 10;
    std::fs::OpenOptions::new().write(true).open(shard).unwrap().set_len(first).unwrap();
    let page = get(&world, "").await.json();
    assert_eq!((&page["header"]["width"], &page["total"]), (&json!(120), &json!(0)));
}
