//! What follows from an event.

use base_model::catalogue::{self, Captured};
use base_model::{DeckyId, Event, Fields, Peer, Secret, SensorId, Sha256Digest};
use store_db::{AttackerQuery, LogQuery, Search, ServiceActivity};

use super::world::*;

fn on(decky: &str, seq: u64) -> Event {
    Event { decky_name: decky.into(), ..of(seq, catalogue::connect()) }
}

#[tokio::test]
async fn a_traversal_is_told_in_order_of_first_contact() {
    for world in worlds().await {
        // The later contact arrives first.
        world.apply(&[record(on("c", 7)), record(on("b", 8))]).await;
        world.apply(&[record(on("a", 3)), record(on("b", 4))]).await;
        let page = world.db().attackers().list(&AttackerQuery::default(), ALL).await.unwrap();
        let row = &page.data[0];
        assert_eq!(row.deckies, ["a", "b", "c"]);
        assert_eq!(row.traversal_path.as_deref(), Some("a → b → c"));
        assert!(row.is_traversal);
        assert_eq!((row.first_seen, row.last_seen), (at(3_000_009), at(8_000_024)));
    }
}

#[tokio::test]
async fn our_own_traffic_never_becomes_an_attacker() {
    for world in worlds().await {
        let secret = Secret::plaintext(*b"x");
        let attempt = |seq| {
            let mut event = of(seq, catalogue::auth_attempt(b"a", &secret, "password", true));
            event.session = Some(sid(1));
            event
        };
        let synthetic = Event { synthetic: true, ..attempt(1) };
        let internal = Event { decky_name: "decnet-prober".into(), ..attempt(2) };
        let nobody = Event { attacker: None, ..of(3, catalogue::startup(&[22])) };
        world.apply(&[record(synthetic), record(internal), record(nobody)]).await;
        let held = holdings(world.db()).await;
        assert_eq!(held.logs.len(), 3);
        assert_eq!(held.logs[2].attacker_ip, "Unknown");
        assert!(held.logs[0].synthetic);
        assert_eq!(held.attackers.len() + held.credentials.len() + held.sessions.len(), 0);
    }
}

#[tokio::test]
async fn the_sensor_is_what_the_link_says() {
    for world in worlds().await {
        let liar = SensorId::from_entropy([66; 16]);
        let event = Event { sensor: Some(liar), ..of(1, catalogue::connect()) };
        world.apply(&[record(event)]).await;
        let rows = world.db().logs().after(0, &LogQuery::default(), 10).await.unwrap();
        assert_eq!(rows[0].sensor, sensor().to_string());
    }
}

#[tokio::test]
async fn an_unknown_kind_and_version_are_stored() {
    for world in worlds().await {
        let fields = Fields::new().with("mood", serde_json::json!({"a": [1, null, 2.5]}));
        let event = Event { v: 900, ..event(1, "from_the_future", fields) };
        world.apply(&[record(event)]).await;
        let rows = world.db().logs().after(0, &LogQuery::default(), 10).await.unwrap();
        assert_eq!((rows[0].v, rows[0].event_type.as_str()), (900, "from_the_future"));
        assert_eq!(rows[0].fields, r#"{"mood":{"a":[1,null,2.5]}}"#);
    }
}

#[tokio::test]
async fn an_ipv4_attacker_is_one_whether_mapped_or_not() {
    for world in worlds().await {
        let from = |seq, ip: &str| Event {
            attacker: Some(Peer { ip: ip.parse().unwrap(), port: 1 }),
            ..of(seq, catalogue::connect())
        };
        let records = [record(from(1, "203.0.113.5")), record(from(2, "::ffff:203.0.113.5"))];
        world.apply(&records).await;
        let attackers = world.db().attackers();
        let row = attackers.by_ip("203.0.113.5".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(row.event_count, 2);
        let found = attackers.get_attacker_uuid_by_ip("::ffff:203.0.113.5").await.unwrap();
        assert_eq!(found.unwrap().to_string(), row.uuid);
        assert_eq!(attackers.get_attacker_uuid_by_ip("Unknown").await.unwrap(), None);
        assert_eq!(attackers.by_uuid(row.uuid.parse().unwrap()).await.unwrap(), Some(row));
    }
}

#[tokio::test]
async fn services_are_interacted_with_or_scanned() {
    for world in worlds().await {
        let on = |seq, service: &'static str, kind: &str| Event {
            service: service.into(),
            ..event(seq, kind, Fields::new())
        };
        let records = [
            record(on(1, "ssh", "connect")),
            record(on(2, "ssh", "command")),
            record(on(3, "http", "auth_attempt")),
            record(on(4, "redis", "protocol_error")),
            record(on(5, "ssh", "connect")),
        ];
        world.apply(&records).await;
        let page = world.db().attackers().list(&AttackerQuery::default(), ALL).await.unwrap();
        let row = &page.data[0];
        assert_eq!(row.services, ["http", "redis", "ssh"]);
        let expected =
            ServiceActivity { interacted: vec!["ssh".into()], scanned: vec!["http".into()] };
        assert_eq!(row.service_activity(), expected);
    }
}

#[tokio::test]
async fn a_session_is_followed_from_login_to_its_end() {
    for world in worlds().await {
        let inside = |event: Event| record(Event { session: Some(sid(5)), ..event });
        let command =
            |seq, text: &str| inside(event(seq, "command", Fields::new().with("command", text)));
        world.apply(&[inside(of(1, catalogue::connect()))]).await;
        assert_eq!(world.db().sessions().by_sid(sid(5)).await.unwrap(), None, "only connected");
        world.apply(&[inside(of(2, catalogue::login_success(b"root", "password", 3)))]).await;
        world.apply(&[command(3, "id"), command(4, "exit")]).await;
        let open = world.db().sessions().by_sid(sid(5)).await.unwrap().unwrap();
        assert_eq!((open.ended_at, open.command_count), (None, 2));
        let over = catalogue::session_ended(std::time::Duration::from_millis(2500));
        world.apply(&[inside(of(5, over))]).await;
        let row = world.db().sessions().by_sid(sid(5)).await.unwrap().unwrap();
        assert_eq!(row.principal.as_deref(), Some("root"));
        assert_eq!((row.started_at, row.ended_at), (at(2_000_006), Some(at(5_000_015))));
        assert_eq!((row.interactive, row.duration_s), (Some(false), Some(2.5)));
        let commands = world.db().commands().of_session(sid(5), 10).await.unwrap();
        let text: Vec<_> = commands.iter().map(|row| row.command.as_str()).collect();
        assert_eq!(text, ["id", "exit"]);
    }
}

#[tokio::test]
async fn a_captured_file_is_found_by_its_name() {
    for world in worlds().await {
        let sha256 = Sha256Digest::of(b"evil");
        let file = Captured {
            sha256,
            size: 4,
            path: b"/tmp/evil",
            user: "root",
            uid: 0,
            writer: "scp",
            mtime: at(0),
        };
        let event = of(1, catalogue::file_captured(at(0), &file));
        let name = event.fields.text("stored_as").unwrap().to_owned();
        world.apply(&[record(event)]).await;
        let artifacts = world.db().artifacts();
        let row = artifacts.find("web-01", "ssh", &name).await.unwrap().unwrap();
        assert_eq!((row.sha256, row.size), (sha256.to_string(), 4));
        assert_eq!(artifacts.find("web-02", "ssh", &name).await.unwrap(), None);
        let uuid = row.attacker_uuid.unwrap().parse().unwrap();
        let page = artifacts.of_attacker(uuid, ALL).await.unwrap();
        assert_eq!((page.total, page.data[0].event_type.as_str()), (1, "file_captured"));
    }
}

#[tokio::test]
async fn a_credential_counts_its_tries_and_keeps_its_last_outcome() {
    for world in worlds().await {
        let secret = Secret::plaintext(*b"hunter2");
        let attempt = |seq, accepted| {
            record(of(seq, catalogue::auth_attempt(b"admin", &secret, "password", accepted)))
        };
        world.apply(&[attempt(1, false), attempt(2, false)]).await;
        world.apply(&[attempt(3, true)]).await;
        let held = holdings(world.db()).await;
        let row = &held.credentials[0];
        assert_eq!((held.credentials.len(), row.attempt_count), (1, 3));
        assert_eq!(row.outcome.as_deref(), Some("success"));
        assert_eq!(row.secret_sha256, Sha256Digest::of(b"hunter2").to_string());
        assert_eq!((row.first_seen, row.last_seen), (at(1_000_003), at(3_000_009)));
        assert_eq!(row.fields["method"], "password");
        assert!(row.fields.get("secret_b64").is_none());
        assert!(row.attacker_uuid.is_some());
    }
}

#[tokio::test]
async fn a_secret_that_is_no_base64_is_an_event_only() {
    for world in worlds().await {
        let fields = Fields::new().with("principal", "a").with("secret_b64", "%%%");
        world.apply(&[record(event(1, "auth", fields))]).await;
        let held = holdings(world.db()).await;
        assert_eq!((held.logs.len(), held.credentials.len()), (1, 0));
    }
}

#[tokio::test]
async fn times_that_no_database_holds_are_brought_into_range() {
    for world in worlds().await {
        let when = |seq, micros| Event {
            at: base_model::Timestamp::from_micros(micros),
            decky: DeckyId::from_entropy([2; 16]),
            ..of(seq, catalogue::connect())
        };
        world.apply(&[record(when(1, i64::MIN)), record(when(2, i64::MAX))]).await;
        let query = LogQuery { search: Search::parse(""), ..LogQuery::default() };
        let rows = world.db().logs().after(0, &query, 10).await.unwrap();
        assert_eq!(rows[0].timestamp.to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(rows[1].timestamp.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(world.db().logs().histogram(&query, 60).await.unwrap().len(), 2);
    }
}
