//! What comes after a commit: bus and forensic files.

use base_model::catalogue;
use base_model::{Event, Fields, Secret};
use base_runtime::Clock;
use events_bus::Bus;
use serde_json::{Value, json};

use super::world::*;
use crate::Ingest;
use crate::ingest::Step;

#[tokio::test]
async fn the_bus_hears_once_of_what_was_committed() {
    for world in worlds().await {
        let mut all = world.bus.subscribe(">");
        let inside = |event: Event| record(Event { session: Some(sid(1)), ..event });
        let secret = Secret::plaintext(*b"x");
        let records = [
            inside(of(1, catalogue::auth_attempt(b"root", &secret, "password", true))),
            inside(of(2, catalogue::login_success(b"root", "password", 1))),
            inside(event(3, "command", Fields::new().with("command", "id"))),
            inside(of(4, catalogue::session_ended(std::time::Duration::from_secs(1)))),
        ];
        world.apply(&records).await;
        world.apply(&records).await;
        let mut heard = Vec::new();
        while let Some(message) = all.try_recv() {
            heard.push((message.topic.to_string(), (*message.payload).clone()));
        }
        let topics: Vec<&str> = heard.iter().map(|(topic, _)| topic.as_str()).collect();
        let expected = [
            "system.log",
            "attacker.observed",
            "attacker.session.started",
            "credential.captured",
            "attacker.scored",
            "attacker.session.ended",
        ];
        assert_eq!(topics, expected);
        assert_eq!((&heard[0].1["last_log_id"], &heard[0].1["flushed"]), (&json!(4), &json!(4)));
        assert_eq!(heard[3].1["new"], true);
        let ended = &heard[5].1;
        assert_eq!(ended["commands"][0]["id"], format!("{}#0", sid(1)));
        assert_eq!(ended["commands"][0]["command_text"], "id");
        assert_eq!(ended["attacker_uuid"], heard[1].1["attacker_uuid"]);
        assert_eq!(ended["duration_s"], 1.0);
    }
}

#[tokio::test]
async fn a_mail_is_an_artifact_and_the_bus_hears_domains_only() {
    use base_model::catalogue::{Attachment, Contents, Envelope};
    for world in worlds().await {
        let mut all = world.bus.subscribe("email.>");
        let digest = base_model::Sha256Digest::of(b"mail");
        let recipients = [b"x@One.example".to_vec(), b"y@one.example".to_vec()];
        let envelope = Envelope {
            msg_id: "4BC30",
            mail_from: b"ceo@bank.example",
            rcpt_to: &recipients,
            size: 4,
            truncated: false,
        };
        let file = Attachment {
            filename: "Invoice.ZIP".to_owned(),
            content_type: "application/zip".to_owned(),
            size: 9,
            sha256: base_model::Sha256Digest::of(b"file"),
            macro_indicator: false,
            encrypted: true,
        };
        let contents = Contents {
            subject: "pay".to_owned(),
            from: "Boss <boss@corp.example>".to_owned(),
            attachments: vec![file],
            ..Contents::default()
        };
        let at = base_model::Timestamp::from_micros(0);
        let fact = catalogue::message_stored(at, &envelope, digest, &contents);
        let records = [record(of(1, fact))];
        world.apply(&records).await;
        world.apply(&records).await;
        let heard = all.try_recv().unwrap();
        assert_eq!(all.try_recv(), None);
        let mail = &*heard.payload;
        assert_eq!(mail["rcpt_domains"], json!(["one.example"]));
        assert_eq!((&mail["rcpt_count"], &mail["source_id"]), (&json!(2), &json!("4BC30")));
        assert_eq!(
            (&mail["from_domain"], &mail["mail_from_domain"]),
            (&json!("corp.example"), &json!("bank.example"))
        );
        assert_eq!(mail["attachment_extensions"], json!([".zip"]));
        assert_eq!(
            (&mail["attachment_password_protected"], &mail["attachment_macros"]),
            (&json!(true), &json!(false))
        );
        assert!(mail["attacker_uuid"].is_string() && mail.get("mal_hash_match").is_none());
        let text = mail.to_string();
        assert!(
            !text.contains("boss@") && !text.contains("x@") && !text.contains("Boss"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_rolled_back_batch_is_not_announced() {
    for world in worlds().await {
        let mut all = world.bus.subscribe(">");
        let (fault, _) = once(Step::Saved);
        world.fail_at(Some(fault));
        let records = [record(of(1, catalogue::connect()))];
        world.ingest.apply(sensor(), boot(), &records).await.unwrap_err();
        assert_eq!(all.try_recv(), None);
    }
}

fn files(world: &World) -> (Vec<String>, Vec<Value>) {
    let read = |name: &str| {
        let text = std::fs::read_to_string(world.folder.path().join("log").join(name));
        text.unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let json = read("decnet.log.json").iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    (read("decnet.log"), json)
}

#[tokio::test]
async fn every_event_is_in_the_forensic_files_once() {
    for world in worlds().await {
        let records: Vec<_> = (1..=5).map(|n| record(of(n, catalogue::connect()))).collect();
        world.apply(&records[..3]).await;
        world.apply(&records).await;
        let (log, json) = files(&world);
        let ids: Vec<_> = json.iter().map(|line| line["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5]);
        assert_eq!(log.len(), 5);
        assert_eq!(json[0]["fields"]["src_ip"], "203.0.113.9");
        let rows = holdings(world.db()).await.logs;
        assert!(rows.iter().zip(&log).all(|(row, line)| row.raw_line() == *line));
    }
}

#[tokio::test]
async fn after_a_crash_the_forensic_files_catch_up_without_a_repeat() {
    for world in worlds().await {
        world.apply(&[record(of(1, catalogue::connect()))]).await;
        // Committed, and gone before anything could follow.
        let (fault, _) = once(Step::Committed);
        world.fail_at(Some(fault));
        let records = [record(of(2, catalogue::connect()))];
        world.ingest.apply(sensor(), boot(), &records).await.unwrap_err();
        assert_eq!(files(&world).0.len(), 1);
        let opened =
            Ingest::open(world.db().clone(), world.options(), Clock::start(), Bus::new()).await;
        let successor = opened.unwrap();
        assert_eq!(files(&world).0.len(), 2, "written at once");
        successor.apply(sensor(), boot(), &records).await.unwrap();
        successor.apply(sensor(), boot(), &[record(of(3, catalogue::connect()))]).await.unwrap();
        let ids: Vec<_> = files(&world).1.iter().map(|line| line["id"].clone()).collect();
        assert_eq!(ids, [json!(1), json!(2), json!(3)]);
        successor.close().await.unwrap();
        // The files were taken away; the database still knows where to go on.
        std::fs::remove_dir_all(world.folder.path().join("log")).unwrap();
        let opened =
            Ingest::open(world.db().clone(), world.options(), Clock::start(), Bus::new()).await;
        let third = opened.unwrap();
        third.apply(sensor(), boot(), &[record(of(4, catalogue::connect()))]).await.unwrap();
        let ids: Vec<_> = files(&world).1.iter().map(|line| line["id"].clone()).collect();
        assert_eq!(ids, [json!(4)]);
    }
}
