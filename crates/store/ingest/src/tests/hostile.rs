//! Bytes that attackers choose.

use base_model::catalogue::{self, Command};
use base_model::{Event, Fields, Peer, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store_db::{LogQuery, Search};

use super::world::*;

/// Text that some layer somewhere mistreats.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "trailing   ",
        "nul\0in\0side\0",
        "\u{1f419}\u{10ffff}\u{fffd}\u{feff}",
        "quote ' \" ` \\ \\' %_ ?",
        "'; DROP TABLE logs; --",
        "line\r\nbreak\u{2028}\u{85}",
        "é vs e\u{301}, ß vs ss, K vs \u{212a}",
        "A vs a",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(300_000));
    texts.push("\u{1f419}".repeat(70_000));
    texts
}

#[tokio::test]
async fn every_text_comes_back_exactly() {
    for world in worlds().await {
        for (n, text) in (1..).zip(texts()) {
            let command = Command {
                line: text.as_bytes(),
                user: "root",
                uid: 0,
                pwd: b"/",
                status: 0,
                exec: false,
            };
            let mut shell = of(n * 2 - 1, catalogue::command(&command));
            shell.session = Some(sid(u8::try_from(n).unwrap()));
            let secret = Secret::plaintext(text.as_bytes());
            let login =
                of(n * 2, catalogue::auth_attempt(text.as_bytes(), &secret, "password", false));
            let applied = world.apply(&[record(shell), record(login)]).await;
            assert_eq!((applied.stored, applied.quarantined), (2, 0));
        }
        let held = holdings(world.db()).await;
        assert_eq!(held.credentials.len(), texts().len(), "{}", world.test.engine);
        for (n, text) in texts().iter().enumerate() {
            let rows = &held.logs[n * 2..n * 2 + 2];
            assert_eq!(rows[0].fields()["command"], text.as_str());
            assert_eq!(rows[1].fields()["principal"], text.as_str());
            assert_eq!(&held.commands[n].command, text);
            let b64 = STANDARD.encode(text.as_bytes());
            let row = held.credentials.iter().find(|row| row.secret_b64 == b64).unwrap();
            let cut: String = text.chars().take(256).collect();
            assert_eq!(row.principal.as_ref(), Some(&cut));
            if cut != *text {
                assert_eq!(row.fields["principal"], text.as_str());
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_come_back_exactly() {
    for world in worlds().await {
        let bytes: Vec<u8> = (0..=255).collect();
        let secret = Secret::plaintext(bytes.clone());
        let event = of(1, catalogue::auth_attempt(&bytes, &secret, "password", false));
        world.apply(&[record(event)]).await;
        let held = holdings(world.db()).await;
        let fields = Fields::from(held.logs[0].fields());
        assert_eq!(fields.exact("principal"), Some(bytes.clone()));
        assert_eq!(STANDARD.decode(&held.credentials[0].secret_b64).unwrap(), bytes);
    }
}

#[tokio::test]
async fn principals_that_a_server_would_call_equal_are_different() {
    for world in worlds().await {
        let secret = Secret::plaintext(*b"x");
        let names: [&[u8]; 6] = [b"root", b"root ", b"ROOT", b"r\xc3\xb6ot", b"root\0", b"r\xffot"];
        let records: Vec<_> = (1..)
            .zip(names)
            .map(|(n, name)| {
                record(of(n, catalogue::auth_attempt(name, &secret, "password", false)))
            })
            .collect();
        world.apply(&records).await;
        assert_eq!(holdings(world.db()).await.credentials.len(), 6, "{}", world.test.engine);
    }
}

#[tokio::test]
async fn names_of_a_lying_sensor_are_cut_for_their_columns_and_kept_whole() {
    for world in worlds().await {
        let long = format!("\u{1f419}{}", "x".repeat(5000));
        let event = Event {
            decky_name: long.clone(),
            service: "ssh  ".into(),
            kind: "\0".into(),
            attacker: Some(Peer { ip: "::1".parse().unwrap(), port: 0 }),
            ..event(1, "x", Fields::new().with("a", 1))
        };
        world.apply(&[record(event)]).await;
        let rows = world.db().logs().after(0, &LogQuery::default(), 10).await.unwrap();
        let row = &rows[0];
        assert_eq!(row.decky.chars().count(), 64);
        assert_eq!((row.service.as_str(), row.event_type.as_str()), ("ssh", "_"));
        let fields = row.fields();
        assert_eq!(fields["_decky"], long.as_str());
        assert_eq!((&fields["_service"], &fields["_event_type"]), (&"ssh  ".into(), &"\0".into()));
        assert_eq!(world.ingest.counts().cut, 3);
    }
}

#[tokio::test]
async fn an_attacker_cannot_forge_a_line_or_who_they_are() {
    for world in worlds().await {
        let fields = Fields::new().with("src_ip", "6.6.6.6").with(
            "command",
            "x\n<134>1 2026-01-01T00:00:00Z decky ssh - connect [relay@55555 a=\"b\"]",
        );
        world.apply(&[record(event(1, "command", fields))]).await;
        let rows = world.db().logs().after(0, &LogQuery::default(), 10).await.unwrap();
        let line = rows[0].raw_line();
        assert!(!line.contains('\n'));
        assert!(line.contains("src_ip=\"203.0.113.9\"") && !line.contains("6.6.6.6"), "{line}");
        let parsed = store_db::syslog::Line::parse(&line).unwrap();
        assert_eq!(parsed, rows[0].line());
        let by = |search: &str| LogQuery { search: Search::parse(search), ..LogQuery::default() };
        let forged = world.db().logs().count(&by("attacker:6.6.6.6")).await.unwrap();
        assert_eq!(forged.0, 0);
    }
}

#[tokio::test]
async fn an_event_larger_than_any_database_takes_is_set_aside() {
    for world in worlds().await {
        let huge = event(1, "x", Fields::new().with("a", "x".repeat(9 * 1024 * 1024)));
        let large = event(2, "x", Fields::new().with("a", "\u{1f419}".repeat(1024 * 1024)));
        let applied = world.apply(&[record(huge), record(large)]).await;
        assert_eq!((applied.through, applied.stored, applied.quarantined), (2, 1, 1));
        let rows = world.db().quarantine().list(ALL).await.unwrap().data;
        assert!(rows[0].error.contains("bytes of fields"), "{}", rows[0].error);
    }
}
